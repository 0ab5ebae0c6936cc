/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Video buffer pool in memory of a chosen heap. */
#pragma once

#include <gst/heap/gstheapallocator.h>
#include <gst/heap/heap-prelude.h>

#include <gst/video/video.h>

G_BEGIN_DECLS

/**
 * SECTION:gstheapbufferpool
 * @title: GstHeapBufferPool
 * @short_description: video frames in a heap that is chosen by name
 * @see_also: #GstHeapAllocator, #GstVideoBufferPool
 *
 * A pool for frames of raw caps and of linear DMA_DRM caps.
 *
 * - Buffers come from the pool's own heap, whatever allocator a configuration names.
 * - With %GST_BUFFER_POOL_OPTION_VIDEO_META they say where their planes are; padding and the
 *   alignment of lines are as %GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT asks.
 * - A frame is one #GstMemory, or one for each plane with
 *   %GST_BUFFER_POOL_OPTION_HEAP_MEMORY_PER_PLANE.
 * - All minimum buffers are taken at activation, from one heap, or none.
 * - A buffer on whose memory a device still works (a fence of the dma-buf is not signalled) is not
 *   handed out before the device is done; another one that is free goes first.
 * - Who waits for a buffer for longer than #GstHeapBufferPool:starvation-timeout causes a report
 *   that says where the buffers are.
 *
 * |[<!-- language="C" -->
 * GstBufferPool *pool = gst_heap_buffer_pool_new ("video@*:default", &error);
 * if (!gst_heap_buffer_pool_configure (GST_HEAP_BUFFER_POOL (pool), caps, 4, 4, NULL,
 *         GST_HEAP_BUFFER_POOL_FLAG_NONE, &error)
 *     || !gst_heap_buffer_pool_activate (GST_HEAP_BUFFER_POOL (pool), &error))
 *   g_printerr ("%s\n", error->message);
 * ]|
 *
 * Since: 0.1
 */

#define GST_TYPE_HEAP_BUFFER_POOL (gst_heap_buffer_pool_get_type())

/**
 * GstHeapBufferPool:
 *
 * Video frames in dma-bufs of a heap.
 *
 * Since: 0.1
 */
GST_HEAP_API
G_DECLARE_FINAL_TYPE(GstHeapBufferPool, gst_heap_buffer_pool, GST, HEAP_BUFFER_POOL, GstBufferPool)

/**
 * GstHeapBufferPool:element:
 *
 * The element whose messages the pool's errors and reports become. It is not kept alive.
 *
 * Since: 0.1
 */

/**
 * GstHeapBufferPool:heap:
 *
 * The node in `/dev/dma_heap` that the buffers come from; %NULL before the first allocation.
 *
 * Since: 0.1
 */

/**
 * GstHeapBufferPool:starvation-timeout:
 *
 * After how many milliseconds without a free buffer it is reported where the buffers are: as a
 * warning of the debug log and, when #GstHeapBufferPool:element is set and playing, as a warning
 * message whose details are a `heapflow-pool-starved` structure. 0 never reports.
 *
 * Since: 0.1
 */

/**
 * GstHeapBufferPool:stats:
 *
 * `heap-buffer-pool-stats`, with the fields `held` (#guint: buffers that somebody has), `fenced`
 * (#guint: that came back and a device still works on), `fence-waits` (#guint64: how often a
 * buffer was waited for because of a fence) and `starvations` (#guint64: how often the time-out
 * passed).
 *
 * Since: 0.1
 */

/**
 * GST_BUFFER_POOL_OPTION_HEAP_MEMORY_PER_PLANE:
 *
 * Option of the pool's configuration: a frame is one #GstMemory for each plane, each with a dma-buf
 * of its own, as importers of V4L2's formats of several planes (`NM12`) want it.
 *
 * Since: 0.1
 */
#define GST_BUFFER_POOL_OPTION_HEAP_MEMORY_PER_PLANE "GstBufferPoolOptionHeapMemoryPerPlane"

/**
 * GstHeapBufferPoolFlags:
 * @GST_HEAP_BUFFER_POOL_FLAG_NONE: one dma-buf for each frame
 * @GST_HEAP_BUFFER_POOL_FLAG_MEMORY_PER_PLANE: one for each plane of a frame
 *
 * Flags of gst_heap_buffer_pool_configure().
 *
 * Since: 0.1
 */
typedef enum /*< flags >*/ {
	GST_HEAP_BUFFER_POOL_FLAG_NONE = 0,
	GST_HEAP_BUFFER_POOL_FLAG_MEMORY_PER_PLANE = 1 << 0,
} GstHeapBufferPoolFlags;

#define GST_TYPE_HEAP_BUFFER_POOL_FLAGS (gst_heap_buffer_pool_flags_get_type())
GST_HEAP_API
GType gst_heap_buffer_pool_flags_get_type(void);

/**
 * gst_heap_buffer_pool_new:
 * @expression: a heap expression: names, globs, `default` or conditions, separated by `:`, the
 *   preferred one first
 * @error: (nullable): return location for a #GError
 *
 * A pool in the first heap of @expression in which all minimum buffers fit. Which one that is is
 * settled at activation, and does not change any more: heaps are never mixed.
 *
 * Returns: (transfer full) (nullable): a #GstHeapBufferPool, or %NULL with @error set as by
 *   gst_heap_allocator_get()
 *
 * Since: 0.1
 */
GST_HEAP_API
GstBufferPool *gst_heap_buffer_pool_new(const gchar *expression, GError **error);

/**
 * gst_heap_buffer_pool_new_with_allocator:
 * @allocator: where buffers come from
 *
 * Returns: (transfer full): a #GstHeapBufferPool
 *
 * Since: 0.1
 */
GST_HEAP_API
GstBufferPool *gst_heap_buffer_pool_new_with_allocator(GstHeapAllocator *allocator);

/**
 * gst_heap_buffer_pool_configure:
 * @self: a pool that is not active
 * @caps: fixed raw caps, or DMA_DRM caps of the linear modifier
 * @min_buffers: buffers taken at activation
 * @max_buffers: buffers at most; 0 for no limit
 * @alignment: (nullable): padding and the alignment of lines
 * @flags: how frames lie in memory
 * @error: (nullable): return location for a #GError
 *
 * Sets a configuration for frames of @caps, with #GstVideoMeta, and with the exact size of the
 * frame: that of the pool's configuration afterwards. An element that was offered the pool may set
 * a configuration of its own with gst_buffer_pool_set_config().
 *
 * Returns: %FALSE with @error set when @caps have no layout that is known, @alignment cannot be
 *   met, or the pool is active
 *
 * Since: 0.1
 */
GST_HEAP_API
gboolean gst_heap_buffer_pool_configure(GstHeapBufferPool *self, GstCaps *caps, guint min_buffers,
					guint max_buffers, const GstVideoAlignment *alignment,
					GstHeapBufferPoolFlags flags, GError **error);

/**
 * gst_heap_buffer_pool_activate:
 * @self: a configured pool
 * @error: (nullable): return location for a #GError
 *
 * Like gst_buffer_pool_set_active() with %TRUE, and says why it fails.
 *
 * Returns: %FALSE with @error set when the buffers cannot be had; then none was kept
 *
 * Since: 0.1
 */
GST_HEAP_API
gboolean gst_heap_buffer_pool_activate(GstHeapBufferPool *self, GError **error);

G_END_DECLS
