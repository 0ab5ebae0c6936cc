/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * v4l2src with a device that puts each plane of a frame into a buffer of its own, as those of many
 * SoCs do. Needs vivid.multiplanar=2.
 */
#include "dmabuf_witness.h"
#include "pipeline.h"
#include "screen_picture.h"
#include "temporary_directory.h"
#include "vivid.h"

#include <format>
#include <set>

#include <gst/allocators/gstdmabuf.h>
#include <gtest/gtest.h>

using namespace heapflow::test;

namespace
{

class MultiplanarGst : public testing::TestWithParam<std::string>
{
};

/* What vivid paints in YCbCr, as in pictures_test.cpp; 601 or 709 is the screen's affair. */
constexpr int tolerance = 5;

void play(const std::string &description, const std::string &format, unsigned planes,
	  const std::string &exporter)
{
	const Vivid vivid("0");
	const TemporaryDirectory directory;
	const std::string file = (directory.path() / "screen.png").string();
	Pipeline pipeline(
		std::format("v4l2src name=source device={} num-buffers=20 {}", vivid.node(),
			    std::vformat(description, std::make_format_args(format, file))));
	std::set<std::string> exporters;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned) {
		ASSERT_EQ(gst_buffer_n_memory(buffer), planes);
		for (guint i = 0; i < planes; i++)
			exporters.insert(exporterOf(
				gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(buffer, i))));
	});
	pipeline.run();
	expectAllShown(pipeline, 20);
	EXPECT_EQ(exporters, std::set{exporter});
	EXPECT_LE(pipeline.stat("imports"), 10 * planes) << "each buffer once";
	const ScreenPicture picture = readPng(file);
	EXPECT_TRUE(showsBars(picture.layout, picture.pixels,
			      {.bars = fullBars, .tolerance = tolerance}));
}

unsigned planesOf(const std::string &format)
{
	return format == "I420" || format == "YV12" ? 3 : 2;
}

TEST_P(MultiplanarGst, HeapallocHasADmabufForEachPlane)
{
	play("io-mode=dmabuf-import ! "
	     "video/x-raw,format={0},width=640,height=480,colorimetry=bt601 "
	     "! heapalloc heap=video@42000000 ! heapkmssink name=sink sync=false "
	     "screenshot-location={1}",
	     GetParam(), planesOf(GetParam()), "video@42000000");
}

TEST_P(MultiplanarGst, TheSinksOwnPoolHasADmabufForEachPlane)
{
	play("io-mode=dmabuf-import ! "
	     "video/x-raw,format={0},width=640,height=480,colorimetry=bt601 "
	     "! heapkmssink heap=video@42000000 name=sink sync=false screenshot-location={1}",
	     GetParam(), planesOf(GetParam()), "video@42000000");
}

TEST_P(MultiplanarGst, WhatTheDeviceExportsIsShown)
{
	play("io-mode=dmabuf ! video/x-raw,format={0},width=640,height=480,colorimetry=bt601 ! "
	     "heapkmssink name=sink sync=false screenshot-location={1}",
	     GetParam(), planesOf(GetParam()), "videobuf2_vmalloc");
}

/* vkms needs a change for these (board/kernel/adapt). */
INSTANTIATE_TEST_SUITE_P(Formats, MultiplanarGst, testing::Values("NV12", "NV21", "I420", "YV12"),
			 [](const auto &tested) { return tested.param; });

} /* namespace */
