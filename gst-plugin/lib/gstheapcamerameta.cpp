/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/heap/gstheapcamerameta.h"

#include "gstheapcamerametaprivate.h"
#include "gstheapcontrolvalue.h"

#include <algorithm>
#include <string_view>

using heapflow::ControlValue;
using heapflow::FrameControl;

GType gst_heap_camera_meta_api_get_type(void)
{
	static GType type = [] {
		/* No tags: it stays true when the picture is scaled or converted. */
		const gchar *tags[] = {nullptr};
		return gst_meta_api_type_register("GstHeapCameraMetaAPI", tags);
	}();
	return type;
}

static gboolean gst_heap_camera_meta_init(GstMeta *meta, gpointer, GstBuffer *)
{
	auto *self = reinterpret_cast<GstHeapCameraMeta *>(meta);

	self->sequence = 0;
	self->sensor_timestamp = 0;
	self->arrival = 0;
	self->priv = new GstHeapCameraMetaPrivate;
	return TRUE;
}

static void gst_heap_camera_meta_free(GstMeta *meta, GstBuffer *)
{
	delete reinterpret_cast<GstHeapCameraMeta *>(meta)->priv;
}

static gboolean gst_heap_camera_meta_transform(GstBuffer *destination, GstMeta *meta, GstBuffer *,
					       GQuark, gpointer)
{
	const auto *from = reinterpret_cast<const GstHeapCameraMeta *>(meta);
	GstHeapCameraMeta *to = gst_buffer_add_heap_camera_meta(destination);

	to->sequence = from->sequence;
	to->sensor_timestamp = from->sensor_timestamp;
	to->arrival = from->arrival;
	to->priv->controls = from->priv->controls;
	return TRUE;
}

const GstMetaInfo *gst_heap_camera_meta_get_info(void)
{
	static const GstMetaInfo *info =
		gst_meta_register(GST_HEAP_CAMERA_META_API_TYPE, "GstHeapCameraMeta",
				  sizeof(GstHeapCameraMeta), gst_heap_camera_meta_init,
				  gst_heap_camera_meta_free, gst_heap_camera_meta_transform);
	return info;
}

GstHeapCameraMeta *gst_buffer_get_heap_camera_meta(GstBuffer *buffer)
{
	return reinterpret_cast<GstHeapCameraMeta *>(
		gst_buffer_get_meta(buffer, GST_HEAP_CAMERA_META_API_TYPE));
}

GstHeapCameraMeta *gst_buffer_add_heap_camera_meta(GstBuffer *buffer)
{
	return reinterpret_cast<GstHeapCameraMeta *>(
		gst_buffer_add_meta(buffer, gst_heap_camera_meta_get_info(), nullptr));
}

static const ControlValue *findValue(const GstHeapCameraMeta *meta, std::string_view name)
{
	const auto &controls = meta->priv->controls;
	const auto found = std::ranges::find(controls, name, &FrameControl::name);
	return found == controls.end() ? nullptr : &found->value;
}

static gboolean getReal(const GstHeapCameraMeta *meta, const char *name, gdouble *real)
{
	const ControlValue *value = findValue(meta, name);
	const auto *number = value ? std::get_if<double>(value) : nullptr;

	if (number && real)
		*real = *number;
	return number != nullptr;
}

static gboolean getInteger(const GstHeapCameraMeta *meta, const char *name, gint64 *integer)
{
	const ControlValue *value = findValue(meta, name);
	const auto *number = value ? std::get_if<int64_t>(value) : nullptr;

	if (number && integer)
		*integer = *number;
	return number != nullptr;
}

gboolean gst_heap_camera_meta_get_exposure_time(const GstHeapCameraMeta *meta, gint64 *microseconds)
{
	return getInteger(meta, "ExposureTime", microseconds);
}

gboolean gst_heap_camera_meta_get_analogue_gain(const GstHeapCameraMeta *meta, gdouble *gain)
{
	return getReal(meta, "AnalogueGain", gain);
}

gboolean gst_heap_camera_meta_get_digital_gain(const GstHeapCameraMeta *meta, gdouble *gain)
{
	return getReal(meta, "DigitalGain", gain);
}

gboolean gst_heap_camera_meta_get_colour_temperature(const GstHeapCameraMeta *meta, gint *kelvin)
{
	gint64 value = 0;
	const gboolean told = getInteger(meta, "ColourTemperature", &value);

	if (told && kelvin)
		*kelvin = gint(value);
	return told;
}

gboolean gst_heap_camera_meta_get_lens_position(const GstHeapCameraMeta *meta, gdouble *dioptres)
{
	return getReal(meta, "LensPosition", dioptres);
}

gboolean gst_heap_camera_meta_get_value(const GstHeapCameraMeta *meta, const gchar *name,
					GValue *value)
{
	const ControlValue *found = name ? findValue(meta, name) : nullptr;

	if (!found)
		return FALSE;
	heapflow::gst::setGValue(value, *found);
	return TRUE;
}

GstStructure *gst_heap_camera_meta_to_structure(const GstHeapCameraMeta *meta)
{
	GstStructure *structure =
		gst_structure_new("heapflow-frame", "sequence", G_TYPE_UINT64, meta->sequence,
				  "sensor-timestamp", G_TYPE_INT64, meta->sensor_timestamp,
				  "arrival", G_TYPE_INT64, meta->arrival, nullptr);

	for (const FrameControl &control : meta->priv->controls) {
		GValue value = G_VALUE_INIT;
		heapflow::gst::setGValue(&value, control.value);
		gst_structure_take_value(structure, std::string(control.name).c_str(), &value);
	}
	return structure;
}
