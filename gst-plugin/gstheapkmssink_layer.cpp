/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The properties of heapkmssink that may change while it plays: geometry, order, blending. */
#include "gstheapkmssink_private.h"

#include <algorithm>
#include <cstring>

#include <gst/video/videooverlay.h>

#define GST_CAT_DEFAULT gst_heap_kms_sink_debug

using heapflow::DropPolicy;
using heapflow::LayerOptions;
using heapflow::RawProperty;
using heapflow::Transform;
using heapflow::gst::CopyPolicy;
using heapflow::gst::KmsSink;
using heapflow::gst::Scanout;

static GType gst_heap_kms_sink_drop_policy_get_type(void)
{
	static const GEnumValue values[] = {
		{int(DropPolicy::Queue), "Show every frame; wait for the vblank", "queue"},
		{int(DropPolicy::Replace), "A newer frame replaces the one that waits", "replace"},
		{0, nullptr, nullptr},
	};
	static const GType type = g_enum_register_static("GstHeapKmsSinkDropPolicy", values);
	return type;
}

static GType gst_heap_kms_sink_copy_get_type(void)
{
	static const GEnumValue values[] = {
		{int(CopyPolicy::Never), "A frame that cannot be scanned out is an error", "never"},
		{int(CopyPolicy::Allow), "It is copied into a heap buffer, and that is said",
		 "allow"},
		{0, nullptr, nullptr},
	};
	static const GType type = g_enum_register_static("GstHeapKmsSinkCopy", values);
	return type;
}

/* The numbers of a structure, as kmssink takes them: "s,rotation=4,alpha=100". */
static std::vector<RawProperty> rawProperties(const GstStructure *structure)
{
	std::vector<RawProperty> list;
	for (gint i = 0; structure && i < gst_structure_n_fields(structure); i++) {
		const char *name = gst_structure_nth_field_name(structure, guint(i));
		const GValue *value = gst_structure_get_value(structure, name);
		GValue number = G_VALUE_INIT;
		g_value_init(&number, G_TYPE_UINT64);
		if (g_value_transform(value, &number))
			list.emplace_back(name, g_value_get_uint64(&number));
		else
			GST_WARNING("property %s is no number", name);
		g_value_unset(&number);
	}
	return list;
}

bool gst_heap_kms_sink_set_layer_property(GstHeapKmsSink *self, const char *name,
					  const GValue *value)
{
	KmsSink &sink = *self->sink;
	LayerOptions &layer = sink.layer;
	const auto is = [&](const char *known) {
		return !std::strcmp(name, known);
	};

	if (is("force-aspect-ratio")) {
		layer.keepAspect = g_value_get_boolean(value);
	} else if (is("can-scale")) {
		layer.scale = g_value_get_boolean(value);
	} else if (is("rotate-method")) {
		sink.rotateMethod = GstVideoOrientationMethod(g_value_get_enum(value));
	} else if (is("zpos")) {
		const gint zpos = g_value_get_int(value);
		layer.zpos = zpos < 0 ? std::nullopt : std::optional<uint64_t>(uint64_t(zpos));
	} else if (is("alpha")) {
		layer.alpha = g_value_get_double(value);
	} else if (is("drop-policy")) {
		layer.dropPolicy = DropPolicy(g_value_get_enum(value));
	} else if (is("copy")) {
		sink.copy = CopyPolicy(g_value_get_enum(value));
	} else if (is("max-bpc")) {
		const gint bits = g_value_get_int(value);
		layer.bitsPerComponent =
			bits ? std::optional<uint64_t>(uint64_t(bits)) : std::nullopt;
	} else if (is("content-type")) {
		const char *type = g_value_get_string(value);
		layer.contentType = type ? type : "";
	} else if (is("plane-properties")) {
		g_clear_pointer(&sink.planeProperties, gst_structure_free);
		sink.planeProperties = static_cast<GstStructure *>(g_value_dup_boxed(value));
		layer.planeProperties = rawProperties(sink.planeProperties);
	} else if (is("connector-properties")) {
		g_clear_pointer(&sink.connectorProperties, gst_structure_free);
		sink.connectorProperties = static_cast<GstStructure *>(g_value_dup_boxed(value));
		layer.connectorProperties = rawProperties(sink.connectorProperties);
	} else {
		return false;
	}
	sink.layerChanged = true;
	return true;
}

bool gst_heap_kms_sink_get_layer_property(GstHeapKmsSink *self, const char *name, GValue *value)
{
	const KmsSink &sink = *self->sink;
	const LayerOptions &layer = sink.layer;
	const auto is = [&](const char *known) {
		return !std::strcmp(name, known);
	};

	if (is("force-aspect-ratio"))
		g_value_set_boolean(value, layer.keepAspect);
	else if (is("can-scale"))
		g_value_set_boolean(value, layer.scale);
	else if (is("rotate-method"))
		g_value_set_enum(value, sink.rotateMethod);
	else if (is("zpos"))
		g_value_set_int(value, layer.zpos ? int(*layer.zpos) : -1);
	else if (is("alpha"))
		g_value_set_double(value, layer.alpha);
	else if (is("drop-policy"))
		g_value_set_enum(value, int(layer.dropPolicy));
	else if (is("copy"))
		g_value_set_enum(value, int(sink.copy));
	else if (is("max-bpc"))
		g_value_set_int(value, int(layer.bitsPerComponent.value_or(0)));
	else if (is("content-type"))
		g_value_set_string(value,
				   layer.contentType.empty() ? nullptr : layer.contentType.c_str());
	else if (is("plane-properties"))
		g_value_set_boxed(value, sink.planeProperties);
	else if (is("connector-properties"))
		g_value_set_boxed(value, sink.connectorProperties);
	else
		return false;
	return true;
}

void gst_heap_kms_sink_update_layer(GstHeapKmsSink *self, Scanout &scanout)
{
	KmsSink &sink = *self->sink;
	LayerOptions layer;
	{
		std::lock_guard lock(sink.mutex);
		sink.layerChanged = false;
		layer = sink.layer;
		const GstVideoOrientationMethod method =
			sink.rotateMethod == GST_VIDEO_ORIENTATION_AUTO ? sink.taggedRotation
									: sink.rotateMethod;
		/* The first eight are the same, in the same order. */
		if (method <= GST_VIDEO_ORIENTATION_UR_LL)
			layer.transform = Transform(method);
	}
	/* GStreamer's alpha is straight (GstVideoFormat), KMS' default is not. */
	layer.premultiplied = false;
	layer.hdr = sink.hdr;
	if (sink.format) {
		const GstVideoInfo &info = sink.format->info;
		layer.pixelAspect[0] = guint(std::max(GST_VIDEO_INFO_PAR_N(&info), 1));
		layer.pixelAspect[1] = guint(std::max(GST_VIDEO_INFO_PAR_D(&info), 1));
		if (GST_VIDEO_INFO_FPS_N(&info) > 0 && GST_VIDEO_INFO_FPS_D(&info) > 0)
			layer.frameRateMilliHz =
				gst_util_uint64_scale(1000, guint64(GST_VIDEO_INFO_FPS_N(&info)),
						      guint64(GST_VIDEO_INFO_FPS_D(&info)));
	}
	scanout.setLayer(layer);
}

/* GstVideoOverlay: for its render rectangle, as of kmssink; there is no window to be embedded in.
 */
static void gst_heap_kms_sink_set_render_rectangle(GstVideoOverlay *overlay, gint x, gint y,
						   gint width, gint height)
{
	GstHeapKmsSink *self = GST_HEAP_KMS_SINK(overlay);
	std::lock_guard lock(self->sink->mutex);

	self->sink->layer.rectangle = {};
	if (width > 0 && height > 0)
		self->sink->layer.rectangle = {x, y, guint(width), guint(height)};
	self->sink->layerChanged = true;
}

static void gst_heap_kms_sink_set_window_handle(GstVideoOverlay *, guintptr) {}

/*
 * From any thread: the last frame once more, where the properties of the layer want it now. The
 * streaming thread renders with the same lock (gstbasesink.c, gst_base_sink_chain_main()).
 */
static void gst_heap_kms_sink_expose(GstVideoOverlay *overlay)
{
	GstHeapKmsSink *self = GST_HEAP_KMS_SINK(overlay);
	GstBaseSink *base = GST_BASE_SINK(overlay);
	GstSample *sample = gst_base_sink_get_last_sample(base);

	if (!sample)
		return;
	GST_BASE_SINK_PREROLL_LOCK(base);
	const GstCaps *caps = gst_sample_get_caps(sample);
	GstBuffer *buffer = gst_sample_get_buffer(sample);
	if (buffer && caps && self->sink->caps && gst_caps_is_equal(caps, self->sink->caps))
		(void)gst_heap_kms_sink_render_frame(self, buffer);
	GST_BASE_SINK_PREROLL_UNLOCK(base);
	gst_sample_unref(sample);
}

void gst_heap_kms_sink_overlay_init(GstVideoOverlayInterface *interface)
{
	interface->expose = gst_heap_kms_sink_expose;
	interface->set_window_handle = gst_heap_kms_sink_set_window_handle;
	interface->set_render_rectangle = gst_heap_kms_sink_set_render_rectangle;
}

static void gst_heap_kms_sink_install_geometry(GObjectClass *object, guint &id,
					       GParamFlags settable)
{
	/**
	 * heapkmssink:force-aspect-ratio:
	 *
	 * When scaling, keep the picture's aspect ratio, and that of its pixels.
	 */
	g_object_class_install_property(
		object, id++,
		g_param_spec_boolean("force-aspect-ratio", "Force aspect ratio",
				     "Keep the aspect ratio when scaling", TRUE, settable));
	/**
	 * heapkmssink:can-scale:
	 *
	 * May the plane scale? What is tried then falls back to the frame's own size, as the
	 * driver says; the plan says which it was. As of kmssink.
	 */
	g_object_class_install_property(object, id++,
					g_param_spec_boolean("can-scale", "Can scale",
							     "Let the plane scale the frames", TRUE,
							     settable));
	/**
	 * heapkmssink:rotate-method:
	 *
	 * By the plane's rotation property; an error when it cannot. `auto` follows the tag
	 * image-orientation. A panel that is mounted turned is compensated by itself.
	 */
	g_object_class_install_property(
		object, id++,
		g_param_spec_enum("rotate-method", "Rotate method",
				  "How the picture is turned, by the display",
				  GST_TYPE_VIDEO_ORIENTATION_METHOD, GST_VIDEO_ORIENTATION_IDENTITY,
				  settable));
	/**
	 * heapkmssink:zpos:
	 *
	 * The order of the layers of one connector; higher is nearer to the viewer.
	 */
	g_object_class_install_property(
		object, id++,
		g_param_spec_int("zpos", "Z position",
				 "Order among the layers of the connector, higher is nearer to the "
				 "viewer (-1 = in the order in which they start)",
				 -1, G_MAXINT32, -1, settable));
	/**
	 * heapkmssink:alpha:
	 *
	 * Of the whole layer; needs a plane with a property alpha.
	 */
	g_object_class_install_property(object, id++,
					g_param_spec_double("alpha", "Alpha",
							    "Opacity of the whole layer", 0.0, 1.0,
							    1.0, settable));
}

void gst_heap_kms_sink_install_layer_properties(GObjectClass *object, guint id)
{
	const auto settable =
		GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);

	gst_heap_kms_sink_install_geometry(object, id, settable);
	/**
	 * heapkmssink:drop-policy:
	 *
	 * What happens to a frame that waits for its vblank when the next one comes. `queue` shows
	 * each and holds the stream back; `replace` has the least latency and never waits.
	 */
	g_object_class_install_property(
		object, id++,
		g_param_spec_enum("drop-policy", "Drop policy",
				  "What happens to a frame that waits when the next one comes",
				  gst_heap_kms_sink_drop_policy_get_type(), int(DropPolicy::Queue),
				  settable));
	/**
	 * heapkmssink:copy:
	 *
	 * Frames in memory that cannot be scanned out are an error; with `allow` they are copied
	 * into a buffer of #heapkmssink:heap. The first copy is announced by a warning with the
	 * reason, all are counted in #heapkmssink:stats.
	 */
	g_object_class_install_property(
		object, id++,
		g_param_spec_enum("copy", "Copy",
				  "What happens to frames that cannot be scanned out as they come",
				  gst_heap_kms_sink_copy_get_type(), int(CopyPolicy::Never),
				  settable));
	/**
	 * heapkmssink:max-bpc:
	 *
	 * The connector's property "max bpc".
	 */
	g_object_class_install_property(
		object, id++,
		g_param_spec_int("max-bpc", "Maximum bits per component",
				 "Bits per component on the wire, at most (0 = as it is)", 0, 16, 0,
				 settable));
	/**
	 * heapkmssink:content-type:
	 *
	 * The connector's property "content type": Graphics, Photo, Cinema or Game.
	 */
	g_object_class_install_property(
		object, id++,
		g_param_spec_string("content-type", "Content type",
				    "What a television is told of the content: Graphics, Photo, "
				    "Cinema, Game; unset: as it is",
				    nullptr, settable));
	/**
	 * heapkmssink:plane-properties:
	 *
	 * Raw properties of the plane, as of kmssink: "s,rotation=4". Restored at the end.
	 */
	g_object_class_install_property(
		object, id++,
		g_param_spec_boxed("plane-properties", "Plane properties",
				   "KMS properties of the plane, by name and number",
				   GST_TYPE_STRUCTURE, settable));
	/**
	 * heapkmssink:connector-properties:
	 *
	 * Raw properties of the connector, as of kmssink. Restored at the end.
	 */
	g_object_class_install_property(
		object, id++,
		g_param_spec_boxed("connector-properties", "Connector properties",
				   "KMS properties of the connector, by name and number",
				   GST_TYPE_STRUCTURE, settable));
}
