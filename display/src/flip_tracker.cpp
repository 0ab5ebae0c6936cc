/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flip_tracker.h"

namespace heapflow
{

uint64_t FlipTracker::begin(uint64_t cookie, uint32_t framebuffer)
{
	const std::lock_guard lock(mutex_);
	pending_ = Frame{cookie, framebuffer};
	return ++serial_;
}

void FlipTracker::cancel()
{
	const std::lock_guard lock(mutex_);
	pending_.reset();
	changed_.notify_all();
}

std::optional<FlipEvent> FlipTracker::complete(const RawFlip &flip)
{
	const std::lock_guard lock(mutex_);
	if (!pending_ || flip.serial != serial_)
		return std::nullopt;

	FlipEvent event{.cookie = pending_->cookie,
			.sequence = flip.sequence,
			.timestamp = flip.timestamp,
			.arrival = flip.arrival};
	/* The same cookie again is the same loan: it ends when another frame replaces it. */
	if (shown_ && shown_->cookie != pending_->cookie)
		event.released = shown_->cookie;
	shown_ = pending_;
	pending_.reset();
	dispatching_ = true;
	return event;
}

void FlipTracker::dispatched()
{
	const std::lock_guard lock(mutex_);
	dispatching_ = false;
	changed_.notify_all();
}

bool FlipTracker::waitIdle(std::chrono::milliseconds timeout)
{
	std::unique_lock lock(mutex_);
	return changed_.wait_for(lock, timeout, [this] { return !pending_ && !dispatching_; });
}

void FlipTracker::clear()
{
	const std::lock_guard lock(mutex_);
	shown_.reset();
	pending_.reset();
	serial_++;
	changed_.notify_all();
}

bool FlipTracker::uses(uint32_t framebuffer) const
{
	const std::lock_guard lock(mutex_);
	return (shown_ && shown_->framebuffer == framebuffer) ||
	       (pending_ && pending_->framebuffer == framebuffer);
}

bool FlipTracker::pending() const
{
	const std::lock_guard lock(mutex_);
	return pending_.has_value();
}

} /* namespace heapflow */
