/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The buffers of a plan in one heap: what the devices need of memory, and whether they fit. */
#include "plan_search.h"

#include <limits>

namespace heapflow
{

namespace
{

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

enum class Contiguity { Proven, Named, Unknown, Scattered };

/* A name is a hint, the region is evidence. */
Contiguity contiguityOf(const Heap &heap)
{
	if (heap.region.contiguous)
		return Contiguity::Proven;
	if (isSystemHeapName(heap.name.text))
		return Contiguity::Scattered;
	return heap.name.contiguous ? Contiguity::Named : Contiguity::Unknown;
}

void checkContiguity(const MemoryNeeds &needs, Party who, const Heap &heap, HeapVerdict &verdict)
{
	const Contiguity contiguity = contiguityOf(heap);
	if (needs.contiguous == Demand::No || contiguity == Contiguity::Proven)
		return;
	if (needs.contiguous == Demand::Yes && contiguity == Contiguity::Scattered)
		verdict.clashes.push_back({ClashKind::Contiguity, who, Party::Heap});
	else
		verdict.probes.push_back({who, Question::Contiguous});
}

/* The address behind the last byte that the heap can give, if anybody knows. */
std::optional<uint64_t> endOf(const Heap &heap, const PlanHeaps &heaps)
{
	if (heap.region.base && heap.region.total)
		return *heap.region.base > kMost - *heap.region.total
			       ? kMost
			       : *heap.region.base + *heap.region.total;
	/* No memory lies behind the end of memory, whatever the heap. */
	return heaps.endOfMemory;
}

void checkAddress(const MemoryNeeds &needs, Party who, const Heap &heap, const PlanHeaps &heaps,
		  HeapVerdict &verdict)
{
	if (!needs.addressLimit)
		return;
	const auto end = endOf(heap, heaps);
	if (end && *end <= *needs.addressLimit)
		return;
	/* Of a region of unknown place the end of memory says only that it may be too high. */
	const bool placed = heap.region.base || isSystemHeapName(heap.name.text);
	if (end && placed)
		verdict.clashes.push_back(
			{ClashKind::AddressLimit, who, Party::Heap, *needs.addressLimit, *end});
	else
		verdict.probes.push_back({who, Question::Address});
}

void checkSpace(const PlanHeaps &heaps, const PlanPair &pair, const Heap &heap,
		HeapVerdict &verdict)
{
	const Region &region = heap.region;
	const bool system = isSystemHeapName(heap.name.text);
	const bool overflows = pair.bufferBytes && pair.buffers > kMost / pair.bufferBytes;
	verdict.space = region.contiguous ? cmaSpace(pair.bufferBytes, pair.buffers, heaps.cma)
			: overflows       ? kMost
					  : pair.bufferBytes * pair.buffers;
	const auto free = system ? heaps.systemFree : region.free ? region.free : region.total;
	if (free && verdict.space > *free)
		verdict.clashes.push_back({ClashKind::Space, Party::Request, Party::Heap,
					   verdict.space, *free, "for all buffers"});
	else if (region.largest && pair.bufferBytes > *region.largest)
		verdict.clashes.push_back({ClashKind::Space, Party::Request, Party::Heap,
					   pair.bufferBytes, *region.largest, "in one run"});
}

} /* namespace */

HeapVerdict checkHeap(const PlanRequest &request, const PlanPair &pair, const Heap &heap)
{
	HeapVerdict verdict;
	const PlanPlane &plane = request.planes[pair.plane];
	const std::pair<Party, const MemoryNeeds *> devices[] = {
		{Party::Camera, &request.source.needs}, {Party::Plane, &plane.needs}};

	if (!heap.accessible)
		verdict.clashes.push_back({ClashKind::Permission, Party::Request, Party::Heap});
	for (const auto &[who, needs] : devices) {
		checkContiguity(*needs, who, heap, verdict);
		checkAddress(*needs, who, heap, request.heaps, verdict);
		if (needs->cpuMappable && heap.name.isProtected)
			verdict.clashes.push_back({ClashKind::Protected, who, Party::Heap});
	}
	if (pair.layout)
		checkSpace(request.heaps, pair, heap, verdict);
	return verdict;
}

} /* namespace heapflow */
