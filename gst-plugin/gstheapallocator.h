/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GstAllocator whose memory is dma-bufs of a chosen heap. */
#pragma once

#include "heapflow/heap/heap_choice.h"

#include <string>
#include <vector>

#include <gst/allocators/gstdmabuf.h>

namespace heapflow::gst
{

/** \brief What the elements' property `heap` is when nobody sets it: memory set aside for video,
 * else contiguous memory, else any */
inline constexpr const char *defaultHeapExpression = "video@*:default:system";

} /* namespace heapflow::gst */

G_BEGIN_DECLS

#define GST_TYPE_HEAP_ALLOCATOR (gst_heap_allocator_get_type())
G_DECLARE_FINAL_TYPE(GstHeapAllocator, gst_heap_allocator, GST, HEAP_ALLOCATOR, GstDmaBufAllocator)

G_END_DECLS

/**
 * \brief An allocator for the heaps of a choice
 *
 * The first allocation settles the heap: the first match in which it fits. All later ones come
 * from the same heap, so that the buffers of one stream are never mixed. Any thread may allocate.
 *
 * Any pool may allocate from it (GST_ALLOCATOR_FLAG_CUSTOM_ALLOC is unset), and GStreamer never
 * takes it for copies of its own (GST_ALLOCATOR_FLAG_NO_COPY is set): invariant 12.
 *
 * \param[in] name What the dma-bufs are called in /proc/PID/fdinfo
 */
GstAllocator *gst_heap_allocator_new(heapflow::HeapChoice choice, std::string name);

/**
 * \brief Take `count` buffers of `size` bytes now, all from one heap, for alloc() to hand out
 *
 * Either all of them or none. \return sentences about heaps that did not serve
 */
heapflow::Result<std::vector<heapflow::HeapFallback>>
gst_heap_allocator_reserve(GstHeapAllocator *self, size_t count, gsize size);

/** \brief Give back what was reserved and not handed out */
void gst_heap_allocator_drop_reserve(GstHeapAllocator *self);

/**
 * \brief GstMemory for a dma-buf of `heap` that somebody else allocated; the descriptor is taken
 *
 * `size` is the exact size of what is in it and `maxsize` that of the dma-buf (invariant 11).
 */
GstMemory *gst_heap_allocator_wrap(GstHeapAllocator *self, heapflow::UniqueFd fd,
				   const heapflow::Heap &heap, gsize maxsize, gsize size);

/** \brief Name of the heap settled on; empty before the first allocation */
std::string gst_heap_allocator_get_heap(GstHeapAllocator *self);

/** \brief Why the last alloc() returned nothing */
heapflow::Error gst_heap_allocator_get_last_error(GstHeapAllocator *self);
