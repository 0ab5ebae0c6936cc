/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which frame is on the screen, which is on its way, and which one a flip gives back. */
#pragma once

#include "heapflow/display/screen.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

namespace heapflow
{

/** \brief A page-flip event as it was read */
struct RawFlip {
	uint64_t serial = 0; /**< user_data of the commit */
	uint32_t sequence = 0;
	int64_t timestamp = 0; /**< ns */
	int64_t arrival = 0;   /**< ns */
};

/**
 * \brief The state of one plane between commits and flip events; thread-safe
 *
 * Two commits deep: while a flip is pending, the display still reads the frame before it. That
 * frame is released by complete() and by nothing sooner (invariant 1). V4L2 attaches no fence to
 * a dma-buf, so nothing else would keep the camera from writing into what is being scanned out.
 */
class FlipTracker
{
public:
	/** \brief A commit is about to be made; to be called when none is pending */
	uint64_t begin(uint64_t cookie, uint32_t framebuffer);

	/** \brief The commit was refused: what was shown before still is */
	void cancel();

	/**
	 * \brief The flip of the pending commit happened
	 *
	 * \return nullopt for an event of no commit of ours. Otherwise dispatched() must follow
	 * when the event has been handed on.
	 */
	std::optional<FlipEvent> complete(const RawFlip &flip);
	void dispatched();

	/** \return true when no flip is pending and no event is still being handed on */
	bool waitIdle(std::chrono::milliseconds timeout);

	/** \brief The plane is off: nothing is shown and nothing pending; an event is stale */
	void clear();

	bool uses(uint32_t framebuffer) const;
	bool pending() const;

private:
	struct Frame {
		uint64_t cookie = 0;
		uint32_t framebuffer = 0;
	};

	mutable std::mutex mutex_;
	std::condition_variable changed_;
	uint64_t serial_ = 0;
	std::optional<Frame> shown_;
	std::optional<Frame> pending_;
	bool dispatching_ = false;
};

} /* namespace heapflow */
