/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pools of libgstheap, made to be offered in ALLOCATION queries. */
#pragma once

#include "heapflow/heap/heap_choice.h"
#include "heapflow/heap/heap_probe.h"

#include "gstheapallocator.h"
#include "gstheapbufferpoolprivate.h"

#include <string>
#include <vector>

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
 * \param[in] memoryPerPlane A dma-buf for each plane: wantsMemoryPerPlane()
 *
 * Errors: EINVAL caps whose planes nobody can lay out, and what the choice says.
 */
Result<PoolOffer> offerHeapPool(GstElement *element, const std::string &heapExpression,
				GstCaps *caps, guint minimum, const GstVideoAlignment *alignment,
				const std::vector<MemoryProbe *> &probes = {},
				bool memoryPerPlane = false);

} /* namespace heapflow::gst */
