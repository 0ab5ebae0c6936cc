/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-heapkmssink
 * @title: heapkmssink
 * @short_description: shows dma-bufs on a screen by atomic KMS, without a copy
 * @see_also: heapcamerasrc, heapalloc, kmssink
 *
 * heapkmssink puts frames on a plane of a KMS device. Each dma-buf is imported and registered once;
 * each frame after that is one non-blocking atomic commit. A buffer is let go of when the flip that
 * replaced it has happened. The state of the screen is saved in READY and restored in NULL.
 *
 * The sink copies only with #heapkmssink:copy. Elements that produce frames in memory of their own
 * are offered a buffer pool in a dma-buf heap (#heapkmssink:heap), so that `videotestsrc !
 * heapkmssink` draws straight into what is scanned out. A frame that arrives in any other memory is
 * an error.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 heapcamerasrc heap='video@*' ! heapkmssink
 * ]|
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=120 ! video/x-raw,width=640,height=480 ! heapkmssink
 * driver-name=vkms screenshot-location=out.png
 * ]|
 * The screen is read back into a PNG file at the end of the stream.
 *
 * ## Messages
 * When mode and plane are chosen an element message `heapflow-plan` is posted, with the fields of
 * #heapkmssink:plan; again when a screen was plugged in. `heapflow-stats`, with the fields of
 * #heapkmssink:stats, is posted at the end of the stream and when the sink stops before it.
 * `heapflow-screen` says what happened to the screen, with the fields `event` (unplugged, plugged,
 * master-lost, master-back, flip-overdue, refused, device-gone) and `text`; `heapflow-copy`, once,
 * that frames are copied, and why (#heapkmssink:copy).
 *
 * ## Several sinks
 * Sinks of one process on the same connector share it: each has a plane, and what they show is put
 * into one commit for each vblank. #heapkmssink:zpos orders them.
 * |[
 * gst-launch-1.0 heapcamerasrc ! heapkmssink zpos=0 videotestsrc !
 * video/x-raw,format=BGRA,width=320,height=240 ! heapkmssink zpos=1
 * render-rectangle='<20,20,320,240>'
 * ]|
 *
 * Since: 0.1
 */
#include "gstheapkmssink_private.h"

#include "gstheaperror.h"
#include "gstheaphdr.h"
#include "gstheapi18n.h"
#include "gstheapplanquery.h"

#include "heapflow/heap/heap_choice.h"

#include <algorithm>
#include <cerrno>

GST_DEBUG_CATEGORY(gst_heap_kms_sink_debug);
#define GST_CAT_DEFAULT gst_heap_kms_sink_debug

using heapflow::Error;
using heapflow::Result;
using heapflow::ScreenNotice;
using heapflow::ScreenOptions;
using heapflow::gst::KmsSink;
using heapflow::gst::Scanout;

namespace
{

/*
 * A frame that is somewhat late is still the newest there is, and is shown unless it is later than
 * a frame of 50 per second.
 */
constexpr gint64 maximumLateness = 20 * GST_MSECOND;
/* A commit takes well under this; the 15 ms of GstVideoSink would cost a frame of latency. */
constexpr GstClockTime processingDeadline = 5 * GST_MSECOND;

enum { SignalScreenshot, SignalCount };

guint signals[SignalCount];

} /* namespace */

G_DEFINE_TYPE_WITH_CODE(GstHeapKmsSink, gst_heap_kms_sink, GST_TYPE_VIDEO_SINK,
			G_IMPLEMENT_INTERFACE(GST_TYPE_VIDEO_OVERLAY,
					      gst_heap_kms_sink_overlay_init)
				GST_DEBUG_CATEGORY_INIT(gst_heap_kms_sink_debug, "heapkmssink", 0,
							"atomic KMS sink for dma-bufs"))
GST_ELEMENT_REGISTER_DEFINE(heapkmssink, "heapkmssink", GST_RANK_NONE, GST_TYPE_HEAP_KMS_SINK)

std::shared_ptr<Scanout> gst_heap_kms_sink_scanout(GstHeapKmsSink *self)
{
	std::lock_guard lock(self->sink->mutex);
	return self->sink->scanout;
}

/* In the Screen's thread: the bus is the queue. */
static void gst_heap_kms_sink_post_notice(GstHeapKmsSink *self, const ScreenNotice &notice)
{
	GstStructure *structure = gst_structure_new("heapflow-screen", "event", G_TYPE_STRING,
						    heapflow::noticeName(notice.kind), "text",
						    G_TYPE_STRING, notice.text.c_str(), nullptr);

	GST_INFO_OBJECT(self, "%" GST_PTR_FORMAT, static_cast<void *>(structure));
	gst_element_post_message(GST_ELEMENT_CAST(self),
				 gst_message_new_element(GST_OBJECT_CAST(self), structure));
	const Error told{notice.error.code, notice.text, notice.error.hint};
	switch (notice.kind) {
	case ScreenNotice::Kind::Plugged:
	case ScreenNotice::Kind::MasterBack:
		break;
	default:
		HEAPFLOW_ELEMENT_WARNING(self, told);
	}
}

/* A frame is given to the screen one vblank before its own, and the pipeline must know that. */
void gst_heap_kms_sink_set_latency(GstHeapKmsSink *self, Scanout &scanout)
{
	const auto delay = GstClockTime(std::max<int64_t>(scanout.refreshPeriod(), 0));
	if (delay == self->sink->renderDelay)
		return;
	self->sink->renderDelay = delay;
	gst_base_sink_set_render_delay(GST_BASE_SINK(self), delay);
	gst_element_post_message(GST_ELEMENT_CAST(self),
				 gst_message_new_latency(GST_OBJECT_CAST(self)));
}

static gboolean gst_heap_kms_sink_open(GstHeapKmsSink *self)
{
	KmsSink &sink = *self->sink;
	ScreenOptions options;
	std::string heap;
	bool releaseFences;
	{
		std::lock_guard lock(sink.mutex);
		options = sink.options;
		heap = sink.heap;
		sink.asked = false;
		sink.whyNoPool = {};
		releaseFences = sink.releaseFences;
		if (options.connector.empty() && sink.connectorId >= 0)
			options.connector = std::to_string(sink.connectorId);
		if (sink.forceModesetting && options.mode.empty())
			options.mode = "best";
	}

	/* One that no heap matches may never be needed; one that means nothing is a mistake. */
	if (const auto expression = heapflow::parseHeapExpression(heap); !expression) {
		HEAPFLOW_ELEMENT_ERROR(self, expression.error());
		return FALSE;
	}
	auto scanout = Scanout::open(options);
	if (!scanout) {
		HEAPFLOW_ELEMENT_ERROR(self, scanout.error());
		return FALSE;
	}
	(*scanout)->setReleaseFences(releaseFences);
	(*scanout)->setNoticeHandler([self](const ScreenNotice &notice) {
		gst_heap_kms_sink_post_notice(self, notice);
	});
	{
		std::lock_guard lock(sink.mutex);
		sink.scanout = *scanout;
	}
	gst_heap_kms_sink_set_latency(self, **scanout);
	return TRUE;
}

static void gst_heap_kms_sink_close(GstHeapKmsSink *self)
{
	std::shared_ptr<Scanout> scanout;
	{
		std::lock_guard lock(self->sink->mutex);
		scanout = std::move(self->sink->scanout);
	}
	/* Destroyed here, unlocked: it waits for the Screen's thread. */
}

static GstCaps *gst_heap_kms_sink_get_caps(GstBaseSink *base, GstCaps *filter)
{
	std::shared_ptr<Scanout> scanout = gst_heap_kms_sink_scanout(GST_HEAP_KMS_SINK(base));
	GstCaps *caps =
		scanout ? scanout->caps() : gst_pad_get_pad_template_caps(GST_BASE_SINK_PAD(base));
	if (!filter)
		return caps;

	GstCaps *both = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
	gst_caps_unref(caps);
	return both;
}

static gboolean gst_heap_kms_sink_set_caps(GstBaseSink *base, GstCaps *caps)
{
	GstHeapKmsSink *self = GST_HEAP_KMS_SINK(base);
	auto format = heapflow::gst::frameFormatFromCaps(caps);

	if (!format) {
		GST_ELEMENT_ERROR(self, CORE, NEGOTIATION, ("%s", format.error().message.c_str()),
				  ("%s", format.error().text().c_str()));
		return FALSE;
	}
	self->sink->format = std::move(*format);
	gst_caps_replace(&self->sink->caps, caps);
	self->sink->hdr = heapflow::gst::hdrFromCaps(caps, self->sink->format->info);
	std::lock_guard lock(self->sink->mutex);
	self->sink->layerChanged = true;
	return TRUE;
}

/*
 * Who asks to drain, or for other memory, wants its buffers back. GstBaseSink gives back that of
 * its last sample and keeps a deep copy of it (gst_base_sink_drain()), by CPU, at each change of
 * caps: we let go of it before.
 */
static void gst_heap_kms_sink_forget_last_sample(GstBaseSink *base)
{
	if (!gst_base_sink_is_last_sample_enabled(base))
		return;
	gst_base_sink_set_last_sample_enabled(base, FALSE);
	gst_base_sink_set_last_sample_enabled(base, TRUE);
}

/* FALSE after an answer as well: a tee shall ask its other branches, too (newPlanQuery()). */
static gboolean gst_heap_kms_sink_query(GstBaseSink *base, GstQuery *query)
{
	GstHeapKmsSink *self = GST_HEAP_KMS_SINK(base);
	heapflow::gst::PlanQuestion question;

	if (GST_QUERY_TYPE(query) == GST_QUERY_DRAIN ||
	    GST_QUERY_TYPE(query) == GST_QUERY_ALLOCATION)
		gst_heap_kms_sink_forget_last_sample(base);
	if (!heapflow::gst::parsePlanQuery(query, question))
		return GST_BASE_SINK_CLASS(gst_heap_kms_sink_parent_class)->query(base, query);
	if (std::shared_ptr<Scanout> scanout = gst_heap_kms_sink_scanout(self))
		heapflow::gst::addDisplayTerms(
			query, gst_heap_kms_sink_terms(self, *scanout, question.fourcc,
						       question.width, question.height));
	return FALSE;
}

static GstFlowReturn gst_heap_kms_sink_show_frame(GstVideoSink *video, GstBuffer *buffer)
{
	return gst_heap_kms_sink_render_frame(GST_HEAP_KMS_SINK(video), buffer);
}

static gboolean gst_heap_kms_sink_screenshot(GstHeapKmsSink *self, const char *location)
{
	std::shared_ptr<Scanout> scanout = gst_heap_kms_sink_scanout(self);
	Result<void> written = scanout ? scanout->screenshot(location)
				       : heapflow::fail(ENODEV, _("no screen is open"));

	if (written)
		return TRUE;
	GST_ELEMENT_WARNING(self, RESOURCE, WRITE, ("%s", written.error().message.c_str()),
			    ("%s", written.error().text().c_str()));
	return FALSE;
}

/* The last frame was handed over, but is on the screen only after the next vblank. */
static void gst_heap_kms_sink_finish_stream(GstHeapKmsSink *self)
{
	std::shared_ptr<Scanout> scanout = gst_heap_kms_sink_scanout(self);
	if (!scanout)
		return;
	if (auto drained = scanout->drain(); !drained)
		GST_WARNING_OBJECT(self, "%s", drained.error().text().c_str());
	gst_heap_kms_sink_post_statistics(self);

	std::string location;
	{
		std::lock_guard lock(self->sink->mutex);
		location = self->sink->screenshotLocation;
	}
	if (!location.empty())
		gst_heap_kms_sink_screenshot(self, location.c_str());
}

/* The tag image-orientation, for rotate-method=auto. */
static void gst_heap_kms_sink_follow_tags(GstHeapKmsSink *self, GstEvent *event)
{
	GstTagList *tags = nullptr;
	GstVideoOrientationMethod method;

	gst_event_parse_tag(event, &tags);
	if (!gst_video_orientation_from_tag(tags, &method))
		return;
	std::lock_guard lock(self->sink->mutex);
	self->sink->taggedRotation = method;
	self->sink->layerChanged = true;
}

static gboolean gst_heap_kms_sink_event(GstBaseSink *base, GstEvent *event)
{
	GstHeapKmsSink *self = GST_HEAP_KMS_SINK(base);

	if (GST_EVENT_TYPE(event) == GST_EVENT_EOS)
		gst_heap_kms_sink_finish_stream(self);
	else if (GST_EVENT_TYPE(event) == GST_EVENT_TAG)
		gst_heap_kms_sink_follow_tags(self, event);
	else if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT ||
		 GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP)
		gst_heap_kms_sink_carry_counts(self);
	return GST_BASE_SINK_CLASS(gst_heap_kms_sink_parent_class)->event(base, event);
}

/* The picture goes and with it the references to its buffers; the saved state comes back in NULL.
 */
static gboolean gst_heap_kms_sink_stop(GstBaseSink *base)
{
	GstHeapKmsSink *self = GST_HEAP_KMS_SINK(base);

	KmsSink &sink = *self->sink;
	if (!sink.statsPosted)
		gst_heap_kms_sink_post_statistics(self);
	if (auto scanout = gst_heap_kms_sink_scanout(self))
		scanout->hide();
	sink.statsPosted = false;
	gst_clear_buffer(&sink.prerolled);
	sink.format.reset();
	gst_clear_caps(&sink.caps);
	sink.copier.reset();
	sink.copySaid = sink.earlierCopySaid = sink.overdueSaid = false;
	return TRUE;
}

static GstStateChangeReturn gst_heap_kms_sink_change_state(GstElement *element,
							   GstStateChange transition)
{
	GstHeapKmsSink *self = GST_HEAP_KMS_SINK(element);

	if (transition == GST_STATE_CHANGE_NULL_TO_READY && !gst_heap_kms_sink_open(self))
		return GST_STATE_CHANGE_FAILURE;
	if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
		gst_heap_kms_sink_forget_statistics(self);
	if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
		gst_heap_kms_sink_carry_counts(self);
	if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
		gst_heap_kms_sink_keep_statistics(self);

	const GstStateChangeReturn result = GST_ELEMENT_CLASS(gst_heap_kms_sink_parent_class)
						    ->change_state(element, transition);

	if (transition == GST_STATE_CHANGE_READY_TO_NULL)
		gst_heap_kms_sink_close(self);
	return result;
}

static void gst_heap_kms_sink_finalize(GObject *object)
{
	KmsSink *sink = GST_HEAP_KMS_SINK(object)->sink;

	g_clear_pointer(&sink->lastStatistics, gst_structure_free);
	g_clear_pointer(&sink->lastPlan, gst_structure_free);
	g_clear_pointer(&sink->planeProperties, gst_structure_free);
	g_clear_pointer(&sink->connectorProperties, gst_structure_free);
	gst_clear_caps(&sink->caps);
	delete sink;
	G_OBJECT_CLASS(gst_heap_kms_sink_parent_class)->finalize(object);
}

static void gst_heap_kms_sink_class_init(GstHeapKmsSinkClass *klass)
{
	GObjectClass *object = G_OBJECT_CLASS(klass);
	GstElementClass *element = GST_ELEMENT_CLASS(klass);
	GstBaseSinkClass *base = GST_BASE_SINK_CLASS(klass);

	object->finalize = gst_heap_kms_sink_finalize;
	gst_heap_kms_sink_install_properties(object);

	/**
	 * heapkmssink::screenshot:
	 * @location: path of the PNG file
	 *
	 * Reads the screen back and writes it to @location. Takes the time of one composition,
	 * during which no frame is shown. A failure is posted as a warning.
	 *
	 * Returns: %TRUE when the file was written
	 */
	signals[SignalScreenshot] =
		g_signal_new_class_handler("screenshot", G_TYPE_FROM_CLASS(klass),
					   GSignalFlags(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
					   G_CALLBACK(gst_heap_kms_sink_screenshot), nullptr,
					   nullptr, nullptr, G_TYPE_BOOLEAN, 1, G_TYPE_STRING);

	gst_element_class_set_static_metadata(
		element, "KMS sink for dma-bufs", "Sink/Video",
		"Shows dma-bufs on a screen by atomic KMS, without a copy",
		"The heapflow developers");
	GstCaps *caps = heapflow::gst::templateCaps();
	gst_element_class_add_pad_template(
		element, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
	gst_caps_unref(caps);

	element->change_state = GST_DEBUG_FUNCPTR(gst_heap_kms_sink_change_state);
	base->get_caps = GST_DEBUG_FUNCPTR(gst_heap_kms_sink_get_caps);
	base->set_caps = GST_DEBUG_FUNCPTR(gst_heap_kms_sink_set_caps);
	base->propose_allocation = GST_DEBUG_FUNCPTR(gst_heap_kms_sink_propose_allocation);
	base->query = GST_DEBUG_FUNCPTR(gst_heap_kms_sink_query);
	base->event = GST_DEBUG_FUNCPTR(gst_heap_kms_sink_event);
	base->stop = GST_DEBUG_FUNCPTR(gst_heap_kms_sink_stop);
	GST_VIDEO_SINK_CLASS(klass)->show_frame = GST_DEBUG_FUNCPTR(gst_heap_kms_sink_show_frame);
}

static void gst_heap_kms_sink_init(GstHeapKmsSink *self)
{
	self->sink = new KmsSink(GST_ELEMENT_CAST(self));
	gst_base_sink_set_max_lateness(GST_BASE_SINK(self), maximumLateness);
	gst_base_sink_set_processing_deadline(GST_BASE_SINK(self), processingDeadline);
}
