/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a pool and its leases share, and which lives until the last of them goes. */
#pragma once

#include "heapflow/heap/buffer_pool.h"

#include "tick_clock.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

namespace heapflow
{

/** \brief One buffer. Its holder may look at it without the lock; the pool's fields need it */
struct PoolSlot {
	Buffer buffer;
	size_t index;
	uint64_t serial;
	std::optional<CpuView> view; /* the holder's */
	bool fresh = true;           /* the holder's: zeroed by the kernel, never handed out */

	bool held = false;
	std::string holder;
	uint64_t taken = 0; /* TickClock::ticks() */
};

class BufferPoolCore : public std::enable_shared_from_this<BufferPoolCore>
{
public:
	BufferPoolCore(HeapDevice device, uint64_t size, std::optional<FrameLayout> layout,
		       PoolOptions options);

	Result<void> fill();
	Result<BufferLease> acquire(const AcquireOptions &options);
	void giveBack(PoolSlot *slot);
	size_t shrink(size_t keep);
	void stop();
	void close();
	PoolState state() const;

	const HeapDevice &device() const { return device_; }
	uint64_t size() const { return size_; }
	const FrameLayout *layout() const { return layout_ ? &*layout_ : nullptr; }

private:
	using Clock = std::chrono::steady_clock;
	using Lock = std::unique_lock<std::mutex>;

	/* A thread inside acquire(); lives on its stack, and is touched only under the lock. */
	struct Waiter {
		std::condition_variable woken;
		PoolSlot *slot = nullptr;
		bool retry = false; /* there may be room to grow */
	};

	Result<PoolSlot *> take(const AcquireOptions &options);
	Result<PoolSlot *> grow(Lock &lock);
	Result<PoolSlot *> waitInLine(Lock &lock, Clock::time_point until, bool endless);
	PoolSlot *addSlot(Buffer buffer);
	std::unique_ptr<PoolSlot> removeSlot(PoolSlot *slot);
	void retryOne();
	PoolState stateLocked() const;
	std::unexpected<Error> starved(int code, const std::optional<Error> &growth) const;
	Result<void> clear(PoolSlot &slot);

	const HeapDevice device_;
	const uint64_t size_;
	const std::optional<FrameLayout> layout_;
	const PoolOptions options_;
	const TickClock clock_;

	mutable std::mutex mutex_;
	std::vector<std::unique_ptr<PoolSlot>> slots_; /* by index; null where one was freed */
	std::vector<PoolSlot *> idle_;                 /* the warmest last */
	std::deque<Waiter *> waiters_;
	size_t total_ = 0;
	size_t growing_ = 0; /* threads that allocate one now */
	bool stopped_ = false;
	bool closed_ = false;
};

} /* namespace heapflow */
