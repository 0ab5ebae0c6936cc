/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame_pace.h"

namespace heapflow
{

namespace
{

/* Pictures that come less often than so are not a stream. */
constexpr int64_t longestInterval = 1'000'000'000;

/* Timers of cameras and of processors are a few ms wrong: four frames smooth them. */
constexpr int64_t smoothing = 4;

} /* namespace */

void FramePace::brought(int64_t now)
{
	const int64_t passed = now - last_;
	if (!last_ || passed >= longestInterval)
		interval_ = 0;
	else if (interval_)
		interval_ += (passed - interval_) / smoothing;
	else
		interval_ = passed;
	last_ = now;
}

bool FramePace::expected(int64_t now, int64_t until) const
{
	return comesBy(now, until + interval_ / 4);
}

bool FramePace::comesBy(int64_t now, int64_t until) const
{
	return interval_ && now - last_ < 2 * interval_ && last_ + interval_ <= until;
}

} /* namespace heapflow */
