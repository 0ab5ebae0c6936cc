/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_HEAP_TRACER (gst_heap_tracer_get_type())
G_DECLARE_FINAL_TYPE(GstHeapTracer, gst_heap_tracer, GST, HEAP_TRACER, GstTracer)

gboolean gst_heap_tracer_register(GstPlugin *plugin);

G_END_DECLS
