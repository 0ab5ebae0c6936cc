/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sink element: dma-bufs on a screen, by atomic KMS. */
#pragma once

#include <gst/video/gstvideosink.h>

G_BEGIN_DECLS

#define GST_TYPE_HEAP_KMS_SINK (gst_heap_kms_sink_get_type())
G_DECLARE_FINAL_TYPE(GstHeapKmsSink, gst_heap_kms_sink, GST, HEAP_KMS_SINK, GstVideoSink)

GST_ELEMENT_REGISTER_DECLARE(heapkmssink)

G_END_DECLS
