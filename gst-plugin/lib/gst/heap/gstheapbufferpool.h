/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Video buffer pool in memory of a chosen heap. */
#pragma once

#include <gst/heap/gstheapallocator.h>
#include <gst/heap/heap-prelude.h>

#include <gst/video/video.h>

G_BEGIN_DECLS

#define GST_TYPE_HEAP_BUFFER_POOL (gst_heap_buffer_pool_get_type())

/**
 * GstHeapBufferPool:
 *
 * Video frames in dma-bufs of a heap.
 *
 * Supports #GstVideoMeta and video alignment, with raw and with linear DMA_DRM caps. Whatever
 * allocator a configuration names, buffers come from the pool's own: it was offered for its memory.
 * All minimum buffers are taken at activation, or none.
 *
 * Since: 0.1
 */
GST_HEAP_API
G_DECLARE_FINAL_TYPE(GstHeapBufferPool, gst_heap_buffer_pool, GST, HEAP_BUFFER_POOL, GstBufferPool)

G_END_DECLS
