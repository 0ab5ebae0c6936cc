/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Video buffer pool in memory of a chosen heap, to be offered in ALLOCATION queries. */
#pragma once

#include "heapflow/heap/heap_choice.h"
#include "heapflow/heap/heap_probe.h"

#include "gstheapallocator.h"

#include <string>
#include <vector>

#include <gst/video/video.h>

G_BEGIN_DECLS

#define GST_TYPE_HEAP_BUFFER_POOL (gst_heap_buffer_pool_get_type())
G_DECLARE_FINAL_TYPE(GstHeapBufferPool, gst_heap_buffer_pool, GST, HEAP_BUFFER_POOL, GstBufferPool)

G_END_DECLS

/**
 * \brief A pool of one dma-buf per frame
 *
 * Supports GstVideoMeta and video alignment, with raw and with linear DMA_DRM caps. Whatever
 * allocator a configuration names, buffers come from this one: the pool was offered for its memory.
 * All minimum buffers are taken at activation, or none.
 *
 * \param[in] element Gets an error message, with the numbers, when memory runs out; not kept alive
 */
GstBufferPool *gst_heap_buffer_pool_new(GstHeapAllocator *allocator, GstElement *element);

namespace heapflow::gst
{

/** \brief A pool with its exact frame size, as it goes into an ALLOCATION query */
struct PoolOffer {
	GstBufferPool *pool = nullptr; /**< owned by whoever holds the offer */
	guint size = 0;
};

/**
 * \brief A configured pool for frames of `caps`
 *
 * The size is the exact one of the video frame, aligned as asked: v4l2src refuses a pool whose size
 * is any other, so page rounding stays in GstMemory::maxsize (invariant 11).
 *
 * \param[in] alignment Padding and stride alignment that the consumer needs; null for none
 * \param[in] probes Devices that are asked when the expression leaves the heap to them (`auto`)
 *
 * Errors: EINVAL caps whose planes nobody can lay out, and what the choice says.
 */
Result<PoolOffer> offerHeapPool(GstElement *element, const std::string &heapExpression,
				GstCaps *caps, guint minimum, const GstVideoAlignment *alignment,
				const std::vector<MemoryProbe *> &probes = {});

} /* namespace heapflow::gst */
