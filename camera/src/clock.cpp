/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "clock.h"

#include <cstdlib>

#include <time.h>

namespace heapflow
{

namespace
{

int64_t now(clockid_t clock)
{
	timespec time{};
	clock_gettime(clock, &time);
	return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

} /* namespace */

int64_t monotonicNow()
{
	return now(CLOCK_MONOTONIC);
}

int64_t suspendedTime()
{
	/* Read between two readings of the other clock, as the calls take time themselves. */
	const int64_t before = now(CLOCK_MONOTONIC);
	const int64_t boot = now(CLOCK_BOOTTIME);
	const int64_t after = now(CLOCK_MONOTONIC);

	/* Below the duration of the calls the difference is noise, not a suspension. */
	const int64_t suspended = boot - (before + (after - before) / 2);
	return suspended > after - before ? suspended : 0;
}

int64_t monotonicFromSensor(int64_t timestamp, int64_t arrival, int64_t suspended)
{
	const int64_t converted = timestamp - suspended;
	return std::llabs(converted - arrival) < std::llabs(timestamp - arrival) ? converted
										 : timestamp;
}

} /* namespace heapflow */
