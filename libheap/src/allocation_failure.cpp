/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/allocation_failure.h"

#include "heap_access.h"
#include "larger_region.h"
#include "region.h"

#include <algorithm>
#include <cerrno>

namespace heapflow
{

namespace
{

uint64_t inWholePages(uint64_t size, uint64_t page)
{
	return size > UINT64_MAX - page ? size : (size + page - 1) / page * page;
}

const std::string &sourceOf(const Heap &heap)
{
	return heap.linkTarget.empty() ? heap.name.text : heap.linkTarget;
}

bool isNoRegion(const Heap &heap)
{
	return !heap.region.contiguous && isSystemHeapName(sourceOf(heap));
}

/* Of ENOMEM in a region, whose numbers are those right after it. */
AllocationCause causeInRegion(const AllocationFailure &failure)
{
	const Region &region = failure.region;
	if (region.total && (failure.rounded > *region.total || failure.fit.empty == 0u))
		return AllocationCause::RegionTooSmall;
	if (!region.free)
		return AllocationCause::NothingKnown;
	if (failure.rounded > *region.free)
		return AllocationCause::Exhausted;
	switch (failure.fit.verdict) {
	case Fit::Verdict::Fits:
		return AllocationCause::Busy;
	case Fit::Verdict::Fails:
		return AllocationCause::Fragmented;
	case Fit::Verdict::Unknown:
		break;
	}
	return AllocationCause::FreeButUnknown;
}

AllocationCause causeOf(const AllocationFailure &failure, bool noRegion)
{
	switch (failure.code) {
	case ENOMEM:
		return noRegion ? AllocationCause::MachineShort : causeInRegion(failure);
	case EMFILE:
	case ENFILE:
		return AllocationCause::NoDescriptor;
	case EINVAL:
	case ENODEV:
		return AllocationCause::Refused;
	case ENOTTY:
		return AllocationCause::NotAHeap;
	case EINTR:
		return AllocationCause::Interrupted;
	default:
		return AllocationCause::Other;
	}
}

/* Each region once, and only heaps that this user may open. */
std::vector<std::string> heapsWithRoom(const std::vector<Heap> &heaps, const Heap &failed,
				       uint64_t size, const CmaRules &rules,
				       const SystemPaths &paths)
{
	std::vector<std::string> names;
	std::vector<std::string> regions{failed.region.id};
	for (const Heap &heap : heaps) {
		if (!heap.accessible || !heap.linkTarget.empty() || heap.name.isProtected ||
		    std::ranges::find(regions, heap.region.id) != regions.end())
			continue;
		regions.push_back(heap.region.id);
		const FitRequest request{.buffers = {size}};
		if (predictFit(request, freeSpace(heap, paths), rules).verdict ==
		    Fit::Verdict::Fits)
			names.push_back(heap.name.text);
	}
	return names;
}

void readRegion(AllocationFailure &failure, const Heap &heap, const SystemPaths &paths)
{
	const CmaRules rules = cmaRules(paths);
	const FreeSpace space = freeSpace(heap, paths);
	failure.region = RegionTable(paths).find(sourceOf(heap));
	if (space.map) {
		failure.region.free = space.free;
		failure.region.largest = space.largest;
	}
	failure.fit = predictFit({.buffers = {failure.wanted}}, space, rules);
	if (space.contiguous)
		failure.alignment = cmaAlignment(failure.wanted, rules);
	else
		failure.available = space.free;
}

std::string bytesText(std::optional<uint64_t> bytes)
{
	return bytes ? std::to_string(*bytes) : "an unknown number of";
}

std::string wantedText(const AllocationFailure &failure)
{
	std::string text = "the heap " + printable(failure.heap) + " cannot give " +
			   std::to_string(failure.wanted) + " bytes";
	if (failure.rounded != failure.wanted)
		text += " (" + std::to_string(failure.rounded) + " in whole pages)";
	return text;
}

std::string fitText(const Fit &fit)
{
	std::string text;
	if (fit.exact)
		text = std::to_string(fit.certain) + " of this size fit now";
	else if (fit.atMost)
		text = "between " + std::to_string(fit.certain) + " and " +
		       std::to_string(*fit.atMost) + " of this size fit now";
	if (fit.empty)
		text += (text.empty() ? "" : ", ") + std::to_string(*fit.empty) +
			" in the empty region";
	return text;
}

std::string holdersText(const AllocationFailure &failure)
{
	std::string text;
	const std::string held = describeHolders(failure.holders);
	if (!held.empty())
		text += "; held by " + held;
	if (const uint64_t unseen = failure.holders.unseen(failure.region))
		text += "; " + std::to_string(unseen) +
			" bytes are held by no process that can be seen (a device, the kernel, " +
			(failure.unread.empty() ? "a buffer in flight)" : "other users)");
	if (!failure.unread.empty()) {
		BufferHolders unread;
		unread.unread = failure.unread;
		text += "; " + describeUnread(unread);
	}
	return text;
}

std::string regionText(const AllocationFailure &failure)
{
	const Region &region = failure.region;
	std::string text =
		bytesText(region.free) + " of " + bytesText(region.total) + " bytes of its region";
	if (region.id != failure.heap)
		text += " " + printable(region.id);
	text += " are free";
	if (region.largest)
		text += ", the largest run is " + std::to_string(*region.largest);
	if (failure.alignment)
		text += "; a buffer of this size begins at a multiple of " +
			std::to_string(*failure.alignment);
	if (const std::string fit = fitText(failure.fit); !fit.empty())
		text += "; " + fit;
	return text + holdersText(failure);
}

std::string machineText(const AllocationFailure &failure)
{
	return "the machine has " + bytesText(failure.available) + " bytes available" +
	       holdersText(failure);
}

std::string reasonText(const AllocationFailure &failure)
{
	switch (failure.cause) {
	case AllocationCause::MachineShort:
		return machineText(failure);
	case AllocationCause::NoDescriptor:
		return failure.code == EMFILE ? "this process has no file descriptor left for it"
					      : "the system has no file descriptor left for it";
	case AllocationCause::NotAHeap:
		return "it is no dma-buf heap";
	case AllocationCause::Refused:
		return "the heap refuses the request";
	case AllocationCause::Interrupted:
		return "a signal that ends this process came first";
	case AllocationCause::Other:
		return "the kernel gave an error that heaps do not have";
	default:
		return regionText(failure);
	}
}

std::string firstStep(const AllocationFailure &failure)
{
	switch (failure.cause) {
	case AllocationCause::RegionTooSmall:
		return "The region is too small for this buffer";
	case AllocationCause::Exhausted:
		return "Other buffers hold the region: free some, or ask for fewer";
	case AllocationCause::Fragmented:
		return "The free memory is in pieces: free buffers of this region, or allocate all "
		       "buffers early and keep them";
	case AllocationCause::Busy:
		return "A free run holds it, but the kernel could not empty it: pages that are "
		       "pinned (long-term I/O, RDMA) or were just taken, or no memory for the "
		       "list of its pages; try again, or allocate earlier";
	case AllocationCause::FreeButUnknown:
		return "The free memory is in pieces or busy; as root with debugfs mounted, "
		       "heapctl "
		       "list --map shows which. Free buffers of this region, or allocate earlier";
	case AllocationCause::NothingKnown:
		return "Free buffers of this heap; a kernel with CONFIG_CMA_SYSFS says how much "
		       "is left";
	case AllocationCause::MachineShort:
		return "Ask for less or end other programs; the system heap itself has no limit, "
		       "and asking it for more would end a process";
	case AllocationCause::NoDescriptor:
		return failure.code == EMFILE ? "Close buffers, or raise the limit of open files "
						"(ulimit -n, LimitNOFILE=)"
					      : "Close files, or raise the sysctl fs.file-max";
	case AllocationCause::Refused:
		return "Its device may have been removed (a TEE driver), or it takes no such size";
	default:
		return {};
	}
}

std::string nextSteps(const AllocationFailure &failure)
{
	std::string text = firstStep(failure);
	if (!failure.largerRegion.empty())
		text += "; or enlarge the region: " + failure.largerRegion;
	if (failure.otherHeaps.empty())
		return text;
	text += "; or name another heap after a ':', it fits now in ";
	for (size_t i = 0; i < failure.otherHeaps.size(); i++) {
		const std::string &name = failure.otherHeaps[i];
		text += (i ? ", " : "") + printable(name);
		if (isSystemHeapName(name))
			text += " (scattered memory)";
	}
	return text;
}

} /* namespace */

const char *causeName(AllocationCause cause)
{
	switch (cause) {
	case AllocationCause::RegionTooSmall:
		return "region-too-small";
	case AllocationCause::Exhausted:
		return "exhausted";
	case AllocationCause::Fragmented:
		return "fragmented";
	case AllocationCause::Busy:
		return "busy";
	case AllocationCause::FreeButUnknown:
		return "free-but-unknown";
	case AllocationCause::NothingKnown:
		return "nothing-known";
	case AllocationCause::MachineShort:
		return "machine-short";
	case AllocationCause::NoDescriptor:
		return "no-descriptor";
	case AllocationCause::Refused:
		return "refused";
	case AllocationCause::NotAHeap:
		return "not-a-heap";
	case AllocationCause::Interrupted:
		return "interrupted";
	case AllocationCause::Other:
		break;
	}
	return "other";
}

Error AllocationFailure::error() const
{
	return {code, wantedText(*this) + ": " + reasonText(*this), nextSteps(*this)};
}

AllocationFailure diagnoseAllocation(const Heap &heap, int code, uint64_t size,
				     const SystemPaths &paths)
{
	AllocationFailure failure{.code = code, .heap = heap.name.text, .wanted = size};
	const CmaRules rules = cmaRules(paths);
	failure.rounded = inWholePages(size, rules.pageSize);
	failure.region.id = heap.region.id;
	if (code == ENOMEM) {
		const auto heaps = listHeaps(paths).value_or(std::vector<Heap>{heap});
		auto all = readBufferHolders(paths);
		readRegion(failure, heap, paths);
		failure.holders = holdersOf(all, heapsOfRegion(heaps, failure.region.id));
		failure.unread = std::move(all.unread);
		failure.otherHeaps = heapsWithRoom(heaps, heap, size, rules, paths);
	}
	failure.cause = causeOf(failure, isNoRegion(heap));
	if (code == ENOMEM && !isNoRegion(heap))
		failure.largerRegion = largerRegionText(failure.region, failure.rounded,
							failure.alignment.value_or(1), paths);
	return failure;
}

} /* namespace heapflow */
