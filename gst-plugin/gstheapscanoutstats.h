/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the sink counts of the frames that reached the screen. */
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace heapflow::gst
{

/** \brief What is known of a frame when it is handed to the screen; ns, CLOCK_MONOTONIC */
struct FrameTimes {
	std::optional<int64_t> captured;     /**< when this process was told of the frame */
	int64_t due = 0;                     /**< when it is meant to be shown */
	bool timed = false;                  /**< it waits for that time */
	std::optional<uint64_t> runningTime; /**< ns, of the pipeline, when it has one */
	std::optional<int64_t> brought;      /**< when the sink was given it */
};

/** \brief Counts and latencies; plain arithmetic, one thread at a time */
class ScanoutStats
{
public:
	/**
	 * \brief A frame is on the screen
	 *
	 * It is late when more than one and a half refresh periods passed between the time it was
	 * due and the vblank that showed it: up to one is the wait for the vblank, the half is for
	 * the commit.
	 *
	 * \param[in] vblank As the driver says, 0 when it does not (the first flip after a modeset)
	 * \param[in] arrival When this process was told of the flip
	 * \param[in] refreshPeriod ns, 0 when unknown
	 * \return true when it is late
	 */
	bool shown(const FrameTimes &frame, int64_t vblank, int64_t arrival, int64_t refreshPeriod);

	uint64_t shownCount() const { return shown_; }
	uint64_t lateCount() const { return late_; }

	/** \brief Of capture to scan-out, over the last 4096 frames; ns. Nearest rank, fraction
	 * 0..1 */
	std::optional<int64_t> latencyQuantile(double fraction) const;

	/** \brief Frames a second between the first and the last flip; 0 with fewer than two */
	double framesPerSecond() const;

private:
	uint64_t shown_ = 0;
	uint64_t late_ = 0;
	int64_t firstFlip_ = 0;
	int64_t lastFlip_ = 0;
	std::vector<int64_t> latencies_; /* a ring once it is full */
	size_t next_ = 0;
};

} /* namespace heapflow::gst */
