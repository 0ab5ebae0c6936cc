/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way of one frame through heapkmssink; all of it in the streaming thread. */
#include "gstheapkmssink_private.h"

#include "gstheaperror.h"
#include "gstheapframeoriginprivate.h"
#include "gstheapi18n.h"
#include "gstheapneighbours.h"
#include "gstheaptiming.h"

#include <cerrno>
#include <utility>

using heapflow::Error;
using heapflow::Rectangle;
using heapflow::Result;
using heapflow::gst::CopyPolicy;
using heapflow::gst::formatted;
using heapflow::gst::FrameTimes;
using heapflow::gst::KmsSink;
using heapflow::gst::Scanout;

/* The element whose frames come in memory that no display can scan out. */
static std::string upstreamName(GstHeapKmsSink *self)
{
	GstPad *peer = gst_pad_get_peer(GST_BASE_SINK_PAD(self));
	GstElement *element = peer ? gst_pad_get_parent_element(peer) : nullptr;
	std::string name = _("upstream");

	if (element) {
		g_autofree char *own = gst_object_get_name(GST_OBJECT_CAST(element));
		name = own;
		gst_object_unref(element);
	}
	gst_clear_object(&peer);
	return name;
}

static GstFlowReturn gst_heap_kms_sink_refuse_memory(GstHeapKmsSink *self)
{
	const std::string name = upstreamName(self);
	const std::string text =
		self->sink->contract.isRequired()
			? formatted(_("%s sends frames in ordinary memory, which cannot be scanned "
				      "out; heapkmssink makes no copy with require-zero-copy."),
				    name.c_str())
			: formatted(_("%s sends frames in ordinary memory, which cannot be scanned "
				      "out; heapkmssink makes no copy unless copy=allow."),
				    name.c_str());

	GST_ELEMENT_ERROR(
		self, CORE, NEGOTIATION, ("%s", text.c_str()),
		("%s did not use the dma-buf pool that heapkmssink offers (property heap), or "
		 "there "
		 "was no heap to offer one from. Put an element that uses the pool of its peer "
		 "before the sink, or look at `heapctl explain` and GST_DEBUG=heapkmssink:5.",
		 name.c_str()));
	return GST_FLOW_NOT_NEGOTIATED;
}

/* When the frame is meant to be on the screen, in ns of CLOCK_MONOTONIC. */
static void gst_heap_kms_sink_set_due(GstHeapKmsSink *self, GstBuffer *buffer, FrameTimes &times)
{
	GstBaseSink *base = GST_BASE_SINK(self);
	GstClock *clock = gst_element_get_clock(GST_ELEMENT_CAST(self));
	/* Segments of other formats say nothing of times: an appsrc's, unless told, counts bytes.
	 */
	const GstClockTime running =
		base->segment.format == GST_FORMAT_TIME
			? gst_segment_to_running_time(&base->segment, GST_FORMAT_TIME,
						      GST_BUFFER_PTS(buffer))
			: GST_CLOCK_TIME_NONE;
	times.due = heapflow::gst::monotonicNow();
	if (clock && gst_base_sink_get_sync(base) && GST_CLOCK_TIME_IS_VALID(running)) {
		times.due = heapflow::gst::monotonicOf(
				    clock, gst_element_get_base_time(GST_ELEMENT_CAST(self)) +
						   running + gst_base_sink_get_latency(base)) +
			    gst_base_sink_get_ts_offset(base);
		/* A frame of a paused pipeline is shown now, whatever its time. */
		times.timed = GST_STATE(self) == GST_STATE_PLAYING;
		times.runningTime = running;
	}
	gst_clear_object(&clock);
}

static FrameTimes gst_heap_kms_sink_times(GstHeapKmsSink *self, GstBuffer *buffer)
{
	GstCaps *reference = heapflow::gst::arrivalReference();
	const GstReferenceTimestampMeta *meta =
		gst_buffer_get_reference_timestamp_meta(buffer, reference);
	FrameTimes times;

	gst_heap_kms_sink_set_due(self, buffer, times);
	if (meta)
		times.captured = int64_t(meta->timestamp);
	gst_caps_unref(reference);
	return times;
}

static void gst_heap_kms_sink_publish_plan(GstHeapKmsSink *self, Scanout &scanout)
{
	GstStructure *plan = scanout.plan();

	GST_INFO_OBJECT(self, "%" GST_PTR_FORMAT, static_cast<void *>(plan));
	gst_element_post_message(GST_ELEMENT_CAST(self),
				 gst_message_new_element(GST_OBJECT_CAST(self), plan));
}

static Rectangle gst_heap_kms_sink_crop(GstBuffer *buffer)
{
	const GstVideoCropMeta *meta = gst_buffer_get_video_crop_meta(buffer);
	if (!meta)
		return {};
	return {int32_t(meta->x), int32_t(meta->y), meta->width, meta->height};
}

/* What the screen's own clock says of a frame that came too late, to those upstream. */
static void gst_heap_kms_sink_send_qos(GstHeapKmsSink *self, Scanout &scanout)
{
	GstBaseSink *base = GST_BASE_SINK(self);
	const auto lateness = scanout.takeLateness();
	if (!lateness || !gst_base_sink_is_qos_enabled(base))
		return;
	/* The same frame 1.0 times as fast would have been in time. */
	GstEvent *event = gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1.0, lateness->late,
					    lateness->runningTime);
	gst_pad_push_event(GST_BASE_SINK_PAD(base), event);
}

/* Said once for each stream; all copies are counted. */
static void gst_heap_kms_sink_announce_copy(GstHeapKmsSink *self, const std::string &reason)
{
	if (self->sink->copySaid)
		return;
	self->sink->copySaid = true;
	gst_element_post_message(
		GST_ELEMENT_CAST(self),
		gst_message_new_element(GST_OBJECT_CAST(self),
					gst_structure_new("heapflow-copy", "reason", G_TYPE_STRING,
							  reason.c_str(), nullptr)));
	GST_ELEMENT_WARNING(self, STREAM, FORMAT,
			    (_("Frames are copied before they are shown: %s"), reason.c_str()),
			    ("copy=allow; the statistics count them"));
}

static Result<bool> gst_heap_kms_sink_show_buffer(GstHeapKmsSink *self, Scanout &scanout,
						  GstBuffer *buffer)
{
	const auto layout = heapflow::gst::layoutOfBuffer(*self->sink->format, buffer);
	if (!layout)
		return std::unexpected(layout.error());
	return scanout.show(buffer, *layout, gst_heap_kms_sink_crop(buffer),
			    gst_heap_kms_sink_times(self, buffer));
}

static Result<bool> gst_heap_kms_sink_show_copy(GstHeapKmsSink *self, Scanout &scanout,
						GstBuffer *buffer, const std::string &reason)
{
	std::string heap;
	{
		std::lock_guard lock(self->sink->mutex);
		heap = self->sink->heap;
	}
	KmsSink &sink = *self->sink;
	/* A sink renders the frame of its preroll once more: the copy of it is there already. */
	if (sink.prerolled && sink.prerolled == buffer) {
		gst_clear_buffer(&sink.prerolled);
		return false;
	}
	gst_clear_buffer(&sink.prerolled);
	auto copy = sink.copier.copy(GST_ELEMENT_CAST(self), heap, sink.caps, *sink.format, buffer);
	if (!copy)
		return std::unexpected(copy.error());
	if (GST_STATE(self) != GST_STATE_PLAYING)
		sink.prerolled = gst_buffer_ref(buffer);
	scanout.countCopy();
	gst_heap_kms_sink_announce_copy(self, reason);
	auto shown = gst_heap_kms_sink_show_buffer(self, scanout, *copy);
	gst_buffer_unref(*copy);
	return shown;
}

/*
 * Counted always; said once for each stream, and not while everything is watched: then it is said
 * of the element that copies (gstheapzerocopy.h).
 */
static void gst_heap_kms_sink_notice_earlier_copy(GstHeapKmsSink *self, Scanout &scanout,
						  GstBuffer *buffer)
{
	KmsSink &sink = *self->sink;
	if (!gst_buffer_is_cpu_copy(buffer) || !scanout.countEarlierCopy(buffer))
		return;
	if (std::exchange(sink.earlierCopySaid, true) ||
	    heapflow::gst::FrameWatch::instance().isActive())
		return;
	const std::string reason =
		formatted(_("%s, or an element before it, copies frames by CPU from memory of a "
			    "heap into other memory"),
			  heapflow::gst::peerName(GST_BASE_SINK_PAD(self)).c_str());
	GstStructure *said =
		gst_structure_new("heapflow-copy", "reason", G_TYPE_STRING, reason.c_str(), "bytes",
				  G_TYPE_UINT64, guint64(gst_buffer_get_size(buffer)), nullptr);
	gst_element_post_message(GST_ELEMENT_CAST(self),
				 gst_message_new_element(GST_OBJECT_CAST(self), said));
	GST_ELEMENT_WARNING(self, STREAM, FORMAT, ("%s.", reason.c_str()),
			    ("Let the elements agree on one format so that frames pass "
			     "untouched. GST_TRACERS=heapflow tells which element copies; "
			     "copied-upstream in the statistics counts the frames; "
			     "require-zero-copy makes it an error."));
}

/* May another memory help? Not when the display itself is the trouble. */
static bool isOfTheMemory(const Error &error)
{
	return error.code == EINVAL || error.code == EFAULT || error.code == ENXIO ||
	       error.code == ENOTSUP || error.code == ERANGE;
}

static GstFlowReturn gst_heap_kms_sink_finish_frame(GstHeapKmsSink *self, Scanout &scanout,
						    const Result<bool> &shown)
{
	if (shown) {
		if (*shown) {
			gst_heap_kms_sink_publish_plan(self, scanout);
			gst_heap_kms_sink_set_latency(self, scanout);
		}
		self->sink->overdueSaid = false;
		gst_heap_kms_sink_send_qos(self, scanout);
		return GST_FLOW_OK;
	}
	/* A flip that does not come is no reason to end: the next frame may be luckier. */
	if (shown.error().code == ETIMEDOUT) {
		if (!self->sink->overdueSaid)
			HEAPFLOW_ELEMENT_WARNING(self, shown.error());
		self->sink->overdueSaid = true;
		return GST_FLOW_OK;
	}
	HEAPFLOW_ELEMENT_ERROR(self, shown.error());
	return GST_FLOW_ERROR;
}

static bool gst_heap_kms_sink_is_scannable(GstBuffer *buffer)
{
	const guint memories = gst_buffer_n_memory(buffer);

	for (guint i = 0; i < memories; i++)
		if (!gst_is_dmabuf_memory(gst_buffer_peek_memory(buffer, i)))
			return false;
	return memories > 0;
}

GstFlowReturn gst_heap_kms_sink_render_frame(GstHeapKmsSink *self, GstBuffer *buffer)
{
	KmsSink &sink = *self->sink;
	std::shared_ptr<Scanout> scanout = gst_heap_kms_sink_scanout(self);
	if (!scanout || !sink.format)
		return GST_FLOW_NOT_NEGOTIATED;
	if (sink.contract.isBroken())
		return GST_FLOW_ERROR;

	CopyPolicy policy;
	bool changed;
	{
		std::lock_guard lock(sink.mutex);
		policy = sink.contract.isRequired() ? CopyPolicy::Never : sink.copy;
		changed = sink.layerChanged;
	}
	if (changed)
		gst_heap_kms_sink_update_layer(self, *scanout);

	gst_heap_kms_sink_notice_earlier_copy(self, *scanout, buffer);
	const bool scannable = gst_heap_kms_sink_is_scannable(buffer);
	if (!scannable && policy == CopyPolicy::Never) {
		scanout->countCopy();
		return gst_heap_kms_sink_refuse_memory(self);
	}
	Result<bool> shown =
		scannable ? gst_heap_kms_sink_show_buffer(self, *scanout, buffer)
			  : gst_heap_kms_sink_show_copy(self, *scanout, buffer,
							formatted(_("%s sends ordinary memory"),
								  upstreamName(self).c_str()));
	if (scannable && !shown && policy == CopyPolicy::Allow && isOfTheMemory(shown.error())) {
		const std::string reason = shown.error().text();
		shown = gst_heap_kms_sink_show_copy(self, *scanout, buffer, reason);
	}
	return gst_heap_kms_sink_finish_frame(self, *scanout, shown);
}
