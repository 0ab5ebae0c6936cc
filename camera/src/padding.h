/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes that a driver wants after the picture. */
#pragma once

#include "heapflow/heap/error.h"
#include "heapflow/heap/frame_layout.h"

#include <cstdint>

namespace heapflow
{

/**
 * \brief Let the last plane reach to `size`, the bytes of a frame as the driver counts them
 *
 * Plane lengths have to add up to what the driver takes (invariant 2); 0 is "the driver does not
 * say".
 *
 * Errors: EINVAL the picture needs more than `size`.
 */
Result<void> padFrameLayout(FrameLayout &layout, uint64_t size);

/**
 * \brief The layout of MJPEG: one plane of the longest frame there can be, without lines
 *
 * \param[in] longest Bytes as the driver says; 0, it does not: as many as YUYV would take
 */
FrameLayout compressedLayout(uint32_t width, uint32_t height, uint32_t longest);

} /* namespace heapflow */
