/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vblank_clock.h"

namespace heapflow
{

namespace
{

/* The clock of a display and that of the CPU differ by some 100 ppm: 0.1 ms in a second. */
constexpr int64_t trusted = 1'000'000'000;

/* After the vblank by so much of a period: the driver must have seen it too. */
constexpr int64_t marginParts = 16;

/* Before it: drivers program their hardware some ms earlier, and threads are late at times. */
constexpr int64_t earlyParts = 4;

} /* namespace */

void VblankClock::setRefresh(uint64_t refreshMilliHz)
{
	const int64_t period =
		refreshMilliHz ? static_cast<int64_t>(1'000'000'000'000 / refreshMilliHz) : 0;
	if (period != period_)
		last_ = 0;
	period_ = period;
}

void VblankClock::seen(int64_t timestamp)
{
	if (timestamp > last_)
		last_ = timestamp;
}

bool VblankClock::stale(int64_t now) const
{
	return !last_ || now - last_ > trusted;
}

int64_t VblankClock::commitTime(int64_t due) const
{
	if (!period_ || !last_ || due <= last_)
		return 0;
	/* The nearest vblank, counted from the last one; a tie goes to the earlier. */
	const int64_t vblanks = (due - last_ + period_ / 2 - 1) / period_;
	if (vblanks <= 1)
		return 0;
	return last_ + (vblanks - 1) * period_ + period_ / marginParts;
}

int64_t VblankClock::next(int64_t time) const
{
	if (!period_ || !last_)
		return 0;
	return time < last_ ? last_ : last_ + ((time - last_) / period_ + 1) * period_;
}

int64_t VblankClock::lastCommitTime(int64_t time) const
{
	const int64_t vblank = next(time);
	return vblank ? vblank - period_ / earlyParts : 0;
}

} /* namespace heapflow */
