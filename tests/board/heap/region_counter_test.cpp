/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's own counters of each region: what is taken goes down, comes back, and runs out. */
#include "board_heaps.h"

#include "heapflow/heap/heap_choice.h"

#include <cerrno>

#include <gmock/gmock.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::HasSubstr;

namespace
{

class EveryRegion : public testing::TestWithParam<const char *>
{
protected:
	const HeapDevice device_ = openHeap(GetParam());
	const uint64_t free_ = freeBytes(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Board, EveryRegion, testing::ValuesIn(kRegionHeaps), parameterName);

} /* namespace */

TEST_P(EveryRegion, CountersGoDownAndComeBack)
{
	{
		const auto buffer = device_.allocate(3110400);
		ASSERT_TRUE(buffer) << buffer.error().text();
		EXPECT_EQ(freeBytes(GetParam()), free_ - buffer->size());
	}
	EXPECT_EQ(freeBytes(GetParam()), free_);
}

TEST_P(EveryRegion, AMappingHoldsTheMemoryUntilItEnds)
{
	{
		auto buffer = device_.allocate(kMiB);
		ASSERT_TRUE(buffer);
		const auto mapping = buffer->map(Access::Read);
		ASSERT_TRUE(mapping);
		buffer->takeFd().reset();
		EXPECT_EQ(freeBytes(GetParam()), free_ - kMiB);
	}
	EXPECT_EQ(freeBytes(GetParam()), free_);
}

TEST_P(EveryRegion, FactsAreComplete)
{
	const Region region = device_.heap().region;
	EXPECT_TRUE(region.contiguous);
	ASSERT_TRUE(region.base && region.total && region.free && region.largest);
	EXPECT_EQ(*region.total, (std::string(GetParam()).starts_with("memory") ? 32 : 64) * kMiB);
	EXPECT_EQ(*region.free, *region.total) << "something holds memory of this region";
	EXPECT_EQ(*region.largest, *region.total);
	const auto said = device_.heap().name.unitAddress;
	EXPECT_EQ(*region.base, said.value_or(*region.base));
}

TEST_P(EveryRegion, ExhaustionSaysTheNumbers)
{
	std::vector<Buffer> held;
	Error error;
	for (;;) {
		auto buffer = device_.allocate(8 * kMiB);
		if (!buffer) {
			error = buffer.error();
			break;
		}
		held.push_back(std::move(*buffer));
		ASSERT_LE(held.size(), 8u);
	}
	EXPECT_EQ(held.size(), *device_.heap().region.total / (8 * kMiB));
	EXPECT_EQ(error.code, ENOMEM);
	EXPECT_THAT(error.message, HasSubstr("8388608 bytes"));
	EXPECT_THAT(error.message,
		    HasSubstr("0 of " + std::to_string(*device_.heap().region.total) + " bytes"));
	EXPECT_THAT(error.message, HasSubstr("largest run is 0"));
	EXPECT_THAT(error.hint, HasSubstr("free some"));

	/* One page less than it seems: nothing at all is left. */
	EXPECT_EQ(device_.allocate(1).error().code, ENOMEM);
	held.clear();
	EXPECT_EQ(freeBytes(GetParam()), free_);
}

TEST_P(EveryRegion, MoreThanTheRegionIsSaid)
{
	const uint64_t size = *device_.heap().region.total + 1;
	const auto buffer = device_.allocate(size);
	ASSERT_FALSE(buffer);
	EXPECT_EQ(buffer.error().code, ENOMEM);
	EXPECT_THAT(buffer.error().message, HasSubstr(std::to_string(size)));
	EXPECT_THAT(buffer.error().message,
		    HasSubstr(std::to_string(inPages(size)) + " in whole pages"));
	EXPECT_THAT(buffer.error().hint, HasSubstr("too small"));
}

TEST_P(EveryRegion, FreeMemoryInPiecesIsSaid)
{
	/* All of it in buffers of 1 MiB, then every other one given back. */
	const size_t count = *device_.heap().region.total / kMiB;
	std::vector<Buffer> held;
	for (size_t i = 0; i < count; i++) {
		auto buffer = device_.allocate(kMiB);
		ASSERT_TRUE(buffer) << i << ": " << buffer.error().text();
		held.push_back(std::move(*buffer));
	}
	for (size_t i = 0; i < count; i += 2)
		static_cast<void>(held[i].takeFd());

	const auto buffer = device_.allocate(2 * kMiB);
	ASSERT_FALSE(buffer);
	EXPECT_EQ(buffer.error().code, ENOMEM);
	EXPECT_THAT(buffer.error().message, HasSubstr(std::to_string(count / 2 * kMiB) + " of "));
	EXPECT_THAT(buffer.error().message, HasSubstr("largest run is 1048576"));
	EXPECT_THAT(buffer.error().hint, HasSubstr("in pieces"));
}

TEST(Twins, AreOneRegionCountedOnce)
{
	const auto heaps = listHeaps();
	ASSERT_TRUE(heaps);
	EXPECT_EQ(findHeap("default_cma_region")->region.id, findHeap("linux,cma")->region.id);
	EXPECT_NE(findHeap("default_cma_region")->device, findHeap("linux,cma")->device);

	const RegionTotals totals = sumRegions(*heaps);
	EXPECT_EQ(totals.regions, 3u);
	EXPECT_EQ(totals.total, 160 * kMiB);
}

TEST(Twins, WhatOneGivesTheOtherLacks)
{
	const HeapDevice device = openHeap("default_cma_region");
	const uint64_t before = freeBytes("linux,cma");
	const uint64_t sum = sumRegions(*listHeaps()).free;
	const auto buffer = device.allocate(4 * kMiB);
	ASSERT_TRUE(buffer);
	EXPECT_EQ(freeBytes("linux,cma"), before - 4 * kMiB);
	EXPECT_EQ(sumRegions(*listHeaps()).free, sum - 4 * kMiB);
}

TEST(SystemHeap, RefusesMoreThanTheMachineHas)
{
	const HeapDevice device = openHeap("system");
	for (const uint64_t size : {uint64_t{1} << 40, uint64_t{2} << 30, UINT64_MAX / 2}) {
		const auto buffer = device.allocate(size);
		ASSERT_FALSE(buffer);
		EXPECT_EQ(buffer.error().code, ENOMEM);
		EXPECT_THAT(buffer.error().message, HasSubstr(std::to_string(size)));
	}
}

TEST(SystemHeap, ManyBuffersEndInAnErrorNotInTheOomKiller)
{
	const auto choice = chooseHeap("system");
	ASSERT_TRUE(choice);
	const auto buffers = allocateBuffers(*choice, 1000, 64 * kMiB, "too many");
	ASSERT_FALSE(buffers);
	EXPECT_EQ(buffers.error().code, ENOMEM);
	EXPECT_THAT(buffers.error().message, HasSubstr("of 1000"));
	EXPECT_TRUE(openHeap("system").allocate(64 * kMiB));
}
