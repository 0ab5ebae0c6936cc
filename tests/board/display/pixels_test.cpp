/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is on the screen is what is in the buffer: read back and compared pixel by pixel. */
#include "display_fixture.h"
#include "picture.h"

#include <drm_fourcc.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

/* 640x480 is the smallest common mode of vkms: composing is slow. */
constexpr uint32_t modeWidth = 640;
constexpr uint32_t modeHeight = 480;

/*
 * RGB of 8 bits passes through unchanged. 5 and 6 bits are widened, and YCbCr is converted by the
 * kernel in 16-bit fixed point: the rounding there and the one here may each be off by one code.
 */
int tolerance(uint32_t fourcc)
{
	if (formatInfo(fourcc)->yuv)
		return 2;
	return fourcc == DRM_FORMAT_RGB565 || fourcc == DRM_FORMAT_BGR565 ? 1 : 0;
}

FrameLayout layoutOf(uint32_t fourcc,
		     Colorimetry colorimetry = {ColorEncoding::BT601, ColorRange::Limited})
{
	/* An alignment that leaves padding in every line of RGB shows a stride that is ignored. */
	FrameLayout layout = makeFrameLayout(fourcc, modeWidth, modeHeight, 0, 1024).value();
	if (formatInfo(fourcc)->yuv)
		layout.colorimetry = colorimetry;
	return layout;
}

Image showAndReadBack(Screen &screen, const Buffer &buffer, const FrameLayout &layout,
		      ScanoutPlan *plan = nullptr)
{
	const auto configured = screen.configure(layout, buffer.fd());
	EXPECT_TRUE(configured) << textOf(configured);
	const auto shown = screen.show(buffer.fd(), layout, 1);
	EXPECT_TRUE(shown) << textOf(shown);
	const auto image = screen.screenshot();
	EXPECT_TRUE(image) << textOf(image);
	if (plan && configured)
		*plan = *configured;
	return image.value_or(Image{});
}

void expectPicture(const Image &image, const FrameLayout &layout, uint32_t x = 0, uint32_t y = 0)
{
	ASSERT_EQ(image.width, modeWidth);
	ASSERT_EQ(image.height, modeHeight);
	const Comparison result = comparePicture(image, layout, x, y, tolerance(layout.fourcc));
	EXPECT_EQ(result.wrong, 0u) << result.firstWrong;
	testing::Test::RecordProperty("largest_difference", result.largest);
}

} /* namespace */

class DisplayPixels : public testing::TestWithParam<std::tuple<std::string, uint32_t>>
{
};

TEST_P(DisplayPixels, AreThoseOfTheBuffer)
{
	const auto &[heap, fourcc] = GetParam();
	const FrameLayout layout = layoutOf(fourcc);
	const Buffer buffer = allocate(heap, layout.size());
	{
		const auto mapping = buffer.map(Access::Write);
		ASSERT_TRUE(mapping) << textOf(mapping);
		drawPicture(layout, mapping->bytes());
	}
	const auto screen = openVkms();
	ASSERT_TRUE(screen);
	expectPicture(showAndReadBack(*screen, buffer, layout), layout);
}

INSTANTIATE_TEST_SUITE_P(EachHeap, DisplayPixels,
			 testing::Combine(testing::ValuesIn(boardHeaps),
					  testing::Values(DRM_FORMAT_NV12, DRM_FORMAT_YUV420,
							  DRM_FORMAT_BGR888, DRM_FORMAT_XRGB8888,
							  DRM_FORMAT_P010, DRM_FORMAT_RGB565)),
			 [](const auto &test) {
				 return testName(std::get<0>(test.param) + "_" +
						 fourccToString(std::get<1>(test.param)));
			 });

/*
 * Invariant 8. Each colorimetry gives other RGB from the same bytes, so a plane left at the
 * driver's default (full range in vkms), or one set to a neighbour's value, is seen.
 */
class DisplayColour : public testing::TestWithParam<std::tuple<ColorEncoding, ColorRange>>
{
};

TEST_P(DisplayColour, FollowsTheFrame)
{
	const auto &[encoding, range] = GetParam();
	const FrameLayout layout = layoutOf(DRM_FORMAT_NV12, {encoding, range});
	const Buffer buffer = allocate("system", layout.size());
	const Components colour = {90, 100, 200};
	{
		const auto mapping = buffer.map(Access::Write);
		ASSERT_TRUE(mapping) << textOf(mapping);
		drawFlat(layout, mapping->bytes(), colour);
	}
	const auto screen = openVkms();
	ASSERT_TRUE(screen);
	const Image image = showAndReadBack(*screen, buffer, layout);
	ASSERT_FALSE(image.pixels.empty());

	FrameLayout assumed = layout;
	if (encoding == ColorEncoding::Unknown)
		assumed.colorimetry.encoding = ColorEncoding::BT601; /* 480 lines */
	if (range == ColorRange::Unknown)
		assumed.colorimetry.range = ColorRange::Limited;
	const Rgb found = pixelOf(image, 320, 240);
	const Rgb wanted = toRgb(colour, assumed.colorimetry);
	for (size_t i = 0; i < 3; i++)
		EXPECT_NEAR(found[i], wanted[i], 2) << "component " << i;

	/* The other colorimetries are far enough away for this test to fail on them. */
	for (const auto otherEncoding :
	     {ColorEncoding::BT601, ColorEncoding::BT709, ColorEncoding::BT2020}) {
		for (const auto otherRange : {ColorRange::Limited, ColorRange::Full}) {
			const Colorimetry other{otherEncoding, otherRange};
			if (other == assumed.colorimetry)
				continue;
			const Rgb wrong = toRgb(colour, other);
			int difference = 0;
			for (size_t i = 0; i < 3; i++)
				difference = std::max(difference, std::abs(wrong[i] - wanted[i]));
			EXPECT_GT(difference, 4);
		}
	}
}

namespace
{

std::string colourName(const testing::TestParamInfo<std::tuple<ColorEncoding, ColorRange>> &test)
{
	static const char *const encodings[] = {"Unknown", "BT601", "BT709", "BT2020"};
	static const char *const ranges[] = {"Unknown", "Limited", "Full"};
	return std::string(encodings[static_cast<int>(std::get<0>(test.param))]) + "_" +
	       ranges[static_cast<int>(std::get<1>(test.param))];
}

} /* namespace */

INSTANTIATE_TEST_SUITE_P(
	Each, DisplayColour,
	testing::Combine(testing::Values(ColorEncoding::Unknown, ColorEncoding::BT601,
					 ColorEncoding::BT709, ColorEncoding::BT2020),
			 testing::Values(ColorRange::Unknown, ColorRange::Limited,
					 ColorRange::Full)),
	colourName);

TEST(DisplayPlacement, ColorimetryMayChangeFromFrameToFrame)
{
	const FrameLayout first =
		layoutOf(DRM_FORMAT_NV12, {ColorEncoding::BT601, ColorRange::Full});
	FrameLayout second = first;
	second.colorimetry = {ColorEncoding::BT709, ColorRange::Limited};
	const Buffer buffer = allocate("system", first.size());
	drawPicture(first, buffer.map(Access::Write).value().bytes());

	const auto screen = openVkms();
	ASSERT_TRUE(screen);
	expectPicture(showAndReadBack(*screen, buffer, first), first);
	const auto shown = screen->show(buffer.fd(), second, 2);
	ASSERT_TRUE(shown) << textOf(shown);
	const auto image = screen->screenshot();
	ASSERT_TRUE(image) << textOf(image);
	expectPicture(*image, second);
	EXPECT_EQ(screen->counts().imports, 1u);
}

TEST(DisplayPlacement, SmallFrameIsCentredOnBlack)
{
	const FrameLayout large = layoutOf(DRM_FORMAT_XRGB8888);
	const Buffer largeBuffer = allocate("system", large.size());
	/* 322 is no mode's width, and centres on an odd coordinate unless rounded. */
	FrameLayout small = makeFrameLayout(DRM_FORMAT_NV12, 322, 242).value();
	small.colorimetry = {ColorEncoding::BT601, ColorRange::Limited};
	const Buffer smallBuffer = allocate("system", small.size());
	drawPicture(small, smallBuffer.map(Access::Write).value().bytes());

	const auto screen = openVkms();
	ASSERT_TRUE(screen);
	showAndReadBack(*screen, largeBuffer, large); /* lights 640x480, which then is kept */
	ScanoutPlan plan;
	const Image image = showAndReadBack(*screen, smallBuffer, small, &plan);
	EXPECT_EQ(plan.mode.width, modeWidth);
	EXPECT_EQ(plan.width, 322u);
	EXPECT_EQ(plan.height, 242u);
	EXPECT_EQ(plan.x, 158u);
	EXPECT_EQ(plan.y, 118u);
	expectPicture(image, small, plan.x, plan.y);
	const Rgb black = {0, 0, 0};
	EXPECT_EQ(pixelOf(image, 0, 0), black);
	EXPECT_EQ(pixelOf(image, plan.x - 1, plan.y), black);
	EXPECT_EQ(pixelOf(image, plan.x + plan.width, plan.y), black);
	EXPECT_EQ(pixelOf(image, modeWidth - 1, modeHeight - 1), black);
}

TEST(DisplayPlacement, OverlayPlaneWhenNamed)
{
	const FrameLayout layout = layoutOf(DRM_FORMAT_XRGB8888);
	const Buffer buffer = allocate("video@42000000", layout.size());
	drawPicture(layout, buffer.map(Access::Write).value().bytes());
	uint32_t overlay = 0;
	{
		const auto screen = openVkms();
		ASSERT_TRUE(screen);
		const auto formats = screen->formats();
		ASSERT_FALSE(formats.empty());
		ASSERT_GE(formats.front().planes.size(), 2u) << "vkms.enable_overlay=1 is missing";
		overlay = formats.front().planes.at(1);
	}
	const auto screen = openVkms({.planeId = overlay});
	ASSERT_TRUE(screen);
	ScanoutPlan plan;
	const Image image = showAndReadBack(*screen, buffer, layout, &plan);
	EXPECT_EQ(plan.planeId, overlay);
	EXPECT_EQ(plan.planeType, "overlay");
	EXPECT_FALSE(plan.reasons.empty());
	expectPicture(image, layout);
}
