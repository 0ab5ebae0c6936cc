/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What heapkmssink.cpp and its properties share. */
#pragma once

#include "gstheapallocator.h"
#include "gstheapformat.h"
#include "gstheapframecopy.h"
#include "gstheapkmssink.h"
#include "gstheapplanquery.h"
#include "gstheapscanout.h"
#include "gstheapzerocopy.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <gst/video/videooverlay.h>

namespace heapflow::gst
{

/** \brief What happens to frames that cannot be scanned out as they come */
enum class CopyPolicy { Never, Allow };

/*
 * Everything that is not a GObject. The mutex guards all but what is the streaming thread's: from
 * `format` on.
 */
struct KmsSink {
	explicit KmsSink(GstElement *element) : contract(element, ContractScope::ToSink) {}

	ZeroCopyContract contract;
	std::mutex mutex;
	ScreenOptions options;
	gint connectorId = -1;
	bool forceModesetting = false;
	bool skipVsync = false; /* accepted from kmssink; there is nothing to skip */
	bool releaseFences = true;
	LayerOptions layer; /* as the properties say */
	GstVideoOrientationMethod rotateMethod = GST_VIDEO_ORIENTATION_IDENTITY;
	GstVideoOrientationMethod taggedRotation = GST_VIDEO_ORIENTATION_IDENTITY;
	GstStructure *planeProperties = nullptr;
	GstStructure *connectorProperties = nullptr;
	CopyPolicy copy = CopyPolicy::Never;
	std::string heap = defaultHeapExpression;
	bool asked = false; /* for a pool, by upstream */
	Error whyNoPool;    /* of the last query; code 0: there was one */
	std::string screenshotLocation;
	std::shared_ptr<Scanout> scanout;
	GstStructure *lastStatistics = nullptr; /* of the run before, since it stopped */
	GstStructure *lastPlan = nullptr;
	guint64 renderedBefore = 0; /* see gst_heap_kms_sink_carry_counts() */
	guint64 droppedBefore = 0;
	bool layerChanged = false; /* to be handed to the screen before the next frame */

	std::optional<FrameFormat> format;
	GstCaps *caps = nullptr;
	std::optional<HdrMetadata> hdr;
	FrameCopier copier;
	GstBuffer *prerolled = nullptr; /* that was copied, while the pipeline is paused */
	bool statsPosted = false;
	bool copySaid = false;
	bool earlierCopySaid = false;
	bool overdueSaid = false;
	GstClockTime renderDelay = 0;
};

} /* namespace heapflow::gst */

GST_DEBUG_CATEGORY_EXTERN(gst_heap_kms_sink_debug);

struct _GstHeapKmsSink {
	GstVideoSink parent;
	heapflow::gst::KmsSink *sink;
};

void gst_heap_kms_sink_install_properties(GObjectClass *object);

/** \brief The present counts or, once it stopped, the last; the caller frees them */
GstStructure *gst_heap_kms_sink_statistics(GstHeapKmsSink *self);

/** \brief Keep what was counted before GstBaseSink forgets it: at segments, flushes and pauses */
void gst_heap_kms_sink_carry_counts(GstHeapKmsSink *self);
/** \brief What was counted can still be read in READY and NULL */
void gst_heap_kms_sink_keep_statistics(GstHeapKmsSink *self);
/** \brief A new run begins */
void gst_heap_kms_sink_forget_statistics(GstHeapKmsSink *self);
/** \brief As an element message */
void gst_heap_kms_sink_post_statistics(GstHeapKmsSink *self);

/** \brief Handles a property of the layer; false when it is none */
bool gst_heap_kms_sink_set_layer_property(GstHeapKmsSink *self, const char *name,
					  const GValue *value);
bool gst_heap_kms_sink_get_layer_property(GstHeapKmsSink *self, const char *name, GValue *value);
void gst_heap_kms_sink_install_layer_properties(GObjectClass *object, guint firstId);

/** \brief The screen, while the element is not in NULL */
std::shared_ptr<heapflow::gst::Scanout> gst_heap_kms_sink_scanout(GstHeapKmsSink *self);

/** \brief Tell the pipeline how long before its time a frame is needed: one refresh period */
void gst_heap_kms_sink_set_latency(GstHeapKmsSink *self, heapflow::gst::Scanout &scanout);

/** \brief Take over what changed in the layer's properties, tags and caps */
void gst_heap_kms_sink_update_layer(GstHeapKmsSink *self, heapflow::gst::Scanout &scanout);
void gst_heap_kms_sink_overlay_init(GstVideoOverlayInterface *interface);

/* gstheapkmssink_allocation.cpp */
/** \brief What the display wants of frames of this format and size */
heapflow::gst::DisplayTerms gst_heap_kms_sink_terms(GstHeapKmsSink *self,
						    heapflow::gst::Scanout &scanout,
						    uint32_t fourcc, uint32_t width,
						    uint32_t height);
gboolean gst_heap_kms_sink_propose_allocation(GstBaseSink *base, GstQuery *query);

/* gstheapkmssink_frames.cpp: the streaming thread */
GstFlowReturn gst_heap_kms_sink_render_frame(GstHeapKmsSink *self, GstBuffer *buffer);
