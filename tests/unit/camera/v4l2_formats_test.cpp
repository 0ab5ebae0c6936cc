/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invariants 2 and 11: the layout of a V4L2 frame is exact. */
#include "result.h"
#include "v4l2_formats.h"

#include "heapflow/camera/camera.h"

#include <cerrno>
#include <set>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using testing::HasSubstr;

namespace
{

TEST(V4l2Formats, TheTableIsOneToOne)
{
	std::set<uint32_t> v4l2;
	std::set<std::pair<uint32_t, uint64_t>> drm;
	for (const auto &[from, to, modifier] : v4l2FormatTable()) {
		EXPECT_TRUE(v4l2.insert(from).second) << fourccToString(from) << " twice";
		EXPECT_EQ(drmFromV4l2(from), to);
		/* V4L2 has two names for a frame of JPEG; cameras use the first. */
		if (from == V4L2_PIX_FMT_JPEG)
			continue;
		EXPECT_TRUE(drm.emplace(to, modifier).second) << fourccToString(to) << " twice";
		EXPECT_EQ(v4l2FromDrm(to, modifier), from);
	}
}

/* Else nothing could be allocated for it: every format can be laid out. */
TEST(V4l2Formats, EachCanBeLaidOut)
{
	for (const auto &[from, to, modifier] : v4l2FormatTable())
		EXPECT_TRUE(to == fourccMjpeg || formatInfo(to, modifier)) << fourccToString(from);
}

TEST(V4l2Formats, MosaicsHaveLibcamerasNames)
{
	const auto expectName = [](uint32_t v4l2, const char *name, uint64_t modifier = 0) {
		const V4l2Format *format = v4l2Format(v4l2);
		ASSERT_NE(format, nullptr) << name;
		EXPECT_EQ(format->modifier, modifier) << name;
		EXPECT_STREQ(formatInfo(format->drm, modifier)->name, name);
	};
	expectName(V4L2_PIX_FMT_SRGGB8, "SRGGB8");
	expectName(V4L2_PIX_FMT_SGRBG12, "SGRBG12");
	expectName(V4L2_PIX_FMT_SGRBG14, "SGRBG14");
	expectName(V4L2_PIX_FMT_SRGGB16, "SRGGB16");
	expectName(V4L2_PIX_FMT_SBGGR16, "SBGGR16");
	expectName(V4L2_PIX_FMT_SRGGB10P, "SRGGB10", 0x0b00000000000001);
}

/* Stated by hand from the byte orders in the documentation of the two interfaces. */
TEST(V4l2Formats, PackedRgbNamesAreCrossed)
{
	EXPECT_EQ(drmFromV4l2(V4L2_PIX_FMT_RGB24), static_cast<uint32_t>(DRM_FORMAT_BGR888));
	EXPECT_EQ(drmFromV4l2(V4L2_PIX_FMT_BGR24), static_cast<uint32_t>(DRM_FORMAT_RGB888));
	EXPECT_EQ(drmFromV4l2(V4L2_PIX_FMT_XBGR32), static_cast<uint32_t>(DRM_FORMAT_XRGB8888));
	EXPECT_EQ(drmFromV4l2(V4L2_PIX_FMT_RGBX32), static_cast<uint32_t>(DRM_FORMAT_XBGR8888));
	EXPECT_EQ(drmFromV4l2(V4L2_PIX_FMT_YVU420), static_cast<uint32_t>(DRM_FORMAT_YVU420));
}

TEST(V4l2Formats, WhatDrmHasNoNameForIsZero)
{
	EXPECT_EQ(drmFromV4l2(V4L2_PIX_FMT_NV12M), 0u);
	EXPECT_EQ(drmFromV4l2(V4L2_PIX_FMT_FWHT), 0u);
	EXPECT_EQ(v4l2FromDrm(DRM_FORMAT_P016), 0u);
	EXPECT_EQ(v4l2FromDrm(DRM_FORMAT_NV12, 1), 0u);
}

V4l2Picture picture(uint32_t pixelformat, uint32_t width, uint32_t height, uint32_t stride,
		    uint32_t size)
{
	V4l2Picture result;
	result.pixelformat = pixelformat;
	result.width = width;
	result.height = height;
	result.bytesperline = stride;
	result.sizeimage = size;
	return result;
}

TEST(V4l2Layout, Nv12IsTwoPlanesOneAfterTheOther)
{
	const auto layout =
		layoutFromV4l2(picture(V4L2_PIX_FMT_NV12, 1280, 720, 1280, 1280 * 720 * 3 / 2));
	ASSERT_TRUE(layout) << test::textOf(layout);
	EXPECT_EQ(layout->fourcc, static_cast<uint32_t>(DRM_FORMAT_NV12));
	ASSERT_EQ(layout->planes.size(), 2u);
	EXPECT_EQ(layout->planes[0], (PlaneLayout{0, 1280, 1280 * 720}));
	EXPECT_EQ(layout->planes[1], (PlaneLayout{1280 * 720, 1280, 1280 * 360}));
	EXPECT_EQ(layout->size(), 1280u * 720 * 3 / 2);
}

TEST(V4l2Layout, TheStrideOfTheDriverIsFollowedIntoAllPlanes)
{
	const auto layout =
		layoutFromV4l2(picture(V4L2_PIX_FMT_YUV420, 640, 480, 704, 704 * 480 * 3 / 2));
	ASSERT_TRUE(layout) << test::textOf(layout);
	ASSERT_EQ(layout->planes.size(), 3u);
	EXPECT_EQ(layout->planes[0].stride, 704u);
	EXPECT_EQ(layout->planes[1].stride, 352u);
	EXPECT_EQ(layout->planes[2].offset, 704u * 480 + 352 * 240);
	EXPECT_EQ(layout->size(), 704u * 480 * 3 / 2);
}

TEST(V4l2Layout, PaddingAtTheEndBelongsToTheLastPlane)
{
	const uint32_t exact = 1920 * 1080 * 3 / 2;
	const auto layout =
		layoutFromV4l2(picture(V4L2_PIX_FMT_NV12, 1920, 1080, 1920, exact + 12288));
	ASSERT_TRUE(layout);
	EXPECT_EQ(layout->planes[1].length, 1920u * 540 + 12288);
	EXPECT_EQ(layout->size(), exact + 12288u);
	EXPECT_TRUE(checkFrameLayout(*layout, exact + 12288));
}

TEST(V4l2Layout, ASizeImageTooSmallForThePictureIsExplained)
{
	const auto layout = layoutFromV4l2(picture(V4L2_PIX_FMT_NV12, 640, 480, 640, 640 * 480));
	ASSERT_FALSE(layout);
	EXPECT_EQ(test::codeOf(layout), EINVAL);
	EXPECT_THAT(layout.error().message, HasSubstr("307200"));
	EXPECT_THAT(layout.error().message, HasSubstr("460800"));
}

TEST(V4l2Layout, SeveralBuffersAreRefused)
{
	V4l2Picture two = picture(V4L2_PIX_FMT_NV12, 640, 480, 640, 460800);
	two.planes = 2;
	EXPECT_EQ(test::codeOf(layoutFromV4l2(two)), ENOTSUP);
}

TEST(V4l2Layout, SingleFieldsAreRefusedAndInterleavedOnesTaken)
{
	V4l2Picture fields = picture(V4L2_PIX_FMT_NV12, 720, 240, 720, 259200);
	for (const uint32_t field : {V4L2_FIELD_ALTERNATE, V4L2_FIELD_TOP, V4L2_FIELD_BOTTOM}) {
		fields.field = field;
		EXPECT_EQ(test::codeOf(layoutFromV4l2(fields)), ENOTSUP);
	}
	fields.field = V4L2_FIELD_INTERLACED;
	EXPECT_TRUE(layoutFromV4l2(fields));
}

TEST(V4l2Layout, JpegIsOnePlaneOfTheLongestFrame)
{
	const auto layout = layoutFromV4l2(picture(V4L2_PIX_FMT_MJPEG, 640, 480, 0, 100000));
	ASSERT_TRUE(layout);
	EXPECT_EQ(layout->planes, (std::vector<PlaneLayout>{{0, 0, 100000}}));
	EXPECT_EQ(layout->colorimetry, (Colorimetry{ColorEncoding::BT601, ColorRange::Full}));
	EXPECT_TRUE(checkFrameLayout(*layout, 100000));
	EXPECT_EQ(test::codeOf(layoutFromV4l2(picture(V4L2_PIX_FMT_FWHT, 640, 480, 0, 100000))),
		  ENOTSUP);
}

TEST(V4l2Format, BothVariantsCarryTheSame)
{
	for (const uint32_t type :
	     {V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE}) {
		const V4l2Picture in = picture(V4L2_PIX_FMT_NV12, 640, 480, 704, 506880);
		const v4l2_format format = formatFromPicture(type, in);
		EXPECT_EQ(format.type, type);
		const V4l2Picture out = pictureFromFormat(format);
		EXPECT_EQ(out.pixelformat, in.pixelformat);
		EXPECT_EQ(out.width, 640u);
		EXPECT_EQ(out.height, 480u);
		EXPECT_EQ(out.bytesperline, 704u);
		EXPECT_EQ(out.sizeimage, 506880u);
		EXPECT_EQ(out.field, static_cast<uint32_t>(V4L2_FIELD_NONE));
		EXPECT_EQ(out.planes, 1u);
	}
}

TEST(V4l2Format, ColorFieldsOfAnOldDriverAreNotRead)
{
	v4l2_format format{};
	format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	format.fmt.pix.ycbcr_enc = 77;
	format.fmt.pix.quantization = 77;
	EXPECT_EQ(pictureFromFormat(format).ycbcrEncoding,
		  static_cast<uint32_t>(V4L2_YCBCR_ENC_DEFAULT));
	EXPECT_EQ(pictureFromFormat(format).quantization,
		  static_cast<uint32_t>(V4L2_QUANTIZATION_DEFAULT));
}

struct ColorCase {
	uint32_t drm;
	uint32_t height;
	uint32_t colorspace;
	uint32_t encoding;
	uint32_t quantization;
	Colorimetry expected;
};

class V4l2Colorimetry : public testing::TestWithParam<ColorCase>
{
};

TEST_P(V4l2Colorimetry, FollowsTheRulesOfVideodev2)
{
	const ColorCase &c = GetParam();
	EXPECT_EQ(colorimetryFromV4l2(c.drm, c.height, c.colorspace, c.encoding, c.quantization),
		  c.expected);
}

using enum ColorEncoding;
constexpr Colorimetry limited601{BT601, ColorRange::Limited};
constexpr Colorimetry full601{BT601, ColorRange::Full};
constexpr Colorimetry limited709{BT709, ColorRange::Limited};
constexpr Colorimetry limited2020{BT2020, ColorRange::Limited};
constexpr Colorimetry fullRgb{Unknown, ColorRange::Full};
constexpr Colorimetry limitedRgb{Unknown, ColorRange::Limited};

INSTANTIATE_TEST_SUITE_P(
	Given, V4l2Colorimetry,
	testing::Values(
		/* All left open: by the size, as televisions do. */
		ColorCase{DRM_FORMAT_NV12, 480, 0, 0, 0, limited601},
		ColorCase{DRM_FORMAT_NV12, 720, 0, 0, 0, limited709},
		ColorCase{DRM_FORMAT_BGR888, 720, 0, 0, 0, fullRgb},
		/* The color space decides the rest. */
		ColorCase{DRM_FORMAT_NV12, 720, V4L2_COLORSPACE_SRGB, 0, 0, limited601},
		ColorCase{DRM_FORMAT_NV12, 480, V4L2_COLORSPACE_REC709, 0, 0, limited709},
		ColorCase{DRM_FORMAT_NV12, 720, V4L2_COLORSPACE_BT2020, 0, 0, limited2020},
		ColorCase{DRM_FORMAT_NV12, 720, V4L2_COLORSPACE_SMPTE170M, 0, 0, limited601},
		ColorCase{DRM_FORMAT_NV12, 720, V4L2_COLORSPACE_JPEG, 0, 0, full601},
		ColorCase{DRM_FORMAT_NV12, 720, V4L2_COLORSPACE_DCI_P3, 0, 0, limited709},
		ColorCase{DRM_FORMAT_NV12, 720, V4L2_COLORSPACE_SMPTE240M, 0, 0, limited709},
		/* What is said goes before what is implied. */
		ColorCase{DRM_FORMAT_NV12, 720, V4L2_COLORSPACE_SRGB, V4L2_YCBCR_ENC_709, 0,
			  limited709},
		ColorCase{DRM_FORMAT_NV12, 720, V4L2_COLORSPACE_REC709, V4L2_YCBCR_ENC_XV601,
			  V4L2_QUANTIZATION_FULL_RANGE, full601},
		ColorCase{DRM_FORMAT_XRGB8888, 720, V4L2_COLORSPACE_SRGB, V4L2_YCBCR_ENC_601,
			  V4L2_QUANTIZATION_LIM_RANGE, limitedRgb},
		/* A value of a newer kernel. */
		ColorCase{DRM_FORMAT_NV12,
			  720,
			  V4L2_COLORSPACE_REC709,
			  99,
			  0,
			  {Unknown, ColorRange::Limited}}));

} /* namespace */
