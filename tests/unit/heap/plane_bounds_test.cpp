/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/plane_bounds.h"

#include <array>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>

using namespace heapflow;
using testing::HasSubstr;

TEST(CheckPlanesFit, ToTheByteOfTheLastLine)
{
	const FrameLayout layout = *makeFrameLayout(DRM_FORMAT_NV12, 64, 32);
	const auto fits = [](const FrameLayout &tried, uint64_t size) {
		return checkPlanesFit(tried, std::array{size}).has_value();
	};
	EXPECT_TRUE(fits(layout, 3072));
	EXPECT_FALSE(fits(layout, 3071));

	/* The order is free, a gap too. */
	FrameLayout swapped = layout;
	swapped.planes[0].offset = 1024;
	swapped.planes[1].offset = 0;
	EXPECT_TRUE(fits(swapped, 3072));
	/* A length that is too short for its lines does not count. */
	FrameLayout shorter = swapped;
	shorter.planes[0].length = 1;
	EXPECT_FALSE(fits(shorter, 3071));
	FrameLayout narrow = layout;
	narrow.planes[1].stride = 32;
	EXPECT_FALSE(fits(narrow, 1 << 20)) << "a line of colour takes 64 bytes";
}

TEST(CheckPlanesFit, NumbersAtTheEndOf32BitsDoNotWrapAround)
{
	FrameLayout layout = *makeFrameLayout(DRM_FORMAT_NV12, 64, 32);
	for (PlaneLayout &plane : layout.planes)
		plane = {0xffffffff, 0xffffffff, 0};
	EXPECT_FALSE(checkPlanesFit(layout, std::array{uint64_t{1} << 32}));
	layout.height = 0xffffffff;
	EXPECT_FALSE(checkPlanesFit(layout, std::array{uint64_t{1} << 63}));
	/* Two dma-bufs, and the second is the one that is short. */
	const FrameLayout good = *makeFrameLayout(DRM_FORMAT_NV12, 64, 32);
	FrameLayout each = good;
	each.planes[1].offset = 0;
	EXPECT_TRUE(checkPlanesFit(each, std::array<uint64_t, 2>{2048, 1024}));
	const auto wrong = checkPlanesFit(each, std::array<uint64_t, 2>{2048, 1023});
	ASSERT_FALSE(wrong);
	EXPECT_THAT(wrong.error().message, HasSubstr("of plane 1 is too small: 1023 bytes"));
}
