/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the plugin does with the pool beyond the public functions; not installed. */
#pragma once

#include "gst/heap/gstheapbufferpool.h"

#include "gstheapallocatorprivate.h"

/**
 * \brief A pool in the memory of `allocator`
 *
 * \param[in] element Gets an error message, with the numbers, when memory runs out, and a warning
 * when the pool starves; not kept alive
 */
GST_HEAP_API GstBufferPool *gst_heap_buffer_pool_new_for_element(GstHeapAllocator *allocator,
								 GstElement *element);
