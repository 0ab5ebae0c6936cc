/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "arrangement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using testing::ElementsAre;
using testing::IsEmpty;

namespace
{

std::vector<std::string> arrange(uint32_t width, uint32_t height, const LayerOptions &layer = {},
				 bool crop = false, Transform panel = Transform::Identity)
{
	std::vector<std::string> list;
	for (const Arrangement &arrangement : arrangements({.source = {0, 0, width, height},
							    .panelWidth = 1024,
							    .panelHeight = 768,
							    .panel = panel,
							    .crop = crop},
							   layer))
		list.push_back(describe(arrangement));
	return list;
}

} /* namespace */

TEST(Arrangement, AFrameOfTheModesSizeIsNative)
{
	EXPECT_THAT(arrange(1024, 768), ElementsAre("native 1024x768+0+0 of 1024x768+0+0"));
}

TEST(Arrangement, ASmallerOneIsScaledAndElseCentred)
{
	EXPECT_THAT(arrange(640, 480), ElementsAre("scaled 1024x768+0+0 of 640x480+0+0",
						   "native 640x480+192+144 of 640x480+0+0"));
	EXPECT_THAT(arrange(640, 480, {.scale = false}),
		    ElementsAre("native 640x480+192+144 of 640x480+0+0"));
	EXPECT_THAT(arrange(640, 360, {.keepAspect = false}),
		    ElementsAre("stretched 1024x768+0+0 of 640x360+0+0",
				"native 640x360+192+204 of 640x360+0+0"));
}

TEST(Arrangement, ALargerOneIsScaledAndElseCropped)
{
	EXPECT_THAT(arrange(3840, 2160), ElementsAre("scaled 1024x576+0+96 of 3840x2160+0+0"));
	EXPECT_THAT(arrange(2160, 3840), ElementsAre("scaled 432x768+296+0 of 2160x3840+0+0"));
	EXPECT_THAT(arrange(3840, 2160, {.scale = false}), IsEmpty());
	EXPECT_THAT(arrange(3840, 600, {.scale = false}, true),
		    ElementsAre("cropped 1024x600+0+84 of 1024x600+1408+0"));
	EXPECT_THAT(arrange(640, 480, {}, true), IsEmpty()) << "nothing to cut off";
}

TEST(Arrangement, IntoARectangle)
{
	const LayerOptions layer{.rectangle = {100, 50, 320, 240}};
	EXPECT_THAT(arrange(640, 480, layer), ElementsAre("scaled 320x240+100+50 of 640x480+0+0"));
	EXPECT_THAT(arrange(160, 120, layer), ElementsAre("scaled 320x240+100+50 of 160x120+0+0",
							  "native 160x120+180+110 of 160x120+0+0"));
	EXPECT_THAT(arrange(320, 240, layer), ElementsAre("native 320x240+100+50 of 320x240+0+0"));
}

TEST(Arrangement, PixelsThatAreNotSquare)
{
	/* PAL widescreen: 720x576 is shown as 1024x576. */
	EXPECT_THAT(arrange(720, 576, {.pixelAspect = {64, 45}}),
		    ElementsAre("scaled 1024x576+0+96 of 720x576+0+0",
				"native 720x576+152+96 of 720x576+0+0"));
}

TEST(Arrangement, TurnedByTheLayer)
{
	EXPECT_THAT(arrange(768, 1024, {.transform = Transform::Rotate90}),
		    ElementsAre("native 1024x768+0+0 of 768x1024+0+0, turned 90 degrees "
				"clockwise"));
	EXPECT_THAT(arrange(3000, 2000, {.scale = false, .transform = Transform::Rotate90}, true),
		    ElementsAre("cropped 1024x768+0+0 of 768x1024+1116+488, turned 90 degrees "
				"clockwise"));
}

/* The viewer of a panel whose right side is up sees 768x1024. */
TEST(Arrangement, TurnedByThePanelAndAtLastWithout)
{
	EXPECT_THAT(arrange(768, 1024, {}, false, Transform::Rotate90),
		    ElementsAre("native 1024x768+0+0 of 768x1024+0+0, turned 90 degrees clockwise",
				"scaled 576x768+224+0 of 768x1024+0+0"));
	const LayerOptions corner{.rectangle = {0, 0, 100, 50}};
	EXPECT_EQ(arrange(100, 50, corner, false, Transform::Rotate90)[0],
		  "native 50x100+974+0 of 100x50+0+0, turned 90 degrees clockwise");
}

TEST(Arrangement, IsOnEvenPixels)
{
	EXPECT_THAT(arrange(322, 242, {.scale = false}),
		    ElementsAre("native 322x242+350+262 of 322x242+0+0"));
	/* An empty rectangle turns a plane off. */
	EXPECT_EQ(arrange(8000, 2)[0], "scaled 1024x2+0+382 of 8000x2+0+0");
}

TEST(Arrangement, AbsurdNumbersAreNoTrap)
{
	EXPECT_THAT(arrange(1, 1, {.pixelAspect = {0, 0}}), testing::Not(IsEmpty()));
	EXPECT_THAT(arrange(4'000'000'000u, 1, {.pixelAspect = {4'000'000'000u, 1}}),
		    testing::Not(IsEmpty()));
}
