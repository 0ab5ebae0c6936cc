/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GstAllocator whose memory is dma-bufs of a chosen heap. */
#pragma once

#include <gst/allocators/gstdmabuf.h>
#include <gst/heap/heap-prelude.h>

G_BEGIN_DECLS

/**
 * SECTION:gstheapallocator
 * @title: GstHeapAllocator
 * @short_description: dma-bufs of a heap that is chosen by name
 * @see_also: #GstDmaBufAllocator, #GstHeapBufferPool
 *
 * The memory behind `/dev/dma_heap`, for any element and any pool.
 *
 * There is one shared allocator for each region of memory. It is in GStreamer's registry of
 * allocators under `heap:NAME`, for each name that the region has on this system: where
 * `default_cma_region` and `linux,cma` are the same memory, `heap:default_cma_region` and
 * `heap:linux,cma` are the same allocator. They are registered by gst_heap_allocator_get() and
 * gst_heap_allocator_register_all(); an application that only uses gst_allocator_find() calls the
 * latter once.
 *
 * |[<!-- language="C" -->
 * GError *error = NULL;
 * GstAllocator *allocator = gst_heap_allocator_get ("video@*:default", &error);
 * if (!allocator)
 *   g_printerr ("%s\n", error->message);
 * ]|
 *
 * Its memory is #GstDmaBufAllocator memory, which all of GStreamer imports, and has
 * %GST_MEMORY_FLAG_PHYSICALLY_CONTIGUOUS where the region is known to be contiguous, and
 * %GST_MEMORY_FLAG_NOT_MAPPABLE where no CPU may look at it.
 *
 * Since: 0.1
 */

#define GST_TYPE_HEAP_ALLOCATOR (gst_heap_allocator_get_type())

/**
 * GstHeapAllocator:
 *
 * Allocates dma-bufs from a heap of `/dev/dma_heap`.
 *
 * Any pool may allocate from it (%GST_ALLOCATOR_FLAG_CUSTOM_ALLOC is unset), and GStreamer never
 * takes it for copies of its own (%GST_ALLOCATOR_FLAG_NO_COPY is set). Any thread may allocate.
 *
 * Since: 0.1
 */
GST_HEAP_API
G_DECLARE_FINAL_TYPE(GstHeapAllocator, gst_heap_allocator, GST, HEAP_ALLOCATOR, GstDmaBufAllocator)

/**
 * gst_heap_allocator_get:
 * @expression: a heap expression: names, globs, `default` or conditions, separated by `:`, the
 *   preferred one first
 * @error: (nullable): return location for a #GError
 *
 * The shared allocator of the region that @expression chooses on this system. Nothing is opened
 * before the first allocation, and nothing else is tried when the region is full: who wants that
 * uses gst_heap_buffer_pool_new().
 *
 * Errors are of the domain %GST_RESOURCE_ERROR: %GST_RESOURCE_ERROR_NOT_FOUND when no heap matches,
 * with the heaps that exist in the message; %GST_RESOURCE_ERROR_OPEN_READ_WRITE when one matches
 * and may not be opened; %GST_RESOURCE_ERROR_SETTINGS when @expression cannot be read.
 *
 * Returns: (transfer full) (nullable): a #GstHeapAllocator, or %NULL with @error set
 *
 * Since: 0.1
 */
GST_HEAP_API
GstAllocator *gst_heap_allocator_get(const gchar *expression, GError **error);

/**
 * gst_heap_allocator_register_all:
 * @error: (nullable): return location for a #GError
 *
 * Registers the shared allocators of all regions of this system, so that gst_allocator_find()
 * finds them. Calling it again adds what has appeared since.
 *
 * Returns: (transfer full) (array zero-terminated=1) (nullable): all the names, sorted; %NULL with
 *   @error set when the heaps cannot be listed
 *
 * Since: 0.1
 */
GST_HEAP_API
gchar **gst_heap_allocator_register_all(GError **error);

/**
 * gst_heap_allocator_alloc:
 * @self: the allocator
 * @size: bytes
 * @params: (nullable): prefix, padding, alignment of up to a page, and flags
 * @error: (nullable): return location for a #GError
 *
 * Like gst_allocator_alloc(), and says why when there is no memory: how much was wanted, is free,
 * and is free in one piece, and what to do next. %GST_RESOURCE_ERROR_NO_SPACE_LEFT then.
 *
 * The memory is zeroed by the kernel. Its size is @size, and its maximal size whole pages.
 *
 * Returns: (transfer full) (nullable): the memory, or %NULL with @error set
 *
 * Since: 0.1
 */
GST_HEAP_API
GstMemory *gst_heap_allocator_alloc(GstHeapAllocator *self, gsize size,
				    const GstAllocationParams *params, GError **error);

/**
 * gst_heap_allocator_dup_heap_name:
 * @self: the allocator
 *
 * The allocator of a pool settles on one heap when it allocates for the first time; a shared one
 * has always settled.
 *
 * Returns: (transfer full) (nullable): the node in `/dev/dma_heap`, or %NULL before it is settled
 *
 * Since: 0.1
 */
GST_HEAP_API
gchar *gst_heap_allocator_dup_heap_name(GstHeapAllocator *self);

/**
 * gst_heap_allocator_get_space:
 * @self: the allocator
 * @total: (out) (optional): bytes of the region; 0 for `system`, which is no region
 * @available: (out) (optional): bytes that can be had now
 *
 * How much memory there is, as the kernel says at this moment.
 *
 * Returns: %FALSE when that is not known, or no heap is settled on
 *
 * Since: 0.1
 */
GST_HEAP_API
gboolean gst_heap_allocator_get_space(GstHeapAllocator *self, guint64 *total, guint64 *available);

/**
 * gst_is_heap_memory:
 * @memory: any memory
 *
 * Returns: whether a #GstHeapAllocator made or wrapped it
 *
 * Since: 0.1
 */
GST_HEAP_API
gboolean gst_is_heap_memory(GstMemory *memory);

/**
 * gst_heap_memory_dup_heap_name:
 * @memory: any memory
 *
 * Returns: (transfer full) (nullable): the node in `/dev/dma_heap` that it came from, or %NULL when
 *   it is not from a #GstHeapAllocator
 *
 * Since: 0.1
 */
GST_HEAP_API
gchar *gst_heap_memory_dup_heap_name(GstMemory *memory);

G_END_DECLS
