/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapcamerasrc_private.h"

using heapflow::gst::CameraSource;

namespace
{

enum { PropCameraName = 1, PropHeap, PropBuffers, PropPlan, PropHeapBytes };

} /* namespace */

static void gst_heap_camera_src_set_property(GObject *object, guint id, const GValue *value,
					     GParamSpec *spec)
{
	CameraSource &source = *GST_HEAP_CAMERA_SRC(object)->source;
	std::lock_guard lock(source.mutex);
	auto text = [value] {
		const char *string = g_value_get_string(value);
		return std::string(string ? string : "");
	};

	switch (id) {
	case PropCameraName:
		source.cameraName = text();
		break;
	case PropHeap:
		source.heap = text();
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
	CameraSource &source = *GST_HEAP_CAMERA_SRC(object)->source;
	std::lock_guard lock(source.mutex);

	switch (id) {
	case PropCameraName:
		g_value_set_string(value,
				   source.cameraName.empty() ? nullptr : source.cameraName.c_str());
		break;
	case PropHeap:
		g_value_set_string(value, source.heap.c_str());
		break;
	case PropBuffers:
		g_value_set_uint(value, source.bufferCount);
		break;
	case PropPlan:
		g_value_set_boxed(value, source.plan);
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
	 * heapcamerasrc:heap:
	 *
	 * Heap expression: names, globs or `default`, separated by colons, the preferred one first.
	 * `heapctl explain EXPRESSION` shows what it means on this system.
	 */
	g_object_class_install_property(
		object, PropHeap,
		g_param_spec_string("heap", "Heap",
				    "Heaps to allocate from, in the order of preference: names, "
				    "globs, 'default', separated by ':'",
				    heapflow::gst::defaultHeapExpression, settable));
	/**
	 * heapcamerasrc:buffers:
	 *
	 * How many buffers to ask the camera for. The camera decides; #heapcamerasrc:plan tells.
	 */
	g_object_class_install_property(
		object, PropBuffers,
		g_param_spec_uint(
			"buffers", "Buffers",
			"Number of buffers to ask the camera for (0 = as the camera likes)", 0, 32,
			0, settable));
	/**
	 * heapcamerasrc:plan:
	 *
	 * Camera, format, layout, heap and the reason for it, buffer count; null before
	 * negotiation.
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
}
