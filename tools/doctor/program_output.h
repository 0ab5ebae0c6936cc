/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another program's answer, within a time. */
#pragma once

#include "heapflow/heap/error.h"

#include <chrono>
#include <string>
#include <vector>

namespace heapflow::tool::doctor
{

struct ProgramOutput {
	int status = 0;   /**< of its exit, 128+N for a signal */
	std::string text; /**< what it wrote on stdout, at most 8 MiB */
};

/**
 * \brief Runs a program of PATH without a shell; stdin and stderr are /dev/null
 *
 * It is killed and waited for when the time is over. Errors: ENOENT there is no such program,
 * ETIMEDOUT, and what posix_spawn() says.
 */
Result<ProgramOutput> runProgram(const std::vector<std::string> &words,
				 std::chrono::milliseconds limit);

} /* namespace heapflow::tool::doctor */
