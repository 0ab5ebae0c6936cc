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
 * Errors: EINVAL the count is not the configured one, a buffer is smaller than the frame, whatever
 * it says of itself, or stands twice.
 */
Result<void> checkBuffers(std::span<const Buffer> buffers,
			  const CaptureConfiguration &configuration, std::string_view camera);

/**
 * \brief For libcamera, which learns only from its pipeline handler what it was given
 *
 * The handler of its virtual camera maps the buffers for writing, and aborts when that fails.
 *
 * Errors: EINVAL a descriptor is of no dma-buf; EACCES it is read-only and the CPU writes.
 */
Result<void> checkDescriptors(std::span<const Buffer> buffers, bool writtenByCpu,
			      std::string_view camera);

} /* namespace heapflow */
