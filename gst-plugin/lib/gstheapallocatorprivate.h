/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the plugin does with the allocator beyond the public functions; not installed. */
#pragma once

#include "gst/heap/gstheapallocator.h"

#include "heapflow/heap/heap_choice.h"

#include <string>
#include <vector>

/**
 * \brief An allocator for the heaps of a choice, which no registry knows
 *
 * The first allocation settles the heap: the first match in which it fits. All later ones come
 * from the same heap, so that the buffers of one stream are never mixed.
 *
 * \param[in] name What the dma-bufs are called in /proc/PID/fdinfo
 */
GST_HEAP_API GstAllocator *gst_heap_allocator_new(heapflow::HeapChoice choice, std::string name);

/**
 * \brief Take `count` buffers of `size` bytes now, all from one heap, for alloc() to hand out
 *
 * Either all of them or none. \return sentences about heaps that did not serve
 */
GST_HEAP_API heapflow::Result<std::vector<heapflow::HeapFallback>>
gst_heap_allocator_reserve(GstHeapAllocator *self, size_t count, gsize size);

/** \brief Give back what was reserved and not handed out */
GST_HEAP_API void gst_heap_allocator_drop_reserve(GstHeapAllocator *self);

/**
 * \brief GstMemory for a dma-buf of `heap` that somebody else allocated; the descriptor is taken
 *
 * `size` is the exact size of what is in it and `maxsize` that of the dma-buf (invariant 11).
 */
GST_HEAP_API GstMemory *gst_heap_allocator_wrap(GstHeapAllocator *self, heapflow::UniqueFd fd,
						const heapflow::Heap &heap, gsize maxsize,
						gsize size);

/** \brief Name of the heap settled on; empty before the first allocation */
GST_HEAP_API std::string gst_heap_allocator_get_heap(GstHeapAllocator *self);

/** \brief Why the last alloc() returned nothing */
GST_HEAP_API heapflow::Error gst_heap_allocator_get_last_error(GstHeapAllocator *self);
