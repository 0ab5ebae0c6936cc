/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Run another program, without a shell, and keep all that it prints. */
#pragma once

#include "heapflow/heap/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace heapflow::tool
{

struct ProgramOutput {
	int status = 0; /**< exit status, 128+N for a signal */
	std::string output;
	std::string errors;
};

/**
 * \brief Runs `arguments`, the first found on PATH, with `input` on its standard input
 *
 * Waits for its end. Errors: ENOENT there is no such program, EFBIG it printed more than 64 MiB,
 * and what memfd_create(), write() and posix_spawnp() give.
 */
Result<ProgramOutput> runProgram(const std::vector<std::string> &arguments, std::string_view input);

/** \brief All of a file or, for "-", of standard input; EFBIG beyond 64 MiB */
Result<std::string> readWholeFile(const std::string &file);

} /* namespace heapflow::tool */
