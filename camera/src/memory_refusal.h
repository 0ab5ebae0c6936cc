/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why a camera will not take the memory of a heap, in words that help. */
#pragma once

#include "heapflow/heap/error.h"
#include "heapflow/heap/heap.h"

#include <string_view>
#include <vector>

namespace heapflow
{

/**
 * \brief The Error for refused memory; pure
 *
 * \param[in] code errno of the driver; EFAULT is what videobuf2 gives for memory that is not
 * contiguous for the device, and for memory that it cannot map
 * \param[in] heaps All heaps of the system, to name those that may do
 */
Error describeRefusal(int code, std::string_view camera, std::string_view heap,
		      const std::vector<Heap> &heaps);

/** \brief describeRefusal() with the heaps of this system */
Error memoryRefused(int code, std::string_view camera, std::string_view heap);

} /* namespace heapflow */
