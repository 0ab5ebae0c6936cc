/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheaptiming.h"

#include <algorithm>
#include <utility>

#include <time.h>

namespace heapflow::gst
{

namespace
{

/* More is a stalled system, not a property of the camera. */
constexpr GstClockTime longestLatency = GST_SECOND / 2;

struct Calibration {
	GstClockTime internal;
	GstClockTime external;
	GstClockTime numerator;
	GstClockTime denominator;
};

/*
 * Of a clock whose internal time is CLOCK_MONOTONIC: GStreamer's system clock, of the type that it
 * has by default (gst_system_clock_get_internal_time()). What is derived from it, an audio sink's
 * clock or one of the network, has a time of its own.
 */
std::optional<Calibration> calibrationOfMonotonic(GstClock *clock)
{
	if (G_OBJECT_TYPE(clock) != GST_TYPE_SYSTEM_CLOCK)
		return std::nullopt;
	GstClockType type = GST_CLOCK_TYPE_OTHER;
	g_object_get(clock, "clock-type", &type, nullptr);
	if (type != GST_CLOCK_TYPE_MONOTONIC)
		return std::nullopt;
	Calibration found;
	gst_clock_get_calibration(clock, &found.internal, &found.external, &found.numerator,
				  &found.denominator);
	return found;
}

} /* namespace */

int64_t monotonicNow()
{
	timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return int64_t(now.tv_sec) * 1000000000 + now.tv_nsec;
}

GstCaps *arrivalReference()
{
	static GstStaticCaps caps = GST_STATIC_CAPS("timestamp/x-heapflow-arrival");
	return gst_static_caps_get(&caps);
}

GstClockTime runningTimeOf(GstElement *element, int64_t monotonic)
{
	GstClock *clock = gst_element_get_clock(element);
	if (!clock)
		return GST_CLOCK_TIME_NONE;

	int64_t onClock;
	if (const auto calibration = calibrationOfMonotonic(clock))
		onClock = int64_t(gst_clock_adjust_with_calibration(
			nullptr, GstClockTime(std::max<int64_t>(monotonic, 0)),
			calibration->internal, calibration->external, calibration->numerator,
			calibration->denominator));
	else
		onClock = int64_t(gst_clock_get_time(clock)) - (monotonicNow() - monotonic);
	gst_object_unref(clock);
	const auto baseTime = int64_t(gst_element_get_base_time(element));
	return onClock > baseTime ? GstClockTime(onClock - baseTime) : 0;
}

int64_t monotonicOf(GstClock *clock, GstClockTime clockTime)
{
	if (const auto calibration = calibrationOfMonotonic(clock))
		return int64_t(gst_clock_unadjust_with_calibration(
			nullptr, clockTime, calibration->internal, calibration->external,
			calibration->numerator, calibration->denominator));
	const int64_t now = monotonicNow();
	return now + (int64_t(clockTime) - int64_t(gst_clock_get_time(clock)));
}

void FrameStamper::restart(const FrameRate &rate)
{
	lastSequence_.reset();
	duration_ = GST_CLOCK_TIME_NONE;
	if (rate.numerator > 0 && rate.denominator > 0)
		duration_ = gst_util_uint64_scale(GST_SECOND, rate.denominator, rate.numerator);
}

uint64_t FrameStamper::stamp(GstBuffer *buffer, const CapturedFrame &frame, GstElement *element,
			     int64_t timestamp)
{
	uint64_t lost = 0;

	GST_BUFFER_PTS(buffer) = runningTimeOf(element, timestamp);
	GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
	GST_BUFFER_DURATION(buffer) = duration_;
	GST_BUFFER_OFFSET(buffer) = frame.sequence;
	GST_BUFFER_OFFSET_END(buffer) = frame.sequence + 1;
	if (frame.corrupted)
		GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_CORRUPTED);

	if (!lastSequence_ || frame.sequence != *lastSequence_ + 1) {
		GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
		if (lastSequence_ && frame.sequence > *lastSequence_)
			lost = frame.sequence - *lastSequence_ - 1;
	}
	lastSequence_ = frame.sequence;

	/* Buffers of the camera's pool keep theirs from frame to frame. */
	GstCaps *reference = arrivalReference();
	if (GstReferenceTimestampMeta *meta =
		    gst_buffer_get_reference_timestamp_meta(buffer, reference))
		meta->timestamp = GstClockTime(frame.arrival);
	else
		gst_buffer_add_reference_timestamp_meta(
			buffer, reference, GstClockTime(frame.arrival), GST_CLOCK_TIME_NONE);
	gst_caps_unref(reference);
	return lost;
}

void LatencyEstimate::restart(GstClockTime frameDuration, unsigned bufferCount)
{
	minimum_ = frameDuration;
	buffering_ = frameDuration * (std::max(bufferCount, 1U) - 1);
	measured_ = false;
}

bool LatencyEstimate::learn(GstClockTime age)
{
	if (!known() || age > longestLatency)
		return false;
	if (std::exchange(measured_, true) && age <= minimum_)
		return false;
	/* A quarter more, against small steps. */
	minimum_ = age + age / 4;
	return true;
}

} /* namespace heapflow::gst */
