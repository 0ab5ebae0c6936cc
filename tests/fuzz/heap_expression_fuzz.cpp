/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes are either an expression that can be put together again, or a clear EINVAL. */
#include "fuzz_target.h"

#include "heapflow/heap/heap_expression.h"

#include <algorithm>
#include <cerrno>

using namespace heapflow;
using heapflow::test::promise;

namespace
{

bool isPrintable(std::string_view text)
{
	return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

using Kind = HeapAlternative::Kind;

/* The conditions of an alternative are its text again, and each was understood. */
void checkConditions(const HeapAlternative &alternative)
{
	if (alternative.kind != Kind::Conditions) {
		promise(alternative.conditions.empty(), "only conditions have conditions");
		return;
	}
	std::string joined;
	for (const HeapCondition &one : alternative.conditions) {
		joined += joined.empty() ? "" : ",";
		joined += one.text;
		const bool sized = one.key == HeapCondition::Key::MinFree ||
				   one.key == HeapCondition::Key::Below;
		promise(sized == (one.bytes != 0), "a size is never 0");
		promise((one.key == HeapCondition::Key::Usage) == !one.usage.empty(),
			"a usage is never empty");
		promise(!propertyName(one.property).empty(), "a property has a name");
	}
	promise(joined == alternative.text, "the conditions are the whole alternative");
}

void checkExpression(const HeapExpression &expression, std::string_view text)
{
	std::string joined;
	for (const HeapAlternative &one : expression.alternatives) {
		joined += joined.empty() ? "" : ":";
		promise(one.position == joined.size(),
			"the position is that of the first character");
		joined += one.text;

		const bool conditions = one.text.find('=') != std::string::npos;
		const bool pattern =
			!conditions && one.text.find_first_of("*?[") != std::string::npos;
		promise((one.kind == Kind::Conditions) == conditions, "an '=' makes conditions");
		promise((one.kind == Kind::Glob) == pattern, "patterns are globs");
		promise((one.kind == Kind::Default) == (one.text == "default"),
			"default is the default");
		promise((one.kind == Kind::Auto) == (one.text == "auto"), "auto is auto");
		promise(!one.text.empty() && isPrintable(one.text), "alternatives are printable");
		promise(pattern || matchGlob(one.text, one.text) || conditions,
			"a name matches itself");
		checkConditions(one);
	}
	promise(joined == text && expression.text == text, "the alternatives are the whole text");
}

void checkError(const HeapExpressionError &failure, std::string_view text)
{
	const Error &error = failure.error;
	promise(error.code == EINVAL, "the error is EINVAL");
	promise(!error.message.empty() && !error.hint.empty(), "the error says what and what next");
	promise(isPrintable(error.text()), "the error is printable");
	promise(error.text().size() < 700, "the error stays short");
	promise(failure.position <= text.size(), "the position is in the text");

	const std::string pointer = failure.pointer(text);
	promise(pointer.size() < 200 && pointer.ends_with("^\n"), "the pointer is short");
	promise(std::ranges::count(pointer, '\n') == 2, "the pointer is two lines");
}

} /* namespace */

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const std::string_view text = heapflow::test::asText(data, size);
	const auto expression = readHeapExpression(text);
	if (expression)
		checkExpression(*expression, text);
	else
		checkError(expression.error(), text);
	return 0;
}
