/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a camera's buffers are to come back before the display has read them, with a fence. */
#pragma once

#include <algorithm>

namespace heapflow::gst
{

/**
 * \brief Decides for each frame; plain arithmetic, one thread at a time
 *
 * A fence is eight system calls and a switch of threads, and is of use to a camera that has fewer
 * than two buffers to fill. That it has two may be because of the fences, so they end only after
 * many frames in a row that left it two, and not to and fro with each.
 */
class FenceWanted
{
public:
	static constexpr unsigned framesInARow = 30;

	/** \brief Of a frame that leaves the camera two to fill, or does not */
	bool next(bool leavesTwo)
	{
		withTwo_ = leavesTwo ? std::min(withTwo_ + 1, framesInARow) : 0;
		return withTwo_ < framesInARow;
	}

private:
	unsigned withTwo_ = framesInARow;
};

} /* namespace heapflow::gst */
