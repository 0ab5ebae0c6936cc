/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the TAB key may put in, from what the commands say about themselves to CLI11. */
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace heapflow::tool
{

/** \brief A candidate that stands for what the shell itself knows better */
inline constexpr const char *kAnyFile = ":files";
inline constexpr const char *kAnyDirectory = ":directories";

/**
 * \brief Each way to go on with the last of `words`, whole words, sorted
 *
 * \param[in] words The command line with the program's name, as far as the cursor; the last one
 * may be empty. Quotes are removed already.
 * \param[in] heaps Names of heaps, for what takes a heap or an expression.
 */
std::vector<std::string> candidates(const CLI::App &app, const std::vector<std::string> &words,
				    const std::vector<std::string> &heaps);

} /* namespace heapflow::tool */
