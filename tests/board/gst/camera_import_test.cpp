/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapcamerasrc fills buffers that are not its own: those of downstream's pool. */
#include "board.h"
#include "dmabuf_witness.h"
#include "pipeline.h"
#include "vivid.h"

#include <format>
#include <set>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>
#include <gst/allocators/gstdmabuf.h>
#include <gst/video/video.h>

using namespace heapflow::test;

namespace
{

const std::string vimc = "\"platform/vimc.0 Sensor B\"";

TEST(CameraImport, FillsThePoolOfDownstream)
{
	for (const std::string &camera : {vividNode(), std::string("Virtual0"), vimc}) {
		Pipeline pipeline(std::format(
			"heapcamerasrc name=source camera-name={} num-buffers=6 ! "
			"heapalloc heap=memory@48000000-contiguous ! fakesink name=sink sync=false",
			camera));
		pipeline.onBuffer([&](GstBuffer *buffer, unsigned) {
			GstMemory *memory = gst_buffer_peek_memory(buffer, 0);
			ASSERT_TRUE(gst_is_dmabuf_memory(memory));
			EXPECT_EQ(exporterOf(gst_dmabuf_memory_get_fd(memory)),
				  "memory@48000000-contiguous");
		});
		pipeline.run();
		EXPECT_TRUE(pipeline.reachedEnd()) << camera << ": " << pipeline.errorText();
		EXPECT_EQ(pipeline.plan("source", "buffers-of"), "downstream") << camera;
		EXPECT_EQ(pipeline.plan("source", "heap"), "memory@48000000-contiguous");
	}
}

TEST(CameraImport, TheHeapThatTheUserNamesWins)
{
	Pipeline pipeline("heapcamerasrc name=source camera-name=Virtual0 heap=system "
			  "num-buffers=3 ! heapalloc heap=memory@48000000-contiguous ! "
			  "fakesink name=sink sync=false");
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_EQ(pipeline.plan("source", "heap"), "system");
	EXPECT_EQ(pipeline.plan("source", "buffers-of"), "heap");
}

TEST(CameraImport, WithoutAPoolOfDownstreamItIsAnErrorIfInsistedOn)
{
	Pipeline pipeline("heapcamerasrc name=source camera-name=Virtual0 buffer-mode=downstream "
			  "num-buffers=3 ! fakesink name=sink sync=false");
	pipeline.run();
	ASSERT_FALSE(pipeline.errors().empty());
	EXPECT_THAT(pipeline.errors().front().message, testing::HasSubstr("no pool"));
}

/*
 * Memory of no heap at all: dumb buffers of the display's driver, exported as dma-bufs. In NV12
 * they are larger than the frame, by the rounding to pages.
 */
TEST(CameraImport, FillsTheDumbBuffersOfKmssink)
{
	const Vivid vivid("0");
	for (const char *format : {"NV12", "BGRx"}) {
		Pipeline pipeline(
			std::format("heapcamerasrc name=source camera-name={} num-buffers=30 ! "
				    "video/x-raw,format={},width=1280,height=720 ! "
				    "kmssink name=sink driver-name=vkms sync=false",
				    vivid.node(), format));
		std::set<std::string> exporters;
		pipeline.onBuffer([&](GstBuffer *buffer, unsigned) {
			GstMemory *memory = gst_buffer_peek_memory(buffer, 0);
			ASSERT_TRUE(gst_is_dmabuf_memory(memory));
			exporters.insert(exporterOf(gst_dmabuf_memory_get_fd(memory)));
		});
		pipeline.run();
		EXPECT_TRUE(pipeline.reachedEnd()) << format << ": " << pipeline.errorText();
		EXPECT_TRUE(pipeline.warnings().empty()) << pipeline.warnings().front().message;
		EXPECT_EQ(pipeline.plan("source", "buffers-of"), "downstream") << format;
		EXPECT_EQ(pipeline.plan("source", "heap"), "");
		EXPECT_THAT(exporters, testing::ElementsAre("drm")) << format;
	}
}

/* Downstream's lines are longer: the camera is asked for those, and the picture is right. */
TEST(CameraImport, TheStrideOfDownstreamIsAskedFor)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format(
		"heapcamerasrc name=source camera-name={} num-buffers=6 ! "
		"video/x-raw,format=NV12,width=320,height=180 ! "
		"heapalloc heap=video@* ! identity name=aligned ! fakesink name=sink sync=false",
		vivid.node()));
	/* As an encoder that wants lines of whole 256 bytes would say it. */
	GstPad *pad = gst_element_get_static_pad(pipeline.element("aligned"), "sink");
	gst_pad_add_probe(
		pad, GstPadProbeType(GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM | GST_PAD_PROBE_TYPE_PUSH),
		[](GstPad *, GstPadProbeInfo *info, gpointer) {
			GstQuery *query = GST_PAD_PROBE_INFO_QUERY(info);
			if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION)
				return GST_PAD_PROBE_OK;
			GstVideoAlignment alignment;
			gst_video_alignment_reset(&alignment);
			for (guint &align : alignment.stride_align)
				align = 255;
			GstStructure *parameters = gst_structure_new_empty("video-meta");
			gst_buffer_pool_config_set_video_alignment(parameters, &alignment);
			gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, parameters);
			gst_structure_free(parameters);
			return GST_PAD_PROBE_HANDLED;
		},
		nullptr, nullptr);
	gst_object_unref(pad);
	unsigned checked = 0;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned) {
		const GstVideoMeta *meta = gst_buffer_get_video_meta(buffer);
		ASSERT_NE(meta, nullptr);
		EXPECT_EQ(meta->stride[0], 512);
		EXPECT_EQ(meta->stride[1], 512);
		EXPECT_EQ(meta->offset[1], 512U * 180);
		GstMapInfo map;
		ASSERT_TRUE(gst_buffer_map(buffer, &map, GST_MAP_READ));
		auto layout = heapflow::makeFrameLayout(DRM_FORMAT_NV12, 320, 180, {.stride = 512});
		ASSERT_TRUE(layout);
		layout->colorimetry = {heapflow::ColorEncoding::BT601,
				       heapflow::ColorRange::Limited};
		EXPECT_TRUE(showsBars(*layout,
				      {reinterpret_cast<const std::byte *>(map.data), map.size},
				      Vivid::bars(*layout)));
		gst_buffer_unmap(buffer, &map);
		checked++;
	});
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_EQ(pipeline.plan("source", "buffers-of"), "downstream");
	EXPECT_EQ(checked, 6U);
}

} /* namespace */
