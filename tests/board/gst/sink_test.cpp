/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapkmssink with frames of every origin, several of them on one screen, screens that go. */
#include "display_fixture.h"
#include "pipeline.h"
#include "pipeline_watch.h"
#include "run_command.h"
#include "vivid.h"
#include "vkms_device.h"

#include <fcntl.h>
#include <format>
#include <gmock/gmock.h>
#include <gst/allocators/gstdmabuf.h>
#include <gst/video/videooverlay.h>
#include <gtest/gtest.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace heapflow::test;
using testing::HasSubstr;

namespace
{

/* A page-aligned dma-buf of ordinary memory, as GStreamer 1.28's udmabuf allocator makes it. */
int makeUdmabuf(size_t size)
{
	const int memory = memfd_create("frame", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const size_t pages = (size + 4095) / 4096 * 4096;
	EXPECT_EQ(ftruncate(memory, off_t(pages)), 0);
	EXPECT_EQ(fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	const int device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	udmabuf_create create = {};
	create.memfd = uint32_t(memory);
	create.flags = UDMABUF_FLAGS_CLOEXEC;
	create.size = pages;
	const int dmabuf = ioctl(device, UDMABUF_CREATE, &create);
	EXPECT_GE(dmabuf, 0) << strerror(errno);
	close(device);
	close(memory);
	return dmabuf;
}

constexpr const char *testPicture = "videotestsrc num-buffers=30 ! "
				    "video/x-raw,format=NV12,width=640,height=480 ! ";

std::string sinkOf(const VkmsDevice &device)
{
	return "heapkmssink name=sink device=" + device.node();
}

} /* namespace */

/* --- Where frames come from --- */

TEST(SinkSources, V4l2srcExportsItsOwnBuffers)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("v4l2src name=source device={} io-mode=dmabuf "
				      "num-buffers=60 ! video/x-raw,format=NV12,width=640,"
				      "height=480 ! heapkmssink name=sink sync=false",
				      vivid.node()));
	pipeline.run();
	expectAllShown(pipeline, 60);
}

/* vim2m, a converter; Debian's GStreamer registers it only when it is told to look for some. */
TEST(SinkSources, V4l2convertFillsHeapBuffersOrExportsItsOwn)
{
	for (const char *mode : {"dmabuf", "dmabuf-import"}) {
		const CommandResult result = runCommand(std::format(
			"GST_V4L2_ENABLE_PROBE=1 GST_REGISTRY=/tmp/probing.bin gst-launch-1.0 -m "
			"videotestsrc num-buffers=30 ! video/x-raw,format=RGB16,width=640,"
			"height=480 ! v4l2convert capture-io-mode={} ! video/x-raw,format=RGB ! "
			"heapkmssink sync=false",
			mode));
		EXPECT_EQ(result.status, 0) << mode << result.errors;
		EXPECT_THAT(result.output, HasSubstr("heapflow-stats")) << mode;
		EXPECT_THAT(result.output, HasSubstr("shown=(guint64)30")) << mode;
		EXPECT_THAT(result.output, HasSubstr("copies=(guint64)0")) << mode;
	}
}

/* A device writes as much as a CPU does, and takes the metas along; but it maps nothing. */
TEST(SinkSources, WhatV4l2convertMakesOfACamerasFramesIsNoCopyOfTheCpu)
{
	const Vivid vivid("0");
	const CommandResult result = runCommand(std::format(
		"GST_V4L2_ENABLE_PROBE=1 GST_REGISTRY=/tmp/probing.bin gst-launch-1.0 -m "
		"heapcamerasrc camera-name={} heap=video@42000000 num-buffers=30 ! "
		"video/x-raw,format=RGB16,width=640,height=360 ! "
		"v4l2convert output-io-mode=dmabuf-import capture-io-mode=dmabuf-import ! "
		"video/x-raw,format=RGB16 ! heapkmssink heap=video@42000000 sync=false",
		vivid.node()));
	EXPECT_EQ(result.status, 0) << result.errors;
	EXPECT_THAT(result.output, HasSubstr("shown=(guint64)30"));
	EXPECT_THAT(result.output, HasSubstr("copied-upstream=(guint64)0"));
	EXPECT_THAT(result.output, Not(HasSubstr("heapflow-copy")));
}

/* GST_DEBUG with the sink's own category shows the plan and what it cost. */
TEST(SinkSources, DebugLinesAreInTheCategoryOfTheElement)
{
	const CommandResult result = runCommand(
		"GST_DEBUG=heapkmssink:4 GST_DEBUG_NO_COLOR=1 gst-launch-1.0 -q videotestsrc "
		"num-buffers=3 ! video/x-raw,width=320,height=240 ! heapkmssink sync=false");
	EXPECT_EQ(result.status, 0) << result.errors;
	EXPECT_THAT(result.errors, HasSubstr("heapflow-plan"));
	EXPECT_THAT(result.errors, HasSubstr("shown=(guint64)3"));
}

/* As muxers and demuxers send them for the time between two subtitles. */
TEST(SinkSources, AnEmptyBufferThatMarksAGapIsNoError)
{
	Pipeline pipeline("appsrc name=source format=time caps=video/x-raw,format=BGRx,width=320,"
			  "height=240,framerate=30/1 ! heapkmssink name=sink sync=false");
	GstElement *source = pipeline.element("source");
	GstBuffer *gap = gst_buffer_new();
	GST_BUFFER_FLAG_SET(gap, GST_BUFFER_FLAG_GAP);
	GstFlowReturn flow = GST_FLOW_ERROR;
	g_signal_emit_by_name(source, "push-buffer", gap, &flow);
	gst_buffer_unref(gap);
	g_signal_emit_by_name(source, "end-of-stream", &flow);
	pipeline.run();
	EXPECT_TRUE(pipeline.errors().empty()) << pipeline.errorText();
}

TEST(SinkSources, Videotestsrc)
{
	Pipeline pipeline(std::string(testPicture) + "heapkmssink name=sink sync=false");
	pipeline.run();
	expectAllShown(pipeline, 30);
	EXPECT_LE(pipeline.stat("imports"), 5);
}

TEST(SinkSources, Udmabuf)
{
	constexpr size_t size = 640 * 480 * 4;
	Pipeline pipeline("appsrc name=source format=time caps=video/x-raw,format=BGRx,width=640,"
			  "height=480,framerate=30/1 ! heapkmssink name=sink sync=false");
	GstElement *source = pipeline.element("source");
	GstAllocator *allocator = gst_dmabuf_allocator_new();
	for (guint64 i = 0; i < 10; i++) {
		GstBuffer *buffer = gst_buffer_new();
		gst_buffer_append_memory(
			buffer, gst_dmabuf_allocator_alloc(allocator, makeUdmabuf(size), size));
		GST_BUFFER_PTS(buffer) = i * GST_SECOND / 30;
		GstFlowReturn flow = GST_FLOW_ERROR;
		g_signal_emit_by_name(source, "push-buffer", buffer, &flow);
		gst_buffer_unref(buffer);
		EXPECT_EQ(flow, GST_FLOW_OK);
	}
	GstFlowReturn flow = GST_FLOW_ERROR;
	g_signal_emit_by_name(source, "end-of-stream", &flow);
	gst_object_unref(allocator);
	pipeline.run();
	expectAllShown(pipeline, 10);
}

/* --- Copies --- */

TEST(SinkCopies, AreMadeOnlyWhereAllowedAndAreAnnounced)
{
	Pipeline pipeline("videotestsrc num-buffers=20 ! video/x-raw,format=NV12,width=640,"
			  "height=480 ! identity name=culprit drop-allocation=true ! "
			  "heapkmssink name=sink sync=false copy=allow");
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_EQ(pipeline.stat("shown"), 20);
	EXPECT_EQ(pipeline.stat("copies"), 20);
	ASSERT_EQ(pipeline.warnings().size(), 1U) << "once";
	EXPECT_THAT(pipeline.warnings()[0].message, HasSubstr("culprit"));
}

/* --- Several sinks on one screen --- */

TEST(SinkLayers, TwoSinksOfOnePipelineShareTheScreen)
{
	Pipeline pipeline("videotestsrc num-buffers=60 ! video/x-raw,format=NV12,width=640,"
			  "height=480 ! heapkmssink name=sink zpos=0 "
			  "videotestsrc num-buffers=60 pattern=ball ! video/x-raw,format=BGRA,"
			  "width=320,height=240 ! heapkmssink name=above zpos=1 "
			  "render-rectangle=<100,100,320,240>");
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_EQ(pipeline.stat("shown"), 60);
	EXPECT_EQ(pipeline.plan("sink", "plane-type"), "primary");
	EXPECT_EQ(pipeline.plan("above", "plane-type"), "overlay");
	EXPECT_EQ(pipeline.plan("above", "x"), "100");
	EXPECT_EQ(pipeline.plan("above", "width"), "320");
	/* One commit for both where they come together. */
	EXPECT_LT(pipeline.stat("commits"), 120);
}

/* A still picture: no frame follows that would bring the change with it. */
TEST(SinkLayers, AStillFrameMovesWhenItIsExposed)
{
	for (const bool paused : {true, false}) {
		Pipeline pipeline("videotestsrc num-buffers=1 ! video/x-raw,format=NV12,width=320,"
				  "height=240 ! heapkmssink name=sink");
		pipeline.setState(paused ? GST_STATE_PAUSED : GST_STATE_PLAYING);
		ASSERT_TRUE(waitFor([&] { return pipeline.plan("sink", "width") == "320"; }))
			<< pipeline.errorText();
		const auto overlay = GST_VIDEO_OVERLAY(pipeline.element("sink"));
		gst_video_overlay_set_render_rectangle(overlay, 10, 20, 320, 240);
		gst_video_overlay_expose(overlay);
		EXPECT_TRUE(waitFor([&] { return pipeline.plan("sink", "x") == "10"; }))
			<< pipeline.plan("sink", "x") << ", paused " << paused;
		EXPECT_EQ(pipeline.plan("sink", "y"), "20");
	}
}

/* The change comes with the next state as well: then the frame of the preroll is rendered again. */
TEST(SinkLayers, AStillFrameMovesWhenItIsPlayed)
{
	Pipeline pipeline("videotestsrc num-buffers=1 ! video/x-raw,format=NV12,width=320,"
			  "height=240 ! heapkmssink name=sink");
	pipeline.setState(GST_STATE_PAUSED);
	ASSERT_TRUE(waitFor([&] { return pipeline.plan("sink", "width") == "320"; }));
	gst_video_overlay_set_render_rectangle(GST_VIDEO_OVERLAY(pipeline.element("sink")), 10, 20,
					       320, 240);
	pipeline.setState(GST_STATE_PLAYING);
	EXPECT_TRUE(waitFor([&] { return pipeline.plan("sink", "x") == "10"; }));
}

/* --- Drop policies --- */

TEST(SinkDropPolicy, ReplaceNeverWaitsAndQueueLosesNothing)
{
	Pipeline fast("videotestsrc num-buffers=200 ! video/x-raw,format=NV12,width=320,height=240 "
		      "! heapkmssink name=sink sync=false drop-policy=replace");
	fast.run();
	EXPECT_TRUE(fast.reachedEnd()) << fast.errorText();
	EXPECT_GT(fast.stat("shown"), 0);
	EXPECT_EQ(fast.stat("shown") + fast.stat("replaced"), 200);

	Pipeline all("videotestsrc num-buffers=50 ! video/x-raw,format=NV12,width=320,height=240 ! "
		     "heapkmssink name=sink sync=false");
	all.run();
	expectAllShown(all, 50);
	EXPECT_EQ(all.stat("replaced"), 0);
}

/* --- Screens that come and go --- */

TEST(SinkHotplug, GoesOnWhenTheScreenIsUnplugged)
{
	VkmsDevice device({});
	Pipeline pipeline("videotestsrc is-live=true ! video/x-raw,format=NV12,width=640,"
			  "height=480,framerate=30/1 ! " +
			  sinkOf(device));
	pipeline.setState(GST_STATE_PLAYING);
	ASSERT_TRUE(pipeline.waitShown(10));
	device.unplug();
	EXPECT_TRUE(heapflow::test::eventually([&] { return pipeline.stat("dark") > 5; }));
	const double before = pipeline.stat("shown");
	device.plug();
	EXPECT_TRUE(pipeline.waitShown(uint64_t(before) + 10));
	EXPECT_TRUE(pipeline.errors().empty()) << pipeline.errorText();
	pipeline.setState(GST_STATE_NULL);
	EXPECT_GE(pipeline.warnings().size(), 1U) << "said";
}

TEST(SinkHotplug, WaitsForAScreenWhenAsked)
{
	VkmsDevice device({.connected = false});
	Pipeline refused(std::string(testPicture) + sinkOf(device));
	refused.run();
	EXPECT_FALSE(refused.errors().empty());
	EXPECT_THAT(refused.errorText(), HasSubstr("no connector has a screen"));

	Pipeline pipeline("videotestsrc is-live=true ! video/x-raw,format=NV12,width=640,"
			  "height=480,framerate=30/1 ! " +
			  sinkOf(device) + " wait-for-connector=true");
	pipeline.setState(GST_STATE_PLAYING);
	EXPECT_TRUE(heapflow::test::eventually([&] { return pipeline.stat("dark") > 5; }));
	device.plug();
	EXPECT_TRUE(pipeline.waitShown(10)) << pipeline.errorText();
}

TEST(SinkHotplug, ARemovedDeviceIsAnErrorAndNoHang)
{
	VkmsDevice device({});
	Pipeline pipeline("videotestsrc is-live=true ! video/x-raw,format=NV12,width=640,"
			  "height=480,framerate=30/1 ! " +
			  sinkOf(device));
	pipeline.setState(GST_STATE_PLAYING);
	ASSERT_TRUE(pipeline.waitShown(10));
	device.remove();
	EXPECT_FALSE(pipeline.waitShown(1000)) << "ended by the error";
	EXPECT_THAT(pipeline.errorText(), HasSubstr("removed"));
}
