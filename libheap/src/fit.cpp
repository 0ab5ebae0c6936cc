/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What fits in a region.
 *
 * The kernel takes the first place that is free, so nothing needs to be searched but the runs, and
 * since nothing is freed meanwhile, the first place for one size only ever moves on: each size
 * remembers where its search ended. The cost is one step for each buffer and each run.
 *
 * Without the map there are bounds:
 * - at most: free / size, none when the largest run is shorter than the buffer;
 * - certain: what the largest run holds wherever it begins; and what an empty region holds less
 *   one buffer for each used page, as one page can spoil but one place.
 */
#include "heapflow/heap/fit.h"

#include <algorithm>
#include <limits>
#include <map>

namespace heapflow
{

namespace
{

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kCountLimit = 65536;

uint64_t roundUp(uint64_t value, uint64_t step)
{
	const uint64_t rest = value % step;
	if (rest == 0)
		return value;
	return value > kMost - (step - rest) ? kMost : value + (step - rest);
}

uint64_t sum(uint64_t a, uint64_t b)
{
	return a > kMost - b ? kMost : a + b;
}

/* The free memory of a region while buffers are taken from it. */
class FirstFit
{
public:
	FirstFit(const RegionMap &map, const CmaRules &rules);

	/* Takes the place that the kernel would take; false when there is none. */
	bool take(uint64_t bytes);

private:
	struct Range {
		uint64_t base = 0;
		std::map<uint64_t, uint64_t> free; /* begin to end */
		/* Size and alignment to where their search goes on. */
		std::map<std::pair<uint64_t, uint64_t>, uint64_t> resumed;
	};

	bool takeFrom(Range &range, uint64_t size, uint64_t step);

	uint64_t granule_;
	CmaRules rules_;
	std::vector<Range> ranges_;
};

FirstFit::FirstFit(const RegionMap &map, const CmaRules &rules)
	: granule_(map.granule), rules_(rules)
{
	for (const auto &runs : map.ranges) {
		Range &range = ranges_.emplace_back();
		if (!runs.empty())
			range.base = runs.front().begin;
		for (const MemoryRun &run : runs) {
			if (!run.used)
				range.free.emplace(run.begin, run.end());
		}
	}
}

/*
 * bitmap_find_next_zero_area_off(): places are multiples of `step` in physical address, counted in
 * bits; what the base has below a bit stays (cma_bitmap_aligned_offset()).
 */
bool FirstFit::takeFrom(Range &range, uint64_t size, uint64_t step)
{
	const uint64_t below = range.base % granule_;
	uint64_t &resumed = range.resumed[{size, step}];
	auto run = range.free.upper_bound(resumed);
	if (run != range.free.begin() && std::prev(run)->second > resumed)
		--run;
	for (; run != range.free.end(); ++run) {
		const auto [begin, end] = *run;
		const uint64_t place = sum(roundUp(begin - below, step), below);
		if (place > end || end - place < size)
			continue;
		resumed = place;
		range.free.erase(run);
		if (begin < place)
			range.free.emplace(begin, place);
		if (place + size < end)
			range.free.emplace(place + size, end);
		return true;
	}
	resumed = kMost;
	return false;
}

bool FirstFit::take(uint64_t bytes)
{
	/* Alignment is of the pages asked for, the size is rounded to bits. */
	const uint64_t step = std::max(cmaAlignment(bytes, rules_), granule_);
	const uint64_t size = roundUp(bytes, granule_);
	return std::ranges::any_of(ranges_,
				   [&](Range &range) { return takeFrom(range, size, step); });
}

uint64_t countFrames(const FitRequest &request, const RegionMap &map, const CmaRules &rules)
{
	const uint64_t limit = std::max(request.frames, kCountLimit);
	FirstFit memory(map, rules);
	uint64_t frames = 0;
	while (frames < limit &&
	       std::ranges::all_of(
		       request.buffers, [&](uint64_t bytes) { return memory.take(bytes); }))
		frames++;
	return frames;
}

/* Frames that `size` bytes in one piece hold, wherever it begins: see the top of this file. */
uint64_t certainInRun(const FitRequest &request, uint64_t size, std::optional<uint64_t> base,
		      const CmaRules &rules)
{
	uint64_t step = 0;
	for (const uint64_t bytes : request.buffers)
		step = std::max(step, cmaAlignment(bytes, rules));
	if (step == 0)
		return 0;
	uint64_t span = 0;
	for (const uint64_t bytes : request.buffers)
		span = sum(span, roundUp(bytes, step));
	/* The last buffer ends before its step does. */
	const uint64_t slack = span == kMost
				       ? 0
				       : roundUp(request.buffers.back(), step) -
						 roundUp(request.buffers.back(), rules.pageSize);
	const uint64_t lost = base ? roundUp(*base, step) - *base : step - rules.pageSize;
	return size < lost ? 0 : sum(size - lost, slack) / span;
}

uint64_t inEmptyRegion(const FitRequest &request, const FreeSpace &space, const CmaRules &rules)
{
	if (!space.map)
		return certainInRun(request, *space.total, space.base, rules);
	RegionMap map = *space.map;
	for (auto &runs : map.ranges) {
		if (!runs.empty())
			runs = {{runs.front().begin, runs.back().end() - runs.front().begin,
				 false}};
	}
	return countFrames(request, map, rules);
}

uint64_t certainFrames(const FitRequest &request, const FreeSpace &space, const CmaRules &rules)
{
	uint64_t certain = 0;
	if (space.largest)
		certain = certainInRun(request, *space.largest, std::nullopt, rules);
	if (space.total && space.free && *space.free <= *space.total) {
		const uint64_t usedPages = (*space.total - *space.free) / rules.pageSize;
		const uint64_t empty = certainInRun(request, *space.total, space.base, rules);
		certain = std::max(certain, empty > usedPages ? empty - usedPages : 0);
	}
	return certain;
}

std::optional<uint64_t> mostFrames(const FitRequest &request, const FreeSpace &space,
				   const CmaRules &rules)
{
	const uint64_t largestBuffer = roundUp(std::ranges::max(request.buffers), rules.pageSize);
	if (space.largest && space.contiguous && *space.largest < largestBuffer)
		return 0;
	if (!space.free)
		return std::nullopt;
	const uint64_t most =
		*space.free / std::max<uint64_t>(request.frameBytes(rules.pageSize), 1);
	/* Of one size, with the base known, no more than the empty region holds. */
	if (space.contiguous && space.total && space.base && request.buffers.size() == 1)
		return std::min(most, certainInRun(request, *space.total, space.base, rules));
	return most;
}

std::string framesText(uint64_t frames)
{
	return std::to_string(frames) + (frames == 1 ? " frame" : " frames");
}

std::string spaceText(const FreeSpace &space)
{
	if (!space.free)
		return "nobody says how much is free";
	std::string text = std::to_string(*space.free);
	if (space.total)
		text += " of " + std::to_string(*space.total);
	text += space.contiguous ? " bytes are free" : " bytes are available";
	if (space.largest)
		text += ", the largest run is " + std::to_string(*space.largest);
	return text;
}

std::string reasonText(const FitRequest &request, const FreeSpace &space, const CmaRules &rules,
		       const Fit &fit)
{
	const uint64_t largest = std::ranges::max(request.buffers);
	std::string text;
	if (fit.exact)
		text = framesText(fit.certain) + (fit.certain == 1 ? " fits" : " fit");
	else if (fit.atMost)
		text = "between " + std::to_string(fit.certain) + " and " +
		       framesText(*fit.atMost) + " fit";
	else
		text = "nobody says how many frames fit";
	text += ": " + spaceText(space);
	if (space.contiguous && fit.verdict == Fit::Verdict::Fails) {
		if (fit.empty && *fit.empty < request.frames)
			text += "; the region is too small, empty it would hold " +
				std::to_string(*fit.empty);
		else if (space.free && request.frameBytes(rules.pageSize) <= *space.free)
			text += "; a buffer needs a free run of " +
				std::to_string(roundUp(largest, rules.pageSize)) +
				" bytes that begins at a multiple of " +
				std::to_string(cmaAlignment(largest, rules));
	}
	if (!fit.exact && space.contiguous)
		text += "; where the free memory lies is not known (debugfs)";
	return text;
}

} /* namespace */

uint64_t FitRequest::frameBytes(uint64_t pageSize) const
{
	uint64_t bytes = 0;
	for (const uint64_t buffer : buffers)
		bytes = sum(bytes, roundUp(buffer, pageSize));
	return bytes;
}

Fit predictFit(const FitRequest &request, const FreeSpace &space, const CmaRules &rules)
{
	Fit fit;
	if (request.buffers.empty() || std::ranges::min(request.buffers) == 0) {
		fit.reason = "a buffer of 0 bytes cannot be had";
		fit.verdict = Fit::Verdict::Fails;
		fit.atMost = 0;
		return fit;
	}

	if (!space.contiguous) {
		fit.atMost = mostFrames(request, space, rules);
		fit.certain = fit.atMost.value_or(0);
	} else if (space.map) {
		fit.exact = true;
		fit.certain = countFrames(request, *space.map, rules);
		fit.atMost = fit.certain;
	} else {
		fit.certain = certainFrames(request, space, rules);
		fit.atMost = mostFrames(request, space, rules);
	}
	if (fit.atMost && *fit.atMost == fit.certain)
		fit.exact = true;
	if (space.contiguous && (space.map || space.total))
		fit.empty = inEmptyRegion(request, space, rules);

	if (fit.certain >= request.frames)
		fit.verdict = Fit::Verdict::Fits;
	else if (fit.atMost && *fit.atMost < request.frames)
		fit.verdict = Fit::Verdict::Fails;
	fit.reason = reasonText(request, space, rules, fit);
	return fit;
}

} /* namespace heapflow */
