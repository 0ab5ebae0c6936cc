/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The heaps that the elements allocate from when nobody says any, and the allocator of libgstheap.
 */
#pragma once

#include "gstheapallocatorprivate.h"

namespace heapflow::gst
{

/** \brief What the elements' property `heap` is when nobody sets it: memory set aside for video,
 * else contiguous memory, else any */
inline constexpr const char *defaultHeapExpression = "video@*:default:system";

} /* namespace heapflow::gst */
