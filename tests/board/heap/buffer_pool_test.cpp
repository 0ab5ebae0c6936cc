/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pool on every real heap. */
#include "board_heaps.h"

#include "heapflow/heap/buffer_pool.h"

#include <algorithm>
#include <cerrno>

#include <gmock/gmock.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::HasSubstr;

namespace
{

class PoolOf : public testing::TestWithParam<const char *>
{
};

} /* namespace */

TEST_P(PoolOf, RecyclesWithoutAllocating)
{
	auto pool = BufferPool::create(openHeap(GetParam()), 2 * kMiB,
				       {.name = "pool test", .count = 3});
	ASSERT_TRUE(pool) << pool.error().text();
	const auto before = findHeap(GetParam())->region.free;
	for (int i = 0; i < 1000; i++) {
		auto one = pool->acquire({.holder = "one"});
		auto two = pool->acquire({.holder = "two"});
		ASSERT_TRUE(one && two);
		ASSERT_NE(one->index(), two->index());
	}
	EXPECT_EQ(findHeap(GetParam())->region.free, before);
}

TEST_P(PoolOf, ABufferThatCrossesATrustBoundaryIsZeroed)
{
	auto pool = BufferPool::create(openHeap(GetParam()), kMiB, {.count = 1});
	ASSERT_TRUE(pool);
	{
		auto lease = pool->acquire();
		auto scope = lease->access(Access::Write);
		ASSERT_TRUE(scope) << scope.error().text();
		std::ranges::fill(scope->bytes(), std::byte{0xa5});
	}
	auto lease = pool->acquire({.zeroed = true});
	ASSERT_TRUE(lease);
	auto scope = lease->access(Access::Read);
	ASSERT_TRUE(scope);
	EXPECT_TRUE(std::ranges::all_of(scope->bytes(),
					[](std::byte byte) { return byte == std::byte{}; }));
}

INSTANTIATE_TEST_SUITE_P(Board, PoolOf, testing::ValuesIn(kBoardHeaps), parameterName);

TEST(Pool, ARegionThatIsTooSmallSaysHowManyFit)
{
	const uint64_t before = freeBytes("memory@48000000-contiguous");
	const auto pool = BufferPool::create(openHeap("memory@48000000-contiguous"), 8 * kMiB,
					     {.name = "big", .count = 5});
	ASSERT_FALSE(pool);
	EXPECT_EQ(pool.error().code, ENOMEM);
	EXPECT_THAT(pool.error().message, HasSubstr("needs 5 buffers at once and 4 fit"));
	EXPECT_EQ(freeBytes("memory@48000000-contiguous"), before) << "all was given back";
}

TEST(Pool, WhatComesBackAfterItsEndIsFreedAtOnce)
{
	const uint64_t before = freeBytes("video@42000000");
	BufferLease one;
	BufferLease two;
	{
		auto pool = BufferPool::create(openHeap("video@42000000"), 4 * kMiB, {.count = 3});
		ASSERT_TRUE(pool);
		one = std::move(*pool->acquire());
		two = std::move(*pool->acquire());
	}
	EXPECT_EQ(freeBytes("video@42000000"), before - 8 * kMiB);
	one.giveBack();
	EXPECT_EQ(freeBytes("video@42000000"), before - 4 * kMiB);
	two.giveBack();
	EXPECT_EQ(freeBytes("video@42000000"), before);
}

TEST(Pool, GivesItsMemoryBack)
{
	const uint64_t before = freeBytes("video@42000000");
	{
		auto pool = BufferPool::create(openHeap("video@42000000"), 4 * kMiB,
					       {.count = 1, .limit = 3});
		ASSERT_TRUE(pool);
		auto one = pool->acquire();
		auto two = pool->acquire();
		EXPECT_EQ(freeBytes("video@42000000"), before - 8 * kMiB);
		two->giveBack();
		EXPECT_EQ(pool->shrink(), 1u);
		EXPECT_EQ(freeBytes("video@42000000"), before - 4 * kMiB);
	}
	EXPECT_EQ(freeBytes("video@42000000"), before);
}
