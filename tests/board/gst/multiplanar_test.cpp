/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * v4l2src with a device that puts each plane of a frame into a buffer of its own, as those of many
 * SoCs do. Needs vivid.multiplanar=2.
 */
#include "dmabuf_witness.h"
#include "pipeline.h"
#include "vivid.h"

#include <format>
#include <set>
#include <vector>

#include <drm/drm_fourcc.h>
#include <gst/allocators/gstdmabuf.h>
#include <gtest/gtest.h>

using namespace heapflow::test;

namespace
{

class MultiplanarGst : public testing::TestWithParam<std::string>
{
};

constexpr uint32_t width = 640, height = 480;

/*
 * In the memory and not on the screen: vkms reads all planes from the memory of the first
 * (packed_pixels_addr() in vkms_formats.c). Extracted and not mapped: a map would put the memories
 * together for good.
 */
void expectBars(GstBuffer *buffer, uint32_t fourcc)
{
	heapflow::FrameLayout layout = heapflow::makeFrameLayout(fourcc, width, height).value();
	layout.colorimetry = {heapflow::ColorEncoding::BT601, heapflow::ColorRange::Limited};
	std::vector<std::byte> pixels(layout.size());
	ASSERT_EQ(gst_buffer_extract(buffer, 0, pixels.data(), pixels.size()), pixels.size());
	EXPECT_TRUE(showsBars(layout, pixels, Vivid::bars(layout)));
}

/* `line` has the format for {} */
void play(const std::string &line, const std::string &format, unsigned planes,
	  const std::string &exporter)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("v4l2src name=source device={} num-buffers=20 {}",
				      vivid.node(),
				      std::vformat(line, std::make_format_args(format))));
	std::set<std::string> exporters;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
		ASSERT_EQ(gst_buffer_n_memory(buffer), planes);
		for (guint i = 0; i < planes; i++)
			exporters.insert(exporterOf(
				gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(buffer, i))));
		/* The other two are these with their chroma swapped, which the test cannot read. */
		if (number == 10 && (format == "NV12" || format == "I420"))
			expectBars(buffer, format == "NV12" ? DRM_FORMAT_NV12 : DRM_FORMAT_YUV420);
	});
	pipeline.run();
	expectAllShown(pipeline, 20);
	EXPECT_EQ(exporters, std::set{exporter});
	EXPECT_LE(pipeline.stat("imports"), 10 * planes) << "each buffer once";
}

unsigned planesOf(const std::string &format)
{
	return format == "I420" || format == "YV12" ? 3 : 2;
}

TEST_P(MultiplanarGst, HeapallocHasADmabufForEachPlane)
{
	play("io-mode=dmabuf-import ! "
	     "video/x-raw,format={},width=640,height=480,colorimetry=bt601 "
	     "! heapalloc heap=video@42000000 ! heapkmssink name=sink sync=false ",
	     GetParam(), planesOf(GetParam()), "video@42000000");
}

TEST_P(MultiplanarGst, TheSinksOwnPoolHasADmabufForEachPlane)
{
	play("io-mode=dmabuf-import ! "
	     "video/x-raw,format={},width=640,height=480,colorimetry=bt601 "
	     "! heapkmssink heap=video@42000000 name=sink sync=false",
	     GetParam(), planesOf(GetParam()), "video@42000000");
}

TEST_P(MultiplanarGst, WhatTheDeviceExportsIsShown)
{
	play("io-mode=dmabuf ! video/x-raw,format={},width=640,height=480,colorimetry=bt601 ! "
	     "heapkmssink name=sink sync=false",
	     GetParam(), planesOf(GetParam()), "videobuf2_vmalloc");
}

INSTANTIATE_TEST_SUITE_P(Formats, MultiplanarGst, testing::Values("NV12", "NV21", "I420", "YV12"),
			 [](const auto &tested) { return tested.param; });

} /* namespace */
