/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Run a command line as a user would and keep what it printed. */
#pragma once

#include "temporary_directory.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include <sys/wait.h>

namespace heapflow::test
{

struct CommandResult {
	int status = -1; /**< exit status, 128+N for a signal */
	std::string output;
	std::string errors;
};

/** \brief Runs `line` with /bin/sh; stdin is /dev/null */
inline CommandResult runCommand(const std::string &line)
{
	TemporaryDirectory directory;
	const auto out = directory.path() / "out";
	const auto err = directory.path() / "err";
	const std::string full =
		"(" + line + ") </dev/null >" + out.string() + " 2>" + err.string();
	const int wait = std::system(full.c_str());

	auto slurp = [](const std::filesystem::path &file) {
		std::ostringstream text;
		text << std::ifstream(file).rdbuf();
		return text.str();
	};
	const int status = WIFSIGNALED(wait) ? 128 + WTERMSIG(wait) : WEXITSTATUS(wait);
	return {status, slurp(out), slurp(err)};
}

} /* namespace heapflow::test */
