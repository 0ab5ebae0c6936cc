/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapcamerasrc: further streams of the camera on request pads, each with a thread of its own. */
#include "gstheapcamerasrc_private.h"

#include "gstheaperror.h"

#include <cerrno>

#define GST_CAT_DEFAULT gst_heap_camera_src_debug

using heapflow::gst::CameraPad;
using heapflow::gst::CameraSource;

static GstHeapCameraSrc *parentOf(GstPad *pad)
{
	GstElement *element = gst_pad_get_parent_element(pad);
	/* The task runs only while the pad is in the element, which outlives it. */
	gst_object_unref(element);
	return GST_HEAP_CAMERA_SRC(element);
}

static void gst_heap_camera_src_push_tags(GstPad *pad, CameraPad &state,
					  heapflow::gst::CameraSession &session)
{
	if (std::exchange(state.tagPending, false))
		gst_pad_push_event(pad, heapflow::gst::orientationTag(
						session.configuration(state.stream).orientation));
}

static void gst_heap_camera_src_run(gpointer data)
{
	GstPad *pad = GST_PAD_CAST(data);
	GstHeapCameraSrc *self = parentOf(pad);
	CameraPad &state = gst_heap_camera_pad_state(GST_HEAP_CAMERA_PAD(pad));

	if (state.ended) {
		gst_pad_push_event(pad, gst_event_new_eos());
		gst_pad_pause_task(pad);
		return;
	}
	auto buffer = gst_heap_camera_src_next_buffer(self, GST_HEAP_CAMERA_PAD(pad));
	if (!buffer) {
		if (state.ended)
			return;
		/* Whoever leads meets the same error and says so, or sets all up anew. */
		GST_DEBUG_OBJECT(pad, "pause: %s", buffer.error().text().c_str());
		gst_pad_pause_task(pad);
		if (!state.flushing)
			gst_pad_mark_reconfigure(pad);
		return;
	}
	if (const auto session = gst_heap_camera_src_session(self))
		gst_heap_camera_src_push_tags(pad, state, *session);
	/* A branch that wants no more, or is gone, does not end the others: its frames go back. */
	const GstFlowReturn flow = gst_pad_push(pad, *buffer);
	if (flow == GST_FLOW_OK || flow == GST_FLOW_EOS || flow == GST_FLOW_NOT_LINKED)
		return;
	/* Nor does one that flushes for itself, as before a seek: it goes on. */
	if (flow == GST_FLOW_FLUSHING && !state.flushing)
		return;
	gst_pad_pause_task(pad);
	if (flow < GST_FLOW_EOS) {
		GST_ELEMENT_FLOW_ERROR(self, flow);
		gst_pad_push_event(pad, gst_event_new_eos());
	}
}

static gboolean gst_heap_camera_src_activate_pad(GstPad *pad, GstObject *parent, GstPadMode mode,
						 gboolean active)
{
	GstHeapCameraSrc *self = GST_HEAP_CAMERA_SRC(parent);
	CameraPad &state = gst_heap_camera_pad_state(GST_HEAP_CAMERA_PAD(pad));

	if (mode != GST_PAD_MODE_PUSH)
		return FALSE;
	state.ended = false;
	{
		std::lock_guard lock(state.taskMutex);
		state.active = active;
	}
	/* Threads are started by whoever leads, when the stream is there. */
	if (active)
		return TRUE;
	state.flushing = true;
	if (const auto session = gst_heap_camera_src_session(self); session && state.stream)
		session->interrupt(true, state.stream);
	return gst_pad_stop_task(pad);
}

/*
 * GstBaseSrc begins the stream of its own pad without a name for it (gstbasesrc.c,
 * gst_base_src_send_stream_start()), which GStreamer refuses an element with several source pads:
 * then the pad would have no stream-start. The count of pads decides it, so between start() and
 * the first thing that the streaming thread asks of us after it, GstBaseSrc's pad is counted alone.
 * No longer: gst_element_foreach_src_pad() aborts on a count that is not that of the list.
 */
static void gst_heap_camera_src_count_pads(GstHeapCameraSrc *self)
{
	GstElement *element = GST_ELEMENT_CAST(self);
	GST_OBJECT_LOCK(element);
	element->numsrcpads =
		guint16(self->source->streamBegins ? 1 : g_list_length(element->srcpads));
	GST_OBJECT_UNLOCK(element);
}

void gst_heap_camera_src_begin_stream(GstHeapCameraSrc *self, bool beginning)
{
	self->source->streamBegins = beginning;
	gst_heap_camera_src_count_pads(self);
}

GstPad *gst_heap_camera_src_request_pad(GstElement *element, GstPadTemplate *wanted,
					const gchar *name, const GstCaps *)
{
	g_autofree char *free = nullptr;
	for (unsigned i = 0; !name; i++) {
		g_free(free);
		free = g_strdup_printf("src_%u", i);
		GstPad *taken = gst_element_get_static_pad(element, free);
		if (!taken)
			name = free;
		gst_clear_object(&taken);
	}
	auto *pad = GST_PAD_CAST(g_object_new(GST_TYPE_HEAP_CAMERA_PAD, "name", name, "direction",
					      GST_PAD_SRC, "template", wanted, nullptr));
	gst_pad_set_activatemode_function(pad, gst_heap_camera_src_activate_pad);
	if (!gst_element_add_pad(element, pad))
		return nullptr;
	gst_heap_camera_src_count_pads(GST_HEAP_CAMERA_SRC(element));
	return pad;
}

void gst_heap_camera_src_release_pad(GstElement *element, GstPad *pad)
{
	gst_pad_set_active(pad, FALSE);
	gst_element_remove_pad(element, pad);
	gst_heap_camera_src_count_pads(GST_HEAP_CAMERA_SRC(element));
}

std::vector<GstHeapCameraPad *> gst_heap_camera_src_linked_pads(GstHeapCameraSrc *self)
{
	std::vector<GstHeapCameraPad *> pads;
	GstPad *leader = GST_BASE_SRC_PAD(GST_BASE_SRC_CAST(self));

	GST_OBJECT_LOCK(self);
	for (GList *item = GST_ELEMENT_CAST(self)->srcpads; item; item = item->next) {
		GstPad *pad = GST_PAD_CAST(item->data);
		if (pad != leader && gst_pad_is_linked(pad))
			pads.push_back(GST_HEAP_CAMERA_PAD(gst_object_ref(pad)));
	}
	GST_OBJECT_UNLOCK(self);
	for (GstHeapCameraPad *pad : pads)
		gst_pad_check_reconfigure(GST_PAD_CAST(pad)); /* it is about to be looked at */
	return pads;
}

/* Came, went, or wants something else: then all are negotiated anew. */
bool gst_heap_camera_src_pads_changed(GstHeapCameraSrc *self)
{
	const auto &others = self->source->others;
	size_t linked = 0;
	bool changed = false;

	GST_OBJECT_LOCK(self);
	for (GList *item = GST_ELEMENT_CAST(self)->srcpads; item; item = item->next) {
		GstPad *pad = GST_PAD_CAST(item->data);
		if (pad == GST_BASE_SRC_PAD(GST_BASE_SRC_CAST(self)) || !gst_pad_is_linked(pad))
			continue;
		linked++;
		changed = changed || gst_pad_needs_reconfigure(pad);
	}
	GST_OBJECT_UNLOCK(self);
	return changed || linked != others.size();
}

void gst_heap_camera_src_start_others(GstHeapCameraSrc *self)
{
	const auto session = gst_heap_camera_src_session(self);

	for (GstHeapCameraPad *pad : self->source->others) {
		CameraPad &state = gst_heap_camera_pad_state(pad);
		/* It may have been released since it was negotiated for. */
		std::lock_guard lock(state.taskMutex);
		if (!state.active)
			continue;
		state.flushing = false;
		session->interrupt(false, state.stream);
		gst_pad_start_task(GST_PAD_CAST(pad), gst_heap_camera_src_run, pad, nullptr);
	}
}

/* Waits for what they push, so downstream must go on. */
void gst_heap_camera_src_stop_others(GstHeapCameraSrc *self)
{
	const auto session = gst_heap_camera_src_session(self);
	auto others = std::exchange(self->source->others, {});

	for (GstHeapCameraPad *pad : others) {
		CameraPad &state = gst_heap_camera_pad_state(pad);
		state.flushing = true;
		if (session)
			session->interrupt(true, state.stream);
	}
	for (GstHeapCameraPad *pad : others) {
		gst_pad_pause_task(GST_PAD_CAST(pad));
		GST_PAD_STREAM_LOCK(pad);
		GST_PAD_STREAM_UNLOCK(pad);
		if (session)
			session->interrupt(false, gst_heap_camera_pad_state(pad).stream);
		gst_object_unref(pad);
	}
}

void gst_heap_camera_src_end_others(GstHeapCameraSrc *self)
{
	const auto session = gst_heap_camera_src_session(self);

	for (GstHeapCameraPad *pad : self->source->others) {
		CameraPad &state = gst_heap_camera_pad_state(pad);
		state.ended = true;
		state.flushing = true;
		if (session)
			session->interrupt(true, state.stream);
	}
}
