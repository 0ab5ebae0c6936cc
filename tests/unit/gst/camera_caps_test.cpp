/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapcameracaps.h"

#include <algorithm>
#include <optional>

#include <drm_fourcc.h>
#include <gtest/gtest.h>
#include <libcamera/formats.h>

using namespace heapflow;
using namespace heapflow::gst;

namespace
{

CaptureMode discrete(uint32_t fourcc, uint32_t width, uint32_t height,
		     std::vector<FrameRate> rates = {})
{
	return {fourcc, width, width, 1, height, height, 1, std::move(rates)};
}

CaptureMode range(uint32_t fourcc)
{
	return {fourcc, 16, 4096, 8, 16, 2304, 1, {}};
}

std::string text(GstCaps *caps)
{
	g_autofree char *string = gst_caps_to_string(caps);
	gst_caps_unref(caps);
	return string;
}

std::string fixated(const std::vector<CaptureMode> &modes, const char *filter = nullptr)
{
	GstCaps *caps = capsFromModes(modes);
	if (filter) {
		GstCaps *wanted = gst_caps_from_string(filter);
		GstCaps *both = gst_caps_intersect_full(caps, wanted, GST_CAPS_INTERSECT_FIRST);
		gst_caps_unref(wanted);
		gst_caps_unref(caps);
		caps = both;
	}
	return text(fixateCameraCaps(caps));
}

/* A list of devices is read by people: one line a size, and not one a format. */
TEST(CameraCaps, JoinedTheyAreTheSameWithTheFormatsOfOneSizeTogether)
{
	const std::vector<FrameRate> rates = {{30, 1}, {60, 1}};
	const std::vector<CaptureMode> modes = {
		discrete(DRM_FORMAT_NV12, 640, 480, rates),
		discrete(DRM_FORMAT_NV12, 1280, 720, rates),
		discrete(DRM_FORMAT_YUYV, 640, 480, rates),
		discrete(DRM_FORMAT_YUYV, 1280, 720, {{30, 1}}),
		discrete(DRM_FORMAT_XRGB8888, 640, 480, rates),
		discrete(fourccMjpeg, 640, 480, rates),
	};
	GstCaps *joined = joinedCapsFromModes(modes);
	/* 640x480: dma-buf, plain, JPEG; 1280x720 with each rates: dma-buf, plain */
	EXPECT_EQ(gst_caps_get_size(joined), 7U);
	const std::string all = text(gst_caps_copy(joined));
	EXPECT_NE(all.find("drm-format=(string){ NV12, YUYV, XR24 }"), std::string::npos) << all;
	GstCaps *each = gst_caps_normalize(joined);
	GstCaps *expected = gst_caps_normalize(capsFromModes(modes));
	EXPECT_EQ(gst_caps_get_size(each), gst_caps_get_size(expected));
	EXPECT_TRUE(gst_caps_is_equal(each, expected)) << all;
	gst_caps_unref(each);
	gst_caps_unref(expected);
}

TEST(CameraCaps, EachModeIsOfferedAsDmabufAndAsPlainMemory)
{
	GstCaps *caps = capsFromModes({discrete(DRM_FORMAT_NV12, 640, 480, {{30, 1}})});
	ASSERT_EQ(gst_caps_get_size(caps), 2U);
	EXPECT_TRUE(gst_caps_features_contains(gst_caps_get_features(caps, 0),
					       GST_CAPS_FEATURE_MEMORY_DMABUF));
	EXPECT_FALSE(gst_caps_features_contains(gst_caps_get_features(caps, 1),
						GST_CAPS_FEATURE_MEMORY_DMABUF));
	EXPECT_STREQ(gst_structure_get_string(gst_caps_get_structure(caps, 0), "drm-format"),
		     "NV12");
	EXPECT_STREQ(gst_structure_get_string(gst_caps_get_structure(caps, 1), "format"), "NV12");
	const std::string all = text(caps);
	EXPECT_NE(all.find("framerate=(fraction)30/1"), std::string::npos) << all;
}

/* GST_TYPE_INT_RANGE with min == max is a critical, which is fatal here. */
TEST(CameraCaps, ADiscreteSizeIsNoRange)
{
	const std::string all = text(capsFromModes({discrete(DRM_FORMAT_NV12, 640, 480)}));
	EXPECT_NE(all.find("width=(int)640"), std::string::npos) << all;
	EXPECT_EQ(all.find("width=(int)["), std::string::npos) << all;
}

TEST(CameraCaps, ASteppedSizeKeepsItsStep)
{
	const std::string all = text(capsFromModes({range(DRM_FORMAT_NV12)}));
	EXPECT_NE(all.find("width=(int)[ 16, 4096, 8 ]"), std::string::npos) << all;
	EXPECT_NE(all.find("height=(int)[ 16, 2304 ]"), std::string::npos) << all;
}

/* Only these are asked of the camera, so that one too few were a camera that cannot be used. */
TEST(CameraCaps, TheFormatsThatCapsMayHaveAreFound)
{
	const auto in = [](const char *description) {
		GstCaps *caps = gst_caps_from_string(description);
		auto formats = formatsIn(caps);
		gst_caps_unref(caps);
		return formats;
	};
	using Formats = std::vector<uint32_t>;
	EXPECT_EQ(in("ANY"), std::nullopt);
	EXPECT_EQ(in("EMPTY"), Formats());
	EXPECT_EQ(in("video/x-h264"), Formats());
	EXPECT_EQ(in("video/x-raw,format=NV12,width=640"), Formats{DRM_FORMAT_NV12});
	EXPECT_EQ(in("video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=NV12"),
		  Formats{DRM_FORMAT_NV12});
	EXPECT_EQ(in("image/jpeg"), Formats{fourccMjpeg});
	EXPECT_EQ(in("video/x-bayer,format=rggb")->size(), 1u);
	const auto two =
		in("video/x-raw(memory:DMABuf),drm-format={XR24,YUYV};video/x-raw,format=YUY2");
	ASSERT_TRUE(two);
	EXPECT_EQ(two->size(), 2u);
	/* Every picture that GStreamer has a name for. */
	EXPECT_GT(in("video/x-raw")->size(), 20u);
	EXPECT_GE(in("video/x-raw(memory:DMABuf)")->size(), in("video/x-raw")->size());
	/* What any mode becomes has its format in it. */
	for (const FormatInfo &info : knownFormats()) {
		CaptureMode mode = discrete(info.fourcc, 64, 64);
		mode.modifier = info.modifier;
		GstCaps *caps = capsFromModes({mode});
		const bool found = std::ranges::contains(*formatsIn(caps), info.fourcc);
		EXPECT_EQ(found, !gst_caps_is_empty(caps)) << info.name;
		gst_caps_unref(caps);
	}
}

TEST(CameraCaps, TheDefaultIsTheSizeNearestTo720p)
{
	const std::string caps =
		fixated({discrete(DRM_FORMAT_NV12, 320, 240), discrete(DRM_FORMAT_NV12, 1920, 1080),
			 discrete(DRM_FORMAT_NV12, 1296, 976)});
	EXPECT_NE(caps.find("width=(int)1296"), std::string::npos) << caps;
	EXPECT_NE(fixated({range(DRM_FORMAT_NV12)}).find("width=(int)1280, height=(int)720"),
		  std::string::npos);
}

TEST(CameraCaps, TheCamerasFirstFormatWinsAtTheSameSize)
{
	const std::string caps = fixated(
		{discrete(DRM_FORMAT_NV12, 1280, 720), discrete(DRM_FORMAT_XRGB8888, 1280, 720)});
	EXPECT_NE(caps.find("drm-format=(string)NV12"), std::string::npos) << caps;
	EXPECT_EQ(caps.find("video/x-raw(memory:DMABuf)"), 0U) << caps;
}

TEST(CameraCaps, ACapsfilterDecides)
{
	const std::string caps =
		fixated({range(DRM_FORMAT_NV12), range(DRM_FORMAT_YUV420)},
			"video/x-raw,format=I420,width=320,height=240,framerate=25/1");
	EXPECT_EQ(caps.find("video/x-raw, "), 0U) << caps;
	for (const char *field : {"format=(string)I420", "width=(int)320", "height=(int)240",
				  "framerate=(fraction)25/1"})
		EXPECT_NE(caps.find(field), std::string::npos) << field << " in " << caps;
}

TEST(CameraCaps, TheRateNearestTo60IsTakenAndAnUnknownOneLeftOpen)
{
	EXPECT_NE(fixated({discrete(DRM_FORMAT_NV12, 640, 480, {{15, 1}, {50, 1}, {30, 1}})})
			  .find("framerate=(fraction)50/1"),
		  std::string::npos);
	EXPECT_NE(fixated({discrete(DRM_FORMAT_NV12, 640, 480)}).find("framerate=(fraction)0/1"),
		  std::string::npos);
}

TEST(CameraCaps, TheRequestSaysWhatTheCapsSay)
{
	GstCaps *caps = gst_caps_from_string("video/x-raw(memory:DMABuf),format=DMA_DRM,"
					     "drm-format=BG24,width=640,height=480,framerate=25/1");
	auto request = requestFromCaps(caps, 6);
	gst_caps_unref(caps);
	ASSERT_TRUE(request) << request.error().text();
	EXPECT_EQ(request->fourcc, DRM_FORMAT_BGR888);
	EXPECT_EQ(request->width, 640U);
	EXPECT_EQ(request->height, 480U);
	EXPECT_EQ(request->rate, (FrameRate{25, 1}));
	EXPECT_EQ(request->bufferCount, 6U);
	EXPECT_EQ(request->stride, 0U) << "invariant 4: the stride is the camera's to choose";
}

TEST(CameraCaps, TheAnswerOfTheCameraIsInTheCaps)
{
	GstCaps *chosen = gst_caps_from_string("video/x-raw(memory:DMABuf),format=DMA_DRM,"
					       "drm-format=NV12,width=640,height=480,"
					       "framerate=0/1");
	CaptureConfiguration configuration;
	configuration.layout = *makeFrameLayout(DRM_FORMAT_NV12, 648, 480);
	configuration.layout.colorimetry = {ColorEncoding::BT709, ColorRange::Limited};
	configuration.rate = {60, 1};
	const std::string caps = text(capsFromConfiguration(chosen, configuration));
	gst_caps_unref(chosen);
	for (const char *field : {"width=(int)648", "framerate=(fraction)60/1",
				  "colorimetry=(string)bt709", "drm-format=(string)NV12"})
		EXPECT_NE(caps.find(field), std::string::npos) << field << " in " << caps;
}

/* libcamera packs a raw format that is asked for unpacked, and a flip changes its order. */
TEST(CameraCaps, AnotherFormatThanAskedForIsInTheCapsOrThereAreNone)
{
	const auto answer = [](const char *asked, uint32_t fourcc, uint64_t modifier = 0) {
		GstCaps *chosen = gst_caps_from_string(asked);
		CaptureConfiguration configuration;
		configuration.layout.fourcc = fourcc;
		configuration.layout.modifier = modifier;
		configuration.layout.width = 640;
		configuration.layout.height = 480;
		GstCaps *caps = capsFromConfiguration(chosen, configuration);
		gst_caps_unref(chosen);
		return text(caps);
	};
	const char *bayer = "video/x-bayer,format=rggb10le,width=640,height=480,framerate=0/1";
	EXPECT_NE(answer(bayer, libcamera::formats::SBGGR10.fourcc()).find("bggr10le"),
		  std::string::npos);
	EXPECT_EQ(answer(bayer, libcamera::formats::SRGGB10_CSI2P.fourcc(),
			 libcamera::formats::SRGGB10_CSI2P.modifier()),
		  "EMPTY");
	EXPECT_EQ(answer(bayer, DRM_FORMAT_YUYV), "EMPTY");
	const char *jpeg = "image/jpeg,width=640,height=480,framerate=0/1";
	EXPECT_NE(answer(jpeg, fourccMjpeg).find("image/jpeg"), std::string::npos);
	EXPECT_EQ(answer(jpeg, DRM_FORMAT_YUYV), "EMPTY");
	EXPECT_EQ(answer("video/x-raw,format=NV12,width=640,height=480,framerate=0/1", fourccMjpeg),
		  "EMPTY");
}

TEST(CameraCaps, RatesBetweenTwoAreARange)
{
	CaptureMode mode = discrete(DRM_FORMAT_NV12, 640, 480, {{1, 1}, {90, 1}});
	mode.ratesBetween = true;
	EXPECT_NE(fixated({mode}).find("framerate=(fraction)60/1"), std::string::npos);
	EXPECT_NE(fixated({mode}, "video/x-raw,framerate=25/1").find("25/1"), std::string::npos);
	/* GST_TYPE_FRACTION_RANGE with min == max is a critical, which is fatal here. */
	mode.rates = {{30, 1}, {30, 1}};
	EXPECT_NE(fixated({mode}).find("framerate=(fraction)30/1"), std::string::npos);
}

/* In an error; vivid has hundreds of modes. */
TEST(SummaryOfModes, NamesEachFormatOnceAndTheSizes)
{
	const std::vector<CaptureMode> modes = {
		{.fourcc = DRM_FORMAT_NV12,
		 .minWidth = 640,
		 .maxWidth = 640,
		 .minHeight = 480,
		 .maxHeight = 480},
		{.fourcc = DRM_FORMAT_NV12,
		 .minWidth = 1920,
		 .maxWidth = 1920,
		 .minHeight = 1080,
		 .maxHeight = 1080},
		{.fourcc = fourccMjpeg,
		 .minWidth = 320,
		 .maxWidth = 320,
		 .minHeight = 180,
		 .maxHeight = 180},
	};
	EXPECT_EQ(summaryOfModes(modes), "NV12, MJPEG in 320x180 to 1920x1080");
	EXPECT_EQ(summaryOfModes({}), "no format");
}

} /* namespace */
