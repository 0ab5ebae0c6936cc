/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When the next frame of a layer will come, from those that came. Pure. */
#pragma once

#include <cstdint>

namespace heapflow
{

/** \brief How often frames come, all times in ns of CLOCK_MONOTONIC */
class FramePace
{
public:
	/** \brief A frame came */
	void brought(int64_t now);

	/**
	 * \brief Is it worth waiting until then for the next one?
	 *
	 * Not when it would come a quarter of its interval later still, and not when frames have
	 * stopped coming: after twice the interval, or never having begun.
	 */
	bool expected(int64_t now, int64_t until) const;

	/** \brief Will the next one have come by then, if it is as late as those before? */
	bool comesBy(int64_t now, int64_t until) const;

	/** \brief ns; 0: not known */
	int64_t interval() const { return interval_; }

private:
	int64_t last_ = 0;
	int64_t interval_ = 0; /* smoothed; 0: not known */
};

} /* namespace heapflow */
