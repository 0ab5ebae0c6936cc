/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What keeps a node of /reserved-memory from becoming the heap that it was meant to be. */
#include "heap_lint_parts.h"

#include "heap_access.h"

#include <algorithm>
#include <bit>

namespace heapflow
{

namespace
{

using Severity = LintSeverity;

constexpr uint64_t kMiB = 1 << 20;
/* CMA_MIN_ALIGNMENT_BYTES of 4 KiB pages, the smallest there are: a pageblock is a huge page, or
 * MAX_PAGE_ORDER pages without huge pages (include/linux/pageblock-flags.h). */
constexpr uint64_t kHugePage = 2 * kMiB;
constexpr uint64_t kLargestBlock = 4 * kMiB;

class NodeJudge
{
public:
	NodeJudge(const ReservedNode &node, LintFindings &findings)
		: node_(node), findings_(findings)
	{
	}

	void judge()
	{
		conditions();
		for (const std::string &property : node_.damaged)
			add("region-size", Severity::Error,
			    "`" + property +
				    "` has a length that does not fit #address-cells and "
				    "#size-cells: the kernel passes over it");
		if (!node_.isSharedPool() || node_.noMap)
			return;
		size();
		alignment();
		allocRanges();
	}

private:
	void add(std::string_view rule, Severity severity, std::string message)
	{
		findings_.push_back({rule, severity, node_.name, std::move(message), {}});
	}

	void conditions()
	{
		if (!node_.isEnabled())
			add("status", Severity::Note,
			    "no heap: the status is '" + printable(node_.status) + "'");
		if (!node_.isSharedPool())
			add("shared-dma-pool", Severity::Warning,
			    "no heap: `compatible` is not \"shared-dma-pool\"");
		if (node_.reusable && node_.noMap)
			add("reusable", Severity::Error,
			    "no heap: `reusable` and `no-map` exclude each other, and `no-map` "
			    "wins");
		else if (node_.noMap)
			add("reusable", node_.cmaDefault ? Severity::Error : Severity::Note,
			    "no heap: `no-map` makes it a pool of the devices that refer to it");
		else if (!node_.reusable && node_.isSharedPool())
			add("reusable", Severity::Warning, "no heap: there is no `reusable`");
	}

	void size()
	{
		if (!node_.hasReg && !node_.size && node_.damaged.empty())
			add("region-size", Severity::Error,
			    "no heap: there is neither `reg` nor `size`");
		if (node_.bytes() == 0)
			add("region-size", Severity::Error, "no heap: the size is 0");
		if (!node_.reg.empty() && node_.reg[0].size && !node_.reg[0].end())
			add("region-size", Severity::Error,
			    "no heap: the region ends beyond 64 bits");
		if (node_.reg.size() > 1)
			add("one-range", Severity::Warning,
			    "`reg` has " + std::to_string(node_.reg.size()) +
				    " entries; the kernel takes the first, of " +
				    std::to_string(node_.reg[0].size) + " bytes");
	}

	void checkMultiple(const char *what, uint64_t number)
	{
		const uint64_t next = (number | (kLargestBlock - 1)) + 1;
		const std::string advice = next == 0
						   ? ""
						   : "; the next multiple of 4 MiB is " +
							     hexText(next) + ", of 4 MiB below " +
							     hexText(number & ~(kLargestBlock - 1));
		if (number % kHugePage != 0)
			add("cma-alignment", Severity::Error,
			    std::string("no heap: the ") + what + " " + hexText(number) +
				    " is no multiple of 2 MiB" + advice);
		else if (number % kLargestBlock != 0)
			add("cma-alignment", Severity::Warning,
			    std::string("the ") + what + " " + hexText(number) +
				    " is no multiple of 4 MiB, as a kernel without huge pages "
				    "asks" +
				    advice);
	}

	void alignment()
	{
		if (const auto base = node_.base())
			checkMultiple("base", *base);
		if (const auto bytes = node_.bytes())
			checkMultiple("size", *bytes);
		/* memblock rounds by masks; the kernel enlarges one that is too small by itself. */
		if (node_.alignment && *node_.alignment && !std::has_single_bit(*node_.alignment))
			add("cma-alignment", Severity::Error,
			    "`alignment` " + hexText(*node_.alignment) + " is no power of two");
	}

	void allocRanges()
	{
		if (node_.hasReg) {
			if (node_.size || !node_.allocRanges.empty())
				add("alloc-ranges", Severity::Warning,
				    "with `reg` the kernel looks at no `size` and `alloc-ranges`");
			return;
		}
		const auto fits = [this](const MemoryRange &range) {
			return range.size >= node_.size.value_or(0);
		};
		if (!node_.allocRanges.empty() && std::ranges::none_of(node_.allocRanges, fits))
			add("alloc-ranges", Severity::Error,
			    "no heap: none of the `alloc-ranges` holds " +
				    std::to_string(node_.size.value_or(0)) + " bytes");
	}

	const ReservedNode &node_;
	LintFindings &findings_;
};

} /* namespace */

void lintNode(const LintSubject &subject, LintFindings &findings)
{
	if (!subject.node)
		return;
	NodeJudge(*subject.node, findings).judge();
	if (subject.exists == false && subject.node->becomesHeap())
		findings.push_back(
			{"appears",
			 LintSeverity::Error,
			 subject.name,
			 "the node fulfils the conditions, but there is no such heap; the "
			 "kernel says why: dmesg | grep -i -e 'reserved mem' -e cma",
			 {}});
}

} /* namespace heapflow */
