/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The frames that a Screen has: who holds them, when they go back, and when their memory dies. */
#include "gstheapscanout.h"

#include "gst/heap/gstheapreleasefencemeta.h"

#include <utility>

#include <gst/allocators/gstdmabuf.h>

namespace heapflow::gst
{

namespace
{

/* Set while the Screen's thread calls us; the Screen must not be called from there. */
thread_local bool inFlipHandler = false;

} /* namespace */

/*
 * In the thread that commits, with the Screen in use: the buffer that this flip takes off the
 * screen may go, but not from here. What is known of its frame stays until the flip.
 */
void Scanout::committed(uint64_t released, UniqueFd fence)
{
	std::lock_guard state(stateMutex_);
	const auto found = held_.find(released);
	if (found == held_.end() || !found->second.buffer)
		return;
	GstHeapReleaseFenceMeta *box = gst_buffer_get_heap_release_fence_meta(found->second.buffer);
	if (!box || !gst_heap_release_fence_meta_post(box, fence.release()))
		return;
	fences_++;
	early_.push_back(std::exchange(found->second.buffer, nullptr));
}

void Scanout::releaseEarly()
{
	std::vector<GstBuffer *> early;
	{
		std::lock_guard state(stateMutex_);
		early.swap(early_);
	}
	for (GstBuffer *buffer : early)
		gst_buffer_unref(buffer);
}

/* A sink renders the frame of its preroll once more; it is there already. */
bool Scanout::isShown(GstBuffer *buffer) const
{
	std::lock_guard state(stateMutex_);
	/* As long as it is held it cannot have been filled anew. */
	const auto last = held_.find(lastCookie_);
	return last != held_.end() && last->second.buffer == buffer;
}

/* In the Screen's thread. A memory that dies here is forgotten with the next frame. */
void Scanout::flipped(const FlipEvent &event)
{
	inFlipHandler = true;
	{
		std::lock_guard state(stateMutex_);
		const uint64_t milliHz = publishedPlan_.mode.refreshMilliHz;
		const int64_t period = milliHz ? int64_t(1000000000000 / milliHz) : 0;
		if (auto found = held_.find(event.cookie); found != held_.end()) {
			const FrameTimes &times = found->second.times;
			const bool late =
				stats_.shown(times, event.timestamp, event.arrival, period);
			const int64_t visible = event.timestamp ? event.timestamp : event.arrival;
			if (late && times.runningTime)
				lateness_ = Lateness{*times.runningTime, visible - times.due};
		}
	}
	releaseEarly();
	if (event.released)
		release(event.released);
	inFlipHandler = false;
}

void Scanout::release(uint64_t cookie)
{
	GstBuffer *buffer = nullptr;
	{
		std::lock_guard state(stateMutex_);
		if (auto found = held_.find(cookie); found != held_.end()) {
			buffer = found->second.buffer;
			held_.erase(found);
		}
	}
	gst_clear_buffer(&buffer);
}

void Scanout::releaseAll()
{
	std::map<uint64_t, Held> held;
	{
		std::lock_guard state(stateMutex_);
		held.swap(held_);
	}
	for (auto &[cookie, frame] : held)
		gst_clear_buffer(&frame.buffer);
	releaseEarly();
}

/*
 * Once per memory, not per frame. Buffers that share one memory, or that were made anew around it,
 * show the same dma-buf.
 */
void Scanout::watch(GstMemory *memory)
{
	GstMiniObject *root = GST_MINI_OBJECT_CAST(memory->parent ? memory->parent : memory);
	{
		std::lock_guard state(stateMutex_);
		if (watched_.contains(root))
			return;
		const auto identity = bufferIdentity(gst_dmabuf_memory_get_fd(memory));
		watched_.emplace(root, identity.value_or(BufferIdentity()));
	}
	/* The memory may outlive the sink. */
	gst_mini_object_weak_ref(root, memoryDied, new std::weak_ptr<Scanout>(weak_from_this()));
}

/* Its descriptor is not asked: somebody may have closed it, or made it that of something else. */
void Scanout::memoryDied(gpointer data, GstMiniObject *memory)
{
	std::unique_ptr<std::weak_ptr<Scanout>> reference(
		static_cast<std::weak_ptr<Scanout> *>(data));
	std::shared_ptr<Scanout> self = reference->lock();
	if (!self)
		return;

	{
		std::lock_guard state(self->stateMutex_);
		if (const auto watched = self->watched_.extract(memory))
			self->dead_.push_back(watched.mapped());
	}
	/* At once when the Screen is free, so that no memory of a heap waits for a next frame. */
	if (!inFlipHandler && self->screenMutex_.try_lock()) {
		self->forgetDead();
		self->screenMutex_.unlock();
	}
}

/* With the screen's mutex held. */
void Scanout::forgetDead()
{
	std::vector<BufferIdentity> dead;
	{
		std::lock_guard state(stateMutex_);
		dead.swap(dead_);
	}
	for (const BufferIdentity &buffer : dead)
		screen_->forget(buffer);
}

} /* namespace heapflow::gst */
