/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plane_colour.h"

#include <cerrno>

#include <drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using testing::HasSubstr;

namespace
{

/* As the kernel's drm_plane_create_color_properties() makes it, without BT.2020. */
KmsObject colourPlane()
{
	KmsObject plane{.id = 33};
	plane.properties = {
		{.name = "COLOR_ENCODING",
		 .id = 1,
		 .choices = {{"ITU-R BT.601 YCbCr", 0}, {"ITU-R BT.709 YCbCr", 1}}},
		{.name = "COLOR_RANGE",
		 .id = 2,
		 .choices = {{"YCbCr limited range", 0}, {"YCbCr full range", 1}}},
	};
	return plane;
}

FrameLayout frame(uint32_t fourcc, uint32_t height, Colorimetry colorimetry = {})
{
	return {.fourcc = fourcc, .width = 640, .height = height, .colorimetry = colorimetry};
}

} /* namespace */

TEST(ResolveColorimetry, UnknownIsLimitedAndByTheNumberOfLines)
{
	const Colorimetry sd{ColorEncoding::BT601, ColorRange::Limited};
	const Colorimetry hd{ColorEncoding::BT709, ColorRange::Limited};
	EXPECT_EQ(resolveColorimetry(frame(DRM_FORMAT_NV12, 480)), sd);
	EXPECT_EQ(resolveColorimetry(frame(DRM_FORMAT_NV12, 576)), sd);
	EXPECT_EQ(resolveColorimetry(frame(DRM_FORMAT_NV12, 577)), hd);
	EXPECT_EQ(resolveColorimetry(frame(DRM_FORMAT_NV12, 2160)), hd);
}

TEST(ResolveColorimetry, WhatIsKnownStays)
{
	const Colorimetry full{ColorEncoding::BT2020, ColorRange::Full};
	EXPECT_EQ(resolveColorimetry(frame(DRM_FORMAT_NV12, 480, full)), full);
	const Colorimetry half{ColorEncoding::Unknown, ColorRange::Full};
	EXPECT_EQ(resolveColorimetry(frame(DRM_FORMAT_NV12, 480, half)),
		  (Colorimetry{ColorEncoding::BT601, ColorRange::Full}));
}

TEST(PlaneColour, EachCombination)
{
	const auto values = [](ColorEncoding encoding, ColorRange range) {
		return planeColour(colourPlane(), frame(DRM_FORMAT_NV12, 720, {encoding, range}))
			.value();
	};
	EXPECT_EQ(values(ColorEncoding::BT601, ColorRange::Limited).encoding, 0u);
	EXPECT_EQ(values(ColorEncoding::BT601, ColorRange::Limited).range, 0u);
	EXPECT_EQ(values(ColorEncoding::BT709, ColorRange::Full).encoding, 1u);
	EXPECT_EQ(values(ColorEncoding::BT709, ColorRange::Full).range, 1u);
	EXPECT_EQ(values(ColorEncoding::Unknown, ColorRange::Unknown).encoding, 1u);
	EXPECT_EQ(values(ColorEncoding::Unknown, ColorRange::Unknown).range, 0u);
}

TEST(PlaneColour, RgbHasNone)
{
	const auto colour =
		planeColour(colourPlane(), frame(DRM_FORMAT_XRGB8888, 720,
						 {ColorEncoding::BT709, ColorRange::Full}));
	ASSERT_TRUE(colour);
	EXPECT_FALSE(colour->encoding);
	EXPECT_FALSE(colour->range);
}

TEST(PlaneColour, PlaneWithoutTheProperties)
{
	const auto colour = planeColour({.id = 33}, frame(DRM_FORMAT_NV12, 720));
	ASSERT_TRUE(colour);
	EXPECT_FALSE(colour->encoding);
}

TEST(PlaneColour, ChoiceThatThePlaneLacksIsAnErrorThatListsIts)
{
	const auto colour =
		planeColour(colourPlane(), frame(DRM_FORMAT_NV12, 720,
						 {ColorEncoding::BT2020, ColorRange::Limited}));
	ASSERT_FALSE(colour);
	EXPECT_EQ(colour.error().code, EINVAL);
	EXPECT_THAT(colour.error().message, HasSubstr("BT.2020"));
	EXPECT_THAT(colour.error().message, HasSubstr("ITU-R BT.601 YCbCr, ITU-R BT.709 YCbCr"));
}
