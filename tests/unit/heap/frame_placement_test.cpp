/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/frame_placement.h"

#include <cerrno>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using testing::ElementsAre;
using testing::HasSubstr;

namespace
{

FrameLayout yuv420()
{
	const auto layout = makeFrameLayout(DRM_FORMAT_YUV420, 64, 32);
	EXPECT_TRUE(layout);
	return layout.value_or(FrameLayout{});
}

using Place = FramePlacement::Plane;

TEST(FramePlacement, AllPlanesInOneBuffer)
{
	const FramePlacement placement = placeInOneBuffer(yuv420());
	EXPECT_THAT(placement.buffers, ElementsAre(3072u));
	EXPECT_THAT(placement.planes, ElementsAre(Place{0, 0}, Place{0, 2048}, Place{0, 2560}));
	EXPECT_TRUE(checkPlacement(yuv420(), placement));
}

/* V4L2_PIX_FMT_YUV420M: each plane begins its own dma-buf. */
TEST(FramePlacement, ABufferForEachPlane)
{
	const FramePlacement placement = placeEachPlane(yuv420());
	EXPECT_THAT(placement.buffers, ElementsAre(2048u, 512u, 512u));
	EXPECT_THAT(placement.planes, ElementsAre(Place{0, 0}, Place{1, 0}, Place{2, 0}));
	EXPECT_EQ(placement.size(), yuv420().size());
	EXPECT_TRUE(checkPlacement(yuv420(), placement));
}

TEST(FramePlacement, EveryFormatCanBePlacedBothWays)
{
	for (const FormatInfo &info : knownFormats()) {
		const auto layout =
			makeFrameLayout(info.fourcc, 324, 244, {.modifier = info.modifier});
		ASSERT_TRUE(layout) << info.name;
		for (const auto &placement : {placeInOneBuffer(*layout), placeEachPlane(*layout)}) {
			EXPECT_TRUE(checkPlacement(*layout, placement)) << info.name;
			EXPECT_EQ(placement.size(), layout->size());
		}
	}
}

TEST(FramePlacement, ABrokenOneIsRefusedInNumbers)
{
	FramePlacement broken = placeEachPlane(yuv420());
	broken.planes[2].offset = 1;
	auto checked = checkPlacement(yuv420(), broken);
	ASSERT_FALSE(checked);
	EXPECT_EQ(checked.error().code, EINVAL);
	EXPECT_THAT(checked.error().message,
		    HasSubstr("plane 2 ends at byte 513 of a buffer of 512"));

	broken = placeInOneBuffer(yuv420());
	broken.planes[2].offset = 2048;
	checked = checkPlacement(yuv420(), broken);
	ASSERT_FALSE(checked);
	EXPECT_THAT(checked.error().message, HasSubstr("overlaps plane 1"));

	broken.planes[2].buffer = 1;
	EXPECT_FALSE(checkPlacement(yuv420(), broken));
	broken.planes.pop_back();
	EXPECT_FALSE(checkPlacement(yuv420(), broken));
}

} /* namespace */
