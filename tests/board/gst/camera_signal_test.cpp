/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The signal at the HDMI input of a grabber without a scaler (vivid.ccs_cap_mode=0) changes and is
 * lost while heapcamerasrc plays it.
 */
#include "board.h"
#include "pipeline.h"
#include "pipeline_watch.h"
#include "vivid.h"

#include <format>
#include <set>

#include <gmock/gmock.h>

using namespace heapflow::test;

namespace
{

class CameraSignal : public testing::Test
{
protected:
	CameraSignal()
	{
		EXPECT_EQ(moduleParameter("vivid", "ccs_cap_mode").substr(0, 1), "0")
			<< "start this board with vivid.ccs_cap_mode=0";
		selectInput(vivid_.node(), hdmiInput);
		sendSignal(vivid_.node(), timings720p60);
	}
	~CameraSignal() override
	{
		setControl(vivid_.node(), "DV Timings Signal Mode", currentSignal);
		selectInput(vivid_.node(), webcamInput);
	}
	std::string source(const std::string &more) const
	{
		return std::format("heapcamerasrc name=source camera-name={} heap=system {} ! "
				   "video/x-raw,format=NV12 ! fakesink name=sink sync=false",
				   vivid_.node(), more);
	}

	const Vivid vivid_{"0"};
};

TEST_F(CameraSignal, ItsNewSizeIsNegotiated)
{
	Pipeline pipeline(source("num-buffers=60"));
	std::set<gsize> sizes;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
		sizes.insert(gst_buffer_get_size(buffer));
		if (number == 10)
			sendSignal(vivid_.node(), timings1080p60);
		if (number == 40)
			sendSignal(vivid_.node(), timings720p60);
	});
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_THAT(sizes, testing::ElementsAre(1280U * 720 * 3 / 2, 1920U * 1080 * 3 / 2));
	ASSERT_EQ(pipeline.warnings().size(), 2U);
	EXPECT_THAT(pipeline.warnings()[0].message,
		    testing::HasSubstr("changed from 1280x720 to 1920x1080"));
	EXPECT_EQ(pipeline.plan("source", "width"), "1280");
}

TEST_F(CameraSignal, ALossIsAnError)
{
	Pipeline pipeline(source(""));
	pipeline.onBuffer([&](GstBuffer *, unsigned number) {
		if (number == 10)
			setControl(vivid_.node(), "DV Timings Signal Mode", noSignal);
	});
	pipeline.run();
	ASSERT_FALSE(pipeline.errors().empty());
	EXPECT_THAT(pipeline.errors().front().message, testing::HasSubstr("no signal"));
}

TEST_F(CameraSignal, ALossIsWaitedForIfWanted)
{
	Pipeline pipeline(source("wait-for-camera=true"));
	std::atomic<unsigned> seen = 0;
	pipeline.onBuffer([&](GstBuffer *, unsigned number) { seen = number; });
	pipeline.setState(GST_STATE_PLAYING);
	ASSERT_TRUE(waitFor([&] { return seen > 5; })) << pipeline.errorText();
	setControl(vivid_.node(), "DV Timings Signal Mode", noSignal);
	g_usleep(G_USEC_PER_SEC);
	const unsigned dark = seen;
	g_usleep(G_USEC_PER_SEC);
	EXPECT_EQ(seen, dark);
	sendSignal(vivid_.node(), timings720p60);
	EXPECT_TRUE(waitFor([&] { return seen > dark + 5; })) << pipeline.errorText();
}

} /* namespace */
