/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What heapcamerasrc writes into the meta, and applications read by functions. */
#pragma once

#include "gst/heap/gstheapcamerameta.h"

#include "heapflow/camera/control.h"

struct _GstHeapCameraMetaPrivate {
	heapflow::FrameControls controls; /* keeps its capacity from frame to frame */
};
