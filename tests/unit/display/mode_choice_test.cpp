/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mode_choice.h"

#include "example_display.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

const std::vector<drmModeModeInfo> screenModes = {
	makeMode(1920, 1080), makeMode(1024, 768, DRM_MODE_TYPE_PREFERRED),
	makeMode(1280, 720),  makeMode(800, 600),
	makeMode(640, 480),
};

/* "1280x720 at 0,0 1280x720" */
std::string text(const ModeCandidate &candidate)
{
	const Placement &p = candidate.placement;
	return std::string(candidate.mode.name) + " at " + std::to_string(p.x) + "," +
	       std::to_string(p.y) + " " + std::to_string(p.width) + "x" +
	       std::to_string(p.height) + (candidate.scaled ? " scaled" : "");
}

std::vector<std::string> choose(const std::optional<drmModeModeInfo> &current, uint32_t width,
				uint32_t height,
				const std::vector<drmModeModeInfo> &modes = screenModes)
{
	std::vector<std::string> list;
	for (const ModeCandidate &candidate : chooseModes(modes, current, width, height))
		list.push_back(text(candidate));
	return list;
}

} /* namespace */

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ModeChoice, ExactSizeFirstThenCentredInThePreferred)
{
	EXPECT_THAT(choose(std::nullopt, 640, 480),
		    ElementsAre("640x480 at 0,0 640x480", "1024x768 at 192,144 640x480"));
}

TEST(ModeChoice, CurrentModeOfTheFramesSizeIsNotChanged)
{
	/* Another refresh rate than the one in the list, and not in it at all. */
	const drmModeModeInfo current = makeMode(1280, 720, 0, 50);
	const auto candidates = chooseModes(screenModes, current, 1280, 720);
	ASSERT_GE(candidates.size(), 2u);
	EXPECT_TRUE(sameTimings(candidates[0].mode, current));
	EXPECT_FALSE(sameTimings(candidates[1].mode, current));
}

TEST(ModeChoice, CurrentBeforePreferredWhenNoModeFits)
{
	EXPECT_THAT(choose(makeMode(1920, 1080), 1000, 700),
		    ElementsAre("1920x1080 at 460,190 1000x700", "1024x768 at 12,34 1000x700"));
}

TEST(ModeChoice, SmallestThatHoldsTheFrameWhenCurrentAndPreferredDoNot)
{
	EXPECT_THAT(choose(makeMode(800, 600), 1100, 700),
		    ElementsAre("1280x720 at 90,10 1100x700", "800x600 at 0,46 800x508 scaled",
				"1024x768 at 0,58 1024x650 scaled"));
}

TEST(ModeChoice, TooLargeIsScaledWithItsAspectRatio)
{
	EXPECT_THAT(choose(std::nullopt, 3840, 2160),
		    ElementsAre("1024x768 at 0,96 1024x576 scaled"));
	EXPECT_THAT(choose(std::nullopt, 2160, 3840),
		    ElementsAre("1024x768 at 296,0 432x768 scaled"));
}

TEST(ModeChoice, InterlacedIsNoExactFit)
{
	auto interlaced = makeMode(1920, 1080, DRM_MODE_TYPE_PREFERRED);
	interlaced.flags |= DRM_MODE_FLAG_INTERLACE;
	const auto candidates =
		chooseModes({interlaced, makeMode(1920, 1080)}, std::nullopt, 1920, 1080);
	ASSERT_FALSE(candidates.empty());
	EXPECT_FALSE(candidates[0].mode.flags & DRM_MODE_FLAG_INTERLACE);
}

TEST(ModeChoice, FirstModeWhenNoneIsPreferred)
{
	const std::vector<drmModeModeInfo> modes = {makeMode(800, 600), makeMode(1024, 768)};
	EXPECT_STREQ(preferredMode(modes)->name, "800x600");
	EXPECT_FALSE(preferredMode({}));
	EXPECT_THAT(choose(std::nullopt, 640, 480, {}), IsEmpty());
}

TEST(ModePlacement, IsOnEvenCoordinates)
{
	EXPECT_EQ(centre(makeMode(640, 480), 322, 242), (Placement{158, 118, 322, 242}));
	EXPECT_EQ(centre(makeMode(640, 480), 640, 480), (Placement{0, 0, 640, 480}));
	/* A line of one pixel still has two: an empty rectangle turns a plane off. */
	EXPECT_EQ(scaleToFit(makeMode(640, 480), 8000, 2).height, 2u);
}

TEST(ModeDescription, RefreshAsTheKernelCountsIt)
{
	drmModeModeInfo mode = {};
	/* CEA-861 1920x1080 at 59.94 Hz */
	mode.clock = 148352;
	mode.hdisplay = 1920;
	mode.htotal = 2200;
	mode.vdisplay = 1080;
	mode.vtotal = 1125;
	EXPECT_EQ(describeMode(mode).refreshMilliHz, 59940u);
	mode.flags = DRM_MODE_FLAG_INTERLACE;
	EXPECT_EQ(describeMode(mode).refreshMilliHz, 119880u);
	mode.flags = DRM_MODE_FLAG_DBLSCAN;
	EXPECT_EQ(describeMode(mode).refreshMilliHz, 29970u);
	mode.htotal = 0;
	EXPECT_EQ(describeMode(mode).refreshMilliHz, 0u);
}

TEST(ModeTimings, NamesDoNotCount)
{
	const drmModeModeInfo a = makeMode(640, 480);
	drmModeModeInfo b = makeMode(640, 480, DRM_MODE_TYPE_PREFERRED);
	std::strcpy(b.name, "other");
	EXPECT_TRUE(sameTimings(a, b));
	b.clock++;
	EXPECT_FALSE(sameTimings(a, b));
}
