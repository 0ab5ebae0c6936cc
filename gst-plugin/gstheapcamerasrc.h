/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Source element: a camera that captures into dma-bufs of a chosen heap. */
#pragma once

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define GST_TYPE_HEAP_CAMERA_SRC (gst_heap_camera_src_get_type())
G_DECLARE_FINAL_TYPE(GstHeapCameraSrc, gst_heap_camera_src, GST, HEAP_CAMERA_SRC, GstPushSrc)

GST_ELEMENT_REGISTER_DECLARE(heapcamerasrc)

G_END_DECLS
