/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/display/screen_events.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace heapflow
{

const char *noticeName(ScreenNotice::Kind kind)
{
	static constexpr const char *names[] = {
		"unplugged",    "plugged", "master-lost", "master-back",
		"flip-overdue", "refused", "device-gone",
	};
	return names[static_cast<size_t>(kind)];
}

void Histogram::add(int64_t nanoseconds)
{
	const auto milliseconds =
		static_cast<uint64_t>(std::max<int64_t>(nanoseconds, 0)) / 1'000'000;
	const auto bucket = static_cast<size_t>(std::bit_width(milliseconds));
	buckets[std::min(bucket, bucketCount - 1)]++;
}

uint64_t Histogram::total() const
{
	return std::accumulate(buckets.begin(), buckets.end(), uint64_t{0});
}

} /* namespace heapflow */
