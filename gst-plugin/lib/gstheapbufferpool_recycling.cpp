/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which buffer goes out, and what happens to one that comes back.
 *
 * GstBufferPool waits for a buffer by itself, and knows nothing of fences. Here it never waits: it
 * is asked for what is idle, or may be allocated, and all waiting is that of FencedBuffers, for
 * buffers that come back and for fences alike.
 */
#include "gstheapbufferpool_state.h"

#include "gstheaperror.h"
#include "gstheapi18n.h"

#include <algorithm>
#include <cerrno>

#define GST_CAT_DEFAULT gst_heap_buffer_pool_debug

using heapflow::gst::FencedBuffers;
using heapflow::gst::HeldBuffer;
using heapflow::gst::PoolState;
using heapflow::gst::Starvation;
using Clock = std::chrono::steady_clock;

static GstBufferPoolClass *parentClass;

namespace
{

PoolState &stateOf(GstBufferPool *pool)
{
	return *GST_HEAP_BUFFER_POOL(pool)->state;
}

void noteHeld(PoolState &state, const GstBuffer *buffer)
{
	std::lock_guard lock(state.mutex);

	state.held.push_back({buffer, Clock::now()});
}

void noteBack(PoolState &state, const GstBuffer *buffer)
{
	std::lock_guard lock(state.mutex);

	std::erase_if(state.held,
		      [buffer](const HeldBuffer &held) { return held.buffer == buffer; });
}

/* What a device was still at work on, and is no more, becomes idle. */
void collect(GstBufferPool *pool)
{
	for (GstBuffer *buffer : stateOf(pool).fenced.takeFree())
		parentClass->release_buffer(pool, buffer);
}

/* An idle or a new buffer, without waiting; GST_FLOW_EOS when there is none. */
GstFlowReturn take(GstBufferPool *pool, GstBuffer **buffer,
		   const GstBufferPoolAcquireParams *params)
{
	GstBufferPoolAcquireParams now = {};

	if (params)
		now = *params;
	now.flags = GstBufferPoolAcquireFlags(now.flags | GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT);
	collect(pool);
	return parentClass->acquire_buffer(pool, buffer, &now);
}

GstStructure *starvationDetails(const Starvation &starvation)
{
	return gst_structure_new("heapflow-pool-starved", "held", G_TYPE_UINT,
				 guint(starvation.held.size()), "fenced", G_TYPE_UINT,
				 guint(starvation.fenced), "waited", G_TYPE_UINT64,
				 guint64(starvation.waited.count()), nullptr);
}

/* In a pipeline that is paused it is no wonder that nobody gives anything back. */
bool isPlaying(GstElement *element)
{
	GST_OBJECT_LOCK(element);
	const bool playing = GST_STATE(element) == GST_STATE_PLAYING;
	GST_OBJECT_UNLOCK(element);
	return playing;
}

void reportStarvation(GstBufferPool *pool, Clock::duration waited)
{
	PoolState &state = stateOf(pool);
	Starvation starvation;

	state.starvations++;
	starvation.fenced = state.fenced.count();
	starvation.waited = std::chrono::duration_cast<std::chrono::milliseconds>(waited);
	{
		std::lock_guard lock(state.mutex);
		starvation.held = state.held;
		starvation.inodes = state.inodes;
	}
	std::ranges::sort(starvation.inodes);

	GstElement *element = state.element();
	const std::string text = heapflow::gst::describe(starvation, element, pool);
	GST_WARNING_OBJECT(pool, "%s", text.c_str());
	if (element && isPlaying(element))
		heapflow::gst::postWarning(
			element,
			{EBUSY, text,
			 _("More buffers (the minimum of the pool), or fewer in queues, end this")},
			starvationDetails(starvation), __FILE__, __func__, __LINE__);
	gst_clear_object(&element);
}

/* A thread that found nothing waits, and looks again whenever something may have changed. */
GstFlowReturn waitFor(GstBufferPool *pool, GstBuffer **buffer,
		      const GstBufferPoolAcquireParams *params)
{
	PoolState &state = stateOf(pool);
	FencedBuffers::Waiter waiter(state.fenced);
	const Clock::time_point begin = Clock::now();
	bool reported = false, fences = false;

	for (;;) {
		const GstFlowReturn taken = take(pool, buffer, params);
		if (taken != GST_FLOW_EOS)
			return taken;
		if (!fences && state.fenced.count() > 0) {
			fences = true;
			state.fenceWaits++;
		}
		const Clock::duration limit = state.starvationTimeout.load();
		const bool endless = reported || limit == Clock::duration(0);
		const Clock::duration left = limit - (Clock::now() - begin);
		if (!endless && left <= Clock::duration(0)) {
			reportStarvation(pool, Clock::now() - begin);
			reported = true;
			continue;
		}
		waiter.wait(endless ? std::chrono::nanoseconds::max() : left);
	}
}

} /* namespace */

static GstFlowReturn gst_heap_buffer_pool_acquire(GstBufferPool *pool, GstBuffer **buffer,
						  GstBufferPoolAcquireParams *params)
{
	GstFlowReturn taken = take(pool, buffer, params);

	if (taken == GST_FLOW_EOS &&
	    !(params && (params->flags & GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT)))
		taken = waitFor(pool, buffer, params);
	if (taken == GST_FLOW_OK)
		noteHeld(stateOf(pool), *buffer);
	return taken;
}

static void gst_heap_buffer_pool_release(GstBufferPool *pool, GstBuffer *buffer)
{
	PoolState &state = stateOf(pool);

	noteBack(state, buffer);
	if (FencedBuffers::isFree(buffer))
		parentClass->release_buffer(pool, buffer);
	else
		state.fenced.add(buffer);
	state.fenced.notify();
}

/* Called when the pool is inactive and the last buffer is back. The kernel keeps memory that a
 * device works on. */
static gboolean gst_heap_buffer_pool_stop(GstBufferPool *pool)
{
	for (GstBuffer *buffer : stateOf(pool).fenced.takeAll())
		parentClass->release_buffer(pool, buffer);
	return parentClass->stop(pool);
}

static void gst_heap_buffer_pool_flush_start(GstBufferPool *pool)
{
	stateOf(pool).fenced.notify();
}

void gst_heap_buffer_pool_class_init_recycling(GstBufferPoolClass *pool)
{
	parentClass = GST_BUFFER_POOL_CLASS(g_type_class_peek_parent(pool));
	pool->acquire_buffer = gst_heap_buffer_pool_acquire;
	pool->release_buffer = gst_heap_buffer_pool_release;
	pool->stop = gst_heap_buffer_pool_stop;
	pool->flush_start = gst_heap_buffer_pool_flush_start;
}

GstStructure *PoolState::statistics()
{
	std::lock_guard lock(mutex);

	return gst_structure_new("heap-buffer-pool-stats", "held", G_TYPE_UINT, guint(held.size()),
				 "fenced", G_TYPE_UINT, guint(fenced.count()), "fence-waits",
				 G_TYPE_UINT64, fenceWaits.load(), "starvations", G_TYPE_UINT64,
				 starvations.load(), nullptr);
}
