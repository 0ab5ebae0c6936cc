/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapcamerasrc_private.h"

#include "gstheapcontrolvalue.h"
#include "gstheapsensorconfig.h"

using heapflow::CameraLocation;
using heapflow::gst::BufferMode;
using heapflow::gst::CameraPad;
using heapflow::gst::CameraSource;

namespace
{

enum {
	PropCameraName = 1,
	PropCameraLocation,
	PropCameraIndex,
	PropHeap,
	PropBufferMode,
	PropBuffers,
	PropStreamRole,
	PropDropPolicy,
	PropControls,
	PropCameraControls,
	PropSensorConfig,
	PropTuningFile,
	PropWaitForCamera,
	PropPlan,
	PropHeapBytes,
	PropRequireZeroCopy,
};

GType bufferModeType()
{
	static const GType type = [] {
		static const GEnumValue values[] = {
			{int(BufferMode::Auto),
			 "Of the heap if one is named, else downstream's if they fit, else of a "
			 "heap",
			 "auto"},
			{int(BufferMode::Heap), "Of the heap", "heap"},
			{int(BufferMode::Downstream),
			 "Of the pool that downstream proposes, or an error", "downstream"},
			{0, nullptr, nullptr},
		};
		return g_enum_register_static("GstHeapCameraBufferMode", values);
	}();
	return type;
}

GType locationType()
{
	static const GType type = [] {
		static const GEnumValue values[] = {
			{int(CameraLocation::Unknown), "Any", "any"},
			{int(CameraLocation::Front), "On the side of the screen", "front"},
			{int(CameraLocation::Back), "On the other side", "back"},
			{int(CameraLocation::External), "Not a part of the device", "external"},
			{0, nullptr, nullptr},
		};
		return g_enum_register_static("GstHeapCameraLocation", values);
	}();
	return type;
}

CameraPad &leadingPad(GObject *object)
{
	return gst_heap_camera_pad_state(
		GST_HEAP_CAMERA_PAD(GST_BASE_SRC_PAD(GST_BASE_SRC_CAST(object))));
}

} /* namespace */

static void gst_heap_camera_src_set_property(GObject *object, guint id, const GValue *value,
					     GParamSpec *spec)
{
	GstHeapCameraSrc *self = GST_HEAP_CAMERA_SRC(object);
	CameraSource &source = *self->source;
	/* These take the lock themselves, and ask the camera. */
	if (id >= firstControlProperty) {
		gst_heap_camera_src_set_control(self, id, value);
		return;
	}
	if (id == PropControls) {
		gst_heap_camera_src_set_controls(self, gst_value_get_structure(value));
		return;
	}
	if (id == PropRequireZeroCopy) {
		source.contract.require(g_value_get_boolean(value));
		return;
	}
	std::lock_guard lock(source.mutex);
	auto text = [value] {
		const char *string = g_value_get_string(value);
		return std::string(string ? string : "");
	};

	switch (id) {
	case PropCameraName:
		source.selector.name = text();
		break;
	case PropCameraLocation:
		source.selector.location = CameraLocation(g_value_get_enum(value));
		break;
	case PropCameraIndex:
		source.selector.index.reset();
		if (const int index = g_value_get_int(value); index >= 0)
			source.selector.index = unsigned(index);
		break;
	case PropHeap:
		source.heap = text();
		source.heapGiven = true;
		break;
	case PropBufferMode:
		source.bufferMode = BufferMode(g_value_get_enum(value));
		break;
	case PropStreamRole:
		leadingPad(object).role = heapflow::StreamRole(g_value_get_enum(value));
		break;
	case PropDropPolicy:
		leadingPad(object).policy = heapflow::gst::FramePolicy(g_value_get_enum(value));
		break;
	case PropSensorConfig:
		source.sensor = heapflow::gst::sensorFromStructure(gst_value_get_structure(value));
		break;
	case PropTuningFile:
		source.tuningFile = text();
		break;
	case PropWaitForCamera:
		source.waitForCamera = g_value_get_boolean(value);
		break;
	case PropBuffers:
		source.bufferCount = g_value_get_uint(value);
		break;
	default:
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
}

static void gst_heap_camera_src_get_property(GObject *object, guint id, GValue *value,
					     GParamSpec *spec)
{
	GstHeapCameraSrc *self = GST_HEAP_CAMERA_SRC(object);
	CameraSource &source = *self->source;
	if (id >= firstControlProperty) {
		gst_heap_camera_src_get_control(self, id, value);
		return;
	}
	if (id == PropCameraControls) {
		g_value_take_boxed(value, gst_heap_camera_src_list_controls(self));
		return;
	}
	if (id == PropRequireZeroCopy) {
		g_value_set_boolean(value, source.contract.isRequired());
		return;
	}
	std::lock_guard lock(source.mutex);

	switch (id) {
	case PropCameraName:
		g_value_set_string(value, source.selector.name.empty()
						  ? nullptr
						  : source.selector.name.c_str());
		break;
	case PropCameraLocation:
		g_value_set_enum(value, int(source.selector.location));
		break;
	case PropCameraIndex:
		g_value_set_int(value, source.selector.index ? int(*source.selector.index) : -1);
		break;
	case PropBufferMode:
		g_value_set_enum(value, int(source.bufferMode));
		break;
	case PropStreamRole:
		g_value_set_enum(value, int(leadingPad(object).role.load()));
		break;
	case PropDropPolicy:
		g_value_set_enum(value, int(leadingPad(object).policy.load()));
		break;
	case PropControls: {
		GstStructure *controls = gst_structure_new_empty("controls");
		for (const auto &[key, set] : source.controls) {
			const auto &[name, control] = set;
			GValue converted = G_VALUE_INIT;
			heapflow::gst::setGValue(&converted, control);
			gst_structure_take_value(controls, heapflow::kebabName(name).c_str(),
						 &converted);
		}
		g_value_take_boxed(value, controls);
		break;
	}
	case PropSensorConfig:
		g_value_take_boxed(value, heapflow::gst::structureFromSensor(source.sensor.value_or(
						  heapflow::SensorRequest())));
		break;
	case PropTuningFile:
		g_value_set_string(value,
				   source.tuningFile.empty() ? nullptr : source.tuningFile.c_str());
		break;
	case PropWaitForCamera:
		g_value_set_boolean(value, source.waitForCamera);
		break;
	case PropHeap:
		g_value_set_string(value, source.heap.c_str());
		break;
	case PropBuffers:
		g_value_set_uint(value, source.bufferCount);
		break;
	case PropPlan:
		g_object_get_property(G_OBJECT(GST_BASE_SRC_PAD(GST_BASE_SRC_CAST(self))), "plan",
				      value);
		break;
	case PropHeapBytes:
		g_value_set_uint64(value, source.heapBytes);
		break;
	default:
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
}

void gst_heap_camera_src_install_properties(GObjectClass *object)
{
	object->set_property = gst_heap_camera_src_set_property;
	object->get_property = gst_heap_camera_src_get_property;

	const auto settable =
		GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
	const auto readable = GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

	/**
	 * heapcamerasrc:camera-name:
	 *
	 * The id that libcamera gives the camera (`cam --list`), a model name, or the path of a
	 * V4L2 capture device. Unset takes the first camera. Looked at in the change to READY.
	 */
	g_object_class_install_property(
		object, PropCameraName,
		g_param_spec_string("camera-name", "Camera name",
				    "libcamera id, model, or /dev/videoN; unset: the first camera",
				    nullptr, settable));
	/**
	 * heapcamerasrc:camera-location:
	 *
	 * Take a camera that is mounted there.
	 */
	g_object_class_install_property(object, PropCameraLocation,
					g_param_spec_enum("camera-location", "Camera location",
							  "Take a camera that is mounted there",
							  locationType(),
							  int(CameraLocation::Unknown), settable));
	/**
	 * heapcamerasrc:camera-index:
	 *
	 * Which of the cameras that name and location leave, from 0 in the order of
	 * libcamera and /dev; -1 is the first.
	 */
	g_object_class_install_property(
		object, PropCameraIndex,
		g_param_spec_int("camera-index", "Camera index",
				 "Which of the cameras that name and location leave (-1 = first)",
				 -1, G_MAXINT, -1, settable));
	/**
	 * heapcamerasrc:buffer-mode:
	 *
	 * Whose buffers the camera fills. #heapcamerasrc:plan tells what came of it.
	 */
	g_object_class_install_property(
		object, PropBufferMode,
		g_param_spec_enum("buffer-mode", "Buffer mode", "Whose buffers the camera fills",
				  bufferModeType(), int(BufferMode::Auto), settable));
	/**
	 * heapcamerasrc:stream-role:
	 *
	 * The stream-role of the pad `src`.
	 */
	g_object_class_install_property(object, PropStreamRole,
					g_param_spec_enum("stream-role", "Stream role",
							  "What the stream of the pad src is for",
							  gst_heap_camera_stream_role_get_type(),
							  int(heapflow::StreamRole::Viewfinder),
							  settable));
	/**
	 * heapcamerasrc:drop-policy:
	 *
	 * The drop-policy of the pad `src`.
	 */
	g_object_class_install_property(
		object, PropDropPolicy,
		g_param_spec_enum("drop-policy", "Drop policy",
				  "What becomes of frames that wait while the downstream of the "
				  "pad src is busy",
				  gst_heap_camera_frame_policy_get_type(),
				  int(heapflow::gst::FramePolicy::EveryFrame),
				  GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
					      GST_PARAM_MUTABLE_PLAYING)));
	/**
	 * heapcamerasrc:controls:
	 *
	 * Controls of the camera by name, all of them from the same frame on. Case and dashes do
	 * not matter. Of a V4L2 camera these are the names that `v4l2-ctl -L` shows.
	 */
	g_object_class_install_property(
		object, PropControls,
		g_param_spec_boxed("controls", "Controls",
				   "Controls to set together, by name: c,brightness=0.1",
				   GST_TYPE_STRUCTURE,
				   GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
					       GST_PARAM_MUTABLE_PLAYING)));
	/**
	 * heapcamerasrc:camera-controls:
	 *
	 * What this camera can be set to, with its limits; null before READY.
	 */
	g_object_class_install_property(
		object, PropCameraControls,
		g_param_spec_boxed("camera-controls", "Camera controls",
				   "The controls that the camera has, with their limits",
				   GST_TYPE_STRUCTURE, readable));
	/**
	 * heapcamerasrc:sensor-config:
	 *
	 * The mode of the sensor, in libcamerasrc's fields: width, height and depth must be there;
	 * bin-x, bin-y, x-odd-inc, x-even-inc, y-odd-inc, y-even-inc, analog-crop-x, analog-crop-y,
	 * analog-crop-width and analog-crop-height may be. A camera that does not let its mode be
	 * chosen (with libcamera 0.7, all but those of the Raspberry Pi and of rkisp1) is an error.
	 */
	g_object_class_install_property(
		object, PropSensorConfig,
		g_param_spec_boxed("sensor-config", "Sensor configuration",
				   "Mode of the sensor: sensor,width=2304,height=1296,depth=10",
				   GST_TYPE_STRUCTURE, settable));
	/**
	 * heapcamerasrc:tuning-file:
	 *
	 * Parameters of the image processing, instead of those for the sensor. libcamera reads it
	 * once, with the first camera of the process.
	 */
	g_object_class_install_property(
		object, PropTuningFile,
		g_param_spec_string("tuning-file", "Tuning file",
				    "Parameters of libcamera's image processing", nullptr,
				    settable));
	/**
	 * heapcamerasrc:wait-for-camera:
	 *
	 * Wait for a camera that is not there, at the start or when it is unplugged in play, and
	 * go on when it is. Otherwise that is an error.
	 */
	g_object_class_install_property(object, PropWaitForCamera,
					g_param_spec_boolean("wait-for-camera", "Wait for camera",
							     "Wait for a camera that is not there",
							     FALSE, settable));
	/**
	 * heapcamerasrc:heap:
	 *
	 * Heap expression: names, globs or `default`, separated by colons, the preferred one first.
	 * `heapctl explain EXPRESSION` shows what it means on this system.
	 */
	g_object_class_install_property(
		object, PropHeap,
		g_param_spec_string("heap", "Heap",
				    "Heaps to allocate from, in the order of preference: names, "
				    "globs, 'default', 'auto', separated by ':'",
				    heapflow::gst::defaultHeapExpression, settable));
	/**
	 * heapcamerasrc:buffers:
	 *
	 * How many buffers to ask the camera for. The camera decides; #heapcamerasrc:plan tells.
	 */
	g_object_class_install_property(
		object, PropBuffers,
		g_param_spec_uint("buffers", "Buffers",
				  "Number of buffers to ask the camera for (0 = as many as "
				  "downstream holds and two more)",
				  0, 32, 0, settable));
	/**
	 * heapcamerasrc:plan:
	 *
	 * Camera, format, layout, heap and the reason for it, buffer count; null before the first
	 * negotiation since READY, of which no notification is sent (gst-launch-1.0 -v prints what
	 * is notified, and cannot print null), and readable after the stream has ended.
	 */
	g_object_class_install_property(
		object, PropPlan,
		g_param_spec_boxed(
			"plan", "Plan",
			"What was settled: camera, format, layout, heap and why, buffers",
			GST_TYPE_STRUCTURE, readable));
	/**
	 * heapcamerasrc:heap-bytes:
	 *
	 * Bytes taken from the heap, page rounding included.
	 */
	g_object_class_install_property(object, PropHeapBytes,
					g_param_spec_uint64("heap-bytes", "Heap bytes",
							    "Bytes taken from the heap", 0,
							    G_MAXUINT64, 0, readable));
	/**
	 * heapcamerasrc:require-zero-copy:
	 *
	 * Makes it an error when the CPU maps or copies a frame in any element on the way from the
	 * camera to the screens. The message names the element and the reason. Branches that lead
	 * to no screen are free, unless none does.
	 *
	 * The first use in a process adds hooks to a table of GStreamer's that has no lock: set it
	 * before any pipeline of the process plays.
	 */
	heapflow::gst::installRequireZeroCopy(object, PropRequireZeroCopy);
	gst_heap_camera_src_install_controls(object);
}
