/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What heapkmssink.cpp and its properties share. */
#pragma once

#include "gstheapallocator.h"
#include "gstheapformat.h"
#include "gstheapkmssink.h"
#include "gstheapscanout.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace heapflow::gst
{

/* Everything that is not a GObject; the mutex guards all but `format`, the streaming thread's. */
struct KmsSink {
	std::mutex mutex;
	ScreenOptions options;
	gint connectorId = -1;
	std::string heap = defaultHeapExpression;
	std::string screenshotLocation;
	std::shared_ptr<Scanout> scanout;
	GstStructure *lastStatistics = nullptr; /* of the run before, since it stopped */
	GstStructure *lastPlan = nullptr;
	guint64 renderedBefore = 0; /* see gst_heap_kms_sink_carry_counts() */
	guint64 droppedBefore = 0;

	std::optional<FrameFormat> format;
};

} /* namespace heapflow::gst */

struct _GstHeapKmsSink {
	GstVideoSink parent;
	heapflow::gst::KmsSink *sink;
};

void gst_heap_kms_sink_install_properties(GObjectClass *object);

/** \brief The present counts or, once it stopped, the last; the caller frees them */
GstStructure *gst_heap_kms_sink_statistics(GstHeapKmsSink *self);
