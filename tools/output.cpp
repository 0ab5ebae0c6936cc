/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "output.h"

#include "table.h"

#include <cerrno>
#include <cstdio>
#include <ctime>

namespace heapflow::tool
{

namespace
{

using Json = nlohmann::ordered_json;

} /* namespace */

int print(const std::string &text)
{
	/* Flushed here: `--hold` must show its lines before it waits, and a full disk is an error.
	 */
	if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
	    std::fflush(stdout) == 0)
		return kSuccess;
	return report({errno, "cannot write the output", {}});
}

int printJson(const Json &value)
{
	return print(value.dump(2, ' ', true, Json::error_handler_t::replace) + "\n");
}

int report(const Error &error, int status)
{
	const std::string message = Error{error.code, error.message, {}}.text();
	std::fprintf(stderr, "heapctl: %s\n", safeText(message).c_str());
	if (!error.hint.empty())
		std::fprintf(stderr, "hint: %s\n", safeText(error.hint).c_str());
	return status;
}

std::optional<HeapExpression> readExpression(std::string_view text)
{
	auto expression = readHeapExpression(text);
	if (expression)
		return std::move(*expression);
	const HeapExpressionError &failure = expression.error();
	report({failure.error.code, failure.error.message, {}});
	if (!text.empty())
		std::fprintf(stderr, "%s", failure.pointer(text).c_str());
	std::fprintf(stderr, "hint: %s\n", safeText(failure.error.hint).c_str());
	return std::nullopt;
}

std::string utcNow()
{
	timespec time{};
	clock_gettime(CLOCK_REALTIME, &time);
	tm parts{};
	gmtime_r(&time.tv_sec, &parts);
	char text[64];
	const size_t length = strftime(text, sizeof(text), "%FT%T", &parts);
	std::snprintf(text + length, sizeof(text) - length, ".%03ldZ", time.tv_nsec / 1'000'000);
	return text;
}

Json toJson(const Heap &heap)
{
	const Region &region = heap.region;
	Json json;
	json["name"] = heap.name.text;
	json["node"] = heap.node.string();
	json["link_target"] = heap.linkTarget.empty() ? Json(nullptr) : Json(heap.linkTarget);
	json["accessible"] = heap.accessible;
	json["access"] = describeAccess(heap);
	json["usage"] = heap.name.usage;
	json["unit_address"] = orNull(heap.name.unitAddress);
	json["protected"] = heap.name.isProtected;
	json["contiguous"] = contiguousText(heap);
	json["region"] = {
		{"id", region.id},
		{"default", region.isDefault},
		{"base", orNull(region.base)},
		{"total", orNull(region.total)},
		{"free", orNull(region.free)},
		{"largest", orNull(region.largest)},
		{"sources", region.sources},
	};
	return json;
}

std::string contiguousText(const Heap &heap)
{
	if (heap.region.contiguous)
		return "yes";
	if (isSystemHeapName(heap.region.id))
		return "no";
	return heap.name.contiguous ? "by name" : "unknown";
}

} /* namespace heapflow::tool */
