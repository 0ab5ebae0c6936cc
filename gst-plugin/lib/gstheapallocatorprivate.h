/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the plugin does with the allocator beyond the public functions; not installed. */
#pragma once

#include "gst/heap/gstheapallocator.h"

#include "heapflow/heap/heap_choice.h"

#include <span>
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

/** \brief Gets an error message when a CPU maps memory that is protected; not kept alive */
void gst_heap_allocator_set_element(GstHeapAllocator *self, GstElement *element);

/**
 * \brief Buffers of these sizes, all from one heap, or none
 *
 * Settles the heap as an allocation does; `fallbacks` says which heaps did not serve.
 */
GST_HEAP_API heapflow::Result<heapflow::AllocatedBuffers>
gst_heap_allocator_take(GstHeapAllocator *self, std::span<const uint64_t> sizes);

/**
 * \brief GstMemory for a dma-buf of `heap`, whoever allocated it; the descriptor is taken
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

/** \brief Settle on the heap that the choice takes, without opening it: for the shared allocators
 */
void gst_heap_allocator_settle(GstHeapAllocator *self);
