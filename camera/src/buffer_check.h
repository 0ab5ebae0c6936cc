/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Are these the buffers that a camera asked for? */
#pragma once

#include "heapflow/camera/camera.h"

#include <span>
#include <string_view>

namespace heapflow
{

/**
 * \brief Invariants 2 and 3, before a driver or libcamera sees the buffers
 *
 * libcamera aborts the process on a plane that is larger than its dma-buf, and neither it nor V4L2
 * notices one dma-buf in two slots, where one frame overwrites the other.
 *
 * Errors: EINVAL the count is not the configured one, a buffer is too small, or stands twice.
 */
Result<void> checkBuffers(std::span<const Buffer> buffers,
			  const CaptureConfiguration &configuration, std::string_view camera);

} /* namespace heapflow */
