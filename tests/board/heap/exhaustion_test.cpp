/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Regions that run full: of one user, of two, and of two heaps that are one region. */
#include "many_regions.h"
#include "other_holder.h"

#include "heapflow/heap/heap_choice.h"

#include <cerrno>

#include <gmock/gmock.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::HasSubstr;
using testing::SizeIs;

namespace
{

/* Buffers until there are no more; `limit` ends it when there is no end. */
std::vector<Buffer> takeAll(const HeapDevice &device, uint64_t size, size_t limit)
{
	std::vector<Buffer> held;
	while (held.size() <= limit) {
		auto buffer = device.allocate(size);
		if (!buffer) {
			EXPECT_EQ(buffer.error().code, ENOMEM) << buffer.error().text();
			break;
		}
		held.push_back(std::move(*buffer));
	}
	return held;
}

class ManyRegionsExhaustion : public ManyRegionsBoard
{
};

} /* namespace */

TEST_F(ManyRegionsExhaustion, EachRegionGivesAllItHasAndNoOtherGivesLess)
{
	for (const PromisedRegion &promised : kManyRegions) {
		if (!promised.size)
			continue;
		const HeapDevice device = openHeap(promised.heap);
		const auto held = takeAll(device, 4 * kMiB, promised.size / (4 * kMiB));
		EXPECT_THAT(held, SizeIs(promised.size / (4 * kMiB))) << promised.heap;
		EXPECT_EQ(freeBytes(promised.heap), 0u);
		EXPECT_EQ(sumRegions(*listHeaps()).free, kManyRegionsTotal - promised.size);
	}
	EXPECT_EQ(sumRegions(*listHeaps()).free, kManyRegionsTotal);
}

TEST_F(ManyRegionsExhaustion, APatternMovesOnAndThenFailsWithTheNumbersOfTheFirst)
{
	const auto choice = chooseHeap("video@*");
	ASSERT_TRUE(choice);
	std::vector<AllocatedBuffers> held;
	std::vector<std::string> from;
	for (;;) {
		auto got = allocateBuffers(*choice, 1, 8 * kMiB, "frame");
		if (!got) {
			EXPECT_EQ(got.error().code, ENOMEM);
			EXPECT_THAT(got.error().message, HasSubstr("video@42000000"));
			EXPECT_THAT(got.error().message, HasSubstr("8388608 bytes"));
			EXPECT_THAT(got.error().message, HasSubstr("0 of 33554432 bytes"));
			EXPECT_NE(got.error().hint, "");
			break;
		}
		from.push_back(got->heap.name.text);
		held.push_back(std::move(*got));
		ASSERT_LE(held.size(), 6u);
	}
	EXPECT_THAT(from,
		    testing::ElementsAre("video@42000000", "video@42000000", "video@42000000",
					 "video@42000000", "video@44000000", "video@44000000"));
	EXPECT_EQ(freeBytes("default_cma_region"), 32 * kMiB) << "nobody asked for it";

	held.erase(held.begin());
	const auto again = allocateBuffers(*choice, 1, 8 * kMiB, "frame");
	ASSERT_TRUE(again) << again.error().text();
	EXPECT_EQ(again->heap.name.text, "video@42000000");
}

TEST_F(ManyRegionsExhaustion, OneHeapOfARegionEmptiesTheOther)
{
	const auto held = takeAll(openHeap("display@48000000"), 8 * kMiB, 4);
	EXPECT_THAT(held, SizeIs(4));
	EXPECT_EQ(freeBytes("default_cma_region"), 0u);
	const auto buffer = openHeap("default_cma_region").allocate(4096);
	ASSERT_FALSE(buffer);
	EXPECT_EQ(buffer.error().code, ENOMEM);
	/* linux,cma is not the default region here, and has all it had. */
	EXPECT_TRUE(openHeap("linux,cma").allocate(8 * kMiB));
}

TEST_F(ManyRegionsExhaustion, ByAnotherProcessEndsWithIt)
{
	const HeapDevice device = openHeap("frames");
	OtherHolder other("frames", "8M");
	ASSERT_TRUE(other.held());
	const auto refused = device.allocate(4096);
	ASSERT_FALSE(refused);
	EXPECT_EQ(refused.error().code, ENOMEM);
	EXPECT_THAT(refused.error().message, HasSubstr("0 of 8388608 bytes"));
	other.end();
	EXPECT_TRUE(device.allocate(8 * kMiB));
}
