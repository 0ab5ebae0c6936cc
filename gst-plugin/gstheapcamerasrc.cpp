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
 * |[
 * gst-launch-1.0 heapcamerasrc name=camera heap='video@*' camera. ! heapkmssink
 * camera.src_0 ! video/x-raw,width=640,height=480 ! videoconvert ! jpegenc ! filesink
 * location=pictures.jpg
 * ]|
 * Two streams of one camera. Each has a thread of its own: a branch that is slow, or keeps its
 * buffers, does not stop the other.
 * |[
 * gst-launch-1.0 heapcamerasrc controls='c,brightness=0.2,contrast=1.1' ! heapkmssink
 * ]|
 * Controls of the camera, together from one frame on; #heapcamerasrc:camera-controls lists them.
 * Those that are one number, flag or choice can be driven by a #GstController; bind them with
 * gst_direct_control_binding_new_absolute(), as the limits are those of the camera, not of the
 * property.
 *
 * ## Memory
 * With #heapcamerasrc:heap set, buffers come from that heap. Otherwise the pool that downstream
 * proposes is used when it has dma-bufs with the camera's layout, and else a heap of the
 * property's default. #heapcamerasrc:buffer-mode insists on one of the two.
 *
 * ## Frames
 * Buffers carry #GstVideoMeta, a #GstReferenceTimestampMeta with the time of arrival, and a
 * #GstHeapCameraMeta with everything the camera told (C API in `gst/heap/gstheapcamerameta.h`).
 * Offset is the number of the frame; after a gap the buffer has DISCONT and a QoS message counts
 * the lost ones. Frames that the driver flags are CORRUPTED; those from before the sensor has
 * settled are not pushed.
 *
 * ## Messages
 * When the buffers are ready an element message `heapflow-plan` is posted for each stream, with the
 * fields of #heapcamerasrc:plan. `heapflow-starved` says that downstream holds all buffers, and
 * how.
 *
 * Since: 0.1
 */
#include "gstheapcamerasrc_private.h"

#include "gstheaperror.h"
#include "gstheapformat.h"
#include "gstheapi18n.h"

#include <cerrno>
#include <utility>

GST_DEBUG_CATEGORY(gst_heap_camera_src_debug);
#define GST_CAT_DEFAULT gst_heap_camera_src_debug

using heapflow::Error;
using heapflow::Result;
using heapflow::gst::CameraPad;
using heapflow::gst::CameraSession;
using heapflow::gst::CameraSource;
using heapflow::gst::formatted;
using heapflow::gst::monotonicNow;

G_DEFINE_TYPE_WITH_CODE(GstHeapCameraSrc, gst_heap_camera_src, GST_TYPE_PUSH_SRC,
			GST_DEBUG_CATEGORY_INIT(gst_heap_camera_src_debug, "heapcamerasrc", 0,
						"camera source in a dma-buf heap"))
GST_ELEMENT_REGISTER_DEFINE(heapcamerasrc, "heapcamerasrc", GST_RANK_NONE, GST_TYPE_HEAP_CAMERA_SRC)

static CameraPad &leadingPad(GstBaseSrc *base)
{
	return gst_heap_camera_pad_state(GST_HEAP_CAMERA_PAD(GST_BASE_SRC_PAD(base)));
}

void gst_heap_camera_src_warn(GstHeapCameraSrc *self, const std::vector<std::string> &notes)
{
	for (const std::string &note : notes)
		HEAPFLOW_ELEMENT_WARNING(self, (Error{ENOMEM, note, ""}));
}

std::shared_ptr<CameraSession> gst_heap_camera_src_session(GstHeapCameraSrc *self)
{
	std::lock_guard lock(self->source->mutex);
	return self->source->session;
}

Result<void> gst_heap_camera_src_open(GstHeapCameraSrc *self)
{
	CameraSource &source = *self->source;
	heapflow::CameraSelector selector;
	std::string tuning;
	{
		std::lock_guard lock(source.mutex);
		selector = source.selector;
		tuning = source.tuningFile;
		/* Once it was there, it is that one which comes back. */
		if (!source.cameraId.empty())
			selector = {source.cameraId, {}, {}};
	}
	if (!tuning.empty())
		if (auto tuned = heapflow::setTuningFile(tuning); !tuned)
			return tuned;
	auto opened = CameraSession::open(selector);
	if (!opened)
		return std::unexpected(opened.error());
	GST_INFO_OBJECT(self, "opened %s (%s)", (*opened)->info().id.c_str(),
			(*opened)->info().model.c_str());
	std::lock_guard lock(source.mutex);
	source.session = std::move(*opened);
	/* A node of V4L2 may have another number when it comes back. */
	const heapflow::CameraInfo &info = source.session->info();
	source.cameraId = info.backend == heapflow::CameraBackend::V4l2 && selector.name != info.id
				  ? info.model
				  : info.id;
	return {};
}

/* In the change to READY. A camera that may be waited for is not missed yet. */
static gboolean gst_heap_camera_src_open_or_wait(GstHeapCameraSrc *self)
{
	CameraSource &source = *self->source;
	bool wait;
	gst_element_foreach_src_pad(
		GST_ELEMENT_CAST(self),
		[](GstElement *, GstPad *pad, gpointer) -> gboolean {
			gst_heap_camera_pad_set_plan(GST_HEAP_CAMERA_PAD(pad), nullptr);
			return TRUE;
		},
		nullptr);
	{
		std::lock_guard lock(source.mutex);
		source.cameraId.clear();
		wait = source.waitForCamera;
	}
	auto opened = gst_heap_camera_src_open(self);
	if (opened)
		return TRUE;
	const int code = opened.error().code;
	if (wait && (code == ENOENT || code == ENODEV)) {
		GST_INFO_OBJECT(self, "not there yet: %s", opened.error().text().c_str());
		return TRUE;
	}
	HEAPFLOW_ELEMENT_ERROR(self, opened.error());
	return FALSE;
}

static GstFlowReturn gst_heap_camera_src_fail(GstHeapCameraSrc *self, Error error)
{
	if (error.code == ECANCELED)
		return GST_FLOW_FLUSHING;
	const auto session = gst_heap_camera_src_session(self);
	if (error.code == ETIMEDOUT && session)
		error.message =
			formatted(_("%s; %u of %u buffers are held downstream"),
				  error.message.c_str(), unsigned(session->buffersDownstream()),
				  session->configuration().bufferCount);
	HEAPFLOW_ELEMENT_ERROR(self, error);
	return GST_FLOW_ERROR;
}

static Result<void> gst_heap_camera_src_start_stream(GstHeapCameraSrc *self)
{
	const auto session = gst_heap_camera_src_session(self);
	if (!session || !session->prepared())
		return heapflow::fail(heapflow::gst::negotiateAgain, "not negotiated");
	if (session->running())
		return {};
	if (auto started = session->start(); !started)
		return started;
	gst_heap_camera_src_start_others(self);
	return {};
}

static void gst_heap_camera_src_push_orientation(GstHeapCameraSrc *self)
{
	GstBaseSrc *base = GST_BASE_SRC_CAST(self);
	CameraPad &state = leadingPad(base);
	/* Tags follow the segment, which GstBaseSrc sends with the first buffer. */
	GstEvent *segment = gst_pad_get_sticky_event(GST_BASE_SRC_PAD(base), GST_EVENT_SEGMENT, 0);

	if (!segment)
		return;
	gst_event_unref(segment);
	if (!std::exchange(state.tagPending, false))
		return;
	if (const auto session = gst_heap_camera_src_session(self))
		gst_pad_push_event(
			GST_BASE_SRC_PAD(base),
			heapflow::gst::orientationTag(session->configuration().orientation));
}

static GstFlowReturn gst_heap_camera_src_create(GstPushSrc *push, GstBuffer **buffer)
{
	GstHeapCameraSrc *self = GST_HEAP_CAMERA_SRC(push);
	GstBaseSrc *base = GST_BASE_SRC_CAST(push);
	bool again = gst_heap_camera_src_pads_changed(self);

	if (self->source->contract.isBroken())
		return GST_FLOW_ERROR;
	for (;;) {
		if (leadingPad(base).flushing)
			return GST_FLOW_FLUSHING;
		if (again && !gst_heap_camera_src_session(self))
			if (auto there = gst_heap_camera_src_await_camera(self); !there)
				return gst_heap_camera_src_fail(self, there.error());
		if (again && !gst_base_src_negotiate(base))
			return leadingPad(base).flushing ? GST_FLOW_FLUSHING
							 : GST_FLOW_NOT_NEGOTIATED;
		Result<GstBuffer *> next = nullptr;
		if (auto started = gst_heap_camera_src_start_stream(self); !started) {
			next = std::unexpected(started.error());
			if (gst_heap_camera_src_put_away(self, started.error()))
				next.error().code = heapflow::gst::negotiateAgain;
		} else {
			gst_heap_camera_src_push_orientation(self);
			next = gst_heap_camera_src_next_buffer(
				self, GST_HEAP_CAMERA_PAD(GST_BASE_SRC_PAD(base)));
		}
		if (next) {
			gst_heap_camera_src_follow_bindings(self, *next);
			*buffer = *next;
			return GST_FLOW_OK;
		}
		again = next.error().code == heapflow::gst::negotiateAgain;
		if (!again)
			return gst_heap_camera_src_fail(self, next.error());
	}
}

/* From any thread: nobody is to wait for a frame any more. */
static gboolean gst_heap_camera_src_unlock(GstBaseSrc *base)
{
	GstHeapCameraSrc *self = GST_HEAP_CAMERA_SRC(base);
	CameraSource &source = *self->source;
	std::lock_guard lock(source.mutex);

	leadingPad(base).flushing = true;
	source.woken.notify_all();
	if (source.session)
		source.session->interrupt(true, 0);
	return TRUE;
}

static gboolean gst_heap_camera_src_unlock_stop(GstBaseSrc *base)
{
	GstHeapCameraSrc *self = GST_HEAP_CAMERA_SRC(base);
	std::lock_guard lock(self->source->mutex);

	leadingPad(base).flushing = false;
	if (self->source->session)
		self->source->session->interrupt(false, 0);
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

/* The base class ends the stream on the pad it knows; the others follow. */
static GstPadProbeReturn gst_heap_camera_src_see_event(GstPad *, GstPadProbeInfo *info,
						       gpointer data)
{
	if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS)
		gst_heap_camera_src_end_others(GST_HEAP_CAMERA_SRC(data));
	return GST_PAD_PROBE_OK;
}

static gboolean gst_heap_camera_src_start(GstBaseSrc *base)
{
	GST_HEAP_CAMERA_SRC(base)->source->lastFailure = 0;
	GST_HEAP_CAMERA_SRC(base)->source->noFrameSince = false;
	GST_HEAP_CAMERA_SRC(base)->source->contract.restart();
	leadingPad(base).flushing = false;
	gst_heap_camera_src_begin_stream(GST_HEAP_CAMERA_SRC(base), true);
	return TRUE;
}

/* After the streaming thread has ended. */
static gboolean gst_heap_camera_src_stop(GstBaseSrc *base)
{
	GstHeapCameraSrc *self = GST_HEAP_CAMERA_SRC(base);
	CameraSource &source = *self->source;

	gst_heap_camera_src_begin_stream(self, false);
	gst_heap_camera_src_stop_others(self);
	if (const auto session = gst_heap_camera_src_session(self))
		session->stop();
	std::lock_guard lock(source.mutex);
	source.latency = {};
	source.reported.clear();
	return TRUE;
}

static GstStateChangeReturn gst_heap_camera_src_change_state(GstElement *element,
							     GstStateChange transition)
{
	GstHeapCameraSrc *self = GST_HEAP_CAMERA_SRC(element);
	CameraSource &source = *self->source;

	if (transition == GST_STATE_CHANGE_NULL_TO_READY && !gst_heap_camera_src_open_or_wait(self))
		return GST_STATE_CHANGE_FAILURE;
	if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING ||
	    transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) {
		std::lock_guard lock(source.mutex);
		source.playingSince =
			transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING ? monotonicNow() : 0;
	}

	const GstStateChangeReturn result = GST_ELEMENT_CLASS(gst_heap_camera_src_parent_class)
						    ->change_state(element, transition);

	if (transition == GST_STATE_CHANGE_READY_TO_NULL) {
		std::shared_ptr<CameraSession> session;
		std::lock_guard lock(source.mutex);
		session = std::exchange(source.session, nullptr);
		source.heapBytes = 0;
	}
	return result;
}

static void gst_heap_camera_src_finalize(GObject *object)
{
	CameraSource *source = GST_HEAP_CAMERA_SRC(object)->source;

	delete source;
	G_OBJECT_CLASS(gst_heap_camera_src_parent_class)->finalize(object);
}

static void gst_heap_camera_src_add_template(GstElementClass *element, const char *name,
					     GstPadPresence presence)
{
	GstCaps *caps = heapflow::gst::templateCaps();
	gst_caps_append(caps, gst_caps_from_string("image/jpeg; video/x-bayer"));
	gst_element_class_add_pad_template(
		element, gst_pad_template_new_with_gtype(name, GST_PAD_SRC, presence, caps,
							 GST_TYPE_HEAP_CAMERA_PAD));
	gst_caps_unref(caps);
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
	gst_heap_camera_src_add_template(element, "src", GST_PAD_ALWAYS);
	gst_heap_camera_src_add_template(element, "src_%u", GST_PAD_REQUEST);
	gst_type_mark_as_plugin_api(GST_TYPE_HEAP_CAMERA_PAD, GstPluginAPIFlags(0));
	gst_type_mark_as_plugin_api(gst_heap_camera_stream_role_get_type(), GstPluginAPIFlags(0));
	gst_type_mark_as_plugin_api(gst_heap_camera_frame_policy_get_type(), GstPluginAPIFlags(0));

	element->change_state = GST_DEBUG_FUNCPTR(gst_heap_camera_src_change_state);
	element->request_new_pad = GST_DEBUG_FUNCPTR(gst_heap_camera_src_request_pad);
	element->release_pad = GST_DEBUG_FUNCPTR(gst_heap_camera_src_release_pad);
	base->get_caps = GST_DEBUG_FUNCPTR(gst_heap_camera_src_get_caps);
	base->negotiate = GST_DEBUG_FUNCPTR(gst_heap_camera_src_negotiate);
	base->decide_allocation = GST_DEBUG_FUNCPTR(gst_heap_camera_src_decide_allocation);
	base->unlock = GST_DEBUG_FUNCPTR(gst_heap_camera_src_unlock);
	base->unlock_stop = GST_DEBUG_FUNCPTR(gst_heap_camera_src_unlock_stop);
	base->query = GST_DEBUG_FUNCPTR(gst_heap_camera_src_query);
	base->start = GST_DEBUG_FUNCPTR(gst_heap_camera_src_start);
	base->stop = GST_DEBUG_FUNCPTR(gst_heap_camera_src_stop);
	GST_PUSH_SRC_CLASS(klass)->create = GST_DEBUG_FUNCPTR(gst_heap_camera_src_create);
}

static void gst_heap_camera_src_init(GstHeapCameraSrc *self)
{
	self->source = new CameraSource(GST_ELEMENT_CAST(self));
	gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
	gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
	gst_pad_add_probe(GST_BASE_SRC_PAD(self), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
			  gst_heap_camera_src_see_event, self, nullptr);
}
