/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapcamerasrc: from a frame of the camera to the buffer that is pushed. */
#include "gstheapcamerasrc_private.h"

#include "gst/heap/gstheapcamerameta.h"
#include "gstheapcamerametaprivate.h"
#include "gstheaperror.h"
#include "gstheapi18n.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#define GST_CAT_DEFAULT gst_heap_camera_src_debug

using heapflow::CapturedFrame;
using heapflow::Error;
using heapflow::Result;
using heapflow::gst::CameraPad;
using heapflow::gst::CameraSession;
using heapflow::gst::CameraSource;
using heapflow::gst::formatted;
using heapflow::gst::FramePolicy;
using heapflow::gst::monotonicNow;

namespace
{

/* A camera that is silent for so long, with a buffer to fill, is broken. */
constexpr int64_t frameTimeout = 5'000'000'000;
/* How often is looked whether buffers are free whose memory somebody kept, and who has them all. */
constexpr std::chrono::milliseconds collectInterval{20};
constexpr std::chrono::milliseconds lookInterval{500};
/* ns; a frame that takes less to get was there already. */
constexpr int64_t waited = 1000000;
/* ns; a camera that fails again so soon after it was set up anew is broken, as is one that gave no
 * frame since. */
constexpr int64_t recovery = 3'000'000'000;
constexpr std::chrono::milliseconds cameraInterval{250};

} /* namespace */

/*
 * All buffers are out: the camera waits, and nobody's clock runs. That is a matter of the pipeline,
 * which may mean it (paused downstream of a queue), so it is said once and not an error.
 */
static void gst_heap_camera_src_say_starving(GstHeapCameraSrc *self, GstHeapCameraPad *pad,
					     CameraSession &session)
{
	CameraPad &state = gst_heap_camera_pad_state(pad);
	const unsigned count = session.configuration(state.stream).bufferCount;
	const size_t downstream = session.buffersDownstream(state.stream);
	const size_t kept = session.buffersKept(state.stream);

	if (downstream + kept < count || std::exchange(state.starving, true))
		return;
	GstPad *peer = gst_pad_get_peer(GST_PAD_CAST(pad));
	GstElement *next = peer ? gst_pad_get_parent_element(peer) : nullptr;
	g_autofree char *name = next ? gst_object_get_name(GST_OBJECT_CAST(next)) : nullptr;
	const std::string others = session.otherHolders(state.stream);
	gst_clear_object(&next);
	gst_clear_object(&peer);

	gst_element_post_message(
		GST_ELEMENT_CAST(self),
		gst_message_new_element(
			GST_OBJECT_CAST(self),
			gst_structure_new("heapflow-starved", "pad", G_TYPE_STRING,
					  GST_OBJECT_NAME(pad), "buffers", G_TYPE_UINT, count,
					  "downstream", G_TYPE_UINT, unsigned(downstream), "kept",
					  G_TYPE_UINT, unsigned(kept), "next", G_TYPE_STRING, name,
					  "processes", G_TYPE_STRING, others.c_str(), nullptr)));
	const char *from = name ? name : _("nowhere");
	const std::string text =
		others.empty() ? formatted(_("The camera has no buffer to fill: of %u, %u are held "
					     "downstream of %s, from %s on, and the memory of %u "
					     "is kept by somebody who has dropped the buffer."),
					   count, unsigned(downstream), GST_OBJECT_NAME(pad), from,
					   unsigned(kept))
			       : formatted(_("The camera has no buffer to fill: of %u, %u are held "
					     "downstream of %s, from %s on, and the memory of %u "
					     "is kept by somebody who has dropped the buffer; "
					     "other processes have: %s."),
					   count, unsigned(downstream), GST_OBJECT_NAME(pad), from,
					   unsigned(kept), others.c_str());
	GST_ELEMENT_WARNING(
		self, RESOURCE, NO_SPACE_LEFT, ("%s", text.c_str()),
		("more buffers (property buffers) help if they are only held for long"));
}

static bool gst_heap_camera_src_leads(GstHeapCameraSrc *self, GstHeapCameraPad *pad)
{
	return GST_PAD_CAST(pad) == GST_BASE_SRC_PAD(GST_BASE_SRC_CAST(self));
}

/* Gone, or without a signal. Whoever has the session still keeps it; a node that is open may not
 * come back. */
static bool isAway(const Error &error)
{
	return error.code == ENODEV || error.code == ENOLINK;
}

bool gst_heap_camera_src_put_away(GstHeapCameraSrc *self, const Error &error)
{
	CameraSource &source = *self->source;
	std::lock_guard lock(source.mutex);

	if (!source.waitForCamera || !isAway(error))
		return false;
	source.session.reset();
	source.putAway = true;
	return true;
}

Result<void> gst_heap_camera_src_await_camera(GstHeapCameraSrc *self)
{
	CameraSource &source = *self->source;
	CameraPad &state = gst_heap_camera_pad_state(
		GST_HEAP_CAMERA_PAD(GST_BASE_SRC_PAD(GST_BASE_SRC_CAST(self))));

	bool said = false;
	/* One without a signal can be opened all the time. */
	for (bool wait = std::exchange(source.putAway, false);; wait = true) {
		if (wait) {
			std::unique_lock lock(source.mutex);
			source.woken.wait_for(lock, cameraInterval,
					      [&state] { return state.flushing.load(); });
		}
		if (state.flushing)
			return heapflow::fail(ECANCELED, "flushing");
		auto opened = gst_heap_camera_src_open(self);
		if (opened)
			return opened;
		GST_DEBUG_OBJECT(self, "waiting: %s", opened.error().text().c_str());
		if (opened.error().code == ENOTRECOVERABLE)
			return opened;
		/* It is there and cannot be had; udev may need a moment for the permissions. */
		const int code = opened.error().code;
		if (code != ENOENT && !isAway(opened.error()) && !std::exchange(said, true))
			HEAPFLOW_ELEMENT_WARNING(self, opened.error());
	}
}

/* A camera that failed is set up anew, once; one that is gone or dark is waited for, if wanted. */
static Result<void> gst_heap_camera_src_recover(GstHeapCameraSrc *self, const Error &error)
{
	CameraSource &source = *self->source;
	const int64_t now = monotonicNow();
	bool wait;
	{
		std::lock_guard lock(source.mutex);
		wait = source.waitForCamera;
	}
	const bool failed = error.code == EIO || error.code == ETIMEDOUT;
	const bool again =
		source.lastFailure && (source.noFrameSince || now - source.lastFailure < recovery);
	if (!(isAway(error) && wait) && error.code != ESTALE && (!failed || again))
		return std::unexpected(error);

	HEAPFLOW_ELEMENT_WARNING(self, error);
	gst_heap_camera_src_stop_others(self);
	(void)gst_heap_camera_src_put_away(self, error); /* create() waits for it */
	source.lastFailure = failed ? now : 0;
	source.noFrameSince = failed;
	return heapflow::fail(heapflow::gst::negotiateAgain, error.message);
}

/* libcamera tells that it refuses the memory with the first frame. */
static Result<void> gst_heap_camera_src_try_elsewhere(GstHeapCameraSrc *self,
						      CameraSession &session, const Error &refusal)
{
	gst_heap_camera_src_stop_others(self);
	auto notes = session.prepareNext(refusal);
	if (!notes)
		return std::unexpected(notes.error());
	gst_heap_camera_src_warn(self, *notes);
	gst_heap_camera_src_publish_plan(self);
	/* The requests that were refused took them along. */
	if (auto applied = gst_heap_camera_src_apply_controls(self); !applied)
		return applied;
	if (auto started = session.start(); !started)
		return started;
	gst_heap_camera_src_start_others(self);
	return {};
}

/* The next frame of a pad's stream, asked for now; the pad that leads also repairs what can be. */
static Result<CapturedFrame> gst_heap_camera_src_wait(GstHeapCameraSrc *self, GstHeapCameraPad *pad,
						      CameraSession &session, int64_t now)
{
	CameraPad &state = gst_heap_camera_pad_state(pad);
	const bool leads = gst_heap_camera_src_leads(self, pad);
	int64_t silentSince = now;

	for (;;) {
		const bool kept = session.buffersKept(state.stream) > 0;
		auto frame = session.waitFrame(kept ? collectInterval : lookInterval, state.stream);
		if (frame) {
			state.starving = false;
			self->source->noFrameSince = false;
			return frame;
		}
		if (state.flushing)
			return heapflow::fail(ECANCELED, "flushing");
		const int code = frame.error().code;
		if (code == ETIMEDOUT) {
			if (leads && gst_heap_camera_src_pads_changed(self))
				return heapflow::fail(heapflow::gst::negotiateAgain,
						      "pads changed");
			const size_t out = session.buffersDownstream(state.stream) +
					   session.buffersKept(state.stream);
			if (out >= session.configuration(state.stream).bufferCount) {
				gst_heap_camera_src_say_starving(self, pad, session);
				silentSince = monotonicNow();
			}
			if (monotonicNow() - silentSince < frameTimeout)
				continue;
		}
		if (!leads)
			return frame;
		auto repaired =
			code == EFAULT && !session.framesDelivered()
				? gst_heap_camera_src_try_elsewhere(self, session, frame.error())
				: gst_heap_camera_src_recover(self, frame.error());
		if (!repaired)
			return std::unexpected(repaired.error());
	}
}

/* Unseen. A camera that does not take its buffer back has failed as one that gives no frame has. */
static Result<void> gst_heap_camera_src_give_back(GstHeapCameraSrc *self, GstHeapCameraPad *pad,
						  CameraSession &session,
						  const CapturedFrame &frame)
{
	auto given = session.giveBack(frame, gst_heap_camera_pad_state(pad).stream);
	if (given || !gst_heap_camera_src_leads(self, pad))
		return given;
	return gst_heap_camera_src_recover(self, given.error());
}

/* Of the frames that wait, the last one; those before it go back. */
static Result<CapturedFrame> gst_heap_camera_src_latest(GstHeapCameraSrc *self,
							GstHeapCameraPad *pad,
							CameraSession &session, CapturedFrame frame)
{
	CameraPad &state = gst_heap_camera_pad_state(pad);

	for (;;) {
		auto later = session.waitFrame(std::chrono::milliseconds(0), state.stream);
		if (!later)
			return frame;
		state.passed++;
		if (auto given = gst_heap_camera_src_give_back(self, pad, session, frame); !given)
			return std::unexpected(given.error());
		frame = *later;
	}
}

/*
 * How old a frame is when the camera hands it over. Only a frame that was waited for tells: one
 * that lay in the driver's queue is older for a reason that more latency would make worse.
 */
static void gst_heap_camera_src_learn_latency(GstHeapCameraSrc *self, int64_t age)
{
	CameraSource &source = *self->source;
	{
		std::lock_guard lock(source.mutex);
		if (!source.latency.learn(GstClockTime(age)))
			return;
	}
	GST_DEBUG_OBJECT(self, "frames come %" GST_TIME_FORMAT " after their exposure",
			 GST_TIME_ARGS(GstClockTime(age)));
	gst_element_post_message(GST_ELEMENT_CAST(self),
				 gst_message_new_latency(GST_OBJECT_CAST(self)));
}

static void gst_heap_camera_src_say_lost(GstHeapCameraSrc *self, CameraPad &state,
					 GstBuffer *buffer, uint64_t lost)
{
	state.lost += lost;
	GST_INFO_OBJECT(self, "%" G_GUINT64_FORMAT " frames lost before frame %" G_GUINT64_FORMAT,
			lost, GST_BUFFER_OFFSET(buffer));
	const GstClockTime time = GST_BUFFER_PTS(buffer);
	GstMessage *message = gst_message_new_qos(GST_OBJECT_CAST(self), TRUE, time, time, time,
						  GST_BUFFER_DURATION(buffer));
	gst_message_set_qos_stats(message, GST_FORMAT_BUFFERS, state.pushed, state.lost);
	gst_element_post_message(GST_ELEMENT_CAST(self), message);
}

static void gst_heap_camera_src_describe_frame(GstHeapCameraSrc *self, GstBuffer *buffer,
					       const CapturedFrame &frame, int64_t timestamp,
					       const heapflow::FrameControls &reported)
{
	GstHeapCameraMeta *meta = gst_buffer_get_heap_camera_meta(buffer);

	meta->sequence = frame.sequence;
	meta->sensor_timestamp = timestamp;
	meta->arrival = frame.arrival;
	meta->priv->controls = reported;
	if (reported.empty())
		return;
	std::lock_guard lock(self->source->mutex);
	self->source->reported = reported;
}

/* Is this a frame to be shown? Not from before PLAYING, and not while the sensor settles. */
static bool gst_heap_camera_src_wants(GstHeapCameraSrc *self, const CapturedFrame &frame,
				      int64_t timestamp)
{
	std::lock_guard lock(self->source->mutex);
	const int64_t since = self->source->playingSince;

	return !frame.startup && since != 0 && timestamp >= since;
}

Result<GstBuffer *> gst_heap_camera_src_next_buffer(GstHeapCameraSrc *self, GstHeapCameraPad *pad)
{
	CameraPad &state = gst_heap_camera_pad_state(pad);

	for (;;) {
		const auto session = gst_heap_camera_src_session(self);
		if (!session)
			return heapflow::fail(heapflow::gst::negotiateAgain, "no camera");
		const int64_t asked = monotonicNow();
		auto frame = gst_heap_camera_src_wait(self, pad, *session, asked);
		if (frame && state.policy == FramePolicy::LatestFrame)
			frame = gst_heap_camera_src_latest(self, pad, *session, *frame);
		if (!frame)
			return std::unexpected(frame.error());

		const int64_t timestamp = frame->timestamp > 0 ? frame->timestamp : frame->arrival;
		if (!gst_heap_camera_src_wants(self, *frame, timestamp)) {
			if (auto given = gst_heap_camera_src_give_back(self, pad, *session, *frame);
			    !given)
				return std::unexpected(given.error());
			continue;
		}
		const heapflow::FrameControls &reported =
			session->metadata(frame->index, state.stream);
		GstBuffer *buffer = session->take(*frame, state.stream);
		if (!buffer)
			return heapflow::fail(
				EIO,
				formatted(_("the camera filled buffer %u, which it did not have"),
					  frame->index));
		gst_heap_camera_src_describe_frame(self, buffer, *frame, timestamp, reported);
		if (session->configuration(state.stream).layout.fourcc == heapflow::fourccMjpeg)
			gst_heap_camera_pool_set_used(buffer, gsize(frame->bytesUsed));
		const uint64_t lost =
			state.stamper.stamp(buffer, *frame, GST_ELEMENT_CAST(self), timestamp);
		state.pushed++;
		if (lost)
			gst_heap_camera_src_say_lost(self, state, buffer, lost);
		/* The times of a test camera are computed, and may be ahead of the frame. */
		if (frame->arrival > asked + waited)
			gst_heap_camera_src_learn_latency(
				self, std::max<int64_t>(frame->arrival - timestamp, 0));
		return buffer;
	}
}
