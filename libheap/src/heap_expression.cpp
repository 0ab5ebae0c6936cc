/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The grammar is in docs/heap-expressions.md. */
#include "heapflow/heap/heap_expression.h"

#include "heapflow/heap/size_text.h"

#include "nearest_word.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

namespace heapflow
{

namespace
{

using Key = HeapCondition::Key;
using Kind = HeapAlternative::Kind;

/* Far more than anyone types; keeps matching cheap for whatever a property is set to. */
constexpr size_t kLongest = 4096;
/* CMA_MAX_NAME is 64 with its NUL. */
constexpr size_t kLongestName = 63;
/* What a message and a pointer show of an expression. */
constexpr size_t kShown = 80;

constexpr const char *kUnderstood =
	"Understood are exact names (video@42000000), patterns ('video@*'), default, auto and "
	"conditions (is=contiguous,min-free=64M), separated by ':'";

struct KeyWord {
	std::string_view word;
	Key key;
};
constexpr std::array kKeys{
	KeyWord{"is", Key::Is},       KeyWord{"not", Key::Not},
	KeyWord{"usage", Key::Usage}, KeyWord{"min-free", Key::MinFree},
	KeyWord{"below", Key::Below},
};

struct PropertyWord {
	std::string_view word;
	HeapProperty property;
};
constexpr std::array kProperties{
	PropertyWord{"contiguous", HeapProperty::Contiguous},
	PropertyWord{"protected", HeapProperty::Protected},
	PropertyWord{"cached", HeapProperty::Cached},
	PropertyWord{"cc_shared", HeapProperty::CcShared},
	PropertyWord{"dedicated", HeapProperty::Dedicated},
};

template<typename Table>
std::vector<std::string_view> wordsOf(const Table &table)
{
	std::vector<std::string_view> words;
	for (const auto &entry : table)
		words.push_back(entry.word);
	return words;
}

std::string listOf(const std::vector<std::string_view> &words)
{
	std::string list;
	for (const std::string_view word : words)
		list += (list.empty() ? "" : ", ") + std::string(word);
	return list;
}

char shownCharacter(char character)
{
	const auto byte = static_cast<unsigned char>(character);
	return byte >= 0x20 && byte < 0x7f ? character : '?';
}

std::string nameCharacter(char character)
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
	for (const char character : text.substr(0, kShown))
		shown += shownCharacter(character);
	return shown + (text.size() > kShown ? "..." : "");
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

/* Reads one expression; each function takes the bounds of its part in the whole text. */
class Parser
{
public:
	explicit Parser(std::string_view text) : text_(text) {}

	std::expected<HeapExpression, HeapExpressionError> parse() const;

private:
	template<typename T>
	using Parsed = std::expected<T, HeapExpressionError>;

	std::unexpected<HeapExpressionError> failAt(size_t position, const std::string &what,
						    std::string hint = kUnderstood) const;
	Parsed<HeapAlternative> alternative(size_t position, size_t end) const;
	Parsed<Kind> plainKind(size_t position, size_t end) const;
	Parsed<HeapCondition> condition(size_t position, size_t end) const;
	Parsed<HeapCondition> value(HeapCondition condition, size_t position, size_t end) const;
	Parsed<std::vector<HeapCondition>> conditions(size_t position, size_t end) const;

	std::string_view part(size_t position, size_t end) const
	{
		return text_.substr(position, end - position);
	}

	std::string_view text_;
};

std::unexpected<HeapExpressionError> Parser::failAt(size_t position, const std::string &what,
						    std::string hint) const
{
	return std::unexpected(
		HeapExpressionError{{EINVAL,
				     "heap expression '" + showText(text_) + "', character " +
					     std::to_string(position + 1) + ": " + what,
				     std::move(hint)},
				    position});
}

Parser::Parsed<Kind> Parser::plainKind(size_t position, size_t end) const
{
	const std::string_view text = part(position, end);
	if (text == "default")
		return Kind::Default;
	if (text == "auto")
		return Kind::Auto;
	if (text.find_first_of("*?[") != std::string_view::npos) {
		const size_t open = findOpenSet(text);
		if (open != std::string_view::npos)
			return failAt(position + open, "this '[' has no ']'");
		return Kind::Glob;
	}
	if (text.size() > kLongestName)
		return failAt(position + kLongestName,
			      "a heap name has at most " + std::to_string(kLongestName) +
				      " characters, this one has " + std::to_string(text.size()));
	return Kind::Name;
}

Parser::Parsed<HeapAlternative> Parser::alternative(size_t position, size_t end) const
{
	const std::string_view text = part(position, end);
	if (text.empty())
		return failAt(position, "a heap name, a pattern or default is missing here");

	for (size_t at = position; at < end; at++) {
		if (text_[at] == '/')
			return failAt(at, "'/' cannot stand in a heap name",
				      "Write the name without its directory: video@42000000");
		if (!isNameCharacter(text_[at]))
			return failAt(at,
				      nameCharacter(text_[at]) + " cannot stand in a heap name");
	}

	HeapAlternative alternative{.text = std::string(text), .position = position};
	if (text.find('=') == std::string_view::npos) {
		const auto kind = plainKind(position, end);
		if (!kind)
			return std::unexpected(kind.error());
		alternative.kind = *kind;
		return alternative;
	}

	auto list = conditions(position, end);
	if (!list)
		return std::unexpected(std::move(list.error()));
	alternative.kind = Kind::Conditions;
	alternative.conditions = std::move(*list);
	return alternative;
}

Parser::Parsed<std::vector<HeapCondition>> Parser::conditions(size_t position, size_t end) const
{
	std::vector<HeapCondition> list;
	while (position <= end) {
		const size_t comma = std::min(text_.find(',', position), end);
		auto one = condition(position, comma);
		if (!one)
			return std::unexpected(std::move(one.error()));
		list.push_back(std::move(*one));
		position = comma + 1;
	}
	return list;
}

Parser::Parsed<HeapCondition> Parser::condition(size_t position, size_t end) const
{
	const std::string_view text = part(position, end);
	const std::string known = listOf(wordsOf(kKeys));
	const size_t equals = text.find('=');
	if (equals == std::string_view::npos)
		return failAt(position,
			      text.empty() ? "a condition is missing here"
					   : "this is no condition: it has no '='",
			      "Conditions are KEY=VALUE, separated by ','. Keys are " + known);

	const std::string_view key = text.substr(0, equals);
	const auto found = std::ranges::find(kKeys, key, &KeyWord::word);
	if (found == kKeys.end())
		return failAt(position, "there is no condition '" + showText(key) + "'",
			      "Conditions are " + known + nearestWordText(key, wordsOf(kKeys)));

	HeapCondition condition{.key = found->key, .text = std::string(text)};
	const size_t valueAt = position + equals + 1;
	if (valueAt == end)
		return failAt(valueAt, "'" + std::string(key) + "=' needs a value");
	return value(std::move(condition), valueAt, end);
}

Parser::Parsed<HeapCondition> Parser::value(HeapCondition condition, size_t position,
					    size_t end) const
{
	const std::string_view text = part(position, end);
	const size_t equals = text.find('=');
	if (equals != std::string_view::npos)
		return failAt(position + equals, "a second '=' in one condition",
			      "Separate conditions by ',': is=contiguous,usage=video");

	switch (condition.key) {
	case Key::Is:
	case Key::Not: {
		const auto found = std::ranges::find(kProperties, text, &PropertyWord::word);
		if (found == kProperties.end())
			return failAt(position, "there is no property '" + showText(text) + "'",
				      "Properties are " + listOf(wordsOf(kProperties)) +
					      nearestWordText(text, wordsOf(kProperties)));
		condition.property = found->property;
		return condition;
	}
	case Key::Usage: {
		const size_t open = findOpenSet(text);
		if (open != std::string_view::npos)
			return failAt(position + open, "this '[' has no ']'");
		condition.usage = text;
		return condition;
	}
	case Key::MinFree:
	case Key::Below: {
		const auto bytes = parseSize(text);
		if (!bytes)
			return failAt(position, bytes.error().message,
				      "Write bytes, or K, M, G, T for powers of 1024: 64M, 4G");
		condition.bytes = *bytes;
		return condition;
	}
	}
	return condition;
}

std::expected<HeapExpression, HeapExpressionError> Parser::parse() const
{
	if (text_.empty())
		return std::unexpected(
			HeapExpressionError{{EINVAL, "the heap expression is empty", kUnderstood}});
	if (text_.size() > kLongest)
		return std::unexpected(HeapExpressionError{
			{EINVAL,
			 "the heap expression has " + std::to_string(text_.size()) +
				 " characters, at most " + std::to_string(kLongest) + " are read",
			 kUnderstood},
			kLongest});

	HeapExpression expression{.text = std::string(text_)};
	for (size_t position = 0; position <= text_.size();) {
		const size_t end = std::min(text_.find(':', position), text_.size());
		auto one = alternative(position, end);
		if (!one)
			return std::unexpected(std::move(one.error()));
		expression.alternatives.push_back(std::move(*one));
		position = end + 1;
	}
	return expression;
}

} /* namespace */

std::string_view propertyName(HeapProperty property)
{
	return std::ranges::find(kProperties, property, &PropertyWord::property)->word;
}

std::string HeapExpressionError::pointer(std::string_view text) const
{
	const size_t at = std::min(position, text.size());
	const size_t from = at < kShown ? 0 : at - kShown / 2;
	const std::string_view window = text.substr(from, kShown);

	std::string line = from ? "..." : "";
	const size_t column = line.size() + at - from;
	for (const char character : window)
		line += shownCharacter(character);
	if (from + window.size() < text.size())
		line += "...";
	return line + "\n" + std::string(column, ' ') + "^\n";
}

std::expected<HeapExpression, HeapExpressionError> readHeapExpression(std::string_view text)
{
	return Parser(text).parse();
}

Result<HeapExpression> parseHeapExpression(std::string_view text)
{
	auto expression = readHeapExpression(text);
	if (!expression)
		return std::unexpected(std::move(expression.error().error));
	return std::move(*expression);
}

} /* namespace heapflow */
