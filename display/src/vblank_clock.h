/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When vblanks are, from the last one that was seen. Pure. */
#pragma once

#include <cstdint>

namespace heapflow
{

/**
 * \brief The vblanks of a CRTC, all times in ns of CLOCK_MONOTONIC
 *
 * A flip that is committed between two vblanks happens at the second. A frame is meant for the
 * vblank that is nearest to its time, and so is committed after the vblank before that one.
 */
class VblankClock
{
public:
	/** \brief The refresh rate changed; 0: unknown. What was seen before says nothing now */
	void setRefresh(uint64_t refreshMilliHz);

	/** \brief A vblank was at this time; 0 is ignored */
	void seen(int64_t timestamp);

	/** \brief 0 when unknown */
	int64_t period() const { return period_; }

	/** \brief Is it so long ago that the error of the period counts? */
	bool stale(int64_t now) const;

	/**
	 * \brief The earliest time for the commit of a frame that is due then
	 *
	 * \return 0: at once, because nothing is known or the frame is due now
	 */
	int64_t commitTime(int64_t due) const;

	/** \brief The first vblank after that time; 0: unknown */
	int64_t next(int64_t time) const;

	/**
	 * \brief The latest time for a commit that is surely in time for the first vblank after
	 * `time`
	 *
	 * \return 0: unknown
	 */
	int64_t lastCommitTime(int64_t time) const;

private:
	int64_t period_ = 0;
	int64_t last_ = 0;
};

} /* namespace heapflow */
