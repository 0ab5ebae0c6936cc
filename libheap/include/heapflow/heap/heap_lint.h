/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judge heap names by the kernel's convention, and device-tree nodes by what the kernel makes of
 * them. */
#pragma once

#include "heapflow/heap/heap.h"
#include "heapflow/heap/reserved_memory.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heapflow
{

enum class LintSeverity {
	Error,   /**< breaks a "must" of the convention, or the heap does not appear */
	Warning, /**< breaks a "should", or is not in the hands of whoever wrote the tree */
	Note,    /**< worth knowing, nothing to change */
};

/** \brief "error", "warning", "note" */
std::string_view severityName(LintSeverity severity);

/** \brief A rule, in our words, and where it comes from */
struct LintRule {
	std::string_view id;
	std::string_view text;
	std::string_view citation;
};

/** \brief Every rule that a finding can name, in the order of docs/heap-names.md */
std::span<const LintRule> lintRules();

/** \return nullptr when there is no such rule */
const LintRule *lintRule(std::string_view id);

/** \brief Something to judge: a name and all that is known beside it */
struct LintSubject {
	std::string name;
	std::optional<ReservedNode> node; /**< when a device tree was read */
	/** A heap of a running system without a node: nobody can rename it in a tree */
	bool givenByKernel = false;
	std::string linkTarget;            /**< of a symbolic link in /dev/dma_heap */
	std::string sameRegionAs;          /**< another heap that is this region */
	std::optional<bool> exists;        /**< on a running system: there is such a heap */
	std::optional<uint64_t> base = {}; /**< bytes, by evidence */
	bool contiguous = false;           /**< by evidence: the region is a CMA area */
};

struct LintFinding {
	std::string_view rule; /**< LintRule::id */
	LintSeverity severity = LintSeverity::Error;
	std::string name;       /**< the heap or node; "reserved-memory" for the whole of it */
	std::string message;    /**< with the numbers */
	std::string suggestion; /**< a name to take instead; empty when the name is not at fault */
};

struct LintInput {
	std::vector<LintSubject> subjects;
	std::optional<ReservedMemory> tree; /**< the rules for a whole tree apply */
	std::string commandLine;            /**< of the kernel; empty when unknown */
};

/** \brief Names alone, as somebody thinks of them */
LintInput lintInput(std::span<const std::string> names);
/** \brief The nodes of a tree that are, or were meant to be, heaps */
LintInput lintInput(const ReservedMemory &tree);
/** \brief A running system: its heaps, their nodes, and nodes of which no heap was made */
LintInput lintInput(const std::vector<Heap> &heaps, const ReservedMemory &tree,
		    std::string commandLine);

/** \brief All findings, by name, the worst first; the same input gives the same order */
std::vector<LintFinding> lint(const LintInput &input);

/**
 * \brief A name in the place of `subject`'s that breaks no rule
 *
 * What the old name says of usage, address and properties is kept as far as it is true. Lint finds
 * no error and no warning in it (promised by tests/fuzz/heap_lint_fuzz.cpp).
 */
std::string suggestHeapName(const LintSubject &subject);

} /* namespace heapflow */
