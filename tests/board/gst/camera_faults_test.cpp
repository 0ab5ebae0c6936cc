/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * heapcamerasrc when its driver refuses a call or counts past its end, as vivid can be told to.
 * Lost and corrupted frames, a loss of the camera and a fatal error are in camera_flow_test.cpp and
 * camera_frames_test.cpp.
 */
#include "board.h"
#include "pipeline.h"
#include "pipeline_watch.h"
#include "quiet_board.h"
#include "vivid.h"

#include <format>
#include <set>

#include <gmock/gmock.h>
#include <gst/allocators/gstdmabuf.h>
#include <sys/stat.h>

using namespace heapflow::test;

namespace
{

constexpr int32_t push = 1; /* of a button */

class CameraFaults : public testing::Test
{
protected:
	std::string description(unsigned frames) const
	{
		return std::format("heapcamerasrc name=source camera-name={} heap=system "
				   "num-buffers={} ! video/x-raw,format=NV12,width=640,height=360,"
				   "framerate=60/1 ! fakesink name=sink sync=false",
				   vivid_.node(), frames);
	}
	void inject(const char *control, int32_t value = push)
	{
		setControl(vivid_.node(), control, value);
	}

	const Vivid vivid_{"0"};
};

ino_t identityOf(GstBuffer *buffer)
{
	struct stat status = {};
	fstat(gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(buffer, 0)), &status);
	return status.st_ino;
}

/* The buffer that was refused is not lost: it is offered again. */
TEST_F(CameraFaults, ABufferThatIsRefusedOnceComesRoundAgain)
{
	const Resources before = quietBoard();
	{
		Pipeline pipeline(description(40));
		std::set<ino_t> early, late;
		pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
			(number <= 20 ? early : late).insert(identityOf(buffer));
			if (number == 20)
				inject("Inject VIDIOC_QBUF Error");
		});
		pipeline.run();
		EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
		EXPECT_TRUE(pipeline.warnings().empty());
		EXPECT_GE(early.size(), 3U);
		EXPECT_EQ(late, early);
	}
	EXPECT_EQ(settled(before), before);
}

class RefusedStart : public CameraFaults, public testing::WithParamInterface<const char *>
{
};

/* An error that names what was refused; the same pipeline works when it is started again. */
TEST_P(RefusedStart, IsAnErrorThatPasses)
{
	const Resources before = quietBoard();
	{
		Pipeline pipeline(description(5));
		pipeline.setState(GST_STATE_READY);
		inject(GetParam());
		pipeline.run();
		ASSERT_FALSE(pipeline.errors().empty());
		EXPECT_EQ(pipeline.errors().front().element, "heapcamerasrc");
		EXPECT_EQ(pipeline.errors().front().domain, GST_RESOURCE_ERROR);
		EXPECT_THAT(pipeline.errors().front().message, testing::HasSubstr(vivid_.node()));
		pipeline.setState(GST_STATE_NULL);
		pipeline.forget();
		pipeline.run();
		EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
		EXPECT_TRUE(pipeline.errors().empty()) << pipeline.errorText();
	}
	EXPECT_EQ(settled(before), before);
}

INSTANTIATE_TEST_SUITE_P(CameraFaults, RefusedStart,
			 testing::Values("Inject VIDIOC_REQBUFS Error",
					 "Inject VIDIOC_STREAMON Error"),
			 [](const auto &tested) {
				 return tested.param == std::string("Inject VIDIOC_REQBUFS Error")
						? "REQBUFS"
						: "STREAMON";
			 });

/* vivid begins 128 before the end of 32 bits; a buffer's offset has 64. */
TEST_F(CameraFaults, NumbersOfFramesGoOnBeyond32Bits)
{
	inject("Wrap Sequence Number", 1);
	Pipeline pipeline(description(160));
	uint64_t first = 0, last = 0;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
		const uint64_t offset = GST_BUFFER_OFFSET(buffer);
		if (number == 1) {
			first = offset;
		} else {
			EXPECT_GT(offset, last);
			EXPECT_EQ(offset != last + 1,
				  GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT))
				<< number;
		}
		last = offset;
	});
	pipeline.run();
	inject("Wrap Sequence Number", 0);
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_LE(first, uint64_t{UINT32_MAX});
	EXPECT_GT(last, uint64_t{UINT32_MAX});
}

/* Times that the driver's clock does not have are not shown to anybody. */
TEST_F(CameraFaults, TimesThatWrapDoNotReachThePipeline)
{
	for (const int32_t bits64then32 : {1, 2}) {
		inject("Wrap Timestamp", bits64then32);
		Pipeline pipeline(description(20));
		GstClockTime last = 0;
		pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
			const GstClockTime time = GST_BUFFER_PTS(buffer);
			if (number > 1) {
				EXPECT_GT(time, last);
			}
			EXPECT_LT(time, 20 * GST_SECOND);
			last = time;
		});
		pipeline.run();
		inject("Wrap Timestamp", 0);
		EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	}
}

} /* namespace */
