/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each cause of a failed allocation, on real regions. */
#include "board_heaps.h"

#include "heapflow/heap/allocation_failure.h"

#include <cerrno>

#include <gmock/gmock.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::HasSubstr;

namespace
{

constexpr const char *kHeap = "memory@48000000-contiguous"; /* 32 MiB */

AllocationFailure failureOf(uint64_t size)
{
	const auto buffer = openHeap(kHeap).allocate(size);
	EXPECT_FALSE(buffer);
	return diagnoseAllocation(*findHeap(kHeap), buffer ? 0 : buffer.error().code, size);
}

} /* namespace */

TEST(AllocationFailure, ARegionThatIsTooSmallSaysHowLargeItMustBe)
{
	const AllocationFailure failure = failureOf(33 * kMiB);
	EXPECT_EQ(failure.cause, AllocationCause::RegionTooSmall);
	EXPECT_THAT(failure.error().hint, HasSubstr("reg = "));
	EXPECT_THAT(failure.otherHeaps, testing::Contains("video@42000000"));
}

TEST(AllocationFailure, AnExhaustedRegionSaysWhoHasIt)
{
	const auto held = openHeap(kHeap).allocate(30 * kMiB, "greedy");
	ASSERT_TRUE(held);
	const AllocationFailure failure = failureOf(4 * kMiB);
	EXPECT_EQ(failure.cause, AllocationCause::Exhausted);
	EXPECT_EQ(failure.alignment, kMiB);
	EXPECT_EQ(failure.holders.bytes, 30 * kMiB);
	const std::string text = failure.error().text();
	EXPECT_THAT(text, HasSubstr("greedy"));
	EXPECT_THAT(text, HasSubstr("board-heap["));
	EXPECT_THAT(text, HasSubstr("2097152 of 33554432"));
}

TEST(AllocationFailure, AFragmentedRegionHasRoomButNoRun)
{
	std::vector<Buffer> held;
	const HeapDevice device = openHeap(kHeap);
	for (int i = 0; i < 32; i++) {
		auto buffer = device.allocate(kMiB);
		ASSERT_TRUE(buffer);
		held.push_back(std::move(*buffer));
	}
	for (size_t i = 0; i < held.size(); i += 2)
		held[i].takeFd().reset();
	const AllocationFailure failure = failureOf(2 * kMiB);
	EXPECT_EQ(failure.cause, AllocationCause::Fragmented);
	EXPECT_EQ(failure.region.free, 16 * kMiB);
	EXPECT_EQ(failure.region.largest, kMiB);
	EXPECT_THAT(failure.error().hint, HasSubstr("in pieces"));
}

TEST(AllocationFailure, AHeapThatIsNotThereSaysWhatIsNear)
{
	const Error error = missingHeapError("vidoe@42000000");
	EXPECT_EQ(error.code, ENOENT);
	EXPECT_THAT(error.text(), HasSubstr("video@42000000"));
}
