/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapscanoutstats.h"

#include <algorithm>
#include <cmath>

namespace heapflow::gst
{

namespace
{

constexpr size_t latencySamples = 4096;

} /* namespace */

bool ScanoutStats::shown(const FrameTimes &frame, int64_t vblank, int64_t arrival,
			 int64_t refreshPeriod)
{
	const int64_t visible = vblank > 0 ? vblank : arrival;

	if (shown_++ == 0)
		firstFlip_ = arrival;
	lastFlip_ = arrival;
	const bool late =
		refreshPeriod > 0 && visible - frame.due > refreshPeriod + refreshPeriod / 2;
	late_ += late;

	if (!frame.captured)
		return late;
	const int64_t latency = arrival - *frame.captured;
	if (latencies_.size() < latencySamples) {
		latencies_.push_back(latency);
		return late;
	}
	latencies_[next_] = latency;
	next_ = (next_ + 1) % latencySamples;
	return late;
}

std::optional<int64_t> ScanoutStats::latencyQuantile(double fraction) const
{
	if (latencies_.empty())
		return std::nullopt;

	std::vector<int64_t> sorted = latencies_;
	const double count = double(sorted.size());
	const auto rank = size_t(std::clamp(std::ceil(fraction * count), 1.0, count)) - 1;
	std::nth_element(sorted.begin(), sorted.begin() + ptrdiff_t(rank), sorted.end());
	return sorted[rank];
}

double ScanoutStats::framesPerSecond() const
{
	if (shown_ < 2 || lastFlip_ <= firstFlip_)
		return 0;
	return double(shown_ - 1) * 1e9 / double(lastFlip_ - firstFlip_);
}

} /* namespace heapflow::gst */
