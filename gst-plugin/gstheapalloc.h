/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filter element: makes whatever is upstream allocate in a chosen heap. */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_HEAP_ALLOC (gst_heap_alloc_get_type())
G_DECLARE_FINAL_TYPE(GstHeapAlloc, gst_heap_alloc, GST, HEAP_ALLOC, GstBaseTransform)

/** \brief pass, copy, refuse: the property mode */
GType gst_heap_alloc_mode_get_type();

GST_ELEMENT_REGISTER_DECLARE(heapalloc)

G_END_DECLS
