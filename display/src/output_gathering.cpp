/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of Output that puts frames of several layers into one commit. */
#include "output.h"

#include <algorithm>

namespace heapflow
{

/*
 * Only where all layers' frames come of themselves and at any time: a layer whose buffers must come
 * back at once, or that is to be shown before the next vblank, is not kept waiting.
 */
bool Output::mayGather() const
{
	return layers_.size() > 1 && !whole_ && !waiters_ && !overdue_ &&
	       std::ranges::all_of(layers_, [](const auto &layer) {
		       return layer->flipDelivery == FlipDelivery::OnRequest &&
			      !layer->options.tearing && !layer->options.variableRefresh;
	       });
}

/* A frame waits now: how long may it wait for those of other layers, and miss no vblank? */
void Output::beginGathering(int64_t now)
{
	if (gatherUntil_ || dark() || !mayGather() || clock_.stale(now))
		return;
	const int64_t flip = pending_ ? clock_.next(pendingSince_) : now;
	gatherUntil_ = clock_.lastCommitTime(std::max(flip, now));
}

/* Shall what is ready wait for more? */
bool Output::gathers(int64_t now)
{
	if (gatherUntil_ && (now >= gatherUntil_ || !mayGather()))
		gatherUntil_ = 0;
	return gatherUntil_ && std::ranges::any_of(layers_, [&](const auto &layer) {
		       return !layer->frames.waiting() && layer->pace.expected(now, gatherUntil_);
	       });
}

} /* namespace heapflow */
