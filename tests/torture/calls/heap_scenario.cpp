/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Heaps found, chosen, allocated from, mapped, fenced, watched, accounted. */
#include "scenario.h"

#include "heapflow/heap/buffer_holders.h"
#include "heapflow/heap/buffer_pool.h"
#include "heapflow/heap/cpu_access.h"
#include "heapflow/heap/fence.h"
#include "heapflow/heap/heap_choice.h"
#include "heapflow/heap/heap_watch.h"

#include <algorithm>
#include <cerrno>

namespace heapflow::torture
{

namespace
{

constexpr uint64_t size = 300'000;

Result<void> fill(const Buffer &buffer, std::byte pattern)
{
	auto mapping = Mapping::create(buffer.fd(), size, Access::Write);
	if (!mapping)
		return std::unexpected(mapping.error());
	std::ranges::fill(mapping->bytes(), pattern);
	return mapping->end();
}

Result<void> expectFilled(const Buffer &buffer, std::byte pattern)
{
	auto mapping = Mapping::create(buffer.fd(), size, Access::Read);
	if (!mapping)
		return std::unexpected(mapping.error());
	if (std::ranges::any_of(mapping->bytes(), [=](std::byte byte) { return byte != pattern; }))
		return fail(0, "WRONG: the buffer does not hold what was written");
	return mapping->end();
}

Result<void> useFences(const Buffer &one, const Buffer &other)
{
	auto first = Fence::exportFrom(one.fd(), Access::Write);
	if (!first)
		return std::unexpected(first.error());
	auto second = Fence::exportFrom(other.fd(), Access::Write);
	if (!second)
		return std::unexpected(second.error());
	auto both = Fence::merge(*first, *second, "torture");
	if (!both)
		return std::unexpected(both.error());
	if (auto imported = both->importInto(one.fd(), Access::Write); !imported)
		return imported;
	return both->wait(std::chrono::seconds(1));
}

Result<void> usePool(const Heap &heap)
{
	auto device = HeapDevice::open(heap);
	if (!device)
		return std::unexpected(device.error());
	auto pool = BufferPool::create(std::move(*device), size,
				       {.name = "torture", .count = 1, .limit = 2});
	if (!pool)
		return std::unexpected(pool.error());
	auto first = pool->acquire();
	auto second = pool->acquire({.zeroed = true});
	if (!first || !second)
		return std::unexpected(first ? second.error() : first.error());
	auto scope = second->access(Access::Write);
	if (!scope)
		return std::unexpected(scope.error());
	return scope->end();
}

Result<void> watchHeaps()
{
	auto watch = HeapWatch::create();
	if (!watch)
		return std::unexpected(watch.error());
	if (auto changes = watch->read(); !changes)
		return std::unexpected(changes.error());
	const auto expression = parseHeapExpression("video@*");
	if (!expression)
		return std::unexpected(expression.error());
	auto found = waitForHeap(*expression, std::chrono::milliseconds(50));
	if (!found)
		return std::unexpected(found.error());
	return {};
}

/* What is more than the region has is refused with the numbers, whatever else fails. */
Result<void> askTooMuch(const HeapChoice &choice)
{
	auto device = HeapDevice::open(choice.taken().heap);
	if (!device)
		return std::unexpected(device.error());
	auto buffer = device->allocate(uint64_t(1) << 30);
	if (buffer)
		return fail(0, "WRONG: a GiB came from a region of 64 MiB");
	return buffer.error().code == ENOMEM ? Result<void>() : std::unexpected(buffer.error());
}

} /* namespace */

Result<void> useHeaps()
{
	auto choice = chooseHeap("video@*:default");
	if (!choice)
		return std::unexpected(choice.error());
	auto allocated = allocateBuffers(*choice, 2, size, "torture");
	if (!allocated)
		return std::unexpected(allocated.error());
	const Buffer &one = allocated->buffers[0], &other = allocated->buffers[1];
	if (auto filled = fill(one, std::byte(0x5a)); !filled)
		return filled;
	if (auto fenced = useFences(one, other); !fenced)
		return fenced;
	if (auto read = expectFilled(one, std::byte(0x5a)); !read)
		return read;
	if (auto used = usePool(allocated->heap); !used)
		return used;
	if (auto watched = watchHeaps(); !watched)
		return watched;
	if (auto refused = askTooMuch(*choice); !refused)
		return refused;
	const BufferHolders holders = readBufferHolders();
	if (holders.complete && holders.buffers.size() < 2)
		return fail(0, "INCOMPLETE: the list of buffers, and says that it is complete");
	return {};
}

} /* namespace heapflow::torture */
