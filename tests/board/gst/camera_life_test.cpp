/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * heapcamerasrc through its states, in any order and speed; and buffers that outlive it. What
 * libcamera's own tests try with libcamerasrc, and some more.
 */
#include "board.h"
#include "color_bars.h"
#include "long_form.h"
#include "pipeline.h"
#include "quiet_board.h"
#include "vivid.h"

#include <atomic>
#include <format>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

using namespace heapflow::test;

namespace
{

std::string nameOfCamera(const testing::TestParamInfo<std::string> &info)
{
	return nameForTest(info.param);
}

class CameraLife : public testing::TestWithParam<std::string>
{
protected:
	static std::string camera() { return GetParam() == "vivid" ? vividNode() : GetParam(); }
	static std::string source(const std::string &more = "")
	{
		return std::format("heapcamerasrc name=source camera-name=\"{}\" heap=system {}",
				   camera(), more);
	}
};

TEST_P(CameraLife, StatesInAnyOrderAndSpeed)
{
	const Resources before = quietBoard();
	{
		Pipeline pipeline(source() + " ! fakesink name=sink sync=false");
		std::mt19937 random(7);
		for (int i = 0; i < 60; i++) {
			const auto state = GstState(GST_STATE_NULL + random() % 4);
			ASSERT_NE(gst_element_set_state(GST_ELEMENT(GST_OBJECT_PARENT(
								pipeline.element("source"))),
							state),
				  GST_STATE_CHANGE_FAILURE)
				<< "change " << i << " to " << gst_element_state_get_name(state);
			if (random() % 3 == 0)
				g_usleep(random() % 50000);
		}
	}
	EXPECT_EQ(settled(before), before);
}

TEST_P(CameraLife, StartsAndStopsManyTimes)
{
	const unsigned cycles = numberFrom("HEAPFLOW_CYCLES", GetParam() == "vivid" ? 100 : 20);
	const Resources before = quietBoard();
	{
		Pipeline pipeline(source() + " ! fakesink name=sink sync=false");
		for (unsigned cycle = 0; cycle < cycles; cycle++) {
			pipeline.setState(GST_STATE_PLAYING);
			if (cycle % 5 == 0)
				g_usleep(100000);
			pipeline.setState(cycle % 2 ? GST_STATE_READY : GST_STATE_NULL);
		}
		pipeline.setState(GST_STATE_NULL);
		EXPECT_TRUE(pipeline.errors().empty()) << pipeline.errorText();
	}
	EXPECT_EQ(settled(before), before);
}

TEST_P(CameraLife, PausedItStopsAndPlayingItGoesOnWithFreshFrames)
{
	Pipeline pipeline(source() + " ! fakesink name=sink sync=false");
	std::atomic<unsigned> seen = 0;
	std::atomic<GstClockTime> last = 0;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned) {
		seen++;
		last = GST_BUFFER_PTS(buffer);
	});
	pipeline.setState(GST_STATE_PLAYING);
	while (seen < 3)
		g_usleep(10000);
	pipeline.setState(GST_STATE_PAUSED);
	g_usleep(300000);
	const unsigned paused = seen;
	g_usleep(500000);
	EXPECT_EQ(seen, paused);
	const GstClockTime before = last;
	pipeline.setState(GST_STATE_PLAYING);
	while (seen < paused + 3)
		g_usleep(10000);
	EXPECT_GT(last, before);
}

/* By the application, for longer than a frame takes; a seek cannot be done and changes nothing. */
TEST_P(CameraLife, FlushesAndSeeksDoNotEndIt)
{
	Pipeline pipeline(source() + " ! fakesink name=sink sync=false");
	std::atomic<unsigned> seen = 0;
	pipeline.onBuffer([&](GstBuffer *, unsigned) { seen++; });
	const auto expectThreeMore = [&seen] {
		const unsigned now = seen;
		for (int wait = 0; wait < 300 && seen < now + 3; wait++)
			g_usleep(10000);
		EXPECT_GE(seen, now + 3);
	};
	pipeline.setState(GST_STATE_PLAYING);
	expectThreeMore();
	GstElement *element = pipeline.element("source");
	for (int i = 0; i < 3; i++) {
		EXPECT_TRUE(gst_element_send_event(element, gst_event_new_flush_start()));
		g_usleep(150000);
		const unsigned flushing = seen;
		g_usleep(150000);
		EXPECT_EQ(seen, flushing);
		EXPECT_TRUE(gst_element_send_event(element, gst_event_new_flush_stop(TRUE)));
		expectThreeMore();
		EXPECT_FALSE(gst_element_seek_simple(pipeline.element("sink"), GST_FORMAT_TIME,
						     GST_SEEK_FLAG_FLUSH, 0));
		expectThreeMore();
	}
	EXPECT_TRUE(pipeline.errors().empty()) << pipeline.errorText();
}

TEST_P(CameraLife, EOSEndsItWithoutAnError)
{
	Pipeline pipeline(source() + " ! fakesink name=sink sync=false");
	std::atomic<unsigned> seen = 0;
	pipeline.onBuffer([&](GstBuffer *, unsigned number) {
		seen = number;
		if (number == 3)
			gst_element_send_event(pipeline.element("source"), gst_event_new_eos());
	});
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_TRUE(pipeline.errors().empty());
}

TEST_P(CameraLife, TwoOfThemCannotHaveOneCamera)
{
	Pipeline first(source() + " ! fakesink name=sink sync=false");
	std::atomic<unsigned> seen = 0;
	first.onBuffer([&](GstBuffer *, unsigned) { seen++; });
	first.setState(GST_STATE_PLAYING);
	while (seen < 2)
		g_usleep(10000);
	Pipeline second(source("num-buffers=2") + " ! fakesink name=sink sync=false");
	second.run();
	expectError(second, "heapcamerasrc", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY);
	const unsigned now = seen;
	while (seen < now + 2)
		g_usleep(10000);
	first.setState(GST_STATE_NULL);
	Pipeline third(source("num-buffers=2") + " ! fakesink name=sink sync=false");
	third.run();
	EXPECT_TRUE(third.reachedEnd()) << third.errorText();
}

GstSample *firstSample(Pipeline &pipeline)
{
	pipeline.setState(GST_STATE_PLAYING);
	return gst_app_sink_pull_sample(GST_APP_SINK(pipeline.element("sink")));
}

uint64_t sumOf(GstBuffer *buffer)
{
	GstMapInfo map;
	uint64_t sum = 0;
	EXPECT_TRUE(gst_buffer_map(buffer, &map, GST_MAP_READ));
	for (gsize i = 0; i < map.size; i += 13)
		sum = sum * 31 + map.data[i];
	gst_buffer_unmap(buffer, &map);
	return sum;
}

/* The sample is readable, unchanged, after everything it came from is gone. */
TEST_P(CameraLife, ABufferOutlivesElementCameraAndPipeline)
{
	const Resources before = quietBoard();
	{
		GstSample *sample = nullptr;
		uint64_t sum = 0;
		{
			Pipeline pipeline(source() + " ! appsink name=sink sync=false");
			sample = firstSample(pipeline);
			ASSERT_NE(sample, nullptr);
			sum = sumOf(gst_sample_get_buffer(sample));
		}
		EXPECT_EQ(sumOf(gst_sample_get_buffer(sample)), sum);
		{
			/* The camera is free for others meanwhile. */
			Pipeline again(source("num-buffers=5") +
				       " ! fakesink name=sink sync=false");
			again.run();
			EXPECT_TRUE(again.reachedEnd()) << again.errorText();
		}
		EXPECT_EQ(sumOf(gst_sample_get_buffer(sample)), sum);
		gst_sample_unref(sample);
	}
	EXPECT_EQ(settled(before), before);
}

TEST_P(CameraLife, MemoryOutlivesItsBuffer)
{
	const Resources before = quietBoard();
	{
		GstMemory *memory = nullptr;
		{
			Pipeline pipeline(source() + " ! appsink name=sink sync=false");
			GstSample *sample = firstSample(pipeline);
			ASSERT_NE(sample, nullptr);
			memory = gst_buffer_get_memory(gst_sample_get_buffer(sample), 0);
			gst_sample_unref(sample);
		}
		GstMapInfo map;
		EXPECT_TRUE(gst_memory_map(memory, &map, GST_MAP_READ));
		gst_memory_unmap(memory, &map);
		gst_memory_unref(memory);
	}
	EXPECT_EQ(settled(before), before);
}

INSTANTIATE_TEST_SUITE_P(Cameras, CameraLife,
			 testing::Values("vivid", "Virtual0", "platform/vimc.0 Sensor B"),
			 nameOfCamera);

/* The capsfilter changes its mind while playing: the camera follows. */
TEST(CameraCaps, DownstreamChangesItsMind)
{
	Pipeline pipeline(
		std::format("heapcamerasrc name=source camera-name={} heap=system ! "
			    "capsfilter name=filter caps=video/x-raw,format=NV12,width=640,"
			    "height=360 ! fakesink name=sink sync=false",
			    vividNode()));
	std::atomic<gsize> size = 0;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned) { size = gst_buffer_get_size(buffer); });
	pipeline.setState(GST_STATE_PLAYING);
	for (const auto &[width, height] : {std::pair{640, 360}, {1280, 720}, {320, 180}}) {
		GstCaps *caps = gst_caps_from_string(
			std::format("video/x-raw,format=NV12,width={},height={}", width, height)
				.c_str());
		g_object_set(pipeline.element("filter"), "caps", caps, nullptr);
		gst_caps_unref(caps);
		const auto wanted = gsize(width * height * 3 / 2);
		for (int wait = 0; wait < 500 && size != wanted; wait++)
			g_usleep(10000);
		EXPECT_EQ(size, wanted) << pipeline.errorText();
	}
}

/* Each sample of a mosaic is the one that the name of the format says. */
TEST(CameraCaps, AMosaicIsBayerCaps)
{
	const Vivid vivid("0");
	for (const std::string &order : std::vector<std::string>{"rggb", "bggr", "grbg", "gbrg"}) {
		Pipeline pipeline(std::format(
			"heapcamerasrc name=source camera-name={} heap=system num-buffers=2 ! "
			"video/x-bayer,format={},width=640,height=360 ! fakesink name=sink "
			"sync=false",
			vivid.node(), order));
		unsigned checked = 0;
		pipeline.onBuffer([&](GstBuffer *buffer, unsigned) {
			GstMapInfo map;
			ASSERT_TRUE(gst_buffer_map(buffer, &map, GST_MAP_READ));
			ASSERT_EQ(map.size, 640U * 360);
			for (unsigned sample = 0; sample < 8 * 4; sample++) {
				const unsigned bar = sample / 4, row = sample % 4 / 2;
				const Rgb &color = fullBars[bar];
				const char letter = order[sample % 4];
				const double wanted = letter == 'r'   ? color.red
						      : letter == 'g' ? color.green
								      : color.blue;
				EXPECT_EQ(map.data[(180 + row) * 640 + bar * 80 + 40 + sample % 2],
					  wanted * 255)
					<< order << ", bar " << bar << ", " << letter;
			}
			gst_buffer_unmap(buffer, &map);
			checked++;
		});
		pipeline.run();
		EXPECT_TRUE(pipeline.reachedEnd()) << order << ": " << pipeline.errorText();
		EXPECT_EQ(checked, 2U);
	}
}

TEST(CameraCaps, TheRoleRawHasTheMosaicOnly)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} heap=system "
				      "stream-role=raw num-buffers=2 ! fakesink name=sink "
				      "sync=false",
				      vivid.node()));
	std::string name;
	pipeline.onBuffer([&](GstBuffer *, unsigned) {
		GstPad *pad = gst_element_get_static_pad(pipeline.element("sink"), "sink");
		GstCaps *caps = gst_pad_get_current_caps(pad);
		name = gst_structure_get_name(gst_caps_get_structure(caps, 0));
		gst_caps_unref(caps);
		gst_object_unref(pad);
	});
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_EQ(name, "video/x-bayer");
}

/* Whatever of vivid's formats GStreamer has a name for: its converter sees the bars. */
TEST(CameraCaps, EveryFormatIsWhatItsNameSays)
{
	const Vivid vivid("0");
	GstElement *source = gst_element_factory_make("heapcamerasrc", nullptr);
	g_object_set(source, "camera-name", vivid.node().c_str(), nullptr);
	gst_element_set_state(source, GST_STATE_READY);
	GstPad *pad = gst_element_get_static_pad(source, "src");
	GstCaps *caps = gst_pad_query_caps(pad, nullptr);
	gst_object_unref(pad);
	gst_element_set_state(source, GST_STATE_NULL);
	gst_object_unref(source);

	std::set<std::string> formats;
	for (guint i = 0; i < gst_caps_get_size(caps); i++) {
		const GstStructure *structure = gst_caps_get_structure(caps, i);
		const char *format = gst_structure_get_string(structure, "format");
		if (gst_structure_has_name(structure, "video/x-raw") && format &&
		    !g_str_equal(format, "DMA_DRM"))
			formats.insert(format);
	}
	gst_caps_unref(caps);
	EXPECT_GE(formats.size(), 20U);

	for (const std::string &format : formats) {
		const GstVideoFormatInfo *info =
			gst_video_format_get_info(gst_video_format_from_string(format.c_str()));
		const bool grey = GST_VIDEO_FORMAT_INFO_IS_GRAY(info);
		Pipeline pipeline(std::format(
			"heapcamerasrc name=source camera-name={} heap=system num-buffers=1 ! "
			"video/x-raw,format={},width=640,height=360 ! videoconvert dither=none ! "
			"video/x-raw,format=RGBx ! fakesink name=sink sync=false",
			vivid.node(), format));
		bool checked = false;
		pipeline.onBuffer([&](GstBuffer *buffer, unsigned) {
			GstMapInfo map;
			ASSERT_TRUE(gst_buffer_map(buffer, &map, GST_MAP_READ));
			/* 2 of 255 in v4l2-tpg's fixed point, times 1.8 to 2.1 in the matrix back
			 * to RGB, and as much again in videoconvert's. */
			const int tolerance = 8;
			for (int bar = 0; bar < 8 && !grey; bar++) {
				const guint8 *pixel =
					map.data + 180 * 640 * 4 + (bar * 80 + 40) * 4;
				const Rgb &wanted = fullBars[size_t(bar)];
				EXPECT_NEAR(pixel[0], wanted.red * 255, tolerance) << format << bar;
				EXPECT_NEAR(pixel[1], wanted.green * 255, tolerance)
					<< format << bar;
				EXPECT_NEAR(pixel[2], wanted.blue * 255, tolerance)
					<< format << bar;
			}
			gst_buffer_unmap(buffer, &map);
			checked = true;
		});
		pipeline.run();
		EXPECT_TRUE(pipeline.reachedEnd()) << format << ": " << pipeline.errorText();
		EXPECT_TRUE(checked) << format;
	}
}

} /* namespace */
