/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way of one frame through heapkmssink; all of it in the streaming thread. */
#include "gstheapkmssink_private.h"

#include "gstheapcopynotice.h"
#include "gstheaperror.h"
#include "gstheapi18n.h"
#include "gstheapneighbours.h"
#include "gstheaptiming.h"

#include <cerrno>
#include <utility>

#define GST_CAT_DEFAULT gst_heap_kms_sink_debug

using heapflow::Error;
using heapflow::Rectangle;
using heapflow::Result;
using heapflow::gst::CopyPolicy;
using heapflow::gst::formatted;
using heapflow::gst::FrameTimes;
using heapflow::gst::KmsSink;
using heapflow::gst::Scanout;

/* Who is before the sink, and may be what keeps allocation queries from it. */
static std::string directPeerName(GstHeapKmsSink *self)
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

/* Who sends frames that cannot be scanned out, why in such memory, and what to do about it. */
static Error gst_heap_kms_sink_explain_memory(GstHeapKmsSink *self)
{
	GstPad *pad = GST_BASE_SINK_PAD(self);
	bool asked;
	Error why;
	{
		std::lock_guard lock(self->sink->mutex);
		asked = self->sink->asked;
		why = self->sink->whyNoPool;
	}
	const std::string name = asked ? heapflow::gst::peerName(pad) : directPeerName(self);
	if (heapflow::gst::peerFactory(pad) == "tee")
		return {ENOTSUP,
			formatted(_("%s sends frames in ordinary memory: a tee passes on no pool"),
				  name.c_str()),
			_("put heapalloc before the tee")};
	if (!asked)
		return {ENOTSUP,
			formatted(_("%s sends frames in ordinary memory, and passed no question "
				    "for better memory on to heapkmssink"),
				  name.c_str()),
			_("put an element that uses the pool of its peer before the sink")};
	if (why.code)
		return {ENOTSUP,
			formatted(_("%s sends frames in ordinary memory, as there was no pool to "
				    "offer: %s"),
				  name.c_str(), why.message.c_str()),
			why.hint};
	const std::string property = heapflow::gst::importProperty(pad);
	return {ENOTSUP,
		formatted(_("%s sends frames in ordinary memory: it did not use the pool that it "
			    "was offered"),
			  name.c_str()),
		property.empty()
			? _("put an element that uses the pool of its peer before the sink")
			: formatted(_("set %s=dmabuf-import of %s"), property.c_str(),
				    name.c_str())};
}

static GstFlowReturn gst_heap_kms_sink_refuse_memory(GstHeapKmsSink *self)
{
	const Error error = gst_heap_kms_sink_explain_memory(self);
	const char *policy = self->sink->contract.isRequired()
				     ? _("heapkmssink makes no copy with require-zero-copy")
				     : _("heapkmssink makes no copy unless copy=allow");

	GST_ELEMENT_ERROR(self, CORE, NEGOTIATION, ("%s. %s.", error.message.c_str(), policy),
			  ("%s. GST_DEBUG=heapkmssink:5 and `heapctl explain` tell more.",
			   error.hint.c_str()));
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
	times.brought = times.due;
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
	g_object_notify(G_OBJECT(self), "plan");
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
static void gst_heap_kms_sink_announce_copy(GstHeapKmsSink *self, const std::string &reason,
					    GstBuffer *buffer)
{
	if (std::exchange(self->sink->copySaid, true))
		return;
	g_autofree char *name = gst_object_get_name(GST_OBJECT_CAST(self));
	heapflow::gst::announceCopy(
		GST_ELEMENT_CAST(self),
		{.reason = formatted(_("Frames are copied before they are shown: %s"),
				     reason.c_str()),
		 .hint = _("copy=allow; the statistics count them"),
		 .element = name,
		 .bytes = gst_buffer_get_size(buffer)});
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
	gst_heap_kms_sink_announce_copy(self, reason, buffer);
	auto shown = gst_heap_kms_sink_show_buffer(self, scanout, *copy);
	gst_buffer_unref(*copy);
	return shown;
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
	/* Nothing is in it, so it is nowhere: what muxers send to mark a gap. */
	if (gst_buffer_n_memory(buffer) == 0)
		return GST_FLOW_OK;

	CopyPolicy policy;
	bool changed;
	{
		std::lock_guard lock(sink.mutex);
		policy = sink.contract.isRequired() ? CopyPolicy::Never : sink.copy;
		changed = sink.layerChanged;
	}
	if (changed)
		gst_heap_kms_sink_update_layer(self, *scanout);

	if (heapflow::gst::noticeEarlierCopy(GST_ELEMENT_CAST(self), GST_BASE_SINK_PAD(self),
					     buffer, sink.earlierCopySaid))
		scanout->countEarlierCopy(buffer);
	const bool scannable = gst_heap_kms_sink_is_scannable(buffer);
	if (!scannable && policy == CopyPolicy::Never) {
		scanout->countCopy();
		return gst_heap_kms_sink_refuse_memory(self);
	}
	Result<bool> shown =
		scannable ? gst_heap_kms_sink_show_buffer(self, *scanout, buffer)
			  : gst_heap_kms_sink_show_copy(
				    self, *scanout, buffer,
				    sink.copySaid ? ""
						  : gst_heap_kms_sink_explain_memory(self).message);
	if (scannable && !shown && policy == CopyPolicy::Allow && isOfTheMemory(shown.error())) {
		const std::string reason = shown.error().text();
		shown = gst_heap_kms_sink_show_copy(self, *scanout, buffer, reason);
	}
	return gst_heap_kms_sink_finish_frame(self, *scanout, shown);
}
