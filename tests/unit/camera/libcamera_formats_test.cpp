/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invariants 2 and 4: what libcamera's validate() gives is what is used. */
#include "libcamera_formats.h"
#include "result.h"

#include <cerrno>

#include <gtest/gtest.h>
#include <libcamera/formats.h>

using namespace heapflow;
namespace formats = libcamera::formats;

namespace
{

libcamera::StreamConfiguration stream(const libcamera::PixelFormat &format, unsigned width,
				      unsigned height, unsigned stride, unsigned size)
{
	libcamera::StreamConfiguration result;
	result.pixelFormat = format;
	result.size = {width, height};
	result.stride = stride;
	result.frameSize = size;
	return result;
}

TEST(LibcameraLayout, Nv12HasTwoPlanesOfExactLengths)
{
	const auto layout = layoutFromLibcamera(stream(formats::NV12, 640, 480, 640, 460800));
	ASSERT_TRUE(layout) << test::textOf(layout);
	ASSERT_EQ(layout->planes.size(), 2u);
	EXPECT_EQ(layout->planes[0], (PlaneLayout{0, 640, 307200}));
	EXPECT_EQ(layout->planes[1], (PlaneLayout{307200, 640, 153600}));
}

TEST(LibcameraLayout, TheStrideOfTheAnswerIsUsed)
{
	const auto layout =
		layoutFromLibcamera(stream(formats::BGR888, 640, 480, 2048, 2048 * 480));
	ASSERT_TRUE(layout);
	EXPECT_EQ(layout->planes[0], (PlaneLayout{0, 2048, 2048 * 480}));
}

TEST(LibcameraLayout, PaddingAtTheEndIsInTheLastPlane)
{
	const auto layout =
		layoutFromLibcamera(stream(formats::NV12, 640, 480, 640, 460800 + 4096));
	ASSERT_TRUE(layout);
	EXPECT_EQ(layout->planes[1].length, 153600u + 4096);
}

TEST(LibcameraLayout, ABadAnswerIsAnError)
{
	EXPECT_EQ(test::codeOf(layoutFromLibcamera(stream(formats::NV12, 640, 480, 640, 1000))),
		  EINVAL);
	EXPECT_EQ(test::codeOf(layoutFromLibcamera(stream(formats::NV12, 640, 480, 100, 460800))),
		  EINVAL);
	/* Without a name in heapflow's table: bits spread over the bytes of a PiSP. */
	EXPECT_EQ(test::codeOf(layoutFromLibcamera(
			  stream(formats::RGGB_PISP_COMP1, 640, 480, 640, 640 * 480))),
		  ENOTSUP);
}

TEST(LibcameraLayout, AMosaicIsOnePlane)
{
	const auto raw = layoutFromLibcamera(stream(formats::SGRBG10, 640, 480, 1280, 614400));
	ASSERT_TRUE(raw);
	EXPECT_EQ(raw->planes, (std::vector<PlaneLayout>{{0, 1280, 614400}}));
	const auto packed =
		layoutFromLibcamera(stream(formats::SGRBG10_CSI2P, 640, 480, 832, 832 * 480));
	ASSERT_TRUE(packed);
	EXPECT_EQ(packed->modifier, formats::SGRBG10_CSI2P.modifier());
	EXPECT_EQ(packed->planes[0].stride, 832u);
}

TEST(LibcameraLayout, JpegHasNoLines)
{
	const auto layout = layoutFromLibcamera(stream(formats::MJPEG, 640, 480, 0, 500000));
	ASSERT_TRUE(layout);
	EXPECT_EQ(layout->fourcc, fourccMjpeg);
	EXPECT_EQ(layout->planes, (std::vector<PlaneLayout>{{0, 0, 500000}}));
	EXPECT_TRUE(checkFrameLayout(*layout, 500000));
	EXPECT_FALSE(checkFrameLayout(*layout, 499999));
	const auto unsaid = layoutFromLibcamera(stream(formats::MJPEG, 640, 480, 0, 0));
	ASSERT_TRUE(unsaid);
	EXPECT_EQ(unsaid->size(), 640u * 480 * 2);
}

TEST(LibcameraColorimetry, IsTakenFromTheColorSpace)
{
	using libcamera::ColorSpace;
	const uint32_t nv12 = formats::NV12.fourcc();
	const uint32_t rgb = formats::BGR888.fourcc();
	EXPECT_EQ(colorimetryFromLibcamera(nv12, ColorSpace::Smpte170m),
		  (Colorimetry{ColorEncoding::BT601, ColorRange::Limited}));
	EXPECT_EQ(colorimetryFromLibcamera(nv12, ColorSpace::Rec709),
		  (Colorimetry{ColorEncoding::BT709, ColorRange::Limited}));
	EXPECT_EQ(colorimetryFromLibcamera(nv12, ColorSpace::Rec2020),
		  (Colorimetry{ColorEncoding::BT2020, ColorRange::Limited}));
	EXPECT_EQ(colorimetryFromLibcamera(nv12, ColorSpace::Sycc),
		  (Colorimetry{ColorEncoding::BT601, ColorRange::Full}));
	EXPECT_EQ(colorimetryFromLibcamera(rgb, ColorSpace::Srgb),
		  (Colorimetry{ColorEncoding::Unknown, ColorRange::Full}));
	EXPECT_EQ(colorimetryFromLibcamera(nv12, std::nullopt), Colorimetry{});
}

libcamera::StreamFormats range(libcamera::PixelFormat format, libcamera::Size min,
			       libcamera::Size max)
{
	return libcamera::StreamFormats({{format, {libcamera::SizeRange(min, max)}}});
}

/* As the vimc handler: every even size, though the range says every size. */
TEST(LibcameraModes, AStepTooFineIsCorrected)
{
	const auto modes =
		modesFromLibcamera(range(formats::BGR888, {16, 16}, {4096, 2160}),
				   [](libcamera::PixelFormat, libcamera::Size size) {
					   return size.width % 2 == 0 && size.height % 2 == 0;
				   });
	ASSERT_EQ(modes.size(), 1u);
	EXPECT_EQ(modes[0].stepWidth, 2u);
	EXPECT_EQ(modes[0].stepHeight, 2u);
	EXPECT_EQ(modes[0].minWidth, 16u);
	EXPECT_EQ(modes[0].maxHeight, 2160u);
}

/* As the virtual handler: a range is published, of which three sizes are taken. */
TEST(LibcameraModes, ARangeThatIsNoneBecomesItsSizes)
{
	const auto modes = modesFromLibcamera(range(formats::NV12, {640, 480}, {1920, 1080}),
					      [](libcamera::PixelFormat, libcamera::Size size) {
						      return size == libcamera::Size(640, 480) ||
							     size == libcamera::Size(1280, 720) ||
							     size == libcamera::Size(1920, 1080);
					      });
	ASSERT_EQ(modes.size(), 3u);
	for (const CaptureMode &mode : modes) {
		EXPECT_EQ(mode.minWidth, mode.maxWidth);
		EXPECT_EQ(mode.minHeight, mode.maxHeight);
	}
	EXPECT_EQ(modes[0].minWidth, 640u);
	EXPECT_EQ(modes[1].minWidth, 1280u);
	EXPECT_EQ(modes[2].minWidth, 1920u);
}

TEST(LibcameraModes, SingleSizesAreListed)
{
	const libcamera::StreamFormats two(
		{{formats::YUYV,
		  {libcamera::SizeRange({640, 480}), libcamera::SizeRange({320, 240})}}});
	const auto modes = modesFromLibcamera(
		two, [](libcamera::PixelFormat, libcamera::Size) { return false; });
	ASSERT_EQ(modes.size(), 2u);
	EXPECT_EQ(modes[0].minWidth, 320u);
	EXPECT_EQ(modes[1].minWidth, 640u);
}

TEST(LibcameraModes, FormatsThatCannotBeLaidOutAreLeftOut)
{
	const auto modes =
		modesFromLibcamera(range(formats::RGGB_PISP_COMP1, {16, 16}, {640, 480}),
				   [](libcamera::PixelFormat, libcamera::Size) { return true; });
	EXPECT_TRUE(modes.empty());
}

} /* namespace */
