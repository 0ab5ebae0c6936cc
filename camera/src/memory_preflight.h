/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks the V4L2 nodes behind a camera of libcamera whether they take the memory of a buffer. */
#pragma once

#include "heapflow/heap/buffer.h"

#include <set>
#include <string_view>

#include <sys/types.h>

namespace heapflow
{

/**
 * \brief Before libcamera sees the buffer
 *
 * libcamera tells that a driver refuses memory by cancelled requests, and up to 0.5 aborts when it
 * is stopped after that (V4L2VideoDevice::streamOff() asserts that no slot is in use). Nodes that
 * do not answer, or that other memory would not fit either, are passed over.
 *
 * Errors: EFAULT a node refuses the memory.
 */
Result<void> checkMemory(const std::set<dev_t> &nodes, const Buffer &buffer,
			 std::string_view camera);

} /* namespace heapflow */
