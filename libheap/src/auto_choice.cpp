/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order, from design.md, "Choosing a heap": scarce memory only where it is needed.
 *
 * - 0..7: a region that its name dedicates to video, camera, display or an ISP, in this order; one
 *   whose usage is just that word (video@42000000) before one that has it among others (cma-video)
 * - 10: `system`, when every device is known to take scattered memory
 * - 20: the default CMA region, made for everybody
 * - 21: another contiguous region whose name says no usage (memory@48000000-contiguous)
 * - 22: memory that may be contiguous, for all that is known (heaps of vendors)
 * - 30: `system`, when nobody has said yet what it takes: the first buffer will show
 *
 * A region that its name dedicates to something else (npu@, audio@) belongs to somebody, and
 * protected memory serves no CPU: neither is taken.
 */
#include "auto_choice.h"

#include "heap_access.h"
#include "heap_condition.h"

#include <algorithm>
#include <array>
#include <optional>

namespace heapflow
{

namespace
{

constexpr std::array<std::string_view, 4> kFrameUsages{"video", "camera", "display", "isp"};

constexpr unsigned kProvenSystem = 10;
constexpr unsigned kDefaultRegion = 20;
constexpr unsigned kOtherRegion = 21;
constexpr unsigned kPerhapsContiguous = 22;
constexpr unsigned kUnprovenSystem = 30;

/* Whether the usage has one of kFrameUsages as a word of its own: "video-codec", "cma-video". */
std::optional<unsigned> frameUsage(std::string_view usage)
{
	for (unsigned rank = 0; rank < kFrameUsages.size(); rank++) {
		std::string_view rest = usage;
		while (!rest.empty()) {
			const size_t end = std::min(rest.find_first_of("-_,"), rest.size());
			if (rest.substr(0, end) == kFrameUsages[rank])
				return rank;
			rest.remove_prefix(std::min(end + 1, rest.size()));
		}
	}
	return std::nullopt;
}

std::string whoText(const MemoryNeeds &needs)
{
	return needs.who.empty() ? "a device" : printable(needs.who);
}

/*
 * The device that needs contiguous memory (Yes), or leaves it open after all proofs (Unknown). A
 * proof belongs to the needs whose `who` is its device.
 */
const MemoryNeeds *findContiguous(const Heap &heap, const DeviceDemands &demands, Demand demand)
{
	for (const MemoryNeeds &needs : demands.needs) {
		Demand known = needs.contiguous;
		for (const HeapProof &proof : demands.proofs) {
			if (known == Demand::Unknown && proof.heap == heap.name.text &&
			    proof.device == needs.who && proof.answer.accepted == Demand::Yes)
				known = Demand::No;
		}
		if (known == demand)
			return &needs;
	}
	return nullptr;
}

AutoVerdict judgeSystem(const Heap &heap, const DeviceDemands &demands)
{
	for (const MemoryNeeds &needs : demands.needs) {
		if (needs.addressLimit && liesBelow(heap, *needs.addressLimit).value != true)
			return {.reason = whoText(needs) +
					  " reaches only a part of memory, and the system heap "
					  "takes pages at any address"};
	}
	if (const MemoryNeeds *needs = findContiguous(heap, demands, Demand::Yes))
		return {.reason = whoText(*needs) + " needs contiguous memory"};
	if (demands.needs.empty())
		return {true, kUnprovenSystem,
			"nothing says that the devices take scattered memory: only when nothing "
			"contiguous serves"};
	if (const MemoryNeeds *needs = findContiguous(heap, demands, Demand::Unknown))
		return {true, kUnprovenSystem,
			"it is not proven that " + whoText(*needs) +
				" takes scattered memory: only when nothing contiguous serves"};
	return {true, kProvenSystem, "every device takes scattered memory, which is not scarce"};
}

AutoVerdict judgeRegion(const Heap &heap)
{
	const PropertyFact contiguous = propertyOf(heap, HeapProperty::Contiguous);
	const std::string &usage = heap.name.usage;
	const auto rank = frameUsage(usage);

	if (heap.region.isDefault)
		return {true, kDefaultRegion, "is the default CMA region"};
	if (rank && contiguous.value == true)
		return {true, 2 * *rank + (usage != kFrameUsages[*rank]),
			"is a region for " + std::string(kFrameUsages[*rank])};
	if (!usage.empty() && heap.region.contiguous)
		return {.reason = "is a region for " + printable(usage) +
				  ", which belongs to somebody else"};
	if (contiguous.value == true)
		return {true, kOtherRegion, "is contiguous: " + contiguous.reason};
	return {true, kPerhapsContiguous, contiguous.reason};
}

} /* namespace */

const HeapProof *findRefusal(const Heap &heap, const DeviceDemands &demands)
{
	const auto found = std::ranges::find_if(demands.proofs, [&](const HeapProof &proof) {
		return proof.heap == heap.name.text && proof.answer.accepted == Demand::No;
	});
	return found == demands.proofs.end() ? nullptr : &*found;
}

bool comesAfterProvenSystem(const Heap &heap, const DeviceDemands &demands)
{
	return judgeForAuto(heap, demands).rank > kProvenSystem;
}

bool contiguityIsOpen(const DeviceDemands &demands)
{
	return std::ranges::any_of(demands.needs, [](const MemoryNeeds &needs) {
		return needs.contiguous == Demand::Unknown;
	});
}

AutoVerdict judgeForAuto(const Heap &heap, const DeviceDemands &demands)
{
	if (heap.name.isProtected)
		return {.reason = "protected memory is taken only when it is asked for"};
	if (!isPlausibleHeapName(heap.name.text))
		return {.reason = "this is no name of a heap"};
	if (propertyOf(heap, HeapProperty::Contiguous).value == false)
		return judgeSystem(heap, demands);

	for (const MemoryNeeds &needs : demands.needs) {
		if (!needs.addressLimit)
			continue;
		const PropertyFact below = liesBelow(heap, *needs.addressLimit);
		if (below.value == false)
			return {.reason =
					"out of reach of " + whoText(needs) + ": " + below.reason};
	}
	return judgeRegion(heap);
}

} /* namespace heapflow */
