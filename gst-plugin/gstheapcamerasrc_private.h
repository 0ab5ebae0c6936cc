/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What heapcamerasrc.cpp and its properties share. */
#pragma once

#include "gstheapcamerasession.h"
#include "gstheapcamerasrc.h"
#include "gstheaptiming.h"

#include <memory>
#include <mutex>
#include <string>

namespace heapflow::gst
{

/* Everything that is not a GObject; the mutex guards what properties and queries read. */
struct CameraSource {
	std::mutex mutex;
	std::string cameraName;
	std::string heap = defaultHeapExpression;
	unsigned bufferCount = 0;
	GstStructure *plan = nullptr;
	uint64_t heapBytes = 0;
	LatencyEstimate latency;
	int64_t playingSince = 0; /* ns, CLOCK_MONOTONIC */

	/* Opened and closed in state changes while nothing streams; otherwise the streaming
	 * thread's. */
	std::unique_ptr<CameraSession> session;
	FrameStamper stamper;
};

} /* namespace heapflow::gst */

struct _GstHeapCameraSrc {
	GstPushSrc parent;
	heapflow::gst::CameraSource *source;
};

void gst_heap_camera_src_install_properties(GObjectClass *object);
