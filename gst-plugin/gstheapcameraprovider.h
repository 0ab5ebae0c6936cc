/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists the cameras of heapcamerasrc, and tells of those that come and go. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_HEAP_CAMERA_PROVIDER (gst_heap_camera_provider_get_type())
G_DECLARE_FINAL_TYPE(GstHeapCameraProvider, gst_heap_camera_provider, GST, HEAP_CAMERA_PROVIDER,
		     GstDeviceProvider)

#define GST_TYPE_HEAP_CAMERA_DEVICE (gst_heap_camera_device_get_type())
G_DECLARE_FINAL_TYPE(GstHeapCameraDevice, gst_heap_camera_device, GST, HEAP_CAMERA_DEVICE,
		     GstDevice)

GST_DEVICE_PROVIDER_REGISTER_DECLARE(heapcameraprovider)

G_END_DECLS
