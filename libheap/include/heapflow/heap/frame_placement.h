/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which plane of a frame is in which dma-buf. */
#pragma once

#include "heapflow/heap/frame_layout.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace heapflow
{

/**
 * \brief The dma-bufs of one frame, and where its planes are in them
 *
 * All planes in one buffer is what libcamera and most V4L2 drivers take (NV12). V4L2's formats with
 * an M (NV12M) take a buffer for each plane. Strides are those of the layout in both cases.
 */
struct FramePlacement {
	struct Plane {
		size_t buffer = 0;   /**< index in `buffers` */
		uint32_t offset = 0; /**< bytes from the start of that dma-buf */

		bool operator==(const Plane &) const = default;
	};

	std::vector<uint64_t> buffers; /**< bytes of each; not rounded to pages */
	std::vector<Plane> planes;     /**< in the order of FrameLayout::planes */

	uint64_t size() const; /**< bytes of all buffers */
	bool operator==(const FramePlacement &) const = default;
};

/** \brief One dma-buf for the frame, as the layout says */
FramePlacement placeInOneBuffer(const FrameLayout &layout);

/** \brief A dma-buf for each plane, of the plane's length, at offset 0 */
FramePlacement placeEachPlane(const FrameLayout &layout);

/**
 * \brief Does each plane lie inside its buffer, and no two overlap?
 *
 * Errors: EINVAL with the plane and the numbers.
 */
Result<void> checkPlacement(const FrameLayout &layout, const FramePlacement &placement);

} /* namespace heapflow */
