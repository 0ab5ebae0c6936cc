/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "buffer_pool_core.h"

#include "access_check.h"
#include "heap_access.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace heapflow
{

namespace
{

uint64_t nextSerial()
{
	static std::atomic<uint64_t> last = 0;
	return ++last;
}

} /* namespace */

BufferPoolCore::BufferPoolCore(HeapDevice device, uint64_t size, std::optional<FrameLayout> layout,
			       PoolOptions options)
	: device_(std::move(device)),
	  size_(size),
	  layout_(std::move(layout)),
	  options_(std::move(options))
{
}

Result<void> BufferPoolCore::fill()
{
	const Lock lock(mutex_);
	for (size_t i = 0; i < options_.count; i++) {
		auto buffer = device_.allocate(size_, options_.name);
		if (!buffer) {
			Error error = std::move(buffer.error());
			error.message = "the pool '" + printable(options_.name) + "' needs " +
					std::to_string(options_.count) + " buffers at once and " +
					std::to_string(i) + " fit: " + error.message;
			return std::unexpected(std::move(error));
		}
		idle_.push_back(addSlot(std::move(*buffer)));
	}
	return {};
}

Result<BufferLease> BufferPoolCore::acquire(const AcquireOptions &options)
{
	const auto taken = take(options);
	if (!taken)
		return std::unexpected(taken.error());
	PoolSlot *slot = *taken;
	BufferLease lease(shared_from_this(), slot);

	if (AccessCheck *check = AccessCheck::get()) [[unlikely]]
		check->handedOut(slot->buffer.fd(), options.holder);
	if (options.zeroed && !slot->fresh) {
		if (auto cleared = clear(*slot); !cleared)
			return std::unexpected(cleared.error());
	}
	slot->fresh = false;
	return lease;
}

Result<PoolSlot *> BufferPoolCore::take(const AcquireOptions &options)
{
	constexpr std::chrono::nanoseconds kForever = std::chrono::hours(24 * 365);
	const bool endless = options.timeout > kForever;
	std::optional<Clock::time_point> until;
	std::optional<Error> growth;

	Lock lock(mutex_);
	PoolSlot *slot = nullptr;
	while (!slot) {
		if (stopped_)
			return fail(ECANCELED,
				    "the pool '" + printable(options_.name) + "' was stopped");
		if (!idle_.empty()) {
			slot = idle_.back();
			idle_.pop_back();
			break;
		}
		if (total_ + growing_ < options_.limit && !growth) {
			auto grown = grow(lock);
			if (grown)
				slot = *grown;
			else
				growth = std::move(grown.error());
			continue;
		}
		if (total_ == 0 && growing_ == 0)
			return std::unexpected(*growth); /* nobody has one to give back */
		if (options.timeout <= std::chrono::nanoseconds::zero())
			return starved(EAGAIN, growth);
		if (!until)
			until = Clock::now() + std::min(options.timeout, kForever);
		auto waited = waitInLine(lock, *until, endless);
		if (!waited)
			return starved(waited.error().code, growth);
		slot = *waited; /* null: look again */
	}
	slot->held = true;
	slot->holder = options.holder;
	slot->taken = TickClock::ticks();
	return slot;
}

Result<PoolSlot *> BufferPoolCore::grow(Lock &lock)
{
	growing_++;
	lock.unlock();
	auto buffer = device_.allocate(size_, options_.name);
	lock.lock();
	growing_--;
	if (buffer)
		return addSlot(std::move(*buffer));
	/* Who came meanwhile found no room to grow, and waits perhaps for nothing. */
	retryOne();
	return std::unexpected(std::move(buffer.error()));
}

Result<PoolSlot *> BufferPoolCore::waitInLine(Lock &lock, Clock::time_point until, bool endless)
{
	Waiter waiter;
	waiters_.push_back(&waiter);
	while (!waiter.slot && !waiter.retry && !stopped_) {
		if (endless)
			waiter.woken.wait(lock);
		else if (waiter.woken.wait_until(lock, until) == std::cv_status::timeout)
			break;
	}
	/* Who wakes it takes it out of the line. */
	if (!waiter.slot && !waiter.retry)
		std::erase(waiters_, &waiter);
	if (waiter.slot || waiter.retry || stopped_)
		return waiter.slot;
	return fail(ETIMEDOUT, {});
}

void BufferPoolCore::giveBack(PoolSlot *slot)
{
	if (AccessCheck *check = AccessCheck::get()) [[unlikely]] {
		check->givenBack(slot->buffer.fd());
		/* Each holder has a mapping of its own: a stale pointer must not see the next
		 * one's. */
		slot->view.reset();
	}

	std::unique_ptr<PoolSlot> gone; /* freed without the lock */
	const Lock lock(mutex_);
	slot->held = false;
	if (closed_) {
		gone = removeSlot(slot);
	} else if (!waiters_.empty()) {
		Waiter *first = waiters_.front();
		waiters_.pop_front();
		first->slot = slot;
		first->woken.notify_one();
	} else {
		idle_.push_back(slot);
	}
}

size_t BufferPoolCore::shrink(size_t keep)
{
	std::vector<std::unique_ptr<PoolSlot>> gone;
	const Lock lock(mutex_);
	const size_t least = std::max(keep, options_.count);
	while (total_ > least && !idle_.empty()) {
		gone.push_back(removeSlot(idle_.front()));
		idle_.erase(idle_.begin());
	}
	return gone.size();
}

void BufferPoolCore::stop()
{
	const Lock lock(mutex_);
	stopped_ = true;
	for (Waiter *waiter : waiters_)
		waiter->woken.notify_one();
}

void BufferPoolCore::close()
{
	stop();
	std::vector<std::unique_ptr<PoolSlot>> gone;
	const Lock lock(mutex_);
	closed_ = true;
	for (PoolSlot *slot : idle_)
		gone.push_back(removeSlot(slot));
	idle_.clear();
}

PoolState BufferPoolCore::state() const
{
	const Lock lock(mutex_);
	return stateLocked();
}

PoolSlot *BufferPoolCore::addSlot(Buffer buffer)
{
	auto place = std::ranges::find_if(slots_, [](const auto &slot) { return !slot; });
	if (place == slots_.end())
		place = slots_.emplace(slots_.end());
	*place = std::unique_ptr<PoolSlot>(
		new PoolSlot{.buffer = std::move(buffer),
			     .index = static_cast<size_t>(place - slots_.begin()),
			     .serial = nextSerial(),
			     .view = {},
			     .holder = {}});
	total_++;
	/* Giving back must not have to allocate: it cannot fail. */
	idle_.reserve(slots_.size());
	return place->get();
}

std::unique_ptr<PoolSlot> BufferPoolCore::removeSlot(PoolSlot *slot)
{
	if (AccessCheck *check = AccessCheck::get()) [[unlikely]]
		check->leftPool(slot->buffer.fd());
	total_--;
	return std::move(slots_[slot->index]);
}

void BufferPoolCore::retryOne()
{
	if (waiters_.empty())
		return;
	Waiter *first = waiters_.front();
	waiters_.pop_front();
	first->retry = true;
	first->woken.notify_one();
}

PoolState BufferPoolCore::stateLocked() const
{
	PoolState state{.total = total_,
			.idle = idle_.size(),
			.limit = options_.limit,
			.waiting = waiters_.size()};
	for (const auto &slot : slots_) {
		if (!slot || !slot->held)
			continue;
		const auto age = clock_.since(slot->taken);
		auto held = std::ranges::find(state.holders, slot->holder, &HeldBuffers::holder);
		if (held == state.holders.end())
			held = state.holders.insert(held, {slot->holder, 0, age, age});
		held->count++;
		held->shortest = std::min(held->shortest, age);
		held->longest = std::max(held->longest, age);
	}
	std::ranges::sort(state.holders, [](const HeldBuffers &a, const HeldBuffers &b) {
		return a.count != b.count ? a.count > b.count : a.holder < b.holder;
	});
	return state;
}

std::unexpected<Error> BufferPoolCore::starved(int code, const std::optional<Error> &growth) const
{
	std::string message = "the pool '" + printable(options_.name) + "' of heap " +
			      printable(device_.heap().name.text) + " has no buffer of " +
			      std::to_string(size_) + " bytes left: " + describe(stateLocked());
	if (growth)
		message += "; it could not grow: " + growth->message;
	return fail(code, message,
		    growth ? growth->hint
			   : "Raise the limit of the pool, or let the holders give back sooner");
}

Result<void> BufferPoolCore::clear(PoolSlot &slot)
{
	if (!slot.view) {
		auto view = slot.buffer.view();
		if (!view)
			return std::unexpected(view.error());
		slot.view = std::move(*view);
	}
	auto scope = slot.view->begin(Access::Write);
	if (!scope)
		return std::unexpected(scope.error());
	std::memset(scope->bytes().data(), 0, scope->bytes().size());
	return scope->end();
}

} /* namespace heapflow */
