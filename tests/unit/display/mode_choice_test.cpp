/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mode_choice.h"

#include "example_display.h"

#include <cerrno>
#include <format>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::ElementsAre;

namespace
{

const std::vector<drmModeModeInfo> screenModes = {
	makeMode(1920, 1080), makeMode(1024, 768, DRM_MODE_TYPE_PREFERRED),
	makeMode(1280, 720),  makeMode(800, 600),
	makeMode(640, 480),
};

/* Several rates of two sizes, as of a television. */
const std::vector<drmModeModeInfo> ratedModes = {
	makeMode(1920, 1080, DRM_MODE_TYPE_PREFERRED, 60),
	makeMode(1920, 1080, 0, 50),
	makeMode(1920, 1080, 0, 24),
	makeMode(1920, 1080, 0, 120),
	makeMode(1280, 720, 0, 50),
};

std::vector<std::string> choose(const std::optional<drmModeModeInfo> &current, ModeWish wish,
				const std::vector<drmModeModeInfo> &modes = screenModes)
{
	const auto candidates = chooseModes(modes, current, wish);
	if (!candidates)
		return {candidates.error().message};
	std::vector<std::string> list;
	for (const ModeCandidate &candidate : *candidates)
		list.push_back(
			std::format("{}{}", candidate.mode.name, candidate.crop ? " cropped" : ""));
	return list;
}

uint32_t rateFor(uint64_t frameRate, std::string mode = "")
{
	const auto candidates = chooseModes(
		ratedModes, std::nullopt,
		{.mode = mode, .width = 1920, .height = 1080, .frameRateMilliHz = frameRate});
	return candidates ? (*candidates)[0].mode.vrefresh : 0;
}

} /* namespace */

TEST(ModeChoice, WithoutAModeTheFramesSizeComesFirst)
{
	EXPECT_THAT(choose(std::nullopt, {.width = 640, .height = 480}),
		    ElementsAre("640x480", "1024x768", "640x480 cropped"));
}

TEST(ModeChoice, TheModeThatIsSetComesBeforeAnyOther)
{
	EXPECT_THAT(choose(makeMode(1920, 1080), {.width = 640, .height = 480}),
		    ElementsAre("1920x1080", "640x480", "1024x768", "1920x1080 cropped"));
	/* Another refresh rate than the one in the list, and not in it at all. */
	const drmModeModeInfo current = makeMode(1280, 720, 0, 75);
	const auto candidates = chooseModes(screenModes, current, {.width = 1280, .height = 720});
	ASSERT_TRUE(candidates);
	EXPECT_TRUE(sameTimings((*candidates)[0].mode, current));
	EXPECT_FALSE(sameTimings((*candidates)[1].mode, current));
}

TEST(ModeChoice, BestGivesUpTheModeThatIsSet)
{
	EXPECT_THAT(choose(makeMode(1920, 1080), {.mode = "best", .width = 640, .height = 480}),
		    ElementsAre("640x480", "1024x768", "640x480 cropped"));
	/* But not for one that is no better. */
	const auto candidates = chooseModes(
		ratedModes, makeMode(1920, 1080, 0, 50),
		{.mode = "best", .width = 1920, .height = 1080, .frameRateMilliHz = 25'000});
	EXPECT_EQ((*candidates)[0].mode.vrefresh, 50u);
}

TEST(ModeChoice, SmallestThatHoldsTheFrame)
{
	EXPECT_THAT(choose(makeMode(800, 600), {.width = 1100, .height = 700}),
		    ElementsAre("800x600", "1024x768", "1280x720", "800x600 cropped"));
}

TEST(ModeChoice, RateOfTheFrames)
{
	EXPECT_EQ(rateFor(0), 60u) << "the driver's first";
	EXPECT_EQ(rateFor(60'000), 60u);
	EXPECT_EQ(rateFor(59'940), 60u) << "1 in 500 is the same";
	EXPECT_EQ(rateFor(30'000), 60u) << "each frame twice";
	EXPECT_EQ(rateFor(25'000), 50u);
	EXPECT_EQ(rateFor(24'000), 24u) << "once rather than five times at 120";
	EXPECT_EQ(rateFor(40'000), 120u);
	EXPECT_EQ(rateFor(90'000), 120u) << "no multiple: the least judder";
}

TEST(ModeChoice, AskedForByName)
{
	EXPECT_EQ(rateFor(60'000, "1920x1080@50"), 50u);
	EXPECT_EQ(rateFor(24'000, "1920x1080"), 24u) << "the rate of the frames decides";
	EXPECT_EQ(rateFor(24'000, "preferred"), 60u);
	EXPECT_THAT(choose(makeMode(640, 480), {.mode = "800x600", .width = 640, .height = 480}),
		    ElementsAre("800x600", "800x600 cropped"));
	const auto none = chooseModes(ratedModes, std::nullopt, {.mode = "1920x1080@75"});
	ASSERT_FALSE(none);
	EXPECT_EQ(none.error().code, ENOENT);
	EXPECT_THAT(none.error().hint, testing::HasSubstr("1280x720@50.00"));
}

TEST(ModeChoice, HowAModeIsWritten)
{
	for (const char *good : {"", "best", "preferred", "1x1", "1920x1080", "1920x1080@59.94"})
		EXPECT_TRUE(checkModeText(good)) << good;
	for (const char *bad :
	     {"x", "1920", "1920x", "x1080", "1920x1080@", "1920x1080@x", "1920x1080@-1",
	      "1920x1080 ", "0x0", "99999999999x1", "1920x1080@1e99", "1920x1080@nan", "Best"})
		EXPECT_EQ(checkModeText(bad).error_or(Error{}).code, EINVAL) << bad;
}

TEST(ModeChoice, InterlacedOnlyWhenSet)
{
	auto interlaced = makeMode(1920, 1080, DRM_MODE_TYPE_PREFERRED);
	interlaced.flags |= DRM_MODE_FLAG_INTERLACE;
	const std::vector<drmModeModeInfo> modes = {interlaced, makeMode(1920, 1080)};
	const ModeWish wish{.width = 1920, .height = 1080};
	EXPECT_FALSE((*chooseModes(modes, std::nullopt, wish))[0].mode.flags &
		     DRM_MODE_FLAG_INTERLACE);
	EXPECT_TRUE((*chooseModes(modes, interlaced, wish))[0].mode.flags &
		    DRM_MODE_FLAG_INTERLACE);
}

TEST(ModeChoice, WithoutAnyMode)
{
	EXPECT_EQ(chooseModes({}, std::nullopt, {}).error_or(Error{}).code, ENOTCONN);
	EXPECT_EQ(chooseModes({}, std::nullopt, {.mode = "preferred"}).error_or(Error{}).code,
		  ENOTCONN);
	EXPECT_FALSE(preferredMode({}));
	const std::vector<drmModeModeInfo> modes = {makeMode(800, 600), makeMode(1024, 768)};
	EXPECT_STREQ(preferredMode(modes)->name, "800x600");
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
