/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the terms of displays make of a camera's format. */
#include "gstheapcameraplan.h"

#include <drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

using namespace heapflow;
using namespace heapflow::gst;
using testing::HasSubstr;

namespace
{

DisplayTerms display(uint32_t pitch, const std::string &name = "the panel")
{
	return {.name = name,
		.pitchAlignment = pitch,
		.buffersHeld = 3,
		.minimumWidth = 10,
		.maximumWidth = 2000,
		.minimumHeight = 10,
		.maximumHeight = 1200};
}

CaptureRequest frames(uint32_t fourcc, uint32_t width, uint32_t height)
{
	return {.fourcc = fourcc, .width = width, .height = height};
}

TEST(CameraPlan, WithoutADisplayEverythingIsTheCameras)
{
	const auto plan = planFrames("cam", frames(DRM_FORMAT_NV12, 999, 333), {});
	ASSERT_TRUE(plan);
	EXPECT_EQ(plan->stride, 0U);
	EXPECT_EQ(plan->buffers, 0U);
}

TEST(CameraPlan, LinesThatFitAreLeftAlone)
{
	const auto plan = planFrames("cam", frames(DRM_FORMAT_NV12, 1280, 720), {display(64)});
	ASSERT_TRUE(plan) << plan.error().text();
	EXPECT_EQ(plan->stride, 0U);
	EXPECT_EQ(plan->buffers, 5U) << "three on the display, two with the camera";
}

TEST(CameraPlan, OthersAreAskedForWithTheLeastPitch)
{
	const auto plan = planFrames("cam", frames(DRM_FORMAT_NV12, 1000, 720), {display(64)});
	ASSERT_TRUE(plan) << plan.error().text();
	EXPECT_EQ(plan->stride, 1024U);
}

/* The planes of colour have half the pitch, and that must fit as well. */
TEST(CameraPlan, EveryPlaneHasToFit)
{
	const auto plan = planFrames("cam", frames(DRM_FORMAT_YUV420, 1216, 720), {display(64)});
	ASSERT_TRUE(plan) << plan.error().text();
	EXPECT_EQ(plan->stride, 1280U) << "1216 / 2 = 608 is no multiple of 64";
}

TEST(CameraPlan, TwoDisplaysAreBothServed)
{
	const auto plan = planFrames("cam", frames(DRM_FORMAT_XRGB8888, 100, 100),
				     {display(48, "a"), display(64, "b")});
	ASSERT_TRUE(plan) << plan.error().text();
	EXPECT_EQ(plan->stride, 576U) << "the least common multiple of 48 and 64 is 192";
}

TEST(CameraPlan, ASizeThatNoPlaneTakesIsAClashInNumbers)
{
	const auto plan = planFrames("cam", frames(DRM_FORMAT_NV12, 2560, 720), {display(1)});
	ASSERT_FALSE(plan);
	EXPECT_EQ(plan.error().code, EINVAL);
	EXPECT_THAT(plan.error().message, HasSubstr("the panel"));
	EXPECT_THAT(plan.error().message, HasSubstr("2000"));
	EXPECT_THAT(plan.error().message, HasSubstr("2560"));
}

/* What is no picture is not scanned out: a decoder stands in between. */
TEST(CameraPlan, JpegIsNotTheDisplaysBusiness)
{
	EXPECT_TRUE(planFrames("cam", frames(fourccMjpeg, 2560, 720), {display(64)}));
}

TEST(CameraScanout, PitchesAreHeldAgainstTheDisplay)
{
	const auto layout = makeFrameLayout(DRM_FORMAT_BGR888, 1000, 10).value();
	EXPECT_TRUE(checkScanout("vimc", layout, display(8)));
	const auto refused = checkScanout("vimc", layout, display(64));
	ASSERT_FALSE(refused);
	EXPECT_EQ(refused.error().message,
		  "the panel needs pitches that are multiples of 64 bytes; vimc gives 3000");
	EXPECT_FALSE(refused.error().hint.empty());
	EXPECT_TRUE(checkScanout("vimc", layout, display(0))) << "the driver could not be asked";
}

TEST(CameraScanout, SizesAreHeldAgainstTheDisplay)
{
	const auto large = makeFrameLayout(DRM_FORMAT_BGR888, 2002, 10).value();
	const auto refused = checkScanout("vimc", large, display(1));
	ASSERT_FALSE(refused);
	EXPECT_EQ(refused.error().code, ERANGE);
	EXPECT_THAT(refused.error().message, HasSubstr("10x10 to 2000x1200; vimc gives 2002x10"));
	const auto small = makeFrameLayout(DRM_FORMAT_BGR888, 8, 10).value();
	EXPECT_FALSE(checkScanout("vimc", small, display(1)));
}

TEST(CameraHeap, AnExpressionThatCannotBeReadIsAnError)
{
	const auto choice = chooseCameraHeap("video@*:", {}, {}, {});
	ASSERT_FALSE(choice);
	EXPECT_EQ(choice.error().code, EINVAL);
}

} /* namespace */
