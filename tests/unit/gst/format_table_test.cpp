/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapflow's table of pixel formats against what GStreamer knows of the same formats. */
#include "gstheapformat.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <drm_fourcc.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::gst;

namespace
{

struct Pair {
	const FormatInfo *ours;
	const GstVideoFormatInfo *theirs;
};

void PrintTo(const Pair &pair, std::ostream *out)
{
	*out << pair.ours->name;
}

/* Every format for which GStreamer has a layout. Called before gst_init(). */
std::vector<Pair> bothKnow()
{
	std::vector<Pair> pairs;
	for (const FormatInfo &ours : knownFormats()) {
		const GstVideoFormat video = videoFormatFromFourcc(ours.fourcc);
		if (ours.modifier == DRM_FORMAT_MOD_LINEAR && video != GST_VIDEO_FORMAT_UNKNOWN)
			pairs.push_back({&ours, gst_video_format_get_info(video)});
	}
	return pairs;
}

/* Bytes of a line and lines of each plane, as GStreamer's format descriptions say. */
struct Extent {
	uint64_t line = 0;
	uint64_t lines = 0;
};

std::vector<Extent> extents(const GstVideoFormatInfo &format, int width, int height)
{
	std::vector<Extent> planes(GST_VIDEO_FORMAT_INFO_N_PLANES(&format));
	for (unsigned i = 0; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS(&format); i++) {
		Extent &plane = planes[GST_VIDEO_FORMAT_INFO_PLANE(&format, i)];
		const auto samples = GST_VIDEO_FORMAT_INFO_SCALE_WIDTH(&format, i, width);
		plane.line = std::max<uint64_t>(
			plane.line,
			uint64_t(samples) * uint64_t(GST_VIDEO_FORMAT_INFO_PSTRIDE(&format, i)));
		plane.lines = uint64_t(GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT(&format, i, height));
	}
	return planes;
}

class FormatTable : public testing::TestWithParam<Pair>
{
protected:
	const FormatInfo &ours() const { return *GetParam().ours; }
	const GstVideoFormatInfo *theirs() const { return GetParam().theirs; }

	GstVideoInfo info(unsigned width, unsigned height) const
	{
		GstVideoInfo result;
		EXPECT_TRUE(gst_video_info_set_format(
			&result, GST_VIDEO_FORMAT_INFO_FORMAT(theirs()), width, height));
		return result;
	}

	/* Heights rounded up to whole colour samples, as GStreamer does before it multiplies. */
	Result<FrameLayout> withStride(const GstVideoInfo &video, uint32_t stride) const
	{
		return makeFrameLayout(ours().fourcc, uint32_t(video.width), uint32_t(video.height),
				       {.stride = stride,
					.heightAlignment = ours().verticalSubsampling,
					.oddSizes = true});
	}
};

TEST_P(FormatTable, TheFactsAgree)
{
	EXPECT_EQ(ours().planes, GST_VIDEO_FORMAT_INFO_N_PLANES(theirs()));
	EXPECT_EQ(ours().yuv, bool(GST_VIDEO_FORMAT_INFO_IS_YUV(theirs())));
	EXPECT_EQ(ours().kind == FormatKind::Rgb, bool(GST_VIDEO_FORMAT_INFO_IS_RGB(theirs())));
	EXPECT_EQ(ours().kind == FormatKind::Grey, bool(GST_VIDEO_FORMAT_INFO_IS_GRAY(theirs())));
	/* Deliberate: drm_fourcc.h says "A:Cr:Y:Cb", GStreamer does not flag these two. */
	const bool alphaUnsaid =
		ours().fourcc == DRM_FORMAT_Y410 || ours().fourcc == DRM_FORMAT_Y412;
	EXPECT_EQ(ours().alpha, alphaUnsaid || GST_VIDEO_FORMAT_INFO_HAS_ALPHA(theirs()));

	unsigned depth = 0;
	for (unsigned i = 0; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS(theirs()); i++)
		if (i != 3) /* the alpha of 2101010 is narrower */
			depth = std::max(depth, GST_VIDEO_FORMAT_INFO_DEPTH(theirs(), i));
	EXPECT_EQ(ours().depth, depth);
}

/* Sizes that divide by everything: strides, offsets and the total are the same numbers. */
TEST_P(FormatTable, EvenSizesAreTheSameLayout)
{
	for (const auto &[width, height] : {std::pair{64u, 48u}, std::pair{1920u, 1088u},
					    std::pair{1280u, 720u}, std::pair{4096u, 2160u}}) {
		const GstVideoInfo video = info(width, height);
		const auto layout = withStride(video, uint32_t(video.stride[0]));
		ASSERT_TRUE(layout) << layout.error().text();
		EXPECT_EQ(layout->size(), video.size) << width << "x" << height;
		for (unsigned i = 0; i < ours().planes; i++) {
			EXPECT_EQ(layout->planes[i].offset, video.offset[i]);
			EXPECT_EQ(layout->planes[i].stride, uint32_t(video.stride[i]));
		}
	}
}

/*
 * Odd sizes. Three deliberate differences:
 *
 * | what                     | GStreamer              | heapflow         | because |
 * | stride of a colour plane | rounded to 4 bytes     | that of the first| V4L2 and libcamera tell
 * |                          | on its own             | by the ratio     | only the first stride
 * | rounding of strides      | to 4 bytes, always     | none             | the device says what it
 * |                          |                        |                  | needs; RGB888 of 641 is
 * |                          |                        |                  | 1923 bytes for vimc
 * | odd height               | rounded up for all     | luma exact,      | the kernel takes
 * |                          | planes                 | colour rounded up| DIV_ROUND_UP lines
 *
 * So bytes of a line and lines of each plane are compared, which is what both mean.
 */
TEST_P(FormatTable, OddSizesNeedTheSameBytesAndLines)
{
	for (const auto &[width, height] : {std::pair{322u, 242u}, std::pair{641u, 481u},
					    std::pair{1366u, 767u}, std::pair{3u, 5u}}) {
		const auto layout =
			makeFrameLayout(ours().fourcc, width, height, {.oddSizes = true});
		ASSERT_TRUE(layout) << layout.error().text();
		EXPECT_TRUE(checkFrameLayout(*layout, layout->size()));
		if (GST_VIDEO_FORMAT_INFO_IS_COMPLEX(theirs()))
			continue; /* no bytes a pixel: EvenSizes compares them */
		const auto wanted = extents(*theirs(), int(width), int(height));
		for (unsigned i = 0; i < ours().planes; i++) {
			const auto &plane = ours().plane[i];
			const uint64_t blocks =
				(width + plane.pixelsPerBlock - 1) / plane.pixelsPerBlock;
			const uint64_t line = blocks * plane.bytesPerBlock;
			/* YUYV of odd width: whole pairs here, half a pair there. */
			EXPECT_GE(line, wanted[i].line) << "plane " << i << " of " << width;
			EXPECT_LT(line, wanted[i].line + plane.bytesPerBlock);
			EXPECT_EQ(layout->planes[i].length / layout->planes[i].stride,
				  wanted[i].lines)
				<< "plane " << i << " of " << height;
		}
	}
}

/* What GStreamer lays out by default is always room enough, if its stride is asked for. */
TEST_P(FormatTable, TheFrameFitsIntoTheirs)
{
	for (const auto &[width, height] : {std::pair{322u, 242u}, std::pair{641u, 481u}}) {
		const auto layout =
			makeFrameLayout(ours().fourcc, width, height, {.oddSizes = true});
		ASSERT_TRUE(layout);
		EXPECT_LE(layout->size(), info(width, height).size);
	}
}

INSTANTIATE_TEST_SUITE_P(All, FormatTable, testing::ValuesIn(bothKnow()),
			 [](const auto &test) { return std::string(test.param.ours->name); });

/* Formats of GStreamer that have a fourcc, and that heapflow leaves out, each with its reason. */
TEST(FormatTableCoverage, EveryFourccOfGstreamerIsKnown)
{
	const std::map<std::string, std::string> leftOut = {
		{"GRAY16_BE", "big endian: heapflow's cameras and displays are little endian"},
	};
	std::string missing;
	guint count = 0;
	const auto *formats = static_cast<const GstVideoFormat *>(gst_video_formats_any(&count));
	for (guint i = 0; i < count; i++) {
		const char *name = gst_video_format_to_string(formats[i]);
		const uint32_t fourcc = fourccFromVideoFormat(formats[i]);
		if (fourcc && !formatInfo(fourcc) && !leftOut.contains(name))
			missing += std::string(" ") + name;
	}
	EXPECT_EQ(missing, "");
	EXPECT_GE(bothKnow().size(), 40u);
}

/* DRM has no fourcc for planar RGB (GBR) nor for big endian: neither can leave a camera. */
TEST(FormatTableCoverage, PlanarRgbHasNoFourcc)
{
	for (const GstVideoFormat format : {GST_VIDEO_FORMAT_GBR, GST_VIDEO_FORMAT_GBR_10LE,
					    GST_VIDEO_FORMAT_RGBP, GST_VIDEO_FORMAT_BGRP})
		EXPECT_EQ(fourccFromVideoFormat(format), 0u) << gst_video_format_to_string(format);
}

TEST(FormatTableCoverage, TheTemplateNamesEachFormatOnce)
{
	GstCaps *caps = templateCaps();
	const GValue *formats = gst_structure_get_value(
		gst_caps_get_structure(caps, gst_caps_get_size(caps) - 1), "format");
	std::vector<std::string> names;
	for (guint i = 0; i < gst_value_list_get_size(formats); i++)
		names.emplace_back(g_value_get_string(gst_value_list_get_value(formats, i)));
	std::ranges::sort(names);
	EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
	EXPECT_TRUE(std::ranges::binary_search(names, "NV12"));
	EXPECT_TRUE(std::ranges::binary_search(names, "NV12_10LE40"));
	gst_caps_unref(caps);
}

} /* namespace */
