/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapformat.h"

#include <drm_fourcc.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::gst;

namespace
{

struct Caps {
	explicit Caps(const char *text) : caps(gst_caps_from_string(text)) {}
	~Caps() { gst_caps_unref(caps); }
	GstCaps *caps;
};

struct Names {
	const char *gst;
	const char *drm;
	uint32_t fourcc;
};

std::ostream &operator<<(std::ostream &out, const Names &names)
{
	return out << names.gst << " is " << names.drm;
}

class FormatNames : public testing::TestWithParam<Names>
{
};

TEST_P(FormatNames, RawCapsBecomeTheFourcc)
{
	const Caps raw((std::string("video/x-raw,width=1280,height=720,framerate=60/1,format=") +
			GetParam().gst)
			       .c_str());
	auto format = frameFormatFromCaps(raw.caps);
	ASSERT_TRUE(format) << format.error().text();
	EXPECT_EQ(format->fourcc, GetParam().fourcc);
	EXPECT_EQ(format->modifier, 0U);
	EXPECT_FALSE(format->dmabuf);
	EXPECT_TRUE(format->planesKnown);
}

TEST_P(FormatNames, DrmCapsBecomeTheSameFrame)
{
	const Caps drm((std::string("video/x-raw(memory:DMABuf),format=DMA_DRM,width=1280,"
				    "height=720,framerate=60/1,drm-format=") +
			GetParam().drm)
			       .c_str());
	auto format = frameFormatFromCaps(drm.caps);
	ASSERT_TRUE(format) << format.error().text();
	EXPECT_EQ(format->fourcc, GetParam().fourcc);
	EXPECT_TRUE(format->dmabuf);
	EXPECT_STREQ(gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(&format->info)),
		     GetParam().gst);
	EXPECT_EQ(GST_VIDEO_INFO_WIDTH(&format->info), 1280);
	EXPECT_EQ(GST_VIDEO_INFO_FPS_N(&format->info), 60);
}

TEST_P(FormatNames, GoBothWays)
{
	const GstVideoFormat video = videoFormatFromFourcc(GetParam().fourcc);
	EXPECT_STREQ(gst_video_format_to_string(video), GetParam().gst);
	EXPECT_EQ(fourccFromVideoFormat(video), GetParam().fourcc);
	EXPECT_EQ(drmFormatString(GetParam().fourcc, 0), GetParam().drm);
}

/* The names of the two worlds are each other's reverse: GStreamer names bytes, DRM a word. */
INSTANTIATE_TEST_SUITE_P(All, FormatNames,
			 testing::Values(Names{"NV12", "NV12", DRM_FORMAT_NV12},
					 Names{"I420", "YU12", DRM_FORMAT_YUV420},
					 Names{"RGB", "BG24", DRM_FORMAT_BGR888},
					 Names{"BGR", "RG24", DRM_FORMAT_RGB888},
					 Names{"BGRx", "XR24", DRM_FORMAT_XRGB8888},
					 Names{"RGBA", "AB24", DRM_FORMAT_ABGR8888}),
			 [](const auto &test) { return std::string(test.param.drm); });

TEST(Format, AModifierStandsInTheDrmFormat)
{
	const std::string text = drmFormatString(DRM_FORMAT_NV12, 0x0100000000000002);
	EXPECT_EQ(text, "NV12:0x0100000000000002");

	const Caps tiled(("video/x-raw(memory:DMABuf),format=DMA_DRM,width=64,height=64,"
			  "drm-format=" +
			  text)
				 .c_str());
	auto format = frameFormatFromCaps(tiled.caps);
	ASSERT_TRUE(format) << format.error().text();
	EXPECT_EQ(format->modifier, 0x0100000000000002U);
	EXPECT_FALSE(format->planesKnown);
}

TEST(Format, BadCapsAreAnErrorWithTheirText)
{
	const Caps list("video/x-raw,format={NV12,I420},width=64,height=64");
	auto notFixed = frameFormatFromCaps(list.caps);
	ASSERT_FALSE(notFixed);
	EXPECT_EQ(notFixed.error().code, EINVAL);
	EXPECT_NE(notFixed.error().message.find("I420"), std::string::npos);

	/* GStreamer 1.28 knows DRM formats that 1.26 does not; this one DRM does not have. */
	const Caps noFourcc("video/x-raw,format=UYVP,width=64,height=64,framerate=1/1");
	auto unknown = frameFormatFromCaps(noFourcc.caps);
	ASSERT_FALSE(unknown);
	EXPECT_NE(unknown.error().message.find("UYVP"), std::string::npos);

	EXPECT_FALSE(frameFormatFromCaps(nullptr));
	const Caps audio("audio/x-raw,rate=1");
	EXPECT_FALSE(frameFormatFromCaps(audio.caps));
}

TEST(Format, ColorimetryGoesBothWays)
{
	for (const char *name : {"bt601", "bt709", "bt2020"}) {
		GstVideoColorimetry video;
		ASSERT_TRUE(gst_video_colorimetry_from_string(&video, name));
		const Colorimetry ours = colorimetryFromVideo(video);
		EXPECT_EQ(ours.range, ColorRange::Limited);
		EXPECT_EQ(colorimetryString(ours), name);

		const Colorimetry full{ours.encoding, ColorRange::Full};
		ASSERT_TRUE(
			gst_video_colorimetry_from_string(&video, colorimetryString(full).c_str()));
		EXPECT_EQ(colorimetryFromVideo(video), full);
	}
	EXPECT_EQ(colorimetryString({}), "");
}

TEST(Format, ForeignMemoryIsRefused)
{
	const Caps gl("video/x-raw(memory:GLMemory),format=RGBA,width=64,height=64");
	const auto format = frameFormatFromCaps(gl.caps);
	ASSERT_FALSE(format);
	EXPECT_NE(format.error().message.find("memory:GLMemory"), std::string::npos);
	const Caps drawn("video/x-raw(memory:SystemMemory,meta:GstVideoOverlayComposition),"
			 "format=RGBA,width=64,height=64");
	EXPECT_TRUE(frameFormatFromCaps(drawn.caps));
}

class BufferLayout : public testing::Test
{
protected:
	BufferLayout()
	{
		gst_buffer_append_memory(buffer_, gst_allocator_alloc(nullptr, 4096 * 16, nullptr));
	}
	~BufferLayout() override { gst_buffer_unref(buffer_); }

	GstBuffer *buffer_ = gst_buffer_new();
	Caps caps_{"video/x-raw,format=NV12,width=128,height=64,framerate=1/1"};
};

TEST_F(BufferLayout, WithoutMetaIsThatOfTheCaps)
{
	auto layout = layoutOfBuffer(*frameFormatFromCaps(caps_.caps), buffer_);
	ASSERT_TRUE(layout) << layout.error().text();
	ASSERT_EQ(layout->planes.size(), 2U);
	EXPECT_EQ(layout->planes[0], (PlaneLayout{0, 128, 128 * 64}));
	EXPECT_EQ(layout->planes[1], (PlaneLayout{128 * 64, 128, 128 * 32}));
	EXPECT_TRUE(isDefaultLayout(*layout));
}

TEST_F(BufferLayout, MetaComesBeforeTheCaps)
{
	FrameLayout padded{DRM_FORMAT_NV12, 0, 128, 64, {}};
	padded.planes = {{0, 192, 192 * 64}, {192 * 64, 192, 192 * 32}};
	addVideoMeta(buffer_, padded);

	auto layout = layoutOfBuffer(*frameFormatFromCaps(caps_.caps), buffer_);
	ASSERT_TRUE(layout) << layout.error().text();
	EXPECT_EQ(layout->planes, padded.planes);
	EXPECT_EQ(layout->size(), padded.size());
	EXPECT_FALSE(isDefaultLayout(*layout));
}

TEST_F(BufferLayout, TwoMemoriesAreRefused)
{
	gst_buffer_append_memory(buffer_, gst_allocator_alloc(nullptr, 16, nullptr));
	auto layout = layoutOfBuffer(*frameFormatFromCaps(caps_.caps), buffer_);
	ASSERT_FALSE(layout);
	EXPECT_NE(layout.error().message.find("plane 1 begins in memory 0 of 2"),
		  std::string::npos);
}

/* A memory for each plane: offsets are those in the memory of the plane. */
TEST_F(BufferLayout, AMemoryForEachPlane)
{
	gst_buffer_remove_all_memory(buffer_);
	gst_buffer_append_memory(buffer_, gst_allocator_alloc(nullptr, 128 * 64, nullptr));
	gst_buffer_append_memory(buffer_, gst_allocator_alloc(nullptr, 128 * 32, nullptr));
	const auto layout = layoutOfBuffer(*frameFormatFromCaps(caps_.caps), buffer_);
	ASSERT_TRUE(layout) << layout.error().text();
	ASSERT_EQ(layout->planes.size(), 2U);
	EXPECT_EQ(layout->planes[0], (PlaneLayout{0, 128, 128 * 64}));
	EXPECT_EQ(layout->planes[1], (PlaneLayout{0, 128, 128 * 32}));
}

/* 2^30 bytes times 64 lines are 0 in 32 bits. */
TEST_F(BufferLayout, AStrideWhosePlaneWrapsAroundIsRefused)
{
	FrameLayout wide{DRM_FORMAT_NV12, 0, 128, 64, {}};
	wide.planes = {{0, 1 << 30, 0}, {0, 1 << 30, 0}};
	addVideoMeta(buffer_, wide);
	const auto layout = layoutOfBuffer(*frameFormatFromCaps(caps_.caps), buffer_);
	ASSERT_FALSE(layout);
	EXPECT_NE(layout.error().message.find("stride 1073741824"), std::string::npos);
}

TEST_F(BufferLayout, AMetaOfMorePlanesThanThereCanBeIsRefused)
{
	FrameLayout tiled{DRM_FORMAT_NV12, 0, 128, 64, {}};
	tiled.planes = {{0, 128, 128 * 64}, {128 * 64, 128, 128 * 32}};
	addVideoMeta(buffer_, tiled)->n_planes = 200;
	const Caps caps("video/x-raw(memory:DMABuf),format=DMA_DRM,width=128,height=64,"
			"framerate=1/1,drm-format=NV12:0x0100000000000001");
	const auto layout = layoutOfBuffer(*frameFormatFromCaps(caps.caps), buffer_);
	ASSERT_FALSE(layout);
	EXPECT_NE(layout.error().message.find("200 planes"), std::string::npos);
}

TEST_F(BufferLayout, AMetaOfAnotherFormatIsRefused)
{
	gsize offsets[GST_VIDEO_MAX_PLANES] = {};
	gint strides[GST_VIDEO_MAX_PLANES] = {512};
	gst_buffer_add_video_meta_full(buffer_, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_BGRx,
				       128, 64, 1, offsets, strides);
	const auto layout = layoutOfBuffer(*frameFormatFromCaps(caps_.caps), buffer_);
	ASSERT_FALSE(layout);
	EXPECT_NE(layout.error().message.find("says BGRx, the caps say NV12"), std::string::npos);
}

/* GstVideoBufferPool of 1.26 gives frames of DMA_DRM caps a meta without planes. */
TEST_F(BufferLayout, AMetaWithoutPlanesIsRefused)
{
	gsize offsets[GST_VIDEO_MAX_PLANES] = {};
	gint strides[GST_VIDEO_MAX_PLANES] = {};
	gst_buffer_add_video_meta_full(buffer_, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_DMA_DRM,
				       128, 64, 0, offsets, strides);
	const auto layout = layoutOfBuffer(*frameFormatFromCaps(caps_.caps), buffer_);
	ASSERT_FALSE(layout);
	EXPECT_NE(layout.error().message.find("0 planes"), std::string::npos);
}

TEST_F(BufferLayout, ATiledFrameWithoutMetaIsRefused)
{
	const Caps tiled("video/x-raw(memory:DMABuf),format=DMA_DRM,width=64,height=64,"
			 "drm-format=NV12:0x0100000000000002");
	EXPECT_FALSE(layoutOfBuffer(*frameFormatFromCaps(tiled.caps), buffer_));
}

} /* namespace */
