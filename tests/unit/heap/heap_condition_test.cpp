/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conditions of an expression, held against heaps of every kind. */
#include "heapflow/heap/heap_choice.h"

#include "made_up_heap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace
{

constexpr uint64_t kMiB = uint64_t{1} << 20;

std::vector<Heap> many()
{
	return {
		systemHeap(900 * kMiB),
		cmaHeap("default_cma_region", 0x5bc00000, 64 * kMiB, 64 * kMiB, true),
		cmaHeap("video@42000000", 0x42000000, 64 * kMiB, 10 * kMiB),
		cmaHeap("camera@140000000", 0x140000000, 64 * kMiB, 64 * kMiB),
		cmaHeap("memory@fff00000-contiguous", 0xfff00000, 2 * kMiB, 2 * kMiB),
		vendorHeap("system-uncached"),
		vendorHeap("system-dma32"),
		vendorHeap("carveout"),
		vendorHeap("protected,secure-video"),
		vendorHeap("system_cc_shared"),
	};
}

} /* namespace */

TEST(Condition, Contiguous)
{
	EXPECT_THAT(tried("is=contiguous", many()),
		    ElementsAre("camera@140000000", "default_cma_region",
				"memory@fff00000-contiguous", "video@42000000"));
	EXPECT_THAT(tried("not=contiguous", many()),
		    ElementsAre("system", "system-dma32", "system-uncached", "system_cc_shared"));
}

TEST(Condition, TheNameIsBelievedWhereTheKernelSaysNothing)
{
	const std::vector<Heap> heaps{vendorHeap("pool-contiguous"), vendorHeap("pool")};
	EXPECT_THAT(tried("is=contiguous", heaps), ElementsAre("pool-contiguous"));
	EXPECT_THAT(reasonOf("is=contiguous", heaps, "pool-contiguous"), HasSubstr("its name"));
}

TEST(Condition, WhatIsUnknownMeetsNeither)
{
	const std::vector<Heap> heaps{vendorHeap("carveout")};
	EXPECT_THAT(tried("is=contiguous", heaps), IsEmpty());
	EXPECT_THAT(tried("not=contiguous", heaps), IsEmpty());
	EXPECT_THAT(tried("is=cached", heaps), IsEmpty());
	EXPECT_THAT(tried("not=cached", heaps), IsEmpty());
	EXPECT_THAT(tried("min-free=1", heaps), IsEmpty());
	EXPECT_THAT(reasonOf("is=contiguous", heaps, "carveout"), HasSubstr("neither"));
}

TEST(Condition, CachedIsSaidByVendors)
{
	EXPECT_THAT(tried("not=cached", many()), ElementsAre("system-uncached"));
	EXPECT_THAT(tried("is=cached,usage=video", many()), ElementsAre("video@42000000"));
}

TEST(Condition, Dedicated)
{
	EXPECT_THAT(
		tried("is=dedicated", many()),
		ElementsAre("camera@140000000", "memory@fff00000-contiguous", "video@42000000"));
	EXPECT_THAT(tried("not=dedicated", many()),
		    ElementsAre("default_cma_region", "system", "system-dma32", "system-uncached",
				"system_cc_shared"));
}

TEST(Condition, ProtectedOnlyWhenAskedFor)
{
	EXPECT_THAT(tried("is=protected", many()), ElementsAre("protected,secure-video"));
	EXPECT_THAT(tried("usage=secure*", many()), IsEmpty());
	EXPECT_THAT(tried("usage=secure*,is=protected", many()),
		    ElementsAre("protected,secure-video"));
	EXPECT_THAT(reasonOf("usage=secure*", many(), "protected,secure-video"),
		    HasSubstr("is=protected only"));
}

TEST(Condition, CcShared)
{
	EXPECT_THAT(tried("is=cc_shared", many()), ElementsAre("system_cc_shared"));
}

TEST(Condition, UsageIsANameOrAPattern)
{
	EXPECT_THAT(tried("usage=video", many()), ElementsAre("video@42000000"));
	EXPECT_THAT(tried("usage=[vc]*", many()),
		    ElementsAre("camera@140000000", "carveout", "video@42000000"));
	EXPECT_THAT(reasonOf("usage=video", many(), "system"), HasSubstr("states no usage"));
}

TEST(Condition, MinFree)
{
	EXPECT_THAT(tried("usage=[vc]*,min-free=64M", many()), ElementsAre("camera@140000000"));
	EXPECT_THAT(tried("usage=video,min-free=10M", many()), ElementsAre("video@42000000"));
	EXPECT_THAT(tried("usage=video,min-free=10485761", many()), IsEmpty());
	EXPECT_THAT(tried("min-free=901M", many()), IsEmpty());
	EXPECT_THAT(tried("min-free=900M", many()), ElementsAre("system"));
	EXPECT_THAT(reasonOf("min-free=64M", many(), "video@42000000"), HasSubstr("10 MiB free"));
}

TEST(Condition, BelowIsAboutTheEnd)
{
	/* 0xfff00000 + 2 MiB crosses 4 GiB. */
	EXPECT_THAT(tried("below=4G", many()),
		    ElementsAre("default_cma_region", "system-dma32", "video@42000000"));
	EXPECT_THAT(reasonOf("below=4G", many(), "memory@fff00000-contiguous"),
		    HasSubstr("ends at 0x100100000"));
	EXPECT_THAT(reasonOf("below=4G", many(), "camera@140000000"),
		    HasSubstr("begins at 0x140000000"));
	EXPECT_THAT(reasonOf("below=4G", many(), "system"), HasSubstr("any address"));
	/* The last byte may lie just below. */
	const std::vector<Heap> exact{cmaHeap("video@f0000000", 0xf0000000, 256 * kMiB, 0)};
	EXPECT_THAT(tried("below=4G", exact), ElementsAre("video@f0000000"));
}

TEST(Condition, AllOfThemMustBeMetAndEachIsReported)
{
	const HeapChoice choice = explainText("is=contiguous,below=4G,min-free=32M", many());
	EXPECT_THAT(namesOf(choice), ElementsAre("default_cma_region"));
	for (const HeapCandidate &candidate : choice.candidates) {
		ASSERT_EQ(candidate.considered.size(), 1u) << candidate.heap.name.text;
		EXPECT_EQ(candidate.considered[0].conditions.size(), 3u);
	}
	const auto &taken = choice.taken().considered[0].conditions;
	for (const ConditionReport &report : taken)
		EXPECT_EQ(report.verdict, Verdict::Met);
	ASSERT_EQ(choice.unmet.size(), 0u);
}

TEST(Condition, NothingMetIsSaid)
{
	const HeapChoice choice = explainText("usage=nothing:system", many());
	ASSERT_EQ(choice.unmet.size(), 1u);
	EXPECT_EQ(choice.unmet[0].reason, "no heap meets usage=nothing");
}

TEST(Condition, AnAddressBeyondAllMemoryIsNoOverflow)
{
	const std::vector<Heap> heaps{
		cmaHeap("video@fffffffffffff000", 0xfffffffffffff000, 64 * kMiB, 0)};
	EXPECT_THAT(tried("below=18446744073709551615", heaps), IsEmpty());
}
