/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of heapcamerasrc share. */
#pragma once

#include "gstheapcamerapad.h"
#include "gstheapcamerasession.h"
#include "gstheapcamerasrc.h"
#include "gstheaptiming.h"
#include "gstheapzerocopy.h"

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace heapflow::gst
{

/**
 * Everything that is not a GObject.
 *
 * The streaming thread of the pad `src` leads: it opens the camera again when that was gone,
 * negotiates for all pads, and starts and stops the threads of the others.
 */
struct CameraSource {
	explicit CameraSource(GstElement *element) : contract(element, ContractScope::FromSource) {}

	ZeroCopyContract contract;
	std::mutex mutex; /* guards what follows, up to the blank line */
	CameraSelector selector;
	std::string heap = defaultHeapExpression;
	bool heapGiven = false;
	BufferMode bufferMode = BufferMode::Auto;
	unsigned bufferCount = 0;
	Result<SensorRequest> sensor; /* an error when what was set is none */
	std::string tuningFile;
	bool waitForCamera = false;
	std::map<std::string, std::pair<std::string, ControlValue>>
		controls;       /* set so far, with the name as it was given, by controlKey() */
	FrameControls reported; /* with the last frame */
	uint64_t heapBytes = 0;
	LatencyEstimate latency;
	int64_t playingSince = 0; /* ns, CLOCK_MONOTONIC; 0: not playing */
	std::shared_ptr<CameraSession> session;
	std::condition_variable woken; /* whoever waits for the camera is to look again */

	/* The leading thread's. */
	std::vector<GstHeapCameraPad *> others; /* with a stream; a reference to each */
	std::string cameraId;                   /* the one that was opened first */
	int64_t lastFailure = 0;                /* ns, CLOCK_MONOTONIC, after which it went on */
	std::atomic<bool> noFrameSince = false; /* any pad's thread takes it back */
	bool putAway = false;                   /* it was there, and of no use yet */
	std::atomic<bool> streamBegins = false; /* see gst_heap_camera_src_begin_stream() */
};

/* What waitForFrame() ends with when the formats are to be settled anew. */
constexpr int negotiateAgain = ERESTART;

} /* namespace heapflow::gst */

struct _GstHeapCameraSrc {
	GstPushSrc parent;
	heapflow::gst::CameraSource *source;
};

GST_DEBUG_CATEGORY_EXTERN(gst_heap_camera_src_debug);

/* gstheapcamerasrc.cpp */
std::shared_ptr<heapflow::gst::CameraSession> gst_heap_camera_src_session(GstHeapCameraSrc *self);
heapflow::Result<void> gst_heap_camera_src_open(GstHeapCameraSrc *self);
void gst_heap_camera_src_warn(GstHeapCameraSrc *self, const std::vector<std::string> &notes);

/* gstheapcamerasrc_negotiation.cpp */
gboolean gst_heap_camera_src_negotiate(GstBaseSrc *base);
gboolean gst_heap_camera_src_decide_allocation(GstBaseSrc *base, GstQuery *query);
GstCaps *gst_heap_camera_src_get_caps(GstBaseSrc *base, GstCaps *filter);
void gst_heap_camera_src_publish_plan(GstHeapCameraSrc *self);

/* gstheapcamerasrc_frames.cpp */
/* The next frame for a pad, as its buffer. Errors: ECANCELED flushing, negotiateAgain. */
heapflow::Result<GstBuffer *> gst_heap_camera_src_next_buffer(GstHeapCameraSrc *self,
							      GstHeapCameraPad *pad);
/* If such a camera is to be waited for: let go of it. */
bool gst_heap_camera_src_put_away(GstHeapCameraSrc *self, const heapflow::Error &error);
/* Wait for a camera that is not there. Errors: ECANCELED flushing. */
heapflow::Result<void> gst_heap_camera_src_await_camera(GstHeapCameraSrc *self);

/* gstheapcamerasrc_streams.cpp */
/** \brief A stream begins, or has begun; any thread */
void gst_heap_camera_src_begin_stream(GstHeapCameraSrc *self, bool beginning);
GstPad *gst_heap_camera_src_request_pad(GstElement *element, GstPadTemplate *wanted,
					const gchar *name, const GstCaps *caps);
void gst_heap_camera_src_release_pad(GstElement *element, GstPad *pad);
/* Pads other than `src` that are linked; the caller unrefs them. */
std::vector<GstHeapCameraPad *> gst_heap_camera_src_linked_pads(GstHeapCameraSrc *self);
bool gst_heap_camera_src_pads_changed(GstHeapCameraSrc *self);
void gst_heap_camera_src_start_others(GstHeapCameraSrc *self);
void gst_heap_camera_src_stop_others(GstHeapCameraSrc *self);
void gst_heap_camera_src_end_others(GstHeapCameraSrc *self);

/* gstheapcamerasrc_properties.cpp */
void gst_heap_camera_src_install_properties(GObjectClass *object);

/* gstheapcamerasrc_controls.cpp */
/* Numbers of the properties that are controls begin here. */
constexpr guint firstControlProperty = 1000;
void gst_heap_camera_src_install_controls(GObjectClass *object);
void gst_heap_camera_src_set_control(GstHeapCameraSrc *self, guint id, const GValue *value);
void gst_heap_camera_src_get_control(GstHeapCameraSrc *self, guint id, GValue *value);
void gst_heap_camera_src_set_controls(GstHeapCameraSrc *self, const GstStructure *structure);
GstStructure *gst_heap_camera_src_list_controls(GstHeapCameraSrc *self);
/* Controls that a GstController drives, as they are to be at the time of this frame. */
void gst_heap_camera_src_follow_bindings(GstHeapCameraSrc *self, GstBuffer *frame);
/* What was set before the camera was there. */
heapflow::Result<void> gst_heap_camera_src_apply_controls(GstHeapCameraSrc *self);
