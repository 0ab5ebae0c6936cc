/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The matcher against one that is slow and obvious: a table of which prefixes match. */
#include "fuzz_target.h"

#include "heapflow/heap/heap_expression.h"

#include <string>
#include <vector>

using heapflow::test::promise;

namespace
{

struct Part {
	enum { Star, Any, Set, Literal } kind;
	std::vector<bool> taken = std::vector<bool>(256);
};

/* The characters of a set after its '[', or false when it is not closed. */
bool readSet(std::string_view pattern, size_t &at, Part &part)
{
	const bool inverted = at < pattern.size() && pattern[at] == '!';
	size_t next = at + inverted;
	std::string members;
	/* The first character is a member even when it is ']'. */
	do {
		if (next >= pattern.size())
			return false;
		members += pattern[next++];
	} while (next < pattern.size() && pattern[next] != ']');
	if (next >= pattern.size())
		return false;

	for (size_t i = 0; i < members.size(); i++) {
		const auto low = static_cast<unsigned char>(members[i]);
		auto high = low;
		if (i + 2 < members.size() && members[i + 1] == '-') {
			high = static_cast<unsigned char>(members[i + 2]);
			i += 2;
		}
		for (unsigned c = low; c <= high; c++)
			part.taken[c] = true;
	}
	if (inverted)
		part.taken.flip();
	at = next + 1;
	return true;
}

std::vector<Part> readPattern(std::string_view pattern)
{
	std::vector<Part> parts;
	for (size_t at = 0; at < pattern.size();) {
		Part part{Part::Literal};
		const char character = pattern[at++];
		if (character == '*') {
			part.kind = Part::Star;
		} else if (character == '?') {
			part.kind = Part::Any;
		} else if (character == '[' && readSet(pattern, at, part)) {
			part.kind = Part::Set;
		} else {
			part.taken.assign(256, false);
			part.taken[static_cast<unsigned char>(character)] = true;
		}
		parts.push_back(std::move(part));
	}
	return parts;
}

/* reached[i]: the parts so far match the first i characters. */
bool matchSlowly(std::string_view pattern, std::string_view text)
{
	std::vector<bool> reached(text.size() + 1);
	reached[0] = true;
	for (const Part &part : readPattern(pattern)) {
		std::vector<bool> next(text.size() + 1);
		for (size_t i = 0; i <= text.size(); i++) {
			if (part.kind == Part::Star)
				next[i] = reached[i] || (i > 0 && next[i - 1]);
			else if (i > 0)
				next[i] = reached[i - 1] &&
					  (part.kind == Part::Any ||
					   part.taken[static_cast<unsigned char>(text[i - 1])]);
		}
		reached = std::move(next);
	}
	return reached[text.size()];
}

} /* namespace */

/* The input is the pattern, a line end, the text. */
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const std::string_view input = heapflow::test::asText(data, size).substr(0, 512);
	const size_t middle = std::min(input.find('\n'), input.size());
	const std::string_view pattern = input.substr(0, middle);
	const std::string_view text = input.substr(std::min(middle + 1, input.size()));

	promise(heapflow::matchGlob(pattern, text) == matchSlowly(pattern, text),
		"both matchers say the same");
	promise(heapflow::matchGlob("*", text), "* matches everything");
	return 0;
}
