/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a camera told of a frame, on the buffer that heapcamerasrc pushed. */
#pragma once

#include <gst/heap/heap-prelude.h>

G_BEGIN_DECLS

/**
 * GstHeapCameraMeta:
 * @meta: parent
 * @sequence: number of the frame as the camera counts; a gap is a lost frame
 * @sensor_timestamp: when the frame was exposed, ns of CLOCK_MONOTONIC
 * @arrival: when the process was told of the frame, ns of CLOCK_MONOTONIC
 *
 * A frame of a camera. Further values (exposure time, gains and all else that libcamera reports)
 * are read with the functions below. The meta is copied with the buffer; it may be read as long as
 * the buffer is held, from any thread.
 *
 * Since: 0.1
 */
typedef struct _GstHeapCameraMeta GstHeapCameraMeta;
typedef struct _GstHeapCameraMetaPrivate GstHeapCameraMetaPrivate;

struct _GstHeapCameraMeta {
	GstMeta meta;

	guint64 sequence;
	gint64 sensor_timestamp;
	gint64 arrival;

	/*< private >*/
	GstHeapCameraMetaPrivate *priv;
};

#define GST_HEAP_CAMERA_META_API_TYPE (gst_heap_camera_meta_api_get_type())

GST_HEAP_API GType gst_heap_camera_meta_api_get_type(void);
GST_HEAP_API const GstMetaInfo *gst_heap_camera_meta_get_info(void);

/**
 * gst_buffer_get_heap_camera_meta:
 * @buffer: a buffer
 *
 * Returns: (transfer none) (nullable): what the camera told, or %NULL
 *
 * Since: 0.1
 */
GST_HEAP_API GstHeapCameraMeta *gst_buffer_get_heap_camera_meta(GstBuffer *buffer);

/**
 * gst_buffer_add_heap_camera_meta:
 * @buffer: a writable buffer
 *
 * For elements that produce camera frames.
 *
 * Returns: (transfer none): an empty meta
 *
 * Since: 0.1
 */
GST_HEAP_API GstHeapCameraMeta *gst_buffer_add_heap_camera_meta(GstBuffer *buffer);

/**
 * gst_heap_camera_meta_get_exposure_time:
 * @meta: the meta
 * @microseconds: (out) (optional): how long the sensor was exposed
 *
 * Returns: %FALSE when the camera does not tell
 *
 * Since: 0.1
 */
GST_HEAP_API gboolean gst_heap_camera_meta_get_exposure_time(const GstHeapCameraMeta *meta,
							     gint64 *microseconds);

/**
 * gst_heap_camera_meta_get_analogue_gain:
 * @meta: the meta
 * @gain: (out) (optional): of the sensor, 1.0 is none
 *
 * Returns: %FALSE when the camera does not tell
 *
 * Since: 0.1
 */
GST_HEAP_API gboolean gst_heap_camera_meta_get_analogue_gain(const GstHeapCameraMeta *meta,
							     gdouble *gain);

/**
 * gst_heap_camera_meta_get_digital_gain:
 * @meta: the meta
 * @gain: (out) (optional): of the image processing, 1.0 is none
 *
 * Returns: %FALSE when the camera does not tell
 *
 * Since: 0.1
 */
GST_HEAP_API gboolean gst_heap_camera_meta_get_digital_gain(const GstHeapCameraMeta *meta,
							    gdouble *gain);

/**
 * gst_heap_camera_meta_get_colour_temperature:
 * @meta: the meta
 * @kelvin: (out) (optional): estimated of the scene
 *
 * Returns: %FALSE when the camera does not tell
 *
 * Since: 0.1
 */
GST_HEAP_API gboolean gst_heap_camera_meta_get_colour_temperature(const GstHeapCameraMeta *meta,
								  gint *kelvin);

/**
 * gst_heap_camera_meta_get_lens_position:
 * @meta: the meta
 * @dioptres: (out) (optional): reciprocal of the focus distance in metres; 0 is infinity
 *
 * Returns: %FALSE when the camera does not tell
 *
 * Since: 0.1
 */
GST_HEAP_API gboolean gst_heap_camera_meta_get_lens_position(const GstHeapCameraMeta *meta,
							     gdouble *dioptres);

/**
 * gst_heap_camera_meta_get_value:
 * @meta: the meta
 * @name: libcamera's name of a control, such as "SensorTimestamp"
 * @value: (out caller-allocates): an unset #GValue; #gboolean, #gint64, #gdouble, string or
 *   #GstValueArray of the numbers
 *
 * Returns: %FALSE when the camera does not tell; @value is untouched then
 *
 * Since: 0.1
 */
GST_HEAP_API gboolean gst_heap_camera_meta_get_value(const GstHeapCameraMeta *meta,
						     const gchar *name, GValue *value);

/**
 * gst_heap_camera_meta_to_structure:
 * @meta: the meta
 *
 * Returns: (transfer full): everything, by libcamera's names
 *
 * Since: 0.1
 */
GST_HEAP_API GstStructure *gst_heap_camera_meta_to_structure(const GstHeapCameraMeta *meta);

G_END_DECLS
