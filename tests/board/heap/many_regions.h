/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What board/variants/many-regions.dts promises. */
#pragma once

#include "board_heaps.h"

#include <array>
#include <string_view>

#include <gtest/gtest.h>

namespace heapflow::test
{

struct PromisedRegion {
	const char *heap;
	const char *region;
	uint64_t size;
	uint64_t base; /**< 0: the kernel chose it */
};

/** \brief Sorted by name, as heaps are listed */
constexpr std::array kManyRegions{
	PromisedRegion{"camera@45000000", "camera@45000000", 16 * kMiB, 0x45000000},
	PromisedRegion{"cma-video", "cma-video", 16 * kMiB, 0},
	PromisedRegion{"default_cma_region", "display@48000000", 32 * kMiB, 0x48000000},
	PromisedRegion{"display@48000000", "display@48000000", 32 * kMiB, 0x48000000},
	PromisedRegion{"frames", "frames", 8 * kMiB, 0},
	PromisedRegion{"linux,cma", "linux,cma", 8 * kMiB, 0x4a000000},
	PromisedRegion{"system", "system", 0, 0},
	PromisedRegion{"video@42000000", "video@42000000", 32 * kMiB, 0x42000000},
	PromisedRegion{"video@44000000", "video@44000000", 16 * kMiB, 0x44000000},
};

/** \brief Nodes of its reserved-memory that are no heaps: no-map, no-map, disabled */
constexpr std::array kNoHeaps{"firmware@50000000", "sensor@50400000", "video@51000000"};

constexpr uint64_t kManyRegionsTotal = 128 * kMiB;

/** \brief Says so on a board that was started otherwise, before a test reaches for what is not
 * there */
class ManyRegionsBoard : public testing::Test
{
protected:
	void SetUp() override
	{
		ASSERT_TRUE(findHeap("cma-video"))
			<< "start the board with --device-tree board/variants/many-regions.dts";
	}
};

} /* namespace heapflow::test */
