/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GstAllocator whose memory is dma-bufs of a chosen heap. */
#pragma once

#include <gst/allocators/gstdmabuf.h>
#include <gst/heap/heap-prelude.h>

G_BEGIN_DECLS

#define GST_TYPE_HEAP_ALLOCATOR (gst_heap_allocator_get_type())

/**
 * GstHeapAllocator:
 *
 * Allocates dma-bufs from a heap of /dev/dma_heap.
 *
 * Any pool may allocate from it (%GST_ALLOCATOR_FLAG_CUSTOM_ALLOC is unset), and GStreamer never
 * takes it for copies of its own (%GST_ALLOCATOR_FLAG_NO_COPY is set). Any thread may allocate.
 *
 * Since: 0.1
 */
GST_HEAP_API
G_DECLARE_FINAL_TYPE(GstHeapAllocator, gst_heap_allocator, GST, HEAP_ALLOCATOR, GstDmaBufAllocator)

G_END_DECLS
