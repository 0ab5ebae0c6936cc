/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapcamerapad.h"

using heapflow::StreamRole;
using heapflow::gst::CameraPad;
using heapflow::gst::FramePolicy;

struct _GstHeapCameraPad {
	GstPad parent;
	CameraPad *state;
};

G_DEFINE_TYPE(GstHeapCameraPad, gst_heap_camera_pad, GST_TYPE_PAD)

namespace
{

enum { PropStreamRole = 1, PropDropPolicy, PropPlan };

} /* namespace */

/* The names of libcamerasrc's enumeration. */
GType gst_heap_camera_stream_role_get_type()
{
	static const GType type = [] {
		static const GEnumValue values[] = {
			{int(StreamRole::Viewfinder), "For a screen", "view-finder"},
			{int(StreamRole::VideoRecording), "For an encoder", "video-recording"},
			{int(StreamRole::StillCapture), "Single pictures of high quality",
			 "still-capture"},
			{int(StreamRole::Raw), "The sensor's own data", "raw"},
			{0, nullptr, nullptr},
		};
		return g_enum_register_static("GstHeapCameraStreamRole", values);
	}();
	return type;
}

GType gst_heap_camera_frame_policy_get_type()
{
	static const GType type = [] {
		static const GEnumValue values[] = {
			{int(FramePolicy::EveryFrame),
			 "Every frame, in order; the camera loses frames when it has no buffer",
			 "queue"},
			{int(FramePolicy::LatestFrame),
			 "The latest frame; older ones go back to the camera unseen", "latest"},
			{0, nullptr, nullptr},
		};
		return g_enum_register_static("GstHeapCameraDropPolicy", values);
	}();
	return type;
}

namespace heapflow::gst
{

GstEvent *orientationTag(Orientation orientation)
{
	/* By the EXIF number, as GStreamer's gstexiftag.c has them. */
	static constexpr const char *names[] = {"rotate-0",   "rotate-0",        "flip-rotate-0",
						"rotate-180", "flip-rotate-180", "flip-rotate-270",
						"rotate-90",  "flip-rotate-90",  "rotate-270"};
	const int number = int(orientation);
	const char *name = names[number >= 1 && number <= 8 ? number : 0];

	return gst_event_new_tag(gst_tag_list_new(GST_TAG_IMAGE_ORIENTATION, name, nullptr));
}

} /* namespace heapflow::gst */

CameraPad &gst_heap_camera_pad_state(GstHeapCameraPad *self)
{
	return *self->state;
}

void gst_heap_camera_pad_set_plan(GstHeapCameraPad *self, const GstStructure *plan)
{
	{
		std::lock_guard lock(self->state->planMutex);
		g_clear_pointer(&self->state->plan, gst_structure_free);
		self->state->plan = plan ? gst_structure_copy(plan) : nullptr;
	}
	/* gst-launch-1.0 -v prints what is notified, and a structure that is null is a critical. */
	if (plan)
		g_object_notify(G_OBJECT(self), "plan");
}

static void gst_heap_camera_pad_set_property(GObject *object, guint id, const GValue *value,
					     GParamSpec *spec)
{
	CameraPad &state = *GST_HEAP_CAMERA_PAD(object)->state;

	switch (id) {
	case PropStreamRole:
		state.role = StreamRole(g_value_get_enum(value));
		break;
	case PropDropPolicy:
		state.policy = FramePolicy(g_value_get_enum(value));
		break;
	default:
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
}

static void gst_heap_camera_pad_get_property(GObject *object, guint id, GValue *value,
					     GParamSpec *spec)
{
	CameraPad &state = *GST_HEAP_CAMERA_PAD(object)->state;

	switch (id) {
	case PropPlan: {
		std::lock_guard lock(state.planMutex);
		g_value_set_boxed(value, state.plan);
		break;
	}
	case PropStreamRole:
		g_value_set_enum(value, int(state.role.load()));
		break;
	case PropDropPolicy:
		g_value_set_enum(value, int(state.policy.load()));
		break;
	default:
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
}

static void gst_heap_camera_pad_finalize(GObject *object)
{
	g_clear_pointer(&GST_HEAP_CAMERA_PAD(object)->state->plan, gst_structure_free);
	delete GST_HEAP_CAMERA_PAD(object)->state;
	G_OBJECT_CLASS(gst_heap_camera_pad_parent_class)->finalize(object);
}

static void gst_heap_camera_pad_class_init(GstHeapCameraPadClass *klass)
{
	GObjectClass *object = G_OBJECT_CLASS(klass);

	object->set_property = gst_heap_camera_pad_set_property;
	object->get_property = gst_heap_camera_pad_get_property;
	object->finalize = gst_heap_camera_pad_finalize;
	/**
	 * GstHeapCameraPad:stream-role:
	 *
	 * What the stream is for. Looked at when the pad is negotiated.
	 */
	g_object_class_install_property(
		object, PropStreamRole,
		g_param_spec_enum("stream-role", "Stream role", "What the stream is for",
				  gst_heap_camera_stream_role_get_type(),
				  int(StreamRole::Viewfinder),
				  GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
					      GST_PARAM_MUTABLE_READY)));
	/**
	 * GstHeapCameraPad:drop-policy:
	 *
	 * What becomes of frames that wait while downstream is busy: `queue` passes on every
	 * frame, `latest` only the newest.
	 */
	g_object_class_install_property(
		object, PropDropPolicy,
		g_param_spec_enum("drop-policy", "Drop policy",
				  "What becomes of frames that wait while downstream is busy",
				  gst_heap_camera_frame_policy_get_type(),
				  int(FramePolicy::EveryFrame),
				  GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
					      GST_PARAM_MUTABLE_PLAYING)));
	/**
	 * GstHeapCameraPad:plan:
	 *
	 * What was settled for this pad's stream; null before the first negotiation since READY,
	 * and readable after the stream has ended. #heapcamerasrc:plan is that of the always pad.
	 */
	g_object_class_install_property(
		object, PropPlan,
		g_param_spec_boxed("plan", "Plan",
				   "What was settled: camera, format, layout, heap and why, "
				   "buffers",
				   GST_TYPE_STRUCTURE,
				   GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
}

static void gst_heap_camera_pad_init(GstHeapCameraPad *self)
{
	self->state = new CameraPad;
}
