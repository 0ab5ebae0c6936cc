/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A source pad of heapcamerasrc: one stream of the camera. */
#pragma once

#include "gstheapcamerasession.h"
#include "gstheaptiming.h"

#include <atomic>
#include <memory>
#include <mutex>

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_HEAP_CAMERA_PAD (gst_heap_camera_pad_get_type())
G_DECLARE_FINAL_TYPE(GstHeapCameraPad, gst_heap_camera_pad, GST, HEAP_CAMERA_PAD, GstPad)

G_END_DECLS

namespace heapflow::gst
{

struct CapsUnref {
	void operator()(GstCaps *caps) const { gst_caps_unref(caps); }
};
/** \brief A reference to caps */
using Caps = std::unique_ptr<GstCaps, CapsUnref>;

/** \brief What becomes of frames that wait while downstream is busy */
enum class FramePolicy { EveryFrame, LatestFrame };

/** \brief Everything of a pad that is not GStreamer's */
struct CameraPad {
	/* Properties; any thread. */
	std::atomic<StreamRole> role = StreamRole::Viewfinder;
	std::atomic<FramePolicy> policy = FramePolicy::EveryFrame;

	std::atomic<bool> flushing = true; /* nobody is to wait for a frame */
	std::atomic<bool> ended = false;   /* EOS is to be sent */
	std::atomic<unsigned> stream = 0;  /* of the camera; set by negotiation */

	std::mutex planMutex; /* guards `plan` */
	GstStructure *plan = nullptr;

	std::mutex taskMutex; /* guards `active`, and starting the task of a request pad */
	bool active = false;

	/* The streaming thread's, and negotiation's while that does not run. */
	bool configured = false; /* has a stream */
	Caps caps;               /* that it was configured with */
	bool tagPending = false;
	bool starving = false; /* said so */
	FrameStamper stamper;
	uint64_t pushed = 0;
	uint64_t lost = 0;   /* by the camera */
	uint64_t passed = 0; /* over, for a later one */
};

/** \brief The tag event that says how the pictures must be turned to be upright */
GstEvent *orientationTag(Orientation orientation);

} /* namespace heapflow::gst */

heapflow::gst::CameraPad &gst_heap_camera_pad_state(GstHeapCameraPad *self);
/** \brief What was settled for the pad's stream, null: nothing yet; any thread */
void gst_heap_camera_pad_set_plan(GstHeapCameraPad *self, const GstStructure *plan);
GType gst_heap_camera_stream_role_get_type();
GType gst_heap_camera_frame_policy_get_type();
