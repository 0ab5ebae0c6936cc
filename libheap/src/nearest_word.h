/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "Did you mean": the word that a slip of the finger makes of another. */
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heapflow
{

/** \brief The nearest of `words` by insertions, deletions, changes and swaps; empty when none is
 * near */
std::string_view nearestWord(std::string_view word, const std::vector<std::string_view> &words);

/** \brief "; did you mean 'contiguous'?", or nothing */
std::string nearestWordText(std::string_view word, const std::vector<std::string_view> &words);

} /* namespace heapflow */
