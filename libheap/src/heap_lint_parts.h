/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of lint(): what each looks at. */
#pragma once

#include "heapflow/heap/heap_lint.h"

namespace heapflow
{

using LintFindings = std::vector<LintFinding>;

/** \brief The rules of the convention that one name keeps or breaks by itself */
void lintName(const LintSubject &subject, LintFindings &findings);

/** \brief Does the name tell the truth about the region, where that is known? */
void lintTruth(const LintSubject &subject, LintFindings &findings);

/** \brief What keeps the node of one subject from becoming a heap */
void lintNode(const LintSubject &subject, LintFindings &findings);

/** \brief The rules about several nodes, and about /reserved-memory itself */
void lintTree(const LintInput &input, LintFindings &findings);

/** \brief The parts between ',', '-', '_', '.', '@' and '+', in small letters */
std::vector<std::string> nameWords(std::string_view text);

/* A number at the end of a word does not count for any of these: cma0 is cma. */

/** \brief Words that name how the kernel allocates: "cma" */
bool isImplementationWord(std::string_view word);
/** \brief Words that say nothing of a region: "memory" */
bool isEmptyWord(std::string_view word);
/** \brief Words that will not be true for long: "new" */
bool isPassingWord(std::string_view word);
/** \brief The convention's word for `word`, which means the same: "contiguous" for "contig" */
std::string_view properPropertyWord(std::string_view word);

/** \brief Only characters of a node name, its first one a letter */
bool hasNodeCharacters(std::string_view name);

/** \brief "0x42000000" */
std::string hexText(uint64_t number);

} /* namespace heapflow */
