/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shell-style patterns, without fnmatch(): that one follows the locale and may recurse. */
#include "heapflow/heap/heap_expression.h"

namespace heapflow
{

namespace
{

/* One element of a pattern other than `*`: its length, and whether it takes a character. */
struct Element {
	size_t length;
	bool matches;
};

/* pattern[0] is '['. A set without its ']' is the character '[' itself, as in a shell. */
Element matchSet(std::string_view pattern, unsigned char character)
{
	size_t at = 1;
	const bool inverted = at < pattern.size() && pattern[at] == '!';
	if (inverted)
		at++;

	bool found = false;
	for (const size_t first = at; at < pattern.size(); at++) {
		if (pattern[at] == ']' && at > first)
			return {at + 1, found != inverted};

		const auto low = static_cast<unsigned char>(pattern[at]);
		auto high = low;
		if (at + 2 < pattern.size() && pattern[at + 1] == '-' && pattern[at + 2] != ']') {
			high = static_cast<unsigned char>(pattern[at + 2]);
			at += 2;
		}
		if (low <= character && character <= high)
			found = true;
	}
	return {1, character == '['};
}

Element matchOne(std::string_view pattern, char character)
{
	if (pattern[0] == '?')
		return {1, true};
	if (pattern[0] == '[')
		return matchSet(pattern, static_cast<unsigned char>(character));
	return {1, pattern[0] == character};
}

} /* namespace */

/*
 * Only the last `*` is ever tried again: what stands before it has been matched as early as
 * possible, and a later match of that part could not leave more text for the rest.
 */
bool matchGlob(std::string_view pattern, std::string_view text)
{
	size_t p = 0;
	size_t t = 0;
	size_t retryPattern = std::string_view::npos;
	size_t retryText = 0;

	while (t < text.size()) {
		if (p < pattern.size() && pattern[p] == '*') {
			retryPattern = ++p;
			retryText = t;
			continue;
		}
		if (p < pattern.size()) {
			const Element element = matchOne(pattern.substr(p), text[t]);
			if (element.matches) {
				p += element.length;
				t++;
				continue;
			}
		}
		if (retryPattern == std::string_view::npos)
			return false;
		p = retryPattern;
		t = ++retryText;
	}
	while (p < pattern.size() && pattern[p] == '*')
		p++;
	return p == pattern.size();
}

} /* namespace heapflow */
