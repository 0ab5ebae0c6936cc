/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nearest_word.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace heapflow
{

namespace
{

/* Longer words are nobody's slip, and would cost time. */
constexpr size_t kLongest = 64;

/* Upper case, '-' and '_' are the commonest slips, and free. */
char folded(char character)
{
	return character == '_'
		       ? '-'
		       : static_cast<char>(std::tolower(static_cast<unsigned char>(character)));
}

/* The distance of Damerau and Levenshtein (optimal string alignment), three rows at a time. */
size_t distance(std::string_view from, std::string_view to)
{
	std::vector<size_t> before(to.size() + 1);
	std::vector<size_t> above(to.size() + 1);
	std::vector<size_t> row(to.size() + 1);
	std::iota(above.begin(), above.end(), size_t{0});

	for (size_t i = 1; i <= from.size(); i++) {
		row[0] = i;
		for (size_t j = 1; j <= to.size(); j++) {
			const bool same = folded(from[i - 1]) == folded(to[j - 1]);
			row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + !same});
			if (i > 1 && j > 1 && folded(from[i - 1]) == folded(to[j - 2]) &&
			    folded(from[i - 2]) == folded(to[j - 1]))
				row[j] = std::min(row[j], before[j - 2] + 1);
		}
		std::swap(before, above);
		std::swap(above, row);
	}
	return above[to.size()];
}

} /* namespace */

std::string_view nearestWord(std::string_view word, const std::vector<std::string_view> &words)
{
	std::string_view nearest;
	/* A third of the letters may differ: more is another word. */
	size_t least = word.size() / 3 + 2;
	if (word.empty() || word.size() > kLongest)
		return nearest;

	for (const std::string_view candidate : words) {
		const size_t apart = distance(word, candidate);
		if (apart < least) {
			least = apart;
			nearest = candidate;
		}
	}
	return nearest;
}

std::string nearestWordText(std::string_view word, const std::vector<std::string_view> &words)
{
	const std::string_view nearest = nearestWord(word, words);
	return nearest.empty() ? "" : "; did you mean '" + std::string(nearest) + "'?";
}

} /* namespace heapflow */
