/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program in a memory cgroup of its own (cgroup v2). */
#pragma once

#include "apart.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace heapflow::torture
{

struct MemoryLimit {
	uint64_t bytes; /**< memory.max from the beginning */
	/** What it becomes while the program runs, after so many milliseconds */
	std::optional<uint64_t> later = {};
	unsigned laterAfter = 0;
};

/**
 * \brief Run a program until it ends; `words` is its command line
 *
 * Played: it ended well. Refused: it told an error, or the kernel's OOM killer ended it, which is
 * what a limit does to a program that cannot be told. Broken: it crashed otherwise, or says
 * nothing.
 */
Verdict runLimited(const MemoryLimit &limit, const std::vector<std::string> &words);

} /* namespace heapflow::torture */
