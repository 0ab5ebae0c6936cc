/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of GstHeapBufferPool share. */
#pragma once

#include "gstheapbufferpoolprivate.h"
#include "gstheapfencedbuffers.h"
#include "gstheapstarvation.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <vector>

GST_DEBUG_CATEGORY_EXTERN(gst_heap_buffer_pool_debug);

namespace heapflow::gst
{

struct PoolState {
	PoolState() { g_weak_ref_init(&owner, nullptr); }
	~PoolState() { g_weak_ref_clear(&owner); }
	PoolState(const PoolState &) = delete;
	PoolState &operator=(const PoolState &) = delete;

	/** \brief A reference, or null */
	GstElement *element() { return static_cast<GstElement *>(g_weak_ref_get(&owner)); }
	GstStructure *statistics();
	/** \brief Somebody has a buffer */
	bool isHeld()
	{
		std::lock_guard lock(mutex);
		return !held.empty();
	}

	GWeakRef owner; /* the element that gets messages */

	/* Of the configuration; nobody changes it while the pool is active. */
	GstVideoInfo info = {};
	GstVideoAlignment alignment = {};
	GstAllocationParams params = {};
	std::vector<uint64_t> sizes; /* of the memories of a frame */
	bool addMeta = false;
	bool perPlane = false;

	AllocatedBuffers reserve; /* while start() runs; the next one is the last */

	FencedBuffers fenced;
	std::atomic<std::chrono::milliseconds> starvationTimeout;
	std::atomic<uint64_t> fenceWaits = 0;
	std::atomic<uint64_t> starvations = 0;

	std::mutex mutex;
	std::vector<HeldBuffer> held;
	std::vector<uint64_t> inodes; /* of all dma-bufs there are */
	Error lastError;
};

} /* namespace heapflow::gst */

struct _GstHeapBufferPool {
	GstBufferPool parent;
	GstHeapAllocator *allocator;
	heapflow::gst::PoolState *state;
};

/** \brief The virtual functions by which buffers go out and come back */
void gst_heap_buffer_pool_class_init_recycling(GstBufferPoolClass *pool);
