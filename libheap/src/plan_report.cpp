/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the search for a plan found, as values for whoever asked. */
#include "plan_search.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace heapflow
{

std::string PlanSearch::nameOf(Party party, const PlanPair &pair, const Heap *heap) const
{
	switch (party) {
	case Party::Camera:
		return request_.source.name;
	case Party::Plane:
		return planeOf(pair).name;
	case Party::Heap:
		return heap ? heap->name.text : "";
	case Party::Request:
		return "the request";
	case Party::Format:
		return "the format";
	}
	return {};
}

/* "NV12, YUYV; the plane takes XR24": all of both, for a clash that changing one cannot mend. */
std::string PlanSearch::formatLists(const PlanPair &pair) const
{
	constexpr size_t most = 8;
	const auto list = [](const std::set<std::string> &names) {
		std::string text;
		size_t count = 0;
		for (const std::string &name : names) {
			if (count++ == most)
				return text + " and " + std::to_string(names.size() - most) +
				       " more";
			text += (text.empty() ? "" : ", ") + name;
		}
		return text.empty() ? std::string("none") : text;
	};
	std::set<std::string> fills;
	std::set<std::string> takes;
	for (const SourceMode &mode : request_.source.modes)
		fills.insert(planFormat(mode.fourcc, mode.modifier));
	for (const PlaneFormat &format : planeOf(pair).formats)
		takes.insert(planFormat(format.fourcc, format.modifier));
	return list(fills) + "; " + planeOf(pair).name + " takes " + list(takes);
}

Clash PlanSearch::worded(const RawClash &raw, const PlanPair &pair, const Heap *heap) const
{
	Clash clash{.kind = raw.kind,
		    .first = nameOf(raw.first, pair, heap),
		    .second = nameOf(raw.second, pair, heap),
		    .detail = raw.detail,
		    .wanted = raw.wanted,
		    .offered = raw.offered};
	const SourceMode &mode = modeOf(pair);
	if (raw.kind == ClashKind::Format)
		clash.detail = formatLists(pair);
	if (raw.kind == ClashKind::Modifier)
		clash.detail = planFormat(mode.fourcc, mode.modifier);
	if (raw.kind == ClashKind::Layout) {
		const auto why = makeFrameLayout(mode.fourcc, pair.width, pair.height,
						 {.modifier = mode.modifier});
		clash.detail = why ? planFormat(mode.fourcc, mode.modifier) + " " +
					       std::to_string(pair.width) + "x" +
					       std::to_string(pair.height) +
					       ": no stride serves all alignments"
				   : why.error().message;
	}
	return clash;
}

Alternative PlanSearch::alternative(const PlanCandidate &candidate, bool withHeap) const
{
	const PlanPair &pair = pairs_[candidate.pair];
	const SourceMode &mode = modeOf(pair);
	Alternative result{.fourcc = mode.fourcc,
			   .modifier = mode.modifier,
			   .width = pair.width,
			   .height = pair.height,
			   .plane = planeOf(pair).name,
			   .heap = withHeap ? heapOf(candidate).name.text : "",
			   .clashes = {},
			   .why = {}};
	for (const RawClash &raw : pair.clashes)
		result.clashes.push_back(worded(raw, pair, nullptr));
	if (withHeap) {
		const Heap &heap = heapOf(candidate);
		for (const RawClash &raw : checkHeap(request_, pair, heap).clashes)
			result.clashes.push_back(worded(raw, pair, &heap));
	}
	for (const Clash &clash : result.clashes)
		result.why += (result.why.empty() ? "" : "; ") + describe(clash);
	return result;
}

/* Misses of one kind are told once: the same plane, the same heap, the same kinds of clash. */
std::vector<Alternative> PlanSearch::nearestMisses(size_t most) const
{
	using Kind = std::tuple<size_t, size_t, std::vector<ClashKind>>;
	std::set<Kind> told;
	std::vector<Alternative> misses;
	for (const PlanCandidate &candidate : candidates_) {
		if (misses.size() == most)
			break;
		if (candidate.clashes == 0)
			continue;
		const PlanPair &pair = pairs_[candidate.pair];
		const HeapVerdict verdict = checkHeap(request_, pair, heapOf(candidate));
		const bool withHeap = !verdict.clashes.empty();
		/* A format that does not match says no more with another stride or heap. */
		std::vector<ClashKind> kinds;
		for (const RawClash &raw : pair.clashes)
			kinds.push_back(raw.kind);
		for (const RawClash &raw : verdict.clashes)
			kinds.push_back(raw.kind);
		if (candidate.formatClash && !kinds.empty())
			kinds.resize(1);
		const bool byHeap = withHeap && !candidate.formatClash;
		if (!told.emplace(pair.plane, byHeap ? candidate.heap + 1 : 0, kinds).second)
			continue;
		misses.push_back(alternative(candidate, withHeap));
	}
	return misses;
}

std::string PlanSearch::whyLost(const PlanCandidate &winner, const PlanCandidate &loser) const
{
	const PlanKey &a = winner.key;
	const PlanKey &b = loser.key;
	if (a.size != b.size)
		return request_.preference.width || request_.preference.height
			       ? "its size is farther from the one wanted"
			       : "its size is farther from the output's, or smaller";
	if (a.rate != b.rate)
		return "it is " + std::to_string(b.rate - a.rate) + " mHz slower";
	if (a.heap != b.heap)
		return "its heap comes later in the order";
	if (a.format != b.format)
		return "its format comes later among the preferred ones";
	if (a.scaled != b.scaled)
		return "the plane would have to scale or cut it";
	if (a.bytes != b.bytes)
		return "its buffers are " + planBytes(b.bytes - a.bytes) + " larger";
	return "it is as good, and comes later by format and name";
}

/* What would have worked, then the nearest misses. */
std::vector<Alternative> PlanSearch::losers(const PlanCandidate &winner) const
{
	std::vector<Alternative> others;
	const size_t half = kMostAlternatives / 2;
	for (const PlanCandidate &candidate : candidates_) {
		if (candidate.clashes || others.size() == half)
			break;
		if (&candidate == &winner)
			continue;
		others.push_back(alternative(candidate, true));
		others.back().why = whyLost(winner, candidate);
	}
	for (Alternative &miss : nearestMisses(kMostAlternatives - others.size()))
		others.push_back(std::move(miss));
	return others;
}

/* A later heap that leaves nothing to prove; else one that leaves less than this. */
std::optional<size_t> PlanSearch::nextHeap(const PlanCandidate &best) const
{
	if (best.probes == 0)
		return std::nullopt;
	const PlanCandidate *next = nullptr;
	for (const PlanCandidate &candidate : candidates_) {
		if (candidate.clashes)
			break;
		if (candidate.pair != best.pair || candidate.heap == best.heap)
			continue;
		if (!next ||
		    std::tie(candidate.probes, candidate.heap) < std::tie(next->probes, next->heap))
			next = &candidate;
	}
	return next ? std::optional(next->heap) : std::nullopt;
}

void PlanSearch::addReasons(const PlanCandidate &best, const HeapVerdict &verdict, Plan &plan) const
{
	const PlanPair &pair = pairs_[best.pair];
	const PlanPlane &plane = planeOf(pair);
	const PlanSource &source = request_.source;
	const std::string format = planFormat(plan.mode.fourcc, plan.mode.modifier);
	const Region &region = heapOf(best).region;

	plan.reasons.push_back(format + ": " + source.name + " fills it and " + plane.name +
			       " takes it");
	const char *who[] = {"asked of ", "the least of ", "fixed by "};
	plan.reasons.push_back("stride " + std::to_string(plan.layout.planes[0].stride) + ": " +
			       who[static_cast<size_t>(plan.mode.stride.kind)] + source.name +
			       ", which aligns to " + std::to_string(plan.mode.stride.alignment) +
			       "; " + plane.name + " needs " +
			       std::to_string(*commonAlignment(plane.pitchAlignment,
							       plane.needs.strideAlignment)));
	plan.reasons.push_back(std::to_string(plan.buffers) + " buffers: " + source.name +
			       " keeps " + std::to_string(source.keeps) + ", takes " +
			       std::to_string(source.minimumBuffers) + " to " +
			       std::to_string(source.maximumBuffers) + "; " + plane.name +
			       " holds " + std::to_string(plane.buffersHeld));
	std::string heap = plan.heapName + ": ";
	heap += best.heap == 0 ? "the first of the heaps" : "heaps before it do not serve as well";
	heap += ", " + planBytes(verdict.space) + " for all buffers";
	if (region.free)
		heap += " of " + planBytes(*region.free) + " free";
	if (region.largest && verdict.space > *region.largest)
		heap += "; in pieces, the largest run is " + planBytes(*region.largest);
	plan.reasons.push_back(heap);
}

Plan PlanSearch::makePlan() const
{
	const PlanCandidate &best = candidates_.front();
	const PlanPair &pair = pairs_[best.pair];
	const Heap &heap = heapOf(best);
	const HeapVerdict verdict = checkHeap(request_, pair, heap);

	Plan plan{.mode = modeOf(pair),
		  .plane = planePosition_[pair.plane],
		  .heap = best.heap,
		  .sourceName = request_.source.name,
		  .planeName = planeOf(pair).name,
		  .heapName = heap.name.text,
		  .layout = *pair.layout,
		  .buffers = pair.buffers,
		  .bufferBytes = pair.bufferBytes,
		  .space = verdict.space,
		  .reasons = {},
		  .probes = {},
		  .nextHeap = nextHeap(best),
		  .others = losers(best)};
	for (const RawProbe &probe : verdict.probes)
		plan.probes.push_back(
			{.device = nameOf(probe.device, pair, &heap),
			 .heap = plan.heapName,
			 .question = probe.question == Question::Contiguous
					     ? "accepts memory of which contiguity is not proven"
					     : "reaches the memory of this heap"});
	addReasons(best, verdict, plan);
	return plan;
}

NoPlan PlanSearch::nothingOffered() const
{
	NoPlan none;
	const std::pair<bool, Clash> parties[] = {
		{request_.source.modes.empty(),
		 {.first = "a plan",
		  .second = request_.source.name,
		  .detail = "a format that it fills"}},
		{request_.planes.empty(),
		 {.first = "a plan", .second = "the display", .detail = "a plane"}},
		{request_.heaps.inOrder.empty(),
		 {.first = "a plan", .second = "the choice of heaps", .detail = "a heap"}},
	};
	Alternative miss;
	for (const auto &[empty, clash] : parties) {
		if (!empty)
			continue;
		miss.clashes.push_back(clash);
		miss.clashes.back().wanted = 1;
		miss.why += (miss.why.empty() ? "" : "; ") + describe(miss.clashes.back());
	}
	none.misses.push_back(miss);
	return none;
}

} /* namespace heapflow */
