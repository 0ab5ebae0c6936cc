/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The grammar is in docs/heap-expressions.md. */
#include "heapflow/heap/heap_expression.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace heapflow
{

namespace
{

/* Far more than anyone types; keeps matching cheap for whatever a property is set to. */
constexpr size_t kLongest = 4096;
/* CMA_MAX_NAME is 64 with its NUL. */
constexpr size_t kLongestName = 63;

constexpr const char *kUnderstood =
	"Understood are exact names (video@42000000), patterns ('video@*') "
	"and default, separated by ':'";

std::string showCharacter(char character)
{
	const auto byte = static_cast<unsigned char>(character);
	if (byte > 0x20 && byte < 0x7f)
		return std::string("'") + character + "'";
	if (character == ' ')
		return "a space";
	char text[16];
	std::snprintf(text, sizeof(text), "byte 0x%02x", byte);
	return text;
}

/* The expression with everything a terminal could trip over replaced. */
std::string showText(std::string_view text)
{
	std::string shown;
	for (const char character : text.substr(0, 80)) {
		const auto byte = static_cast<unsigned char>(character);
		shown += byte >= 0x20 && byte < 0x7f ? character : '?';
	}
	return shown + (text.size() > 80 ? "..." : "");
}

std::unexpected<Error> failAt(std::string_view text, size_t position, const std::string &what,
			      std::string hint = kUnderstood)
{
	return fail(EINVAL,
		    "heap expression '" + showText(text) + "', character " +
			    std::to_string(position + 1) + ": " + what,
		    std::move(hint));
}

bool isNameCharacter(char character)
{
	const auto byte = static_cast<unsigned char>(character);
	return byte > 0x20 && byte < 0x7f && character != '/';
}

/* The position of a '[' that has no ']', relative to `text`. */
size_t findOpenSet(std::string_view text)
{
	for (size_t at = 0; at < text.size(); at++) {
		if (text[at] != '[')
			continue;
		size_t first = at + 1;
		if (first < text.size() && text[first] == '!')
			first++;
		const size_t end = text.find(']', first + 1);
		if (end == std::string_view::npos)
			return at;
		at = end;
	}
	return std::string_view::npos;
}

Result<HeapAlternative> parseAlternative(std::string_view all, size_t position, size_t length)
{
	const std::string_view text = all.substr(position, length);

	if (text.empty())
		return failAt(all, position, "a heap name, a pattern or default is missing here");

	for (size_t at = 0; at < text.size(); at++) {
		if (text[at] == '=')
			return failAt(all, position + at, "conditions ('=') are not understood");
		if (text[at] == '/')
			return failAt(all, position + at, "'/' cannot stand in a heap name",
				      "Write the name without its directory: video@42000000");
		if (!isNameCharacter(text[at]))
			return failAt(all, position + at,
				      showCharacter(text[at]) + " cannot stand in a heap name");
	}
	if (text == "auto")
		return failAt(all, position, "'auto' is not understood");

	HeapAlternative alternative;
	alternative.text = text;
	alternative.position = position;
	if (text == "default") {
		alternative.kind = HeapAlternative::Kind::Default;
	} else if (text.find_first_of("*?[") != std::string_view::npos) {
		const size_t open = findOpenSet(text);
		if (open != std::string_view::npos)
			return failAt(all, position + open, "this '[' has no ']'");
		alternative.kind = HeapAlternative::Kind::Glob;
	} else if (text.size() > kLongestName) {
		return failAt(all, position + kLongestName,
			      "a heap name has at most " + std::to_string(kLongestName) +
				      " characters, this one has " + std::to_string(text.size()));
	}
	return alternative;
}

} /* namespace */

Result<HeapExpression> parseHeapExpression(std::string_view text)
{
	if (text.empty())
		return fail(EINVAL, "the heap expression is empty", kUnderstood);
	if (text.size() > kLongest)
		return fail(EINVAL,
			    "the heap expression has " + std::to_string(text.size()) +
				    " characters, at most " + std::to_string(kLongest) +
				    " are read",
			    kUnderstood);

	HeapExpression expression;
	expression.text = text;
	for (size_t position = 0; position <= text.size();) {
		const size_t end = std::min(text.find(':', position), text.size());
		auto alternative = parseAlternative(text, position, end - position);
		if (!alternative)
			return std::unexpected(std::move(alternative.error()));
		expression.alternatives.push_back(std::move(*alternative));
		position = end + 1;
	}
	return expression;
}

} /* namespace heapflow */
