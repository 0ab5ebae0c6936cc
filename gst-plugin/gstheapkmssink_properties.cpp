/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapkmssink_private.h"

#include <algorithm>

#define GST_CAT_DEFAULT gst_heap_kms_sink_debug

using heapflow::gst::KmsSink;

namespace
{

enum {
	PropDevice = 1,
	PropDriverName,
	PropBusId,
	PropConnector,
	PropConnectorId,
	PropPlaneId,
	PropHeap,
	PropScreenshotLocation,
	PropStats,
	PropPlan,
	PropFd,
	PropMode,
	PropForceModesetting,
	PropWaitForConnector,
	PropSeat,
	PropSkipVsync,
	PropRestoreCrtc,
	PropDisplayWidth,
	PropDisplayHeight,
	PropReleaseFences,
	PropRequireZeroCopy,
	PropFirstOfLayer,
	PropOverlayBase = PropFirstOfLayer + 32,
};

} /* namespace */

static std::string stringFromValue(const GValue *value)
{
	const char *string = g_value_get_string(value);
	return string ? string : "";
}

static void gst_heap_kms_sink_set_property(GObject *object, guint id, const GValue *value,
					   GParamSpec *spec)
{
	GstHeapKmsSink *self = GST_HEAP_KMS_SINK(object);
	KmsSink &sink = *self->sink;

	/* Takes the mutex itself. */
	if (id >= PropOverlayBase) {
		gst_video_overlay_set_property(object, PropOverlayBase, id, value);
		return;
	}
	if (id == PropRequireZeroCopy) {
		sink.contract.require(g_value_get_boolean(value));
		return;
	}
	std::lock_guard lock(sink.mutex);
	if (id >= PropFirstOfLayer &&
	    gst_heap_kms_sink_set_layer_property(self, g_param_spec_get_name(spec), value))
		return;

	switch (id) {
	case PropFd:
		sink.options.fd = g_value_get_int(value);
		break;
	case PropMode:
		sink.options.mode = stringFromValue(value);
		break;
	case PropForceModesetting:
		sink.forceModesetting = g_value_get_boolean(value);
		break;
	case PropWaitForConnector:
		sink.options.waitForScreen = g_value_get_boolean(value);
		break;
	case PropSeat:
		sink.options.seat = g_value_get_boolean(value);
		break;
	case PropSkipVsync:
		sink.skipVsync = g_value_get_boolean(value);
		break;
	case PropRestoreCrtc:
		sink.options.restoreMode = g_value_get_boolean(value);
		break;
	case PropReleaseFences:
		sink.releaseFences = g_value_get_boolean(value);
		break;
	case PropDevice:
		sink.options.device = stringFromValue(value);
		break;
	case PropDriverName:
		sink.options.driver = stringFromValue(value);
		break;
	case PropBusId:
		sink.options.busId = stringFromValue(value);
		break;
	case PropConnector:
		sink.options.connector = stringFromValue(value);
		break;
	case PropConnectorId:
		sink.connectorId = g_value_get_int(value);
		break;
	case PropPlaneId:
		sink.options.planeId = uint32_t(std::max(g_value_get_int(value), 0));
		break;
	case PropHeap:
		sink.heap = stringFromValue(value);
		break;
	case PropScreenshotLocation:
		sink.screenshotLocation = stringFromValue(value);
		break;
	default:
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
}

static void setString(GValue *value, const std::string &text)
{
	g_value_set_string(value, text.empty() ? nullptr : text.c_str());
}

static void gst_heap_kms_sink_get_property(GObject *object, guint id, GValue *value,
					   GParamSpec *spec)
{
	GstHeapKmsSink *self = GST_HEAP_KMS_SINK(object);
	KmsSink &sink = *self->sink;

	if (id == PropStats) {
		g_value_take_boxed(value, gst_heap_kms_sink_statistics(self));
		return;
	}

	if (id == PropRequireZeroCopy) {
		g_value_set_boolean(value, sink.contract.isRequired());
		return;
	}

	std::lock_guard lock(sink.mutex);
	if (id >= PropFirstOfLayer &&
	    gst_heap_kms_sink_get_layer_property(self, g_param_spec_get_name(spec), value))
		return;

	switch (id) {
	case PropFd:
		g_value_set_int(value, sink.options.fd);
		break;
	case PropMode:
		setString(value, sink.options.mode);
		break;
	case PropForceModesetting:
		g_value_set_boolean(value, sink.forceModesetting);
		break;
	case PropWaitForConnector:
		g_value_set_boolean(value, sink.options.waitForScreen);
		break;
	case PropSeat:
		g_value_set_boolean(value, sink.options.seat);
		break;
	case PropSkipVsync:
		g_value_set_boolean(value, sink.skipVsync);
		break;
	case PropRestoreCrtc:
		g_value_set_boolean(value, sink.options.restoreMode);
		break;
	case PropReleaseFences:
		g_value_set_boolean(value, sink.releaseFences);
		break;
	case PropDisplayWidth:
		g_value_set_int(value, sink.scanout ? int(sink.scanout->mode().width) : 0);
		break;
	case PropDisplayHeight:
		g_value_set_int(value, sink.scanout ? int(sink.scanout->mode().height) : 0);
		break;
	case PropDevice:
		setString(value, sink.options.device);
		break;
	case PropDriverName:
		setString(value, sink.options.driver);
		break;
	case PropBusId:
		setString(value, sink.options.busId);
		break;
	case PropConnector:
		setString(value, sink.options.connector);
		break;
	case PropConnectorId:
		g_value_set_int(value, sink.connectorId);
		break;
	case PropPlaneId:
		g_value_set_int(value, sink.options.planeId ? int(sink.options.planeId) : -1);
		break;
	case PropHeap:
		setString(value, sink.heap);
		break;
	case PropScreenshotLocation:
		setString(value, sink.screenshotLocation);
		break;
	case PropPlan:
		if (sink.lastPlan || !sink.scanout)
			g_value_set_boxed(value, sink.lastPlan);
		else
			g_value_take_boxed(value, sink.scanout->plan());
		break;
	default:
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
}

static void gst_heap_kms_sink_install_screen_properties(GObjectClass *object)
{
	const auto settable =
		GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);

	/**
	 * heapkmssink:device:
	 *
	 * Path of the KMS device. Unset takes the first that has a connected connector.
	 */
	g_object_class_install_property(
		object, PropDevice,
		g_param_spec_string(
			"device", "Device",
			"Path of the KMS device (/dev/dri/cardN); unset: the first that "
			"serves",
			nullptr, settable));
	/**
	 * heapkmssink:driver-name:
	 *
	 * Name of the kernel driver of the KMS device, as of kmssink.
	 */
	g_object_class_install_property(
		object, PropDriverName,
		g_param_spec_string("driver-name", "Driver name",
				    "Name of the KMS driver, such as vkms; unset: any", nullptr,
				    settable));
	/**
	 * heapkmssink:bus-id:
	 *
	 * The bus and the name of the KMS device on it, as of kmssink; what stays when card numbers
	 * change.
	 */
	g_object_class_install_property(
		object, PropBusId,
		g_param_spec_string("bus-id", "Bus id",
				    "Bus id of the KMS device, such as platform:fd4a0000.hdmi, or "
				    "without the bus; unset: any",
				    nullptr, settable));
	/**
	 * heapkmssink:connector:
	 *
	 * Name of the connector, as in `modetest -c` and /sys/class/drm. Unset takes one that has a
	 * screen: a panel before a plug, one that is lit before a dark one.
	 */
	g_object_class_install_property(
		object, PropConnector,
		g_param_spec_string("connector", "Connector",
				    "Name of the connector, such as HDMI-A-1; unset: one "
				    "that has a screen, panels first",
				    nullptr, settable));
	/**
	 * heapkmssink:connector-id:
	 *
	 * KMS object id of the connector; #heapkmssink:connector comes before it.
	 */
	g_object_class_install_property(
		object, PropConnectorId,
		g_param_spec_int("connector-id", "Connector id",
				 "KMS object id of the connector (-1 = the first connected)", -1,
				 G_MAXINT32, -1, settable));
	/**
	 * heapkmssink:plane-id:
	 *
	 * KMS object id of the plane.
	 */
	g_object_class_install_property(
		object, PropPlaneId,
		g_param_spec_int(
			"plane-id", "Plane id",
			"KMS object id of the plane (-1 = the first that takes the format)", -1,
			G_MAXINT32, -1, settable));
}

static void gst_heap_kms_sink_install_session_properties(GObjectClass *object)
{
	const auto settable =
		GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);

	/**
	 * heapkmssink:fd:
	 *
	 * An open DRM descriptor, of a device or of a lease, as of kmssink. It is duplicated.
	 */
	g_object_class_install_property(
		object, PropFd,
		g_param_spec_int("fd", "File descriptor",
				 "Open DRM descriptor of a device or a lease (-1 = open one)", -1,
				 G_MAXINT32, -1, settable));
	/**
	 * heapkmssink:wait-for-connector:
	 *
	 * Start without a screen, drop frames until one is plugged in, and show them then.
	 */
	g_object_class_install_property(
		object, PropWaitForConnector,
		g_param_spec_boolean("wait-for-connector", "Wait for connector",
				     "Start also when no screen is plugged in", FALSE, settable));
	/**
	 * heapkmssink:seat:
	 *
	 * Take the display from the seat manager (logind or seatd), which pauses the sink when the
	 * user switches to another virtual terminal.
	 */
	g_object_class_install_property(
		object, PropSeat,
		g_param_spec_boolean("seat", "Seat",
				     "Take the display from the seat manager (logind, seatd)",
				     FALSE, settable));
	/**
	 * heapkmssink:skip-vsync:
	 *
	 * For pipelines of kmssink; without effect, because atomic commits never wait.
	 */
	g_object_class_install_property(
		object, PropSkipVsync,
		g_param_spec_boolean("skip-vsync", "Skip vsync",
				     "Accepted for kmssink's sake, without effect: no commit waits",
				     FALSE, settable));
	/**
	 * heapkmssink:release-fences:
	 *
	 * Give a buffer back when the flip that replaces it is committed, with the fence of that
	 * flip, if its producer waits for fences itself (#GstHeapReleaseFenceMeta), as
	 * heapcamerasrc does with cameras of libcamera, and has fewer than two buffers left to
	 * fill. Otherwise, or when this is false, it is given back when the flip has happened,
	 * which costs less.
	 *
	 * Since: 0.1
	 */
	g_object_class_install_property(
		object, PropReleaseFences,
		g_param_spec_boolean("release-fences", "Release fences",
				     "Give buffers back with the fence of the flip that replaces "
				     "them, to producers that wait for it and have few left",
				     TRUE, settable));
}

static void gst_heap_kms_sink_install_mode_properties(GObjectClass *object)
{
	const auto settable =
		GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
	const auto readable = GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

	/**
	 * heapkmssink:mode:
	 *
	 * Unset: the mode that is set, if there is one; otherwise the best for the frames' size
	 * and rate. `best` is that also when a mode is set, `preferred` is the screen's own.
	 */
	g_object_class_install_property(
		object, PropMode,
		g_param_spec_string("mode", "Mode",
				    "1920x1080, 1920x1080@59.94, best or preferred; unset: the one "
				    "that is set",
				    nullptr, settable));
	/**
	 * heapkmssink:force-modesetting:
	 *
	 * As of kmssink: the mode of the frames' size even if another is set. The same as
	 * `mode=best`, which comes before it.
	 */
	g_object_class_install_property(
		object, PropForceModesetting,
		g_param_spec_boolean("force-modesetting", "Force modesetting",
				     "Set the mode that suits the frames best", FALSE, settable));
	/**
	 * heapkmssink:restore-crtc:
	 *
	 * As of kmssink: restore the mode that was found. The plane is restored in any case.
	 */
	g_object_class_install_property(
		object, PropRestoreCrtc,
		g_param_spec_boolean("restore-crtc", "Restore CRTC",
				     "Restore the mode that was found when the sink stops", TRUE,
				     settable));
	g_object_class_install_property(object, PropDisplayWidth,
					g_param_spec_int("display-width", "Display width",
							 "Width of the mode in pixels", 0,
							 G_MAXINT32, 0, readable));
	g_object_class_install_property(object, PropDisplayHeight,
					g_param_spec_int("display-height", "Display height",
							 "Height of the mode in pixels", 0,
							 G_MAXINT32, 0, readable));
}

void gst_heap_kms_sink_install_properties(GObjectClass *object)
{
	const auto readable = GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

	object->set_property = gst_heap_kms_sink_set_property;
	object->get_property = gst_heap_kms_sink_get_property;
	gst_heap_kms_sink_install_screen_properties(object);
	gst_heap_kms_sink_install_session_properties(object);
	gst_heap_kms_sink_install_mode_properties(object);
	gst_heap_kms_sink_install_layer_properties(object, PropFirstOfLayer);
	gst_video_overlay_install_properties(object, PropOverlayBase);
	/**
	 * heapkmssink:heap:
	 *
	 * Heap expression for the buffer pool that is offered upstream. Not used when upstream
	 * brings dma-bufs of its own.
	 */
	g_object_class_install_property(
		object, PropHeap,
		g_param_spec_string("heap", "Heap",
				    "Heaps for the pool that is offered upstream, in the order of "
				    "preference: names, globs, 'default', separated by ':'",
				    heapflow::gst::defaultHeapExpression,
				    GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
						GST_PARAM_MUTABLE_READY)));
	/**
	 * heapkmssink:screenshot-location:
	 *
	 * When set, the screen is read back through the writeback connector at the end of the
	 * stream and written to this file as PNG. #heapkmssink::screenshot does so at any time.
	 */
	g_object_class_install_property(
		object, PropScreenshotLocation,
		g_param_spec_string("screenshot-location", "Screenshot location",
				    "PNG file for what the screen shows at the end of the stream; "
				    "unset: none",
				    nullptr,
				    GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
						GST_PARAM_MUTABLE_PLAYING)));
	/**
	 * heapkmssink:require-zero-copy:
	 *
	 * Makes it an error when the CPU maps or copies a frame in any element on the way from the
	 * sources to this screen. The message names the element and the reason. Frames in ordinary
	 * memory are refused, whatever #heapkmssink:copy says.
	 *
	 * The first use in a process adds hooks to a table of GStreamer's that has no lock: set it
	 * before any pipeline of the process plays.
	 */
	heapflow::gst::installRequireZeroCopy(object, PropRequireZeroCopy);
	/**
	 * heapkmssink:stats:
	 *
	 * The fields of #GstBaseSink:stats and: shown, late (on the screen one and a half
	 * refresh periods after they were due),
	 * imports, framebuffers, commits, fences (buffers that went back with one,
	 * #heapkmssink:release-fences), copies (frames that could not be scanned out as they
	 * came: copied with #heapkmssink:copy, else an error), copied-upstream (frames that the CPU
	 * had copied from one memory of a heap into another before they came), repeated (vblanks
	 * that showed a frame again), replaced, dark and refused (frames that were not shown,
	 * because a newer one came, the screen was away, the driver did not want them), busy,
	 * interrupted, no-space and overdue (what commits ran into), commit-time-mean and
	 * commit-time-max (ns), latency-histogram (below 1, 2, 4 ... 4096 ms, and above),
	 * latency-median and latency-p99 (ns from the arrival of the frame to its flip, -1 when
	 * unknown), fps, refresh (Hz).
	 */
	g_object_class_install_property(
		object, PropStats,
		g_param_spec_boxed(
			"stats", "Statistics",
			"Frames shown, dropped and late, imports, copies, latency in ns, "
			"frames per second, refresh rate",
			GST_TYPE_STRUCTURE, readable));
	/**
	 * heapkmssink:plan:
	 *
	 * Device, connector, plane, mode, place on the screen and the reasons; null before the
	 * first frame.
	 */
	g_object_class_install_property(
		object, PropPlan,
		g_param_spec_boxed(
			"plan", "Plan",
			"What was settled: device, connector, plane, mode, place and why",
			GST_TYPE_STRUCTURE, readable));
}
