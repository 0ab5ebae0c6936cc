/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame_queue.h"

#include <cerrno>
#include <format>

namespace heapflow
{

void FrameQueue::reset(size_t capacity)
{
	std::lock_guard lock(mutex_);
	ring_.assign(capacity, {});
	head_ = 0;
	count_ = 0;
	failure_.reset();
	nudged_ = false;
}

bool FrameQueue::push(const CapturedFrame &frame)
{
	{
		std::lock_guard lock(mutex_);
		if (count_ == ring_.size())
			return false;
		ring_[(head_ + count_++) % ring_.size()] = frame;
	}
	changed_.notify_one();
	return true;
}

void FrameQueue::fail(Error error)
{
	{
		std::lock_guard lock(mutex_);
		if (!failure_)
			failure_ = std::move(error);
	}
	changed_.notify_all();
}

Result<CapturedFrame> FrameQueue::wait(std::chrono::milliseconds timeout)
{
	std::unique_lock lock(mutex_);
	const auto isOver = [this] {
		return interrupted_ || nudged_ || count_ || failure_;
	};
	/* wait_for() looks at the clock before it looks at what is there. */
	if (!isOver())
		changed_.wait_for(lock, timeout, isOver);

	if (interrupted_)
		return heapflow::fail(ECANCELED, "waiting for a frame was interrupted");
	if (nudged_) {
		nudged_ = false;
		return heapflow::fail(EAGAIN, "there is something else to do");
	}
	if (count_) {
		const CapturedFrame frame = ring_[head_];
		head_ = (head_ + 1) % ring_.size();
		--count_;
		return frame;
	}
	if (failure_)
		return std::unexpected(*failure_);
	/* Asked in passing, once a frame with the policy of the latest: nothing is allocated. */
	if (timeout.count() == 0)
		return heapflow::fail(ETIMEDOUT, "no frame yet");
	return heapflow::fail(ETIMEDOUT, std::format("no frame within {} ms", timeout.count()));
}

void FrameQueue::interrupt(bool interrupted)
{
	{
		std::lock_guard lock(mutex_);
		interrupted_ = interrupted;
	}
	changed_.notify_all();
}

void FrameQueue::nudge()
{
	{
		std::lock_guard lock(mutex_);
		nudged_ = true;
	}
	changed_.notify_all();
}

} /* namespace heapflow */
