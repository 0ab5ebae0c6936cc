/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every format, colorimetry, turn, blend and crop that vkms can do, against a reference. */
#include "display_fixture.h"
#include "picture.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <format>
#include <iostream>

#include <drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::HasSubstr;

namespace
{

constexpr uint32_t width = 640;
constexpr uint32_t height = 480;

/*
 * The largest difference of a component to the reference, in codes of 8 bits, that the kernel's
 * 16-bit fixed point and the rounding here may add up to; docs/display.md states it.
 */
int tolerance(uint32_t fourcc)
{
	if (formatInfo(fourcc)->yuv)
		return 2;
	return fourcc == DRM_FORMAT_RGB565 || fourcc == DRM_FORMAT_BGR565 ? 1 : 0;
}

Buffer drawn(const FrameLayout &layout)
{
	Buffer buffer = allocate("system", layout.size());
	const auto mapping = buffer.map(Access::Write);
	EXPECT_TRUE(mapping) << textOf(mapping);
	drawPicture(layout, mapping->bytes());
	return buffer;
}

class DisplayGolden : public testing::Test
{
protected:
	void SetUp() override
	{
		screen_ = openVkms({.mode = "640x480"});
		ASSERT_TRUE(screen_);
	}

	/* What the screen shows of a frame. */
	Image imageOf(const FrameLayout &layout, const Buffer &buffer, Rectangle crop = {})
	{
		const auto plan = screen_->configure(layout, buffer.fd());
		EXPECT_TRUE(plan) << textOf(plan);
		const auto shown = screen_->show({.dmabuf = buffer.fd(),
						  .layout = layout,
						  .cookie = ++cookie_,
						  .crop = crop});
		EXPECT_TRUE(shown) << textOf(shown);
		plan_ = screen_->plan().value_or(ScanoutPlan{});
		auto image = screen_->screenshot();
		EXPECT_TRUE(image) << textOf(image);
		return image.value_or(Image{});
	}

	Error errorOf(const FrameLayout &layout)
	{
		const Buffer buffer = allocate("system", std::max<uint64_t>(layout.size(), 4096));
		const auto plan = screen_->configure(layout, buffer.fd());
		EXPECT_FALSE(plan);
		return plan.error_or(Error{});
	}

	std::unique_ptr<Screen> screen_;
	ScanoutPlan plan_;
	uint64_t cookie_ = 0;
};

/* Formats of less than a byte a pixel: GStreamer, libcamera and libheap have no such frames. */
bool isSubByte(uint32_t fourcc)
{
	return fourcc == DRM_FORMAT_R1 || fourcc == DRM_FORMAT_R2 || fourcc == DRM_FORMAT_R4;
}

std::vector<Colorimetry> colorimetriesOf(uint32_t fourcc)
{
	if (!formatInfo(fourcc)->yuv)
		return {{}};
	std::vector<Colorimetry> all;
	for (const auto encoding :
	     {ColorEncoding::BT601, ColorEncoding::BT709, ColorEncoding::BT2020}) {
		for (const auto range : {ColorRange::Limited, ColorRange::Full})
			all.push_back({encoding, range});
	}
	return all;
}

/* The pixel of the source that a turned picture has at x, y; written out, not computed. */
std::pair<uint32_t, uint32_t> sourceOf(Transform transform, uint32_t w, uint32_t h, uint32_t x,
				       uint32_t y)
{
	switch (transform) {
	case Transform::Identity:
		return {x, y};
	case Transform::Rotate90: /* clockwise: the left column, from the bottom, is on top */
		return {y, h - 1 - x};
	case Transform::Rotate180:
		return {w - 1 - x, h - 1 - y};
	case Transform::Rotate270:
		return {w - 1 - y, x};
	case Transform::MirrorHorizontally:
		return {w - 1 - x, y};
	case Transform::MirrorVertically:
		return {x, h - 1 - y};
	case Transform::Transpose:
		return {y, x};
	default:
		return {w - 1 - y, h - 1 - x};
	}
}

} /* namespace */

TEST_F(DisplayGolden, EveryFormatEncodingAndRange)
{
	int largest[2] = {0, 0};
	unsigned pictures = 0;
	for (const ScanoutFormat &format : screen_->formats()) {
		if (isSubByte(format.fourcc))
			continue;
		ASSERT_TRUE(canDraw(format.fourcc)) << fourccToString(format.fourcc);
		ASSERT_TRUE(formatInfo(format.fourcc)) << fourccToString(format.fourcc);
		/* Padding in every line shows a stride that is ignored. */
		FrameLayout layout = makeFrameLayout(format.fourcc, width, height, 0, 1024).value();
		const Buffer buffer = drawn(layout);
		for (const Colorimetry &colorimetry : colorimetriesOf(format.fourcc)) {
			layout.colorimetry = colorimetry;
			const Image image = imageOf(layout, buffer);
			ASSERT_EQ(image.width, width);
			const Comparison result =
				comparePicture(image, layout, 0, 0, tolerance(format.fourcc));
			EXPECT_EQ(result.wrong, 0u)
				<< fourccToString(format.fourcc) << " encoding "
				<< static_cast<int>(colorimetry.encoding) << " range "
				<< static_cast<int>(colorimetry.range) << ' ' << result.firstWrong;
			int &most = largest[formatInfo(format.fourcc)->yuv];
			most = std::max(most, result.largest);
			pictures++;
		}
	}
	EXPECT_GE(pictures, 100u) << "15 YUV formats in 6 colorimetries, and RGB";
	std::cout << std::format("{} pictures; largest difference: RGB {}, YCbCr {}\n", pictures,
				 largest[0], largest[1]);
}

TEST_F(DisplayGolden, EveryTurnAndReflection)
{
	const FrameLayout layout = makeFrameLayout(DRM_FORMAT_XRGB8888, 160, 120).value();
	const Buffer buffer = drawn(layout);
	for (int value = 0; value < 8; value++) {
		const auto transform = static_cast<Transform>(value);
		screen_->setLayer({.transform = transform});
		const Image image = imageOf(layout, buffer);
		ASSERT_EQ(image.width, width);
		EXPECT_EQ(plan_.transform, transform);
		const bool turned = plan_.width != layout.width;
		ASSERT_EQ(plan_.width, turned ? 120u : 160u);
		unsigned wrong = 0;
		for (uint32_t y = 0; y < plan_.height; y++) {
			for (uint32_t x = 0; x < plan_.width; x++) {
				const auto [fromX, fromY] = sourceOf(transform, 160, 120, x, y);
				wrong += pixelOf(image, plan_.x + x, plan_.y + y) !=
					 expectedAt(layout, fromX, fromY);
			}
		}
		EXPECT_EQ(wrong, 0u) << "transform " << value;
	}
}

TEST_F(DisplayGolden, ACrop)
{
	FrameLayout layout = makeFrameLayout(DRM_FORMAT_NV12, width, height).value();
	layout.colorimetry = {ColorEncoding::BT709, ColorRange::Limited};
	const Buffer buffer = drawn(layout);
	const Image image = imageOf(layout, buffer, {100, 60, 320, 240});
	ASSERT_EQ(image.width, width);
	EXPECT_EQ(plan_.width, 320u);
	unsigned wrong = 0;
	for (uint32_t y = 0; y < 240; y++) {
		for (uint32_t x = 0; x < 320; x++) {
			const Rgb found = pixelOf(image, plan_.x + x, plan_.y + y);
			const Rgb wanted = expectedAt(layout, 100 + x, 60 + y);
			for (size_t i = 0; i < 3; i++)
				wrong += std::abs(found[i] - wanted[i]) > 2;
		}
	}
	EXPECT_EQ(wrong, 0u);
	EXPECT_EQ(pixelOf(image, plan_.x - 1, plan_.y), (Rgb{0, 0, 0}));
	EXPECT_EQ(pixelOf(image, plan_.x + 320, plan_.y), (Rgb{0, 0, 0}));
}

/* A user interface above a camera: each its own Screen, in one process. */
TEST_F(DisplayGolden, TwoLayersWithAlpha)
{
	const FrameLayout below = makeFrameLayout(DRM_FORMAT_XRGB8888, width, height).value();
	const Buffer camera = drawn(below);
	const FrameLayout above = makeFrameLayout(DRM_FORMAT_ARGB8888, 256, 256).value();
	const Buffer interface = allocate("system", above.size());
	{
		/* Premultiplied: red of each alpha from left to right. */
		const auto mapping = interface.map(Access::Write);
		ASSERT_TRUE(mapping);
		for (uint32_t y = 0; y < 256; y++) {
			for (uint32_t x = 0; x < 256; x++) {
				const size_t at = y * above.planes[0].stride + x * 4;
				const uint8_t pixel[4] = {0, 0, static_cast<uint8_t>(x),
							  static_cast<uint8_t>(x)};
				std::memcpy(&mapping->bytes()[at], pixel, 4);
			}
		}
	}
	const auto top = openVkms();
	ASSERT_TRUE(top);
	top->setLayer({.rectangle = {64, 32, 256, 256}, .scale = false});
	imageOf(below, camera);
	const auto plan = top->configure(above, interface.fd());
	ASSERT_TRUE(plan) << textOf(plan);
	EXPECT_EQ(plan->planeType, "overlay");
	ASSERT_TRUE(top->show(interface.fd(), above, 1));
	const auto image = top->screenshot();
	ASSERT_TRUE(image) << textOf(image);
	int largest = 0;
	for (uint32_t y = 0; y < height; y++) {
		for (uint32_t x = 0; x < width; x++) {
			Rgb wanted = expectedAt(below, x, y);
			if (x >= 64 && x < 320 && y >= 32 && y < 288) {
				const double alpha = x - 64;
				for (size_t i = 0; i < 3; i++)
					wanted[i] = static_cast<uint8_t>(
						std::lround((i == 0 ? alpha : 0) +
							    wanted[i] * (255 - alpha) / 255));
			}
			const Rgb found = pixelOf(*image, x, y);
			for (size_t i = 0; i < 3; i++)
				largest = std::max(largest, std::abs(found[i] - wanted[i]));
		}
	}
	EXPECT_LE(largest, 1);
	std::cout << "blending: largest difference " << largest << '\n';

	/* The one below goes on when the one above goes. */
	ASSERT_TRUE(top->hide());
	const auto alone = screen_->screenshot();
	ASSERT_TRUE(alone);
	EXPECT_EQ(comparePicture(*alone, below, 0, 0, 0).wrong, 0u);
}

TEST_F(DisplayGolden, RefusalsSayWhatIsNeededAndWhatIsThere)
{
	const Error packed = errorOf(makeFrameLayout(DRM_FORMAT_YUYV, width, height).value());
	EXPECT_EQ(packed.code, EINVAL);
	EXPECT_THAT(packed.text(), HasSubstr("no plane of Virtual-1 takes YUYV"));
	EXPECT_THAT(packed.text(), HasSubstr("NV12")) << "what it takes instead";

	FrameLayout layout = makeFrameLayout(DRM_FORMAT_NV12, width, height).value();
	layout.modifier = 0x0100000000000001;
	EXPECT_THAT(errorOf(layout).text(), HasSubstr("not with modifier 0x100000000000001"));

	layout = makeFrameLayout(DRM_FORMAT_XRGB8888, width, height).value();
	layout.planes[0].stride = width * 4 - 2;
	EXPECT_THAT(errorOf(layout).text(),
		    testing::AllOf(HasSubstr("stride 2558"), HasSubstr("a line takes 2560")));

	layout = makeFrameLayout(DRM_FORMAT_NV12, width, height).value();
	layout.planes.pop_back();
	EXPECT_THAT(errorOf(layout).text(), HasSubstr("needs 2 planes, has 1"));

	/* Scaling: the frame is centred instead, and the plan says why. */
	const FrameLayout small = makeFrameLayout(DRM_FORMAT_NV12, 320, 240).value();
	const Buffer buffer = drawn(small);
	const auto plan = screen_->configure(small, buffer.fd());
	ASSERT_TRUE(plan) << textOf(plan);
	EXPECT_EQ(plan->arrangement, "native");
	EXPECT_THAT(plan->reasons, testing::Contains(testing::AllOf(HasSubstr("scaled 640x480"),
								    HasSubstr("ERANGE"),
								    HasSubstr("because of"))));
}
