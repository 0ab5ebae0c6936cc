/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Timing, where time is simulated: what is lost or late here is lost or late by our fault. */
#include "pipeline.h"
#include "vivid.h"

#include <gtest/gtest.h>

#include <format>
#include <fstream>

using namespace heapflow::test;

namespace
{

constexpr double period = 1e9 / 60;

class Paced : public testing::Test
{
protected:
	void SetUp() override
	{
		std::string line;
		std::getline(std::ifstream("/proc/cmdline"), line);
		ASSERT_NE(line.find("time-travel=inf-cpu"), std::string::npos)
			<< "start this board with simulated time";
	}
};

TEST_F(Paced, EveryFrameOfALiveCameraIsShownInTime)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} heap=video@* "
				      "num-buffers=300 ! video/x-raw,width=1280,height=720,"
				      "framerate=60/1 ! heapkmssink name=sink",
				      vivid.node()));
	std::vector<GstClockTime> times;
	uint64_t first = 0, last = 0;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
		times.push_back(GST_BUFFER_PTS(buffer));
		(number == 1 ? first : last) = GST_BUFFER_OFFSET(buffer);
	});
	pipeline.run();
	expectAllShown(pipeline, 300);
	EXPECT_EQ(pipeline.stat("late"), 0);
	EXPECT_EQ(last - first, 299U) << "the camera lost none";
	EXPECT_NEAR(pipeline.stat("fps"), 60, 1);
	EXPECT_LE(pipeline.stat("latency-p99"), 2.5 * period);
	EXPECT_LE(pipeline.stat("latency-median"), 2.1 * period);
	EXPECT_GT(pipeline.stat("latency-median"), 0);

	/* PTS are those of the camera, not of the moment when somebody looked. */
	ASSERT_EQ(times.size(), 300U);
	EXPECT_NEAR(double(times.back() - times.front()) / 299, period, period * 0.01);
}

TEST_F(Paced, WithoutSyncAFrameIsOnTheScreenAtTheNextVblank)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} heap=video@* "
				      "num-buffers=120 ! video/x-raw,width=1280,height=720,"
				      "framerate=60/1 ! heapkmssink name=sink sync=false",
				      vivid.node()));
	pipeline.run();
	expectAllShown(pipeline, 120);
	EXPECT_LE(pipeline.stat("latency-median"), 1.1 * period);
}

/* 25 frames a second on 60 Hz: each is shown at the vblank nearest to its time, twice or thrice. */
TEST_F(Paced, FramesAreShownAtTheVblankNearestToTheirTime)
{
	Pipeline pipeline("videotestsrc num-buffers=250 ! video/x-raw,format=NV12,width=640,"
			  "height=480,framerate=25/1 ! heapkmssink name=sink");
	pipeline.run();
	expectAllShown(pipeline, 250);
	EXPECT_EQ(pipeline.stat("late"), 0);
	/* The refresh of vkms' mode, not 60 by the letter. */
	const double vblanks = pipeline.stat("refresh") * 249 / 25;
	EXPECT_NEAR(pipeline.stat("repeated") + 249, vblanks, 2);
}

/* A live pipeline is told that the sink needs the frame a vblank before it is shown. */
TEST_F(Paced, TheLatencyOfTheSinkIsThatOfTheRefresh)
{
	Pipeline pipeline("videotestsrc is-live=true num-buffers=100 ! video/x-raw,format=NV12,"
			  "width=640,height=480,framerate=30/1 ! heapkmssink name=sink");
	pipeline.setState(GST_STATE_PLAYING);
	ASSERT_TRUE(pipeline.waitShown(10));
	GstQuery *query = gst_query_new_latency();
	ASSERT_TRUE(gst_element_query(pipeline.element("sink"), query));
	gboolean live = FALSE;
	GstClockTime least = 0;
	gst_query_parse_latency(query, &live, &least, nullptr);
	gst_query_unref(query);
	EXPECT_TRUE(live);
	const double refresh = 1e9 / pipeline.stat("refresh");
	/* A frame of the source, the vblank, and the time that a commit may take. */
	EXPECT_NEAR(double(least), 1e9 / 30 + refresh + 5e6, 1e6);
	ASSERT_TRUE(pipeline.waitShown(60));
	EXPECT_EQ(pipeline.stat("late"), 0);
}

} /* namespace */
