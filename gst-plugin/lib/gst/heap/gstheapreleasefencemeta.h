/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a buffer goes back to its producer before its last reader is done: with a fence. */
#pragma once

#include <gst/heap/heap-prelude.h>

G_BEGIN_DECLS

/**
 * GstHeapReleaseFenceMeta:
 * @meta: parent
 *
 * A letter box on the buffers of a producer that waits for fences before it writes. Who reads such
 * a buffer by a device, a display for instance, may put a fence in and drop its reference at once,
 * instead of keeping the buffer until the device is done. heapcamerasrc puts it on buffers of
 * libcamera's cameras, which take the fence with the request (libcamera::Request::addBuffer());
 * #heapkmssink:release-fences uses it.
 *
 * A buffer without the box has a producer that writes as soon as it has the buffer. A copy of the
 * buffer, made by gst_buffer_make_writable() for instance, has none either.
 *
 * The functions may be called from any thread, also when the buffer is not writable.
 *
 * Since: 0.1
 */
typedef struct _GstHeapReleaseFenceMeta GstHeapReleaseFenceMeta;
typedef struct _GstHeapReleaseFenceMetaPrivate GstHeapReleaseFenceMetaPrivate;

struct _GstHeapReleaseFenceMeta {
	GstMeta meta;

	/*< private >*/
	GstHeapReleaseFenceMetaPrivate *priv;
};

#define GST_HEAP_RELEASE_FENCE_META_API_TYPE (gst_heap_release_fence_meta_api_get_type())

GST_HEAP_API GType gst_heap_release_fence_meta_api_get_type(void);
GST_HEAP_API const GstMetaInfo *gst_heap_release_fence_meta_get_info(void);

/**
 * gst_buffer_get_heap_release_fence_meta:
 * @buffer: a buffer
 *
 * Returns: (transfer none) (nullable): its letter box, or %NULL
 *
 * Since: 0.1
 */
GST_HEAP_API GstHeapReleaseFenceMeta *gst_buffer_get_heap_release_fence_meta(GstBuffer *buffer);

/**
 * gst_buffer_add_heap_release_fence_meta:
 * @buffer: a writable buffer
 *
 * For producers that wait for fences. A pool sets #GST_META_FLAG_POOLED on it.
 *
 * Returns: (transfer none): an empty letter box
 *
 * Since: 0.1
 */
GST_HEAP_API GstHeapReleaseFenceMeta *gst_buffer_add_heap_release_fence_meta(GstBuffer *buffer);

/**
 * gst_heap_release_fence_meta_post:
 * @meta: the letter box
 * @sync_file: descriptor of a sync file (Linux, Documentation/driver-api/sync_file.rst), which is
 *   taken over and closed in any case
 *
 * The producer is to wait for this fence as well as for those that others posted. The caller drops
 * its reference to the buffer after this.
 *
 * Returns: %FALSE when the descriptor is no sync file; nothing was posted then, and the buffer must
 * be kept until it is read
 *
 * Since: 0.1
 */
GST_HEAP_API gboolean gst_heap_release_fence_meta_post(GstHeapReleaseFenceMeta *meta,
						       gint sync_file);

/**
 * gst_heap_release_fence_meta_take:
 * @meta: the letter box
 *
 * For the producer, when nobody holds the buffer any more.
 *
 * Returns: a sync file that is signalled when all that were posted are; it is the caller's to
 * close. -1 when there is none
 *
 * Since: 0.1
 */
GST_HEAP_API gint gst_heap_release_fence_meta_take(GstHeapReleaseFenceMeta *meta);

G_END_DECLS
