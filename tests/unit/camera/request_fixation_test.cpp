/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "request_fixation.h"
#include "result.h"

#include <cerrno>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using testing::HasSubstr;

namespace
{

CaptureMode discrete(uint32_t fourcc, uint32_t width, uint32_t height)
{
	return {fourcc, width, width, 1, height, height, 1, {}};
}

std::vector<CaptureMode> webcam()
{
	return {discrete(DRM_FORMAT_NV12, 640, 480), discrete(DRM_FORMAT_NV12, 1280, 720),
		discrete(DRM_FORMAT_NV12, 1920, 1080), discrete(DRM_FORMAT_BGR888, 320, 240)};
}

std::vector<CaptureMode> scaler()
{
	return {{DRM_FORMAT_BGR888, 16, 4096, 2, 16, 2160, 2, {}}};
}

CaptureRequest request(uint32_t fourcc, uint32_t width, uint32_t height)
{
	CaptureRequest result;
	result.fourcc = fourcc;
	result.width = width;
	result.height = height;
	return result;
}

const CaptureRequest defaults = request(0, 1280, 720);

void expectSize(const Result<CaptureRequest> &fixed, uint32_t width, uint32_t height)
{
	ASSERT_TRUE(fixed) << test::textOf(fixed);
	EXPECT_EQ(fixed->width, width);
	EXPECT_EQ(fixed->height, height);
}

TEST(Fixation, AnOpenRequestTakesTheFirstFormatAndTheDefaultSize)
{
	const auto fixed = fixRequest(webcam(), {}, defaults);
	expectSize(fixed, 1280, 720);
	EXPECT_EQ(fixed->fourcc, static_cast<uint32_t>(DRM_FORMAT_NV12));
}

TEST(Fixation, ASizeThatExistsStays)
{
	expectSize(fixRequest(webcam(), request(DRM_FORMAT_NV12, 1920, 1080), defaults), 1920,
		   1080);
	expectSize(fixRequest(scaler(), request(0, 642, 480), defaults), 642, 480);
}

TEST(Fixation, ASizeThatDoesNotExistGoesToTheNearest)
{
	expectSize(fixRequest(webcam(), request(0, 1300, 700), defaults), 1280, 720);
	expectSize(fixRequest(webcam(), request(0, 1, 1), defaults), 640, 480);
	expectSize(fixRequest(webcam(), request(0, UINT32_MAX, UINT32_MAX), defaults), 1920, 1080);
	expectSize(fixRequest(webcam(), request(DRM_FORMAT_BGR888, 1920, 1080), defaults), 320,
		   240);
}

TEST(Fixation, ARangeIsFollowedByItsSteps)
{
	expectSize(fixRequest(scaler(), request(0, 643, 481), defaults), 644, 482);
	expectSize(fixRequest(scaler(), request(0, 5, 5000), defaults), 16, 2160);
	const std::vector<CaptureMode> odd = {{DRM_FORMAT_NV12, 10, 99, 16, 10, 99, 16, {}}};
	expectSize(fixRequest(odd, request(0, 99, 20), defaults), 90, 26);
}

TEST(Fixation, AStepOfZeroIsSurvived)
{
	const std::vector<CaptureMode> broken = {{DRM_FORMAT_NV12, 16, 64, 0, 16, 64, 0, {}}};
	expectSize(fixRequest(broken, request(0, 32, 128), defaults), 32, 64);
}

TEST(Fixation, OneSideAloneKeepsTheProportions)
{
	expectSize(fixRequest(scaler(), request(0, 640, 0), defaults), 640, 360);
	expectSize(fixRequest(scaler(), request(0, 0, 1080), defaults), 1920, 1080);
	expectSize(fixRequest(scaler(), request(0, 640, 0), {}), 640, 16);
}

TEST(Fixation, AnUnknownFormatIsAnErrorThatListsTheOthers)
{
	const auto fixed = fixRequest(webcam(), request(DRM_FORMAT_YUYV, 640, 480), defaults);
	ASSERT_FALSE(fixed);
	EXPECT_EQ(test::codeOf(fixed), EINVAL);
	EXPECT_THAT(fixed.error().message, HasSubstr("YUYV"));
	EXPECT_THAT(fixed.error().hint, HasSubstr("NV12, BG24"));
}

TEST(Fixation, NoModeAtAllIsAnError)
{
	EXPECT_EQ(test::codeOf(fixRequest({}, {}, defaults)), ENOTSUP);
}

TEST(Fixation, TheRestOfTheRequestIsKept)
{
	CaptureRequest full = request(DRM_FORMAT_NV12, 640, 480);
	full.rate = {30, 1};
	full.stride = 768;
	full.bufferCount = 6;
	const auto fixed = fixRequest(webcam(), full, defaults);
	ASSERT_TRUE(fixed);
	EXPECT_EQ(fixed->rate, full.rate);
	EXPECT_EQ(fixed->stride, 768u);
	EXPECT_EQ(fixed->bufferCount, 6u);
}

std::vector<uint32_t> order(std::vector<CaptureMode> modes, uint32_t first)
{
	sortByPreference(modes, first);
	std::vector<uint32_t> formats;
	for (const CaptureMode &mode : modes)
		formats.push_back(mode.fourcc);
	return formats;
}

TEST(Preference, TheFormatOfTheDriverGoesFirst)
{
	EXPECT_THAT(order({discrete(DRM_FORMAT_NV12, 2, 2), discrete(DRM_FORMAT_RGB888, 2, 2),
			   discrete(DRM_FORMAT_BGR888, 2, 2)},
			  DRM_FORMAT_BGR888),
		    testing::ElementsAre(DRM_FORMAT_BGR888, DRM_FORMAT_NV12, DRM_FORMAT_RGB888));
}

TEST(Preference, ThenWhatDisplaysTakeMostCheaply)
{
	EXPECT_THAT(order({discrete(DRM_FORMAT_R8, 2, 2), discrete(DRM_FORMAT_XRGB8888, 2, 2),
			   discrete(DRM_FORMAT_NV12, 2, 2)},
			  0),
		    testing::ElementsAre(DRM_FORMAT_NV12, DRM_FORMAT_XRGB8888, DRM_FORMAT_R8));
}

TEST(Preference, SizesKeepTheirOrder)
{
	std::vector<CaptureMode> modes = {discrete(DRM_FORMAT_NV12, 640, 480),
					  discrete(DRM_FORMAT_NV12, 320, 240),
					  discrete(DRM_FORMAT_NV12, 1280, 720)};
	sortByPreference(modes, DRM_FORMAT_NV12);
	EXPECT_EQ(modes[0].minWidth, 640u);
	EXPECT_EQ(modes[1].minWidth, 320u);
	EXPECT_EQ(modes[2].minWidth, 1280u);
}

} /* namespace */
