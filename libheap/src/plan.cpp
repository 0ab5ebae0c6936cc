/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The search for a plan. */
#include "heapflow/heap/plan.h"

#include "plan_search.h"

#include <algorithm>
#include <numeric>
#include <tuple>

/*
 * How a plan is found
 *
 * A plan is one choice from each of three lists: a mode of the camera, a plane of the display, a
 * heap. The choices are not independent, but nearly: format, size, stride and the number of
 * buffers concern mode and plane only; what a buffer costs and where it may lie concerns the heap.
 * So the search has two floors:
 *
 *        modes × planes            checkPair(): format, modifier, size, stride, offsets, count
 *              |
 *           pairs × heaps          checkHeap(): contiguity, address, protection, space
 *              |
 *           ranked by PlanKey          the first without a clash is the plan
 *
 * Within a pair nothing is searched; each question has one best answer, by arithmetic:
 *
 *  - Size: of the camera's steps, the one nearest to what is wanted inside what the plane shows.
 *    Steps and colour subsampling meet in their least common multiple.
 *  - Stride: a camera that lets itself be asked gets the least multiple of everybody's alignments
 *    that is long enough. The planes of the display count every pitch of the frame, the camera only
 *    the first. Offsets cannot be padded, since V4L2 is never told any, so an alignment of offsets
 *    becomes one of strides. A camera that decides alone is laid out first and judged after.
 *  - Count: what the camera keeps and what the display holds, together.
 *
 * No clash ends the examination of a combination: somebody who has to change hardware, device tree
 * or pipeline wants all that is wrong with the nearest miss, not the first thing. That makes the
 * number of clashes a distance, and the misses are sorted by it.
 *
 * There is no backtracking and no cut: every combination is looked at once, M·P·H in all. A
 * camera has tens of modes, a display tens of planes, a board a handful of heaps; a thousand modes
 * on 32 planes in 8 heaps are a quarter of a million cheap checks. Words are made only for the few
 * combinations that are reported.
 *
 * Proof beats names: where a device cannot say what memory it takes, the combination stands, with
 * a probe, and nextHeap names where to go when the probe says no. Heaps keep the order they came
 * in, which is the user's or that of `auto`; nothing here moves one forward.
 *
 * Determinism: modes, planes and formats are sorted by content first, and every comparison ends in
 * these positions. So the order in which a driver lists things cannot change the answer.
 */

namespace heapflow
{

namespace
{

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

template<typename T>
void atLeastOne(T &alignment)
{
	alignment = std::max<T>(alignment, 1);
}

void tidy(MemoryNeeds &needs)
{
	atLeastOne(needs.strideAlignment);
	atLeastOne(needs.offsetAlignment);
	atLeastOne(needs.sizeAlignment);
}

uint64_t distance(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

uint64_t sizeKey(const PlanPreference &wish, const PlanPlane &plane, const PlanPair &pair)
{
	const uint32_t width = wish.width ? wish.width : plane.outputWidth;
	const uint32_t height = wish.height ? wish.height : plane.outputHeight;
	/* Nobody wants anything: the larger the better. */
	if (!width && !height)
		return kMost - uint64_t{pair.width} * pair.height;
	return (width ? distance(pair.width, width) : 0) +
	       (height ? distance(pair.height, height) : 0);
}

} /* namespace */

PlanSearch::PlanSearch(const PlanRequest &request) : request_(request)
{
	tidyRequest();
}

/* Everything that has no order gets one, and no alignment is 0. */
void PlanSearch::tidyRequest()
{
	std::vector<SourceMode> &modes = request_.source.modes;
	for (SourceMode &mode : modes) {
		atLeastOne(mode.stride.alignment);
		atLeastOne(mode.heightAlignment);
	}
	std::ranges::sort(modes);
	const auto repeated = std::ranges::unique(modes);
	modes.erase(repeated.begin(), repeated.end());

	tidy(request_.source.needs);
	for (PlanPlane &plane : request_.planes) {
		atLeastOne(plane.pitchAlignment);
		tidy(plane.needs);
		std::ranges::sort(plane.formats);
	}

	planePosition_.resize(request_.planes.size());
	std::iota(planePosition_.begin(), planePosition_.end(), size_t{0});
	const auto facts = [&](size_t index) {
		const PlanPlane &plane = request_.planes[index];
		return std::tie(plane.name, plane.formats, plane.pitchAlignment, plane.maximumPitch,
				plane.minWidth, plane.maxWidth, plane.minHeight, plane.maxHeight,
				plane.outputWidth, plane.outputHeight, plane.scales, plane.crops,
				plane.buffersHeld, plane.needs.contiguous, plane.needs.cpuMappable,
				plane.needs.addressLimit, plane.needs.strideAlignment,
				plane.needs.offsetAlignment, plane.needs.sizeAlignment);
	};
	std::ranges::stable_sort(planePosition_,
				 [&](size_t a, size_t b) { return facts(a) < facts(b); });
	std::vector<PlanPlane> sorted;
	for (const size_t position : planePosition_)
		sorted.push_back(request_.planes[position]);
	request_.planes = std::move(sorted);
}

/* Whole pages, as the heap gives them; the layout itself stays exact (invariant 11). */
void PlanSearch::finishBuffer(PlanPair &pair) const
{
	if (!pair.layout)
		return;
	const uint64_t page = request_.heaps.cma.pageSize;
	const uint64_t devices = commonAlignment(request_.source.needs.sizeAlignment,
						 planeOf(pair).needs.sizeAlignment)
					 .value_or(page);
	const uint64_t size = pair.layout->size();
	const uint64_t aligned = (size + devices - 1) / devices * devices;
	pair.bufferBytes = (aligned + page - 1) / page * page;
}

PlanKey PlanSearch::keyOf(const PlanPair &pair, size_t heap) const
{
	const PlanPreference &wish = request_.preference;
	const SourceMode &mode = modeOf(pair);
	const PlanPlane &plane = planeOf(pair);
	const auto format = std::ranges::find(wish.formats, mode.fourcc);
	const bool covers = (!plane.outputWidth || pair.width == plane.outputWidth) &&
			    (!plane.outputHeight || pair.height == plane.outputHeight);
	return {.size = sizeKey(wish, plane, pair),
		.rate = mode.rate && mode.rate < wish.rate ? wish.rate - mode.rate : 0,
		.heap = heap,
		.format = static_cast<uint64_t>(format - wish.formats.begin()),
		.scaled = covers ? 0u : 1u,
		.bytes = pair.bufferBytes,
		.mode = pair.mode,
		.plane = pair.plane};
}

void PlanSearch::addCandidate(size_t pairIndex, size_t heap)
{
	const PlanPair &pair = pairs_[pairIndex];
	const HeapVerdict verdict = checkHeap(request_, pair, request_.heaps.inOrder[heap]);
	const bool format =
		std::ranges::contains(pair.clashes, ClashKind::Format, &RawClash::kind) ||
		std::ranges::contains(pair.clashes, ClashKind::Modifier, &RawClash::kind);
	candidates_.push_back({.pair = pairIndex,
			       .heap = heap,
			       .key = keyOf(pair, heap),
			       .clashes = pair.clashes.size() + verdict.clashes.size(),
			       .formatClash = format,
			       .probes = verdict.probes.size()});
}

void PlanSearch::checkAll()
{
	for (size_t mode = 0; mode < request_.source.modes.size(); mode++) {
		for (size_t plane = 0; plane < request_.planes.size(); plane++) {
			pairs_.push_back(checkPair(request_, mode, plane));
			finishBuffer(pairs_.back());
			for (size_t heap = 0; heap < request_.heaps.inOrder.size(); heap++)
				addCandidate(pairs_.size() - 1, heap);
		}
	}
	/* Another format is further away than another stride. */
	std::ranges::sort(candidates_, [](const PlanCandidate &a, const PlanCandidate &b) {
		return std::tie(a.clashes, a.formatClash, a.key) <
		       std::tie(b.clashes, b.formatClash, b.key);
	});
}

std::expected<Plan, NoPlan> PlanSearch::solve()
{
	checkAll();
	if (candidates_.empty())
		return std::unexpected(nothingOffered());
	if (candidates_.front().clashes == 0)
		return makePlan();
	return std::unexpected(NoPlan{.misses = nearestMisses(kMostAlternatives),
				      .considered = candidates_.size()});
}

std::vector<Heap> heapsInOrder(const HeapChoice &choice)
{
	std::vector<Heap> heaps;
	for (const HeapCandidate &candidate : choice.candidates)
		if (candidate.matches)
			heaps.push_back(candidate.heap);
	return heaps;
}

std::expected<Plan, NoPlan> solvePlan(const PlanRequest &request)
{
	return PlanSearch(request).solve();
}

} /* namespace heapflow */
