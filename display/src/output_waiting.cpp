/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of Output in which threads wait for what the display does. */
#include "output.h"

#include <algorithm>
#include <format>
#include <utility>

namespace heapflow
{

Error Output::overdueError() const
{
	return {ETIMEDOUT,
		std::format("no flip event from {} ({}) for CRTC {} in {} ms", device_->kms().path,
			    device_->kms().driver, crtc_.id,
			    (monotonicNow() - pendingSince_) / 1'000'000),
		"The display may be gone or asleep; the kernel log may say more"};
}

/* For a flip: it is urgent meanwhile, and nothing waits for company. */
bool Output::waitFor(Lock &lock, std::condition_variable &changed,
		     std::chrono::milliseconds timeout, const std::function<bool()> &condition)
{
	if (condition())
		return true;
	waiters_++;
	const int64_t now = monotonicNow();
	commitWaiting(now);
	updateWakeUps(now);
	const bool met = changed.wait_for(lock, timeout, condition);
	waiters_--;
	updateWakeUps(monotonicNow());
	return met;
}

Result<void> Output::waitIdle(Lock &lock, std::chrono::milliseconds timeout)
{
	const bool idle = waitFor(lock, changed_, timeout, [this] {
		return !pending_ && !dispatching_ && outbox_.empty() && messages_.empty();
	});
	if (idle)
		return {};
	return std::unexpected(overdueError());
}

/* The frame before is waiting still, and is shown first. */
Result<void> Output::waitForTurn(Lock &lock, OutputLayer &layer)
{
	if (layer.options.dropPolicy == DropPolicy::Queue &&
	    !waitFor(lock, layer.turn, flipTimeout, [&] { return !layer.frames.waiting(); })) {
		const Error error = overdueError();
		dropWaiting(layer, nullptr);
		return std::unexpected(error);
	}
	/* What the display said of a frame that its show() did not wait for. */
	if (layer.refusal)
		return std::unexpected(*std::exchange(layer.refusal, std::nullopt));
	return {};
}

/* DropPolicy::Queue: the frame was offered, and its commit is waited for. */
Result<void> Output::waitForCommit(Lock &lock, OutputLayer &layer, const LayerFrame &frame,
				   int64_t now)
{
	const auto isWaiting = [&] {
		return layer.frames.waiting() && layer.frames.waiting()->cookie == frame.cookie;
	};
	const std::chrono::nanoseconds early(std::max<int64_t>(frame.due - now, 0));
	const auto limit =
		flipTimeout +
		std::chrono::duration_cast<std::chrono::milliseconds>(
			std::min<std::chrono::nanoseconds>(early, std::chrono::seconds(10)));
	if (!layer.turn.wait_for(lock, limit, [&] { return !isWaiting(); })) {
		layer.refusal = overdueError();
		dropWaiting(layer, nullptr);
	}
	if (layer.refusal)
		return std::unexpected(*std::exchange(layer.refusal, std::nullopt));
	return {};
}

Result<void> Output::drain(OutputLayer *layer, std::chrono::milliseconds timeout)
{
	Lock lock(mutex_);
	const bool idle = waitFor(lock, changed_, timeout, [&] {
		return !layer->frames.waiting() && !layer->frames.pending() && !dispatching_ &&
		       outbox_.empty();
	});
	if (idle)
		return {};
	return std::unexpected(overdueError());
}

} /* namespace heapflow */
