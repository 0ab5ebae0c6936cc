/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a V4L2 camera puts a frame into one dma-buf, or into one for each plane. */
#pragma once

#include "heapflow/heap/error.h"

#include <cstdint>
#include <string>

namespace heapflow
{

/**
 * \brief Does the camera have this format with each plane in a buffer of its own?
 *
 * Those are V4L2_PIX_FMT_NV12M and the like, of the multi-planar API. The node may be in use;
 * nothing is set.
 *
 * \param[in] fourcc DRM_FORMAT_*
 *
 * Errors: those of opening the node: ENOENT, EACCES, EBUSY, ENODEV not a camera.
 */
Result<bool> v4l2HasBufferPerPlane(const std::string &node, uint32_t fourcc);

} /* namespace heapflow */
