/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/cma.h"

#include <gtest/gtest.h>

using namespace heapflow;

constexpr uint64_t kMiB = uint64_t{1} << 20;

TEST(CmaAlignment, IsThePowerOfTwoThatHoldsTheBuffer)
{
	EXPECT_EQ(cmaAlignment(1), 4096u);
	EXPECT_EQ(cmaAlignment(4096), 4096u);
	EXPECT_EQ(cmaAlignment(4097), 8192u);
	EXPECT_EQ(cmaAlignment(640 * 1024), kMiB);
}

TEST(CmaAlignment, EndsAtTheLimitOfTheKernel)
{
	EXPECT_EQ(cmaAlignment(3110400), kMiB);
	EXPECT_EQ(cmaAlignment(64 * kMiB), kMiB);
	EXPECT_EQ(cmaAlignment(64 * kMiB, {.pageSize = 65536, .alignmentOrder = 8}), 16 * kMiB);
	EXPECT_EQ(cmaAlignment(64 * kMiB, {.alignmentOrder = 4}), 65536u);
}

TEST(CmaSpace, AllButTheLastAreRoundedToTheirAlignment)
{
	/* NV12 1080p: 3110400 bytes lie 3 MiB apart, 3112960 in whole pages. */
	EXPECT_EQ(cmaSpace(3110400, 1), 3112960u);
	EXPECT_EQ(cmaSpace(3110400, 6), 5 * 3 * kMiB + 3112960);
	/* One byte more than a MiB costs a second one. */
	EXPECT_EQ(cmaSpace(kMiB + 1, 2), 2 * kMiB + kMiB + 4096);
}

TEST(CmaSpace, NothingTakesNothingAndTooMuchIsSaid)
{
	EXPECT_EQ(cmaSpace(0, 5), 0u);
	EXPECT_EQ(cmaSpace(5, 0), 0u);
	EXPECT_EQ(cmaSpace(UINT64_MAX, 1), UINT64_MAX);
	EXPECT_EQ(cmaSpace(uint64_t{1} << 40, uint64_t{1} << 40), UINT64_MAX);
}
