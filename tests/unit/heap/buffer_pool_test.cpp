/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pool's rules and its threads; the same on real heaps is in tests/board/heap. */
#include "heapflow/heap/buffer_pool.h"

#include "made_up_heap.h"
#include "scripted_ioctl.h"
#include "temporary_directory.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

namespace
{

constexpr uint64_t kSize = 3 * 4096;

class BufferPoolTest : public testing::Test
{
protected:
	HeapDevice device(const std::string &name = "video@42000000") const
	{
		Heap heap = cmaHeap(name, 0x42000000, 1 << 26, 1 << 26);
		heap.node = directory_.write(name, "");
		auto opened = HeapDevice::open(heap);
		EXPECT_TRUE(opened);
		return std::move(*opened);
	}

	BufferPool pool(size_t count, size_t limit = 0) const
	{
		auto made = BufferPool::create(device(), kSize,
					       {.name = "frames", .count = count, .limit = limit});
		EXPECT_TRUE(made) << made.error().text();
		return std::move(*made);
	}

private:
	TemporaryDirectory directory_;
};

} /* namespace */

TEST_F(BufferPoolTest, AllBuffersAreThereBeforeTheFirstIsTaken)
{
	const MemoryHeap memory;
	auto frames = pool(4);
	EXPECT_EQ(MemoryHeap::allocations(), 4);
	for (int i = 0; i < 100; i++)
		ASSERT_TRUE(frames.acquire());
	EXPECT_EQ(MemoryHeap::allocations(), 4);
	EXPECT_EQ(frames.state().idle, 4u);
}

TEST_F(BufferPoolTest, WhatDoesNotFitAtOnceIsGivenBackAndSaid)
{
	const MemoryHeap memory(3);
	const auto made = BufferPool::create(device(), kSize, {.name = "frames", .count = 4});
	ASSERT_FALSE(made);
	EXPECT_EQ(made.error().code, ENOMEM);
	EXPECT_THAT(made.error().message, HasSubstr("needs 4 buffers at once and 3 fit"));
}

TEST_F(BufferPoolTest, GrowsToItsLimitAndShrinksWhenTold)
{
	const MemoryHeap memory;
	auto frames = pool(1, 3);
	{
		auto one = frames.acquire();
		auto two = frames.acquire();
		auto three = frames.acquire();
		ASSERT_TRUE(one && two && three);
		EXPECT_EQ(MemoryHeap::allocations(), 3);
		EXPECT_EQ(frames.acquire().error().code, EAGAIN);
		EXPECT_EQ(frames.shrink(), 0u) << "what is held stays";
	}
	EXPECT_EQ(frames.shrink(2), 1u);
	EXPECT_EQ(frames.shrink(), 1u);
	EXPECT_EQ(frames.state().total, 1u);
}

TEST_F(BufferPoolTest, AnIndexStaysASerialNeverComesAgain)
{
	const MemoryHeap memory;
	auto frames = pool(0, 2);
	auto first = frames.acquire();
	ASSERT_TRUE(first);
	const uint64_t serial = first->serial();
	EXPECT_EQ(first->index(), 0u);
	first->giveBack();
	EXPECT_EQ(frames.shrink(), 1u);
	auto again = frames.acquire();
	ASSERT_TRUE(again);
	EXPECT_EQ(again->index(), 0u);
	EXPECT_GT(again->serial(), serial);
}

TEST_F(BufferPoolTest, ZeroesOnRequestOnly)
{
	const MemoryHeap memory;
	auto frames = pool(1);
	const auto firstByte = [&frames](bool zeroed) {
		auto lease = frames.acquire({.zeroed = zeroed});
		auto scope = lease->access(Access::ReadWrite);
		return std::exchange(scope->bytes()[kSize - 1], std::byte{0x5a});
	};
	EXPECT_EQ(firstByte(false), std::byte{0});
	EXPECT_EQ(firstByte(false), std::byte{0x5a});
	EXPECT_EQ(firstByte(true), std::byte{0});
}

TEST_F(BufferPoolTest, ProtectedMemoryIsHandedOutButNeverTouched)
{
	const MemoryHeap memory;
	auto made = BufferPool::create(device("protected,secure-video"), kSize, {.count = 1});
	ASSERT_TRUE(made);
	EXPECT_EQ(made->acquire({.zeroed = true}).error().code, EACCES);
	auto lease = made->acquire();
	ASSERT_TRUE(lease);
	EXPECT_TRUE(lease->buffer().isProtected());
	EXPECT_EQ(lease->access(Access::Read).error().code, EACCES);
}

TEST_F(BufferPoolTest, StarvingSaysWhoHoldsWhat)
{
	const MemoryHeap memory;
	auto frames = pool(3);
	auto one = frames.acquire({.holder = "encoder"});
	auto two = frames.acquire({.holder = "encoder"});
	auto three = frames.acquire({.holder = "display"});
	const auto none = frames.acquire({.holder = "camera", .timeout = milliseconds(20)});
	ASSERT_FALSE(none);
	EXPECT_EQ(none.error().code, ETIMEDOUT);
	EXPECT_THAT(none.error().message, HasSubstr("3 of 3 buffers are held: 2 by 'encoder'"));
	EXPECT_THAT(none.error().message, HasSubstr("1 by 'display'"));
}

TEST_F(BufferPoolTest, WhoWaitsGetsWhatIsGivenBack)
{
	const MemoryHeap memory;
	auto frames = pool(1);
	auto held = frames.acquire();
	ASSERT_TRUE(held);
	std::thread holder([lease = std::move(*held)]() mutable {
		std::this_thread::sleep_for(milliseconds(30));
		lease.giveBack();
	});
	EXPECT_TRUE(frames.acquire({.timeout = seconds(20)}));
	holder.join();
}

TEST_F(BufferPoolTest, WhoWaitsForAnothersGrowthIsToldThatItFailed)
{
	const MemoryHeap memory(0);
	auto frames = pool(0, 1);
	MemoryHeap::block(true);
	std::thread grower([&frames] { EXPECT_EQ(frames.acquire().error().code, ENOMEM); });
	while (MemoryHeap::blocked() == 0)
		std::this_thread::yield();
	std::thread waiter([&frames] {
		/* Nobody holds a buffer that could be given back. */
		EXPECT_EQ(frames.acquire({.timeout = seconds(20)}).error().code, ENOMEM);
	});
	while (frames.state().waiting == 0)
		std::this_thread::yield();
	MemoryHeap::block(false);
	grower.join();
	waiter.join();
}

TEST_F(BufferPoolTest, StopWakesWhoWaits)
{
	const MemoryHeap memory;
	auto frames = pool(1);
	auto held = frames.acquire();
	std::thread stopper([&frames] {
		std::this_thread::sleep_for(milliseconds(30));
		frames.stop();
	});
	const auto none = frames.acquire({.timeout = std::chrono::nanoseconds::max()});
	stopper.join();
	ASSERT_FALSE(none);
	EXPECT_EQ(none.error().code, ECANCELED);
	EXPECT_EQ(frames.acquire().error().code, ECANCELED);
}

TEST_F(BufferPoolTest, ALeaseOutlivesItsPool)
{
	const MemoryHeap memory;
	BufferLease kept;
	{
		auto frames = pool(2);
		kept = std::move(*frames.acquire());
	}
	ASSERT_TRUE(kept);
	EXPECT_TRUE(kept.access(Access::Write));
	kept.giveBack();
	EXPECT_FALSE(kept);
	EXPECT_EQ(kept.access(Access::Read).error().code, EBADF);
}

TEST_F(BufferPoolTest, NoTwoThreadsEverHoldTheSame)
{
	const MemoryHeap memory;
	auto frames = pool(2, 3);
	std::atomic<int> holders[3]{};
	std::atomic<int> clashes = 0;
	std::atomic<int> taken = 0;
	const auto work = [&] {
		for (int i = 0; i < 2000; i++) {
			auto lease = frames.acquire({.holder = "worker", .timeout = seconds(20)});
			if (!lease)
				continue;
			taken++;
			if (holders[lease->index()].fetch_add(1) != 0)
				clashes++;
			/* Plain writes: ThreadSanitizer would see a second holder. */
			auto scope = lease->access(Access::Write);
			scope->bytes()[0] = static_cast<std::byte>(i);
			holders[lease->index()]--;
			if (i % 500 == 0)
				frames.shrink(2);
		}
	};
	std::vector<std::thread> threads;
	for (int i = 0; i < 5; i++)
		threads.emplace_back(work);
	for (std::thread &thread : threads)
		thread.join();
	EXPECT_EQ(clashes, 0);
	EXPECT_EQ(taken, 5 * 2000);
	EXPECT_EQ(frames.state().idle, frames.state().total);
	EXPECT_EQ(frames.state().waiting, 0u);
}

TEST_F(BufferPoolTest, WrongOptionsAreRefused)
{
	const MemoryHeap memory;
	EXPECT_EQ(BufferPool::create(device(), 0, {.count = 1}).error().code, EINVAL);
	EXPECT_EQ(BufferPool::create(device(), kSize, {}).error().code, EINVAL);
	EXPECT_EQ(BufferPool::create(device(), kSize, {.count = 3, .limit = 2}).error().code,
		  EINVAL);
	EXPECT_EQ(BufferPool::create(device(), FrameLayout{}, {.count = 1}).error().code, EINVAL);
}
