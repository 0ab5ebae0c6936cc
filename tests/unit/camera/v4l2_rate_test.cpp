/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "v4l2_modes.h"

#include <gtest/gtest.h>
#include <linux/v4l2-dv-timings.h>

using namespace heapflow;

namespace
{

v4l2_bt_timings timings(uint64_t clock, uint32_t width, uint32_t hblank, uint32_t height,
			uint32_t vblank)
{
	v4l2_bt_timings result{};
	result.width = width;
	result.height = height;
	result.pixelclock = clock;
	result.hfrontporch = hblank;
	result.vfrontporch = vblank;
	return result;
}

TEST(Rate, OfHdmiTimings)
{
	EXPECT_EQ(rateFromTimings(timings(74250000, 1280, 370, 720, 30)), (FrameRate{60, 1}));
	EXPECT_EQ(rateFromTimings(timings(148500000, 1920, 280, 1080, 45)), (FrameRate{60, 1}));
	const FrameRate ntsc = rateFromTimings(timings(74175824, 1280, 370, 720, 30));
	EXPECT_NEAR(static_cast<double>(ntsc.numerator) / ntsc.denominator, 59.94, 0.001);
}

TEST(Rate, WithoutASignalIsUnknown)
{
	EXPECT_EQ(rateFromTimings(timings(0, 1280, 370, 720, 30)), FrameRate{});
	EXPECT_EQ(rateFromTimings(timings(74250000, 0, 0, 0, 0)), FrameRate{});
}

TEST(Rate, FitsItsFractionForAnyClock)
{
	const FrameRate rate = rateFromTimings(timings(1'000'000'000'007, 3840, 560, 2160, 90));
	ASSERT_NE(rate.denominator, 0u);
	EXPECT_NEAR(static_cast<double>(rate.numerator) / rate.denominator,
		    1'000'000'000'007.0 / (4400.0 * 2250.0), 10.0); /* within 0.01 % */
}

} /* namespace */
