/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-heapcamerasrc
 * @title: heapcamerasrc
 * @short_description: captures from a camera into dma-bufs of a heap chosen by name
 * @see_also: heapkmssink, heapalloc, libcamerasrc, v4l2src
 *
 * heapcamerasrc allocates the buffers of a camera in a dma-buf heap (`/dev/dma_heap`) that the user
 * names, and lets the camera fill them. It works with the cameras of libcamera and with V4L2
 * capture devices that libcamera does not handle. Nothing is copied.
 *
 * The property #heapcamerasrc:heap holds alternatives in the order of preference, separated by
 * colons: exact names, globs and `default`, the default CMA region under whatever name the running
 * kernel gives it. All buffers come from one heap. When one alternative has no room, or the camera
 * refuses its memory, the next is tried, and an element warning says so.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 heapcamerasrc heap='video@*' ! heapkmssink
 * ]|
 * The first camera on the first screen, in memory of a region whose name begins with `video@`.
 * |[
 * gst-launch-1.0 heapcamerasrc camera-name=/dev/video7 heap='video@*:default' !
 * video/x-raw,format=NV12,width=1280,height=720 ! heapkmssink
 * ]|
 * A V4L2 device, with a fallback to the default CMA region.
 *
 * ## Messages
 * When the buffers are ready an element message `heapflow-plan` is posted, with the fields of
 * #heapcamerasrc:plan.
 */
#include "gstheapcamerasrc_private.h"

#include "gstheapcameracaps.h"
#include "gstheaperror.h"

#include <cerrno>
#include <utility>

GST_DEBUG_CATEGORY_STATIC(gst_heap_camera_src_debug);
#define GST_CAT_DEFAULT gst_heap_camera_src_debug

using heapflow::CapturedFrame;
using heapflow::Error;
using heapflow::Result;
using heapflow::gst::CameraSession;
using heapflow::gst::CameraSource;
using heapflow::gst::monotonicNow;

namespace
{

/* A camera that is silent for so long is broken, or all its buffers are kept downstream. */
constexpr std::chrono::milliseconds frameTimeout{5000};
/* While somebody keeps the memory of a buffer, nobody tells when it lets go. */
constexpr std::chrono::milliseconds collectInterval{20};
/* ns; a frame that takes less to get was there already. */
constexpr int64_t waited = 1000000;
/* One being filled and one to be filled next, besides those that downstream holds. */
constexpr unsigned cameraBuffers = 2;

} /* namespace */

G_DEFINE_TYPE_WITH_CODE(GstHeapCameraSrc, gst_heap_camera_src, GST_TYPE_PUSH_SRC,
			GST_DEBUG_CATEGORY_INIT(gst_heap_camera_src_debug, "heapcamerasrc", 0,
						"camera source in a dma-buf heap"))
GST_ELEMENT_REGISTER_DEFINE(heapcamerasrc, "heapcamerasrc", GST_RANK_NONE, GST_TYPE_HEAP_CAMERA_SRC)

static void warnOfFallbacks(GstHeapCameraSrc *self, const std::vector<std::string> &notes)
{
	for (const std::string &note : notes)
		HEAPFLOW_ELEMENT_WARNING(self, (Error{ENOMEM, note, ""}));
}

static gboolean gst_heap_camera_src_open(GstHeapCameraSrc *self)
{
	std::string name;
	{
		std::lock_guard lock(self->source->mutex);
		name = self->source->cameraName;
	}
	auto session = CameraSession::open(name);
	if (!session) {
		HEAPFLOW_ELEMENT_ERROR(self, session.error());
		return FALSE;
	}
	GST_INFO_OBJECT(self, "opened %s (%s)", (*session)->info().id.c_str(),
			(*session)->info().model.c_str());
	self->source->session = std::move(*session);
	return TRUE;
}

static GstCaps *gst_heap_camera_src_get_caps(GstBaseSrc *base, GstCaps *filter)
{
	GstHeapCameraSrc *self = GST_HEAP_CAMERA_SRC(base);
	GstCaps *caps = self->source->session
				? heapflow::gst::capsFromModes(self->source->session->modes())
				: gst_pad_get_pad_template_caps(GST_BASE_SRC_PAD(base));
	if (!filter)
		return caps;

	GstCaps *both = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
	gst_caps_unref(caps);
	return both;
}

/* The caps that the pipeline gets, from what the camera made of what was chosen. */
static GstCaps *gst_heap_camera_src_configure(GstHeapCameraSrc *self, GstCaps *chosen,
					      GstCaps *allowed)
{
	unsigned bufferCount;
	{
		std::lock_guard lock(self->source->mutex);
		bufferCount = self->source->bufferCount;
	}
	auto request = heapflow::gst::requestFromCaps(chosen, bufferCount);
	if (!request) {
		GST_ELEMENT_ERROR(self, CORE, NEGOTIATION, ("%s", request.error().message.c_str()),
				  ("%s", request.error().text().c_str()));
		return nullptr;
	}
	auto configured = self->source->session->configure(*request);
	if (!configured) {
		HEAPFLOW_ELEMENT_ERROR(self, configured.error());
		return nullptr;
	}

	const auto &configuration = self->source->session->configuration();
	GstCaps *caps = heapflow::gst::capsFromConfiguration(chosen, configuration);
	if (!gst_caps_can_intersect(caps, allowed)) {
		g_autofree char *got = gst_caps_to_string(caps);
		g_autofree char *wanted = gst_caps_to_string(chosen);
		GST_ELEMENT_ERROR(self, CORE, NEGOTIATION,
				  ("The camera changes the format to %s, which downstream does "
				   "not take.",
				   heapflow::describe(configuration.layout).c_str()),
				  ("asked for %s, got %s", wanted, got));
		gst_clear_caps(&caps);
	}
	return caps;
}

/*
 * Not the default: the camera is asked before the caps are settled, because colorimetry and rate
 * are known only afterwards.
 */
static gboolean gst_heap_camera_src_negotiate(GstBaseSrc *base)
{
	GstHeapCameraSrc *self = GST_HEAP_CAMERA_SRC(base);
	GstPad *pad = GST_BASE_SRC_PAD(base);
	GstCaps *own = gst_pad_query_caps(pad, nullptr);
	GstCaps *allowed = gst_pad_peer_query_caps(pad, own);
	gst_caps_unref(own);

	if (gst_caps_is_empty(allowed)) {
		GST_ELEMENT_ERROR(self, CORE, NEGOTIATION,
				  ("The camera %s has no format that downstream takes.",
				   self->source->session->info().id.c_str()),
				  ("see gst-inspect-1.0 and GST_DEBUG=heapcamerasrc:6"));
		gst_caps_unref(allowed);
		return FALSE;
	}

	GstCaps *chosen = heapflow::gst::fixateCameraCaps(gst_caps_ref(allowed));
	GST_DEBUG_OBJECT(self, "chose %" GST_PTR_FORMAT, static_cast<void *>(chosen));
	GstCaps *caps = gst_heap_camera_src_configure(self, chosen, allowed);
	gst_caps_unref(chosen);
	gst_caps_unref(allowed);
	if (!caps)
		return FALSE;

	const gboolean accepted = gst_base_src_set_caps(base, caps);
	gst_caps_unref(caps);
	return accepted;
}

static void gst_heap_camera_src_publish_plan(GstHeapCameraSrc *self)
{
	CameraSource &source = *self->source;
	GstStructure *plan = source.session->plan();

	GST_INFO_OBJECT(self, "%" GST_PTR_FORMAT, static_cast<void *>(plan));
	{
		std::lock_guard lock(source.mutex);
		g_clear_pointer(&source.plan, gst_structure_free);
		source.plan = gst_structure_copy(plan);
		source.heapBytes = source.session->heapBytes();
	}
	gst_element_post_message(GST_ELEMENT_CAST(self),
				 gst_message_new_element(GST_OBJECT_CAST(self), plan));
}

/* Timing that follows from the format: durations, and the latency until one is measured. */
static void gst_heap_camera_src_settle_timing(GstHeapCameraSrc *self)
{
	CameraSource &source = *self->source;
	const auto &configuration = source.session->configuration();

	source.stamper.restart(configuration.rate);
	const GstClockTime duration = source.stamper.duration();
	std::lock_guard lock(source.mutex);
	source.latency.restart(GST_CLOCK_TIME_IS_VALID(duration) ? duration : GST_SECOND / 30,
			       configuration.bufferCount);
}

/*
 * Unless the user said how many: what downstream holds at a time and what the camera works on.
 * Fewer and the camera starves. libcamera's pipeline handlers may insist on a number of their own.
 */
static gboolean gst_heap_camera_src_ask_for_buffers(GstHeapCameraSrc *self, unsigned held)
{
	CameraSession &session = *self->source->session;
	const unsigned wanted = held + cameraBuffers;
	{
		std::lock_guard lock(self->source->mutex);
		if (self->source->bufferCount != 0)
			return TRUE;
	}
	const heapflow::CaptureConfiguration before = session.configuration();
	if (before.bufferCount >= wanted)
		return TRUE;

	heapflow::CaptureRequest request = session.request();
	request.bufferCount = wanted;
	auto configured = session.configure(request);
	if (!configured) {
		HEAPFLOW_ELEMENT_ERROR(self, configured.error());
		return FALSE;
	}
	if (session.configuration().layout != before.layout) {
		GST_ELEMENT_ERROR(self, RESOURCE, SETTINGS,
				  ("The camera changes its format with the number of buffers."),
				  ("set the property buffers"));
		return FALSE;
	}
	return TRUE;
}

/*
 * Nothing of the answer is used but what downstream understands: the memory is ours. Returning no
 * pool tells GstBaseSrc that there is none for it to run.
 */
static gboolean gst_heap_camera_src_decide_allocation(GstBaseSrc *base, GstQuery *query)
{
	GstHeapCameraSrc *self = GST_HEAP_CAMERA_SRC(base);
	CameraSession &session = *self->source->session;
	GstCaps *caps = nullptr;

	gst_query_parse_allocation(query, &caps, nullptr);
	guint held = 0;
	while (gst_query_get_n_allocation_pools(query) > 0) {
		GstBufferPool *pool = nullptr;
		guint minimum = 0;
		gst_query_parse_nth_allocation_pool(query, 0, &pool, nullptr, &minimum, nullptr);
		gst_clear_object(&pool);
		held = std::max(held, minimum);
		gst_query_remove_nth_allocation_pool(query, 0);
	}
	if (!gst_heap_camera_src_ask_for_buffers(self, held))
		return FALSE;

	const auto &layout = session.configuration().layout;
	const bool dmabuf = gst_video_is_dma_drm_caps(caps);
	if (!dmabuf && !heapflow::gst::isDefaultLayout(layout) &&
	    !gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr)) {
		GST_ELEMENT_ERROR(self, CORE, NEGOTIATION,
				  ("The camera's lines are padded (%s) and downstream does not "
				   "support GstVideoMeta, which would tell it.",
				   heapflow::describe(layout).c_str()),
				  ("a copy would be needed, and heapcamerasrc makes none"));
		return FALSE;
	}

	std::string heap;
	{
		std::lock_guard lock(self->source->mutex);
		heap = self->source->heap;
	}
	g_autofree char *name = gst_object_get_name(GST_OBJECT_CAST(self));
	auto notes = session.prepare(heap, name, caps);
	if (!notes) {
		HEAPFLOW_ELEMENT_ERROR(self, notes.error());
		return FALSE;
	}
	warnOfFallbacks(self, *notes);
	gst_heap_camera_src_settle_timing(self);
	gst_heap_camera_src_publish_plan(self);
	return TRUE;
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

static GstFlowReturn gst_heap_camera_src_fail(GstHeapCameraSrc *self, Error error)
{
	if (error.code == ECANCELED)
		return GST_FLOW_FLUSHING;
	if (error.code == ETIMEDOUT) {
		const CameraSession &session = *self->source->session;
		error.message += "; " + std::to_string(session.buffersDownstream()) + " of " +
				 std::to_string(session.configuration().bufferCount) +
				 " buffers are held downstream";
	}
	HEAPFLOW_ELEMENT_ERROR(self, error);
	return GST_FLOW_ERROR;
}

/* The next frame; an error is ECANCELED when the element is flushing. */
static Result<CapturedFrame> gst_heap_camera_src_wait(GstHeapCameraSrc *self)
{
	CameraSession &session = *self->source->session;
	const int64_t deadline = monotonicNow() + frameTimeout / std::chrono::nanoseconds(1);

	for (;;) {
		const bool kept = session.buffersKept() > 0;
		auto frame = session.waitFrame(kept ? collectInterval : frameTimeout);
		if (frame)
			return frame;
		if (frame.error().code == ETIMEDOUT && kept && monotonicNow() < deadline)
			continue;
		/* libcamera tells that it refuses the memory with the first frame. */
		if (frame.error().code == EFAULT && !session.framesDelivered()) {
			auto notes = session.prepareNext(frame.error());
			if (!notes)
				return std::unexpected(notes.error());
			warnOfFallbacks(self, *notes);
			gst_heap_camera_src_publish_plan(self);
			continue;
		}
		return frame;
	}
}

static GstFlowReturn gst_heap_camera_src_create(GstPushSrc *push, GstBuffer **buffer)
{
	GstHeapCameraSrc *self = GST_HEAP_CAMERA_SRC(push);
	CameraSource &source = *self->source;

	for (;;) {
		const int64_t asked = monotonicNow();
		auto frame = gst_heap_camera_src_wait(self);
		if (!frame)
			return gst_heap_camera_src_fail(self, frame.error());

		const int64_t timestamp = frame->timestamp > 0 ? frame->timestamp : frame->arrival;
		int64_t playingSince;
		{
			std::lock_guard lock(source.mutex);
			playingSince = source.playingSince;
		}
		/* Filled while the pipeline was paused. */
		if (timestamp < playingSince) {
			if (auto given = source.session->giveBack(*frame); !given)
				return gst_heap_camera_src_fail(self, given.error());
			continue;
		}

		*buffer = source.session->take(*frame);
		if (!*buffer) {
			GST_ELEMENT_ERROR(self, STREAM, FAILED,
					  ("The camera filled buffer %u, which it did not have.",
					   frame->index),
					  (nullptr));
			return GST_FLOW_ERROR;
		}
		if (const uint64_t lost = source.stamper.stamp(*buffer, *frame,
							       GST_ELEMENT_CAST(self), timestamp))
			GST_INFO_OBJECT(self,
					"%" G_GUINT64_FORMAT " frames lost before frame "
					"%" G_GUINT64_FORMAT,
					lost, frame->sequence);
		/* The times of a test camera are computed, and may be ahead of the frame. */
		if (frame->arrival > asked + waited)
			gst_heap_camera_src_learn_latency(
				self, std::max<int64_t>(frame->arrival - timestamp, 0));
		return GST_FLOW_OK;
	}
}

static gboolean gst_heap_camera_src_unlock(GstBaseSrc *base)
{
	if (CameraSession *session = GST_HEAP_CAMERA_SRC(base)->source->session.get())
		session->interrupt(true);
	return TRUE;
}

static gboolean gst_heap_camera_src_unlock_stop(GstBaseSrc *base)
{
	if (CameraSession *session = GST_HEAP_CAMERA_SRC(base)->source->session.get())
		session->interrupt(false);
	return TRUE;
}

static gboolean gst_heap_camera_src_query(GstBaseSrc *base, GstQuery *query)
{
	CameraSource &source = *GST_HEAP_CAMERA_SRC(base)->source;

	if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
		return GST_BASE_SRC_CLASS(gst_heap_camera_src_parent_class)->query(base, query);

	std::lock_guard lock(source.mutex);
	if (!source.latency.known())
		return FALSE;
	gst_query_set_latency(query, TRUE, source.latency.minimum(), source.latency.maximum());
	return TRUE;
}

/* After the streaming thread has ended. */
static gboolean gst_heap_camera_src_stop(GstBaseSrc *base)
{
	CameraSource &source = *GST_HEAP_CAMERA_SRC(base)->source;

	if (source.session)
		source.session->stop();
	std::lock_guard lock(source.mutex);
	source.latency = {};
	return TRUE;
}

static GstStateChangeReturn gst_heap_camera_src_change_state(GstElement *element,
							     GstStateChange transition)
{
	GstHeapCameraSrc *self = GST_HEAP_CAMERA_SRC(element);
	CameraSource &source = *self->source;

	if (transition == GST_STATE_CHANGE_NULL_TO_READY && !gst_heap_camera_src_open(self))
		return GST_STATE_CHANGE_FAILURE;
	if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING) {
		std::lock_guard lock(source.mutex);
		source.playingSince = monotonicNow();
	}

	const GstStateChangeReturn result = GST_ELEMENT_CLASS(gst_heap_camera_src_parent_class)
						    ->change_state(element, transition);

	if (transition == GST_STATE_CHANGE_READY_TO_NULL) {
		source.session.reset();
		std::lock_guard lock(source.mutex);
		source.heapBytes = 0;
	}
	return result;
}

static void gst_heap_camera_src_finalize(GObject *object)
{
	CameraSource *source = GST_HEAP_CAMERA_SRC(object)->source;

	g_clear_pointer(&source->plan, gst_structure_free);
	delete source;
	G_OBJECT_CLASS(gst_heap_camera_src_parent_class)->finalize(object);
}

static void gst_heap_camera_src_class_init(GstHeapCameraSrcClass *klass)
{
	GObjectClass *object = G_OBJECT_CLASS(klass);
	GstElementClass *element = GST_ELEMENT_CLASS(klass);
	GstBaseSrcClass *base = GST_BASE_SRC_CLASS(klass);

	object->finalize = gst_heap_camera_src_finalize;
	gst_heap_camera_src_install_properties(object);

	gst_element_class_set_static_metadata(
		element, "Camera source in a dma-buf heap", "Source/Video",
		"Captures from libcamera or V4L2 cameras into dma-bufs of a heap chosen by name, "
		"without a copy",
		"The heapflow developers");
	GstCaps *caps = heapflow::gst::templateCaps();
	gst_element_class_add_pad_template(
		element, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
	gst_caps_unref(caps);

	element->change_state = GST_DEBUG_FUNCPTR(gst_heap_camera_src_change_state);
	base->get_caps = GST_DEBUG_FUNCPTR(gst_heap_camera_src_get_caps);
	base->negotiate = GST_DEBUG_FUNCPTR(gst_heap_camera_src_negotiate);
	base->decide_allocation = GST_DEBUG_FUNCPTR(gst_heap_camera_src_decide_allocation);
	base->unlock = GST_DEBUG_FUNCPTR(gst_heap_camera_src_unlock);
	base->unlock_stop = GST_DEBUG_FUNCPTR(gst_heap_camera_src_unlock_stop);
	base->query = GST_DEBUG_FUNCPTR(gst_heap_camera_src_query);
	base->stop = GST_DEBUG_FUNCPTR(gst_heap_camera_src_stop);
	GST_PUSH_SRC_CLASS(klass)->create = GST_DEBUG_FUNCPTR(gst_heap_camera_src_create);
}

static void gst_heap_camera_src_init(GstHeapCameraSrc *self)
{
	self->source = new CameraSource;
	gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
	gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
}
