/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Faults that vivid can be told to have: none stalls, none is silent, all can be recovered from. */
#include "capture.h"
#include "long_form.h"
#include "result.h"
#include "vivid.h"

#include <cerrno>
#include <set>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

constexpr int32_t push = 1; /* of a button */

class VividVmallocFaults : public testing::Test
{
protected:
	void start()
	{
		auto started = startCapture(vivid_.node(),
					    request(DRM_FORMAT_NV12, 640, 360, {60, 1}), "system");
		ASSERT_TRUE(started) << textOf(started);
		capture_ = std::move(*started);
	}
	void inject(const char *control, int32_t value = push)
	{
		setControl(vivid_.node(), control, value);
	}
	Result<CapturedFrame> next()
	{
		auto frame = capture_.camera->waitFrame(patience);
		if (frame)
			(void)capture_.camera->queue(frame->index);
		return frame;
	}
	/* Every buffer comes round again: none was lost. */
	void expectAllBuffers()
	{
		std::set<unsigned> seen;
		for (int i = 0; i < 16; ++i) {
			const auto frame = next();
			ASSERT_TRUE(frame) << textOf(frame);
			seen.insert(frame->index);
		}
		EXPECT_EQ(seen.size(), capture_.configuration.bufferCount);
	}

	const Vivid vivid_{"0"};
	const Resources before_ = Resources::now();
	Capture capture_;
};

TEST_F(VividVmallocFaults, ABadFrameIsMarkedAndTheNextIsGood)
{
	start();
	ASSERT_TRUE(next());
	inject("Inject V4L2_BUF_FLAG_ERROR");
	unsigned bad = 0;
	for (int i = 0; i < 12; ++i) {
		const auto frame = next();
		ASSERT_TRUE(frame) << textOf(frame);
		bad += frame->corrupted;
	}
	EXPECT_EQ(bad, 1u);
}

TEST_F(VividVmallocFaults, ABufferThatIsRefusedOnceIsTriedAgain)
{
	start();
	ASSERT_TRUE(next());
	inject("Inject VIDIOC_QBUF Error");
	expectAllBuffers();
}

TEST_F(VividVmallocFaults, AQueueThatIsNotSetUpIsAnErrorThatPasses)
{
	auto camera = openCamera(vivid_.node());
	ASSERT_TRUE(camera) << textOf(camera);
	inject("Inject VIDIOC_REQBUFS Error");
	const auto refused = (*camera)->configure(request(DRM_FORMAT_NV12, 640, 360));
	ASSERT_FALSE(refused);
	EXPECT_EQ(codeOf(refused), EINVAL);
	EXPECT_THAT(refused.error().message, testing::HasSubstr("buffer slots"));
	EXPECT_TRUE((*camera)->configure(request(DRM_FORMAT_NV12, 640, 360)));
}

TEST_F(VividVmallocFaults, AStreamThatDoesNotStartCanBeTriedAgain)
{
	auto opened = openCapture(vivid_.node(), request(DRM_FORMAT_NV12, 640, 360));
	ASSERT_TRUE(opened) << textOf(opened);
	capture_ = std::move(*opened);
	ASSERT_TRUE(importFrom(capture_, "system"));
	inject("Inject VIDIOC_STREAMON Error");
	const auto refused = capture_.camera->start();
	ASSERT_FALSE(refused);
	EXPECT_THAT(refused.error().message, testing::HasSubstr("does not start"));
	ASSERT_TRUE(capture_.camera->start());
	expectAllBuffers();
}

TEST_F(VividVmallocFaults, AFatalErrorIsEIOUntilStoppedAndStarted)
{
	start();
	ASSERT_TRUE(next());
	inject("Inject Fatal Streaming Error");
	Result<CapturedFrame> frame;
	do
		frame = next();
	while (frame);
	EXPECT_EQ(codeOf(frame), EIO) << textOf(frame);
	EXPECT_EQ(codeOf(capture_.camera->waitFrame(patience)), EIO) << "it stays";
	ASSERT_TRUE(capture_.camera->stop());
	ASSERT_TRUE(capture_.camera->start());
	expectAllBuffers();
}

TEST_F(VividVmallocFaults, DroppedFramesAreGapsInTheSequence)
{
	inject("Percentage of Dropped Buffers", 50);
	start();
	uint64_t last = 0, gaps = 0;
	for (int i = 0; i < 30; ++i) {
		const auto frame = next();
		ASSERT_TRUE(frame) << textOf(frame);
		if (i)
			gaps += frame->sequence - last - 1;
		last = frame->sequence;
	}
	inject("Percentage of Dropped Buffers", 0);
	EXPECT_GT(gaps, 5u);
}

/* vivid then begins 128 before the end of 32 bits. */
TEST_F(VividVmallocFaults, SequenceNumbersGoOnBeyond32Bits)
{
	inject("Wrap Sequence Number", 1);
	start();
	uint64_t first = 0, last = 0;
	for (int i = 0; i < 150; ++i) {
		const auto frame = next();
		ASSERT_TRUE(frame) << textOf(frame);
		if (i == 0)
			first = frame->sequence;
		else
			EXPECT_GT(frame->sequence, last);
		last = frame->sequence;
	}
	inject("Wrap Sequence Number", 0);
	EXPECT_LE(first, uint64_t{UINT32_MAX});
	EXPECT_GT(last, uint64_t{UINT32_MAX});
}

TEST_F(VividVmallocFaults, TimestampsThatWrapAreReplacedByArrivals)
{
	for (const int32_t bits64then32 : {1, 2}) {
		inject("Wrap Timestamp", bits64then32);
		start();
		int64_t last = 0;
		for (int i = 0; i < 10; ++i) {
			const auto frame = next();
			ASSERT_TRUE(frame) << textOf(frame);
			EXPECT_GT(frame->timestamp, last);
			EXPECT_LT(std::abs(frame->timestamp - frame->arrival), 2'000'000'000);
			last = frame->timestamp;
		}
		capture_ = {};
		inject("Wrap Timestamp", 0);
	}
}

TEST_F(VividVmallocFaults, LeaveNothingBehind)
{
	for (const char *fault : {"Inject VIDIOC_QBUF Error", "Inject V4L2_BUF_FLAG_ERROR",
				  "Inject Fatal Streaming Error"}) {
		start();
		ASSERT_TRUE(next());
		inject(fault);
		for (int i = 0; i < 4; ++i)
			(void)next();
		capture_ = {};
	}
	EXPECT_EQ(settled(before_), before_);
}

/* The camera is lost and found; HEAPFLOW_CYCLES for more. */
TEST_F(VividVmallocFaults, LostAndFoundAgain)
{
	const unsigned cycles = numberFrom("HEAPFLOW_CYCLES", 10);
	for (unsigned cycle = 0; cycle < cycles; ++cycle) {
		start();
		ASSERT_TRUE(next());
		inject("Disconnect");
		Result<CapturedFrame> frame;
		do
			frame = next();
		while (frame);
		ASSERT_EQ(codeOf(frame), ENODEV) << "cycle " << cycle << ": " << textOf(frame);
		capture_ = {};
	}
	start();
	ASSERT_TRUE(next());
	capture_ = {};
	EXPECT_EQ(settled(before_), before_);
}

} /* namespace */
