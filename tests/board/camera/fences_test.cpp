/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers that come back with a fence: the camera writes only when it is signalled. */
#include "capture.h"
#include "result.h"
#include "sync_timeline.h"
#include "vivid.h"

#include <cerrno>
#include <thread>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>

using namespace heapflow;
using namespace heapflow::test;
using namespace std::chrono_literals;

namespace
{

std::string nameOfCamera(const testing::TestParamInfo<std::string> &info)
{
	return nameForTest(info.param);
}

class Fences : public testing::TestWithParam<std::string>
{
protected:
	void SetUp() override
	{
		const std::string name = GetParam() == "vivid" ? vividNode() : GetParam();
		const uint32_t fourcc =
			GetParam().starts_with("platform") ? DRM_FORMAT_BGR888 : DRM_FORMAT_NV12;
		auto started = startCapture(name, request(fourcc, 640, 480, {30, 1}), "system");
		ASSERT_TRUE(started) << textOf(started);
		capture_ = std::move(*started);
		ASSERT_TRUE(timeline_.works());
		ASSERT_TRUE(takeFrames(capture_, 2));
	}
	/* All buffers into the caller's hands, so that only fenced ones are with the camera. */
	std::vector<unsigned> takeAll()
	{
		std::vector<unsigned> indices;
		while (indices.size() < capture_.configuration.bufferCount) {
			const auto frame = capture_.camera->waitFrame(patience);
			EXPECT_TRUE(frame) << textOf(frame);
			if (!frame)
				break;
			indices.push_back(frame->index);
		}
		return indices;
	}

	SyncTimeline timeline_;
	Capture capture_;
};

TEST_P(Fences, AFrameComesOnlyAfterTheFence)
{
	const auto indices = takeAll();
	ASSERT_TRUE(capture_.camera->queue(indices[0], 0, timeline_.fence(1)));
	EXPECT_EQ(codeOf(capture_.camera->waitFrame(150ms)), ETIMEDOUT);
	timeline_.increase();
	const auto frame = capture_.camera->waitFrame(patience);
	ASSERT_TRUE(frame) << textOf(frame);
	EXPECT_EQ(frame->index, indices[0]);
}

/* libcamera waits 300 ms for a fence and then cancels the request: here it is tried again. */
TEST_P(Fences, AFenceThatTakesLongerThanLibcameraWaits)
{
	const auto indices = takeAll();
	ASSERT_TRUE(capture_.camera->queue(indices[0], 0, timeline_.fence(1)));
	const auto begin = std::chrono::steady_clock::now();
	EXPECT_EQ(codeOf(capture_.camera->waitFrame(800ms)), ETIMEDOUT);
	const auto took = std::chrono::steady_clock::now() - begin;
	EXPECT_GE(took, 800ms);
	EXPECT_LT(took, 2200ms) << "twice, and some time";
	timeline_.increase();
	const auto frame = capture_.camera->waitFrame(patience);
	ASSERT_TRUE(frame) << textOf(frame);
	EXPECT_EQ(frame->index, indices[0]);
	/* And it is as good as before. */
	for (const unsigned index : indices)
		ASSERT_TRUE(capture_.camera->queue(index));
	EXPECT_TRUE(takeFrames(capture_, 6));
}

TEST_P(Fences, AFenceThatIsSignalledIsNoObstacle)
{
	for (int i = 0; i < 12; ++i) {
		const auto frame = capture_.camera->waitFrame(patience);
		ASSERT_TRUE(frame) << textOf(frame);
		timeline_.increase();
		ASSERT_TRUE(capture_.camera->queue(frame->index, 0, timeline_.fence(1)));
	}
}

TEST_P(Fences, AFenceThatIsNeverSignalledIsAnErrorThatNamesIt)
{
	const auto indices = takeAll();
	ASSERT_TRUE(capture_.camera->queue(indices[0], 0, timeline_.fence(1)));
	Result<CapturedFrame> frame;
	const auto end = std::chrono::steady_clock::now() + 8s;
	do
		frame = capture_.camera->waitFrame(500ms);
	while (codeOf(frame) == ETIMEDOUT && std::chrono::steady_clock::now() < end);
	EXPECT_EQ(codeOf(frame), ETIME) << textOf(frame);
	EXPECT_THAT(frame.error().message, testing::HasSubstr("sw_sync"));
	/* Stopped, the fence is forgotten. */
	ASSERT_TRUE(capture_.camera->stop());
	ASSERT_TRUE(capture_.camera->start());
	EXPECT_TRUE(takeFrames(capture_, 6));
}

TEST_P(Fences, StoppedWhileAFenceIsWaitedFor)
{
	const auto indices = takeAll();
	ASSERT_TRUE(capture_.camera->queue(indices[0], 0, timeline_.fence(1)));
	std::this_thread::sleep_for(50ms);
	ASSERT_TRUE(capture_.camera->stop());
	ASSERT_TRUE(capture_.camera->start());
	EXPECT_TRUE(takeFrames(capture_, 6));
}

INSTANTIATE_TEST_SUITE_P(Virtual, Fences, testing::Values("Virtual0"), nameOfCamera);
INSTANTIATE_TEST_SUITE_P(VimcVmalloc, Fences, testing::Values("platform/vimc.0 Sensor B"),
			 nameOfCamera);
INSTANTIATE_TEST_SUITE_P(VividVmalloc, Fences, testing::Values("vivid"), nameOfCamera);

} /* namespace */
