/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/buffer_pool.h"

#include "buffer_pool_core.h"
#include "heap_access.h"

#include <cerrno>

namespace heapflow
{

namespace
{

Result<PoolOptions> checkOptions(PoolOptions options)
{
	if (options.limit == 0)
		options.limit = options.count;
	const std::string name = "the pool '" + printable(options.name) + "'";
	if (options.limit == 0)
		return fail(EINVAL, name + " may have no buffer at all",
			    "Give it a count or a limit");
	if (options.limit < options.count)
		return fail(EINVAL, name + " has " + std::to_string(options.count) +
					    " buffers, more than its limit of " +
					    std::to_string(options.limit));
	return options;
}

Result<std::shared_ptr<BufferPoolCore>>
makeCore(HeapDevice device, uint64_t size, std::optional<FrameLayout> layout, PoolOptions options)
{
	if (size == 0)
		return fail(EINVAL, "a pool of buffers of 0 bytes was asked for");
	auto checked = checkOptions(std::move(options));
	if (!checked)
		return std::unexpected(checked.error());
	auto core = std::make_shared<BufferPoolCore>(std::move(device), size, std::move(layout),
						     std::move(*checked));
	if (auto filled = core->fill(); !filled)
		return std::unexpected(filled.error());
	return core;
}

} /* namespace */

BufferLease::BufferLease(std::shared_ptr<BufferPoolCore> core, PoolSlot *slot)
	: core_(std::move(core)), slot_(slot)
{
}

BufferLease::BufferLease(BufferLease &&other) noexcept
	: core_(std::move(other.core_)), slot_(std::exchange(other.slot_, nullptr))
{
}

BufferLease &BufferLease::operator=(BufferLease &&other) noexcept
{
	if (this != &other) {
		giveBack();
		core_ = std::move(other.core_);
		slot_ = std::exchange(other.slot_, nullptr);
	}
	return *this;
}

const Buffer &BufferLease::buffer() const
{
	return slot_->buffer;
}

size_t BufferLease::index() const
{
	return slot_->index;
}

uint64_t BufferLease::serial() const
{
	return slot_->serial;
}

Result<AccessScope> BufferLease::access(Access access)
{
	if (!slot_)
		return fail(EBADF, "the lease holds no buffer: it was given back");
	if (!slot_->view) {
		auto view = slot_->buffer.view();
		if (!view)
			return std::unexpected(view.error());
		slot_->view = std::move(*view);
	}
	return slot_->view->begin(access);
}

void BufferLease::giveBack()
{
	if (!slot_)
		return;
	core_->giveBack(std::exchange(slot_, nullptr));
	core_.reset();
}

Result<BufferPool> BufferPool::create(HeapDevice device, uint64_t size, PoolOptions options)
{
	auto core = makeCore(std::move(device), size, std::nullopt, std::move(options));
	if (!core)
		return std::unexpected(core.error());
	return BufferPool(std::move(*core));
}

Result<BufferPool> BufferPool::create(HeapDevice device, FrameLayout layout, PoolOptions options)
{
	const uint64_t size = layout.size();
	if (auto fits = checkFrameLayout(layout, size); !fits)
		return std::unexpected(fits.error());
	auto core = makeCore(std::move(device), size, std::move(layout), std::move(options));
	if (!core)
		return std::unexpected(core.error());
	return BufferPool(std::move(*core));
}

BufferPool &BufferPool::operator=(BufferPool &&other) noexcept
{
	if (this != &other) {
		if (core_)
			core_->close();
		core_ = std::move(other.core_);
	}
	return *this;
}

BufferPool::~BufferPool()
{
	if (core_)
		core_->close();
}

Result<BufferLease> BufferPool::acquire(const AcquireOptions &options)
{
	if (options.zeroed && core_->device().isProtected())
		return std::unexpected(protectedError(heap().name.text));
	return core_->acquire(options);
}

size_t BufferPool::shrink(size_t keep)
{
	return core_->shrink(keep);
}

void BufferPool::stop()
{
	core_->stop();
}

PoolState BufferPool::state() const
{
	return core_->state();
}

uint64_t BufferPool::bufferSize() const
{
	return core_->size();
}

const FrameLayout *BufferPool::layout() const
{
	return core_->layout();
}

const Heap &BufferPool::heap() const
{
	return core_->device().heap();
}

} /* namespace heapflow */
