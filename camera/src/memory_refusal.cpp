/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "memory_refusal.h"

#include <algorithm>
#include <format>
#include <set>
#include <string>

namespace heapflow
{

namespace
{

bool isContiguous(const Heap &heap)
{
	return heap.region.contiguous || heap.name.contiguous;
}

/* "a, b": a heap of each region but the refused one. Two heaps may be one region. */
std::string otherContiguousHeaps(const std::vector<Heap> &heaps, const Heap *refused)
{
	std::string list;
	std::set<std::string> regions;
	if (refused)
		regions.insert(refused->region.id);
	for (const Heap &heap : heaps)
		if (isContiguous(heap) && regions.insert(heap.region.id).second)
			list += (list.empty() ? "" : ", ") + heap.name.text;
	return list;
}

} /* namespace */

Error describeRefusal(int code, std::string_view camera, std::string_view heap,
		      const std::vector<Heap> &heaps)
{
	const auto found = std::ranges::find_if(
		heaps, [&](const Heap &candidate) { return candidate.name.text == heap; });
	const Heap *refused = found == heaps.end() ? nullptr : &*found;
	const std::string others = otherContiguousHeaps(heaps, refused);
	const std::string memory = heap.empty() ? std::string("the memory it was given")
						: std::format("the memory of heap '{}'", heap);

	if (refused && isContiguous(*refused))
		return {code,
			std::format("{} refused {}, although it is contiguous: the region may lie "
				    "outside the addresses the device reaches, or be protected",
				    camera, memory),
			others.empty()
				? "The kernel log says more"
				: std::format("Try another region ({}); the kernel log says more",
					      others)};
	return {code,
		std::format(
			"{} refused {}: it needs memory that is contiguous for its DMA, and this "
			"is not",
			camera, memory),
		others.empty()
			? "No heap of this system is contiguous: enable CONFIG_DMABUF_HEAPS_CMA "
			  "or reserve a region in the device tree"
			: std::format("Try a contiguous heap ({})", others)};
}

Error memoryRefused(int code, std::string_view camera, std::string_view heap)
{
	return describeRefusal(code, camera, heap, listHeaps().value_or(std::vector<Heap>{}));
}

} /* namespace heapflow */
