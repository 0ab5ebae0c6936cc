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

void checkExpression(const HeapExpression &expression, std::string_view text)
{
	std::string joined;
	for (const HeapAlternative &one : expression.alternatives) {
		joined += joined.empty() ? "" : ":";
		promise(one.position == joined.size(),
			"the position is that of the first character");
		joined += one.text;

		const bool pattern = one.text.find_first_of("*?[") != std::string::npos;
		promise((one.kind == HeapAlternative::Kind::Glob) == pattern, "patterns are globs");
		promise((one.kind == HeapAlternative::Kind::Default) == (one.text == "default"),
			"default is the default");
		promise(!one.text.empty() && isPrintable(one.text), "alternatives are printable");
		promise(pattern || matchGlob(one.text, one.text), "a name matches itself");
	}
	promise(joined == text && expression.text == text, "the alternatives are the whole text");
}

void checkError(const Error &error)
{
	promise(error.code == EINVAL, "the error is EINVAL");
	promise(!error.message.empty() && !error.hint.empty(), "the error says what and what next");
	promise(isPrintable(error.text()), "the error is printable");
	promise(error.text().size() < 600, "the error stays short");
}

} /* namespace */

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const std::string_view text = heapflow::test::asText(data, size);
	const auto expression = parseHeapExpression(text);
	if (expression)
		checkExpression(*expression, text);
	else
		checkError(expression.error());
	return 0;
}
