/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames of a camera on the clock of a pipeline. */
#pragma once

#include "heapflow/camera/camera.h"

#include <cstdint>
#include <optional>

#include <gst/gst.h>

namespace heapflow::gst
{

/** \brief ns of CLOCK_MONOTONIC */
int64_t monotonicNow();

/** \brief Reference of the GstReferenceTimestampMeta with CapturedFrame::arrival; caller unrefs */
GstCaps *arrivalReference();

/**
 * \brief A time of CLOCK_MONOTONIC as running time of the pipeline, whatever its clock (invariant
 * 13)
 *
 * Of GStreamer's system clock it is the same time, calibrated, so that no clock is looked at; to
 * others the age of the frame leads, which is the same on both. \return GST_CLOCK_TIME_NONE without
 * a clock, 0 for a time before the pipeline ran.
 */
GstClockTime runningTimeOf(GstElement *element, int64_t monotonic);

/**
 * \brief The same the other way round
 *
 * Of the system clock the calibration is undone; to others, now and the difference to `clockTime`.
 */
int64_t monotonicOf(GstClock *clock, GstClockTime clockTime);

/** \brief Writes what is known of a frame on its buffer; the streaming thread's */
class FrameStamper
{
public:
	/** \brief A new stream: its first frame follows no other, and is a DISCONT */
	void restart(const FrameRate &rate);

	/** \brief GST_CLOCK_TIME_NONE when the camera does not tell its rate */
	GstClockTime duration() const { return duration_; }

	/**
	 * \brief PTS, duration, sequence in OFFSET, arrival as meta, CORRUPTED, and DISCONT after a
	 * gap in the sequence (invariant 13)
	 *
	 * \param[in] timestamp Of the exposure, ns of CLOCK_MONOTONIC
	 * \return how many frames were lost before this one
	 */
	uint64_t stamp(GstBuffer *buffer, const CapturedFrame &frame, GstElement *element,
		       int64_t timestamp);

private:
	GstClockTime duration_ = GST_CLOCK_TIME_NONE;
	std::optional<uint64_t> lastSequence_;
};

/** \brief The latency that a live camera reports; one thread at a time */
class LatencyEstimate
{
public:
	/** \brief Until a frame tells: one frame */
	void restart(GstClockTime frameDuration, unsigned bufferCount);

	/**
	 * \brief Learn from a frame that came `age` after its exposure
	 *
	 * The first frame settles the latency, later ones only raise it: each change makes the
	 * whole pipeline ask again.
	 *
	 * \return true when it changed
	 */
	bool learn(GstClockTime age);

	bool known() const { return GST_CLOCK_TIME_IS_VALID(minimum_); }
	GstClockTime minimum() const { return minimum_; }
	/** \brief With all buffers full */
	GstClockTime maximum() const { return minimum_ + buffering_; }

private:
	GstClockTime minimum_ = GST_CLOCK_TIME_NONE;
	GstClockTime buffering_ = 0; /* in the buffers that are not the oldest */
	bool measured_ = false;
};

} /* namespace heapflow::gst */
