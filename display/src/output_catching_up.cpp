/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of Output that keeps one late frame from delaying all others (DropPolicy::Replace). */
#include "output.h"

#include <algorithm>

namespace heapflow
{

/*
 * A frame that waited for a flip is committed a vblank later than it could have been, and is
 * pending when the next one comes, which then waits in its turn: cameras and displays of the same
 * rate go on so for ever. Where a newer frame is to be had in time for the same vblank, that one is
 * shown instead, and those after it wait for nothing.
 */
bool Output::mayCatchUp() const
{
	if (layers_.size() != 1 || whole_ || waiters_ || overdue_)
		return false;
	const OutputLayer &layer = *layers_.front();
	/* A newer frame that has a time of its own may be meant for a later vblank. */
	return layer.options.dropPolicy == DropPolicy::Replace && !layer.options.tearing &&
	       !layer.options.variableRefresh && layer.frames.waiting() &&
	       !layer.frames.waiting()->due;
}

/*
 * A flip has come, and what waited for it may be committed. Hardware tells of it before the end of
 * the vblank, which is the flip's time (drm_vblank.c).
 */
void Output::beginCatchingUp(const RawFlip &flip)
{
	const int64_t now = std::max(flip.arrival, flip.timestamp);
	if (!dark() && !clock_.stale(now) && mayCatchUp())
		catchUpUntil_ = clock_.lastCommitTime(now);
}

/*
 * Shall what is ready wait for a newer frame? If none comes in time it misses no vblank. Frames
 * that come in bursts have no pace.
 */
bool Output::catchesUp(int64_t now)
{
	if (!catchUpUntil_)
		return false;
	const auto isToCome = [&](const FramePace &pace) {
		return pace.interval() >= clock_.period() / 4 && pace.comesBy(now, catchUpUntil_);
	};
	if (now >= catchUpUntil_ || !mayCatchUp() || !isToCome(layers_.front()->pace))
		catchUpUntil_ = 0;
	return catchUpUntil_;
}

} /* namespace heapflow */
