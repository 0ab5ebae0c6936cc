/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the command lines of board/torture's programs have alike. */
#pragma once

#include <CLI/CLI.hpp>

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace heapflow::torture
{

inline constexpr int badUsage = 2;

/** \brief The exit status, if there is nothing to run: 0 after --help, 2 for a bad option */
inline std::optional<int> parseCommandLine(CLI::App &app, int argc, char **argv)
{
	try {
		app.parse(argc, argv);
		return std::nullopt;
	} catch (const CLI::ParseError &error) {
		/* CLI11 has statuses of its own, from 100 on. */
		return app.exit(error) == 0 ? 0 : badUsage;
	}
}

/** \brief With a number of 0 nothing would be tried, and all would be well */
inline const CLI::Validator oneOrMore(
	[](const std::string &text) {
		return text.find_first_not_of('0') == text.npos || text.starts_with('-')
			       ? "'" + text + "' is not 1 or more"
			       : std::string();
	},
	"NUMBER");

/** \brief Says on stderr what there is when `--only` fits nothing; \return the exit status */
inline int nothingFits(const char *program, const std::string &only,
		       const std::vector<std::string> &names)
{
	std::fprintf(stderr, "%s: nothing has '%s' in its name; there is:\n", program,
		     only.c_str());
	for (const std::string &name : names)
		std::fprintf(stderr, "  %s\n", name.c_str());
	return badUsage;
}

} /* namespace heapflow::torture */
