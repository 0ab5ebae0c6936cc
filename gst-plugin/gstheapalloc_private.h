/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of heapalloc share. */
#pragma once

#include "gstheapalloc.h"

#include "gstheapallocator.h"
#include "gstheapallocatorprivate.h"
#include "gstheapformat.h"
#include "gstheapframecopy.h"
#include "gstheapzerocopy.h"

#include "heapflow/heap/heap_choice.h"

#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace heapflow::gst
{

/** \brief What happens to frames in memory that is not of the heap that was named */
enum class ForeignMode { Pass, Copy, Refuse };

/** \brief What an expression means: the heaps, under all their names */
struct MeantHeaps {
	std::string first;           /**< the one to be tried first */
	bool isProtected = false;    /**< no CPU may touch the first */
	std::set<std::string> names; /**< two heaps of one region are both in it */
};

/** \brief Frames that passed, by the memory they came in */
struct AllocCounts {
	uint64_t fromHeap = 0;
	uint64_t earlierHeap = 0; /**< of the heap before the property changed, still in flight */
	uint64_t foreign = 0;     /**< all others; the sum of the next three */
	uint64_t passed = 0;
	uint64_t copied = 0;
	uint64_t refused = 0;
	uint64_t copiedBytes = 0;
	uint64_t copiedUpstream = 0; /* by other elements, before they came */
	uint64_t offers = 0;         /**< ALLOCATION queries that were answered with a pool */
};

/*
 * Everything that is not a GObject. The mutex guards all but what is the streaming thread's: from
 * `format` on.
 */
struct Injector {
	explicit Injector(GstElement *element) : contract(element, ContractScope::Through) {}

	ZeroCopyContract contract;
	std::mutex mutex;
	std::string heap = defaultHeapExpression;
	ForeignMode mode = ForeignMode::Pass;
	MeantHeaps meant;              /* since start() */
	std::set<std::string> earlier; /* heaps that were meant before the property changed */
	unsigned earlierLeft = 0;      /* frames of these that may still come */
	bool asked = false;            /* for memory, since the caps */
	std::string whyNot;            /* there was nothing to offer, since the caps */
	AllocCounts counts;
	bool copierStale = false; /* heap or downstream changed */

	std::optional<FrameFormat> format;
	GstCaps *caps = nullptr;
	FrameCopier copier;
	bool foreignSaid = false;
	bool earlierCopySaid = false;
};

/** \brief What downstream says in an ALLOCATION query of what it can take */
struct DownstreamWishes {
	bool videoMeta = false;
	std::optional<GstVideoAlignment> alignment; /**< padding and stride alignment it needs */
	GstAllocationParams params = {};            /**< alignment and padding of the memory */
	guint buffers = 0;                          /**< that it holds at a time */
};
DownstreamWishes readWishes(GstQuery *query);

/** \brief Errors: those of chooseHeap() */
Result<MeantHeaps> meantHeaps(const std::string &expression);

/** \brief The heap that memory is of, whoever wrapped it; empty for any other memory */
std::string heapOfMemory(GstMemory *memory);

} /* namespace heapflow::gst */

struct _GstHeapAlloc {
	GstBaseTransform parent;
	heapflow::gst::Injector *injector;
};

GST_DEBUG_CATEGORY_EXTERN(gst_heap_alloc_debug);

/* gstheapalloc_allocation.cpp */
gboolean gst_heap_alloc_propose_allocation(GstBaseTransform *base, GstQuery *decide,
					   GstQuery *query);

/* gstheapalloc_frames.cpp: the streaming thread */
GstFlowReturn gst_heap_alloc_prepare_output_buffer(GstBaseTransform *base, GstBuffer *input,
						   GstBuffer **output);
