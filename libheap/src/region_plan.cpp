/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/region_plan.h"

#include "heapflow/heap/heap_lint.h"
#include "heapflow/heap/size_text.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cinttypes>
#include <cstdio>

namespace heapflow
{

namespace
{

constexpr uint64_t kMost = UINT64_MAX;
constexpr uint64_t kMiB = 1 << 20;
constexpr unsigned kLargestOrder = 12; /* CONFIG_CMA_ALIGNMENT, kernel/dma/Kconfig */

std::string hex(uint64_t number)
{
	char text[24];
	std::snprintf(text, sizeof(text), "0x%" PRIx64, number);
	return text;
}

uint64_t roundUp(uint64_t value, uint64_t step)
{
	return value > kMost - (step - 1) ? kMost : (value + step - 1) & ~(step - 1);
}

std::string bytesText(uint64_t bytes)
{
	return std::to_string(bytes) + " bytes (" + sizeText(bytes) + ")";
}

Result<void> checkRequest(const RegionRequest &request)
{
	const uint64_t page = request.rules.pageSize;
	if (request.frames == 0 || request.frame.size() == 0)
		return fail(EINVAL, "0 frames need no region");
	if (page != 4096 && page != 16384 && page != 65536)
		return fail(EINVAL,
			    "a page of " + std::to_string(page) + " bytes is none of Linux'",
			    "Take 4K, 16K or 64K; on the board: getconf PAGESIZE");
	if (request.rules.alignmentOrder > kLargestOrder)
		return fail(EINVAL, "an alignment of order " +
					    std::to_string(request.rules.alignmentOrder) +
					    " is beyond CONFIG_CMA_ALIGNMENT, which ends at 12");
	if (request.minimumAlignment &&
	    (!std::has_single_bit(*request.minimumAlignment) || *request.minimumAlignment < page))
		return fail(EINVAL,
			    std::to_string(*request.minimumAlignment) +
				    " bytes are no pageblock: a power of two, of a page at least");
	if (request.cells != 1 && request.cells != 2)
		return fail(EINVAL, std::to_string(request.cells) + " cells are neither 1 nor 2");
	if (request.base && request.within)
		return fail(EINVAL, "a region that has its place is not placed by the kernel",
			    "Give a base or a range, not both");
	return {};
}

bool isLabel(std::string_view text)
{
	return std::ranges::all_of(text,
				   [](char c) {
					   return (c >= 'a' && c <= 'z') ||
						  (c >= 'A' && c <= 'Z') ||
						  (c >= '0' && c <= '9') || c == '_';
				   }) &&
	       !(text.front() >= '0' && text.front() <= '9');
}

Result<void> checkNames(const RegionPlan &plan)
{
	const std::string &label = plan.request.label;
	if (!label.empty() && !isLabel(label))
		return fail(EINVAL, "'" + label + "' is no label of device-tree source",
			    "A label has letters, digits and _, and does not begin with a digit");

	const std::string &usage = plan.request.usage;
	if (usage.empty() || usage.contains('@'))
		return fail(EINVAL, "'" + usage + "' is no usage",
			    "Such as video, camera, display");
	const std::string names[] = {plan.name};
	for (const LintFinding &finding : lint(lintInput(names))) {
		if (finding.severity != LintSeverity::Note)
			return fail(EINVAL,
				    "the name '" + plan.name +
					    "' breaks a rule: " + finding.message,
				    "Take a usage as in '" + finding.suggestion +
					    "'; docs/heap-names.md has the rules");
	}
	return {};
}

/* Where the kernel may look for a place: of `within` and `below` what both allow. */
std::optional<MemoryRange> allocRange(const RegionRequest &request)
{
	if (!request.within && !request.below)
		return std::nullopt;
	MemoryRange range = request.within.value_or(MemoryRange{0, kMost});
	if (request.below) {
		const uint64_t end = std::min(range.end().value_or(kMost), *request.below);
		range.size = end > range.base ? end - range.base : 0;
	}
	return range;
}

Result<void> checkPlace(const RegionPlan &plan)
{
	const RegionRequest &request = plan.request;
	if (request.base && *request.base % plan.regionAlignment != 0)
		return fail(EINVAL,
			    "the base " + hex(*request.base) + " is no multiple of " +
				    bytesText(plan.regionAlignment),
			    "The next one is " + hex(roundUp(*request.base, plan.regionAlignment)));

	const auto range = request.base ? std::optional(MemoryRange{*request.base, plan.size})
					: allocRange(request);
	const auto end = range ? range->end() : std::optional(plan.size);
	const uint64_t limit = request.below.value_or(kMost);
	if (!end || (request.base && *end > limit))
		return fail(ERANGE, "a region of " + bytesText(plan.size) + " at " +
					    hex(request.base.value_or(0)) + " ends beyond " +
					    hex(limit));
	if (range && range->size < plan.size)
		return fail(ERANGE, "a region of " + bytesText(plan.size) + " does not fit into " +
					    bytesText(range->size) + " at " + hex(range->base));
	if (request.cells == 1 && (*end - 1) >> 32)
		return fail(
			ERANGE, "the region ends at " + hex(*end) + ", beyond one cell",
			"Give a tree whose root has #address-cells = <2> and #size-cells = <2>");
	return {};
}

/* A number in cells: <0x0 0x42000000>, without the brackets. */
std::string cellText(uint64_t number, unsigned cells)
{
	char text[32];
	if (cells == 2)
		std::snprintf(text, sizeof(text), "0x%" PRIx32 " 0x%08" PRIx32,
			      static_cast<uint32_t>(number >> 32), static_cast<uint32_t>(number));
	else
		std::snprintf(text, sizeof(text), "0x%08" PRIx32, static_cast<uint32_t>(number));
	return text;
}

std::string placeText(const RegionPlan &plan)
{
	const RegionRequest &request = plan.request;
	auto property = [&](const char *name, std::initializer_list<uint64_t> numbers) {
		std::string text;
		for (const uint64_t number : numbers)
			text += (text.empty() ? "" : " ") + cellText(number, request.cells);
		return "\t\t\t" + std::string(name) + " = <" + text + ">;\n";
	};
	if (request.base)
		return property("reg", {*request.base, plan.size});

	std::string text =
		property("size", {plan.size}) + property("alignment", {plan.regionAlignment});
	if (auto range = allocRange(request)) {
		/* All of what one cell can say. */
		if (request.cells == 1)
			range->size = std::min(range->size, uint64_t{UINT32_MAX} - range->base);
		text += property("alloc-ranges", {range->base, range->size});
	}
	return text;
}

} /* namespace */

uint64_t largestPageblock(uint64_t pageSize)
{
	switch (pageSize) {
	case 16384:
		return 32 * kMiB;
	case 65536:
		return 512 * kMiB;
	default:
		return 4 * kMiB;
	}
}

std::string RegionPlan::explanation() const
{
	const CmaRules &rules = request.rules;
	const uint64_t each = roundUp(frameBytes, bufferAlignment);
	const uint64_t last = roundUp(frameBytes, rules.pageSize);
	std::string text = std::to_string(request.frames) +
			   (request.frames == 1 ? " frame of " : " frames of ") +
			   describe(request.frame) + "\n";
	text += "CMA begins a buffer of this size at a multiple of " + bytesText(bufferAlignment) +
		":\nits power of two, but no more than " + std::to_string(rules.pageSize) +
		" << CONFIG_CMA_ALIGNMENT, which is " + std::to_string(rules.alignmentOrder) + "\n";
	if (request.frames > 1)
		text += std::to_string(request.frames - 1) + " * " + std::to_string(each) + " + " +
			std::to_string(last) + " = ";
	text += bytesText(space) + "\n";
	text += "in whole pageblocks of " + bytesText(minimumAlignment) + ":\n" + bytesText(size) +
		". CMA_MIN_ALIGNMENT_BYTES is a pageblock: the kernel lends " +
		"the region out\nin pageblocks as long as no buffer needs it, and refuses one that "
		"begins or ends inside\n";
	return text;
}

std::string RegionPlan::source() const
{
	const std::string cells = "<" + std::to_string(request.cells) + ">";
	std::string comment =
		"\t\t * Heap /dev/dma_heap/" + name + ", in a pipeline heap='" + name + "'\n";
	const std::string steps = explanation();
	for (std::string_view rest = steps; !rest.empty();) {
		const size_t end = rest.find('\n');
		comment += "\t\t * " + std::string(rest.substr(0, end)) + "\n";
		rest.remove_prefix(end + 1);
	}
	return "/ {\n\treserved-memory {\n\t\t#address-cells = " + cells +
	       ";\n\t\t#size-cells = " + cells + ";\n\t\tranges;\n\n\t\t/*\n" + comment +
	       "\t\t */\n\t\t" + (request.label.empty() ? "" : request.label + ": ") + name +
	       " {\n\t\t\tcompatible = \"shared-dma-pool\";\n\t\t\treusable;\n" + placeText(*this) +
	       "\t\t};\n\t};\n};\n";
}

Result<RegionPlan> planRegion(const RegionRequest &request)
{
	if (const auto checked = checkRequest(request); !checked)
		return std::unexpected(checked.error());

	RegionPlan plan{.request = request};
	plan.frameBytes = request.frame.size();
	plan.bufferAlignment = cmaAlignment(plan.frameBytes, request.rules);
	plan.space = cmaSpace(plan.frameBytes, request.frames, request.rules);
	plan.minimumAlignment =
		request.minimumAlignment.value_or(largestPageblock(request.rules.pageSize));
	/* Of the first buffer as well: cmaSpace() counts from an aligned base. */
	plan.regionAlignment = std::max(plan.minimumAlignment, plan.bufferAlignment);
	plan.size = roundUp(plan.space, plan.minimumAlignment);
	if (plan.space == kMost || plan.size == kMost)
		return fail(EOVERFLOW, std::to_string(request.frames) + " frames of " +
					       std::to_string(plan.frameBytes) +
					       " bytes are beyond 64 bits");

	/* An address is only said where it is fixed; else the property, for it tells more. */
	plan.name =
		request.usage + (request.base ? "@" + hex(*request.base).substr(2) : "-contiguous");
	if (const auto checked = checkNames(plan); !checked)
		return std::unexpected(checked.error());
	if (const auto checked = checkPlace(plan); !checked)
		return std::unexpected(checked.error());
	return plan;
}

} /* namespace heapflow */
