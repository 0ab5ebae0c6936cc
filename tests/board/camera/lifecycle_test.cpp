/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every camera must do alike: order of calls, wrong buffers, restarts, threads, giving back.
 */
#include "capture.h"
#include "result.h"
#include "vivid.h"

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

namespace
{

/* Taken by every camera, whatever board this is. */
const std::string contiguous = "video@42000000";

struct Subject {
	std::string name;
	std::string camera; /* empty: vivid's node */
	CaptureRequest request;
	unsigned frames; /* of a long run; vimc is slow */
};

void PrintTo(const Subject &subject, std::ostream *out)
{
	*out << subject.name;
}

class Lifecycle : public testing::TestWithParam<Subject>
{
protected:
	static std::string camera()
	{
		return GetParam().camera.empty() ? vividNode() : GetParam().camera;
	}
	static Result<Capture> start()
	{
		return startCapture(camera(), GetParam().request, contiguous);
	}
};

TEST_P(Lifecycle, CallsOutOfOrderAreErrors)
{
	auto opened = openCamera(camera());
	ASSERT_TRUE(opened) << textOf(opened);
	Camera &fresh = **opened;
	EXPECT_EQ(codeOf(fresh.importBuffers({})), EINVAL);
	EXPECT_EQ(codeOf(fresh.start()), EINVAL);
	EXPECT_EQ(codeOf(fresh.waitFrame(10ms)), EINVAL);
	EXPECT_EQ(codeOf(fresh.queue(0)), ECANCELED);
	EXPECT_TRUE(fresh.stop());

	ASSERT_TRUE(fresh.configure(GetParam().request));
	EXPECT_EQ(codeOf(fresh.start()), EINVAL);
	EXPECT_THAT(textOf(fresh.start()), HasSubstr("importBuffers()"));
}

TEST_P(Lifecycle, WhileStreamingNothingElseIsAllowed)
{
	auto capture = start();
	ASSERT_TRUE(capture) << textOf(capture);
	EXPECT_EQ(codeOf(capture->camera->start()), EBUSY);
	EXPECT_EQ(codeOf(capture->camera->configure(GetParam().request)), EBUSY);
	EXPECT_EQ(codeOf(capture->camera->importBuffers(capture->buffers)), EBUSY);
	EXPECT_TRUE(takeFrames(*capture, 1));
	EXPECT_TRUE(capture->camera->stop());
	EXPECT_TRUE(capture->camera->stop());
}

/* Invariant 3: exactly as many buffers as the camera said. */
TEST_P(Lifecycle, AnyOtherNumberOfBuffersIsRefused)
{
	auto capture = openCapture(camera(), GetParam().request);
	ASSERT_TRUE(capture) << textOf(capture);
	const uint64_t size = capture->configuration.layout.size();
	for (const unsigned count : {0u, 3u, 5u}) {
		const auto buffers = allocate(contiguous, count, size);
		const auto imported = capture->camera->importBuffers(buffers);
		ASSERT_FALSE(imported);
		EXPECT_EQ(codeOf(imported), EINVAL);
		EXPECT_THAT(
			imported.error().message,
			AllOf(HasSubstr("exactly 4"), HasSubstr("not " + std::to_string(count))));
	}
}

TEST_P(Lifecycle, BuffersThatAreTooSmallAreRefusedNotAborted)
{
	auto capture = openCapture(camera(), GetParam().request);
	ASSERT_TRUE(capture) << textOf(capture);
	auto buffers = allocate(contiguous, 4, capture->configuration.layout.size());
	buffers.back() = std::move(allocate(contiguous, 1, 4096).front());
	const auto imported = capture->camera->importBuffers(buffers);
	ASSERT_FALSE(imported);
	EXPECT_EQ(codeOf(imported), EINVAL) << textOf(imported);
	EXPECT_THAT(imported.error().message, HasSubstr("4096"));

	buffers.back() =
		std::move(allocate(contiguous, 1, capture->configuration.layout.size()).front());
	EXPECT_TRUE(capture->camera->importBuffers(buffers));
}

/* Invariant 3: a buffer is queued once, and only one that the camera knows. */
TEST_P(Lifecycle, ABufferIsQueuedOnce)
{
	auto capture = start();
	ASSERT_TRUE(capture) << textOf(capture);
	const auto frame = capture->camera->waitFrame(patience);
	ASSERT_TRUE(frame) << textOf(frame);
	EXPECT_EQ(codeOf(capture->camera->queue(4)), EINVAL);
	EXPECT_EQ(codeOf(capture->camera->queue(UINT32_MAX)), EINVAL);
	EXPECT_TRUE(capture->camera->queue(frame->index));
	EXPECT_EQ(codeOf(capture->camera->queue((frame->index + 2) % 4)), EINVAL);
}

/* Buffers that come back late, as from a display, harm neither the old stream nor the new. */
TEST_P(Lifecycle, ABufferThatComesBackAfterStopIsRefused)
{
	auto capture = start();
	ASSERT_TRUE(capture) << textOf(capture);
	const auto frame = capture->camera->waitFrame(patience);
	ASSERT_TRUE(frame) << textOf(frame);
	ASSERT_TRUE(capture->camera->stop());
	EXPECT_EQ(codeOf(capture->camera->queue(frame->index)), ECANCELED);
	ASSERT_TRUE(capture->camera->start());
	EXPECT_EQ(codeOf(capture->camera->queue((frame->index + 3) % 4)), EINVAL);
	EXPECT_TRUE(takeFrames(*capture, 2));
}

TEST_P(Lifecycle, StarvedItTimesOutAndGoesOnWhenFed)
{
	auto capture = start();
	ASSERT_TRUE(capture) << textOf(capture);
	std::vector<unsigned> held;
	while (held.size() < 4) {
		const auto frame = capture->camera->waitFrame(patience);
		ASSERT_TRUE(frame) << textOf(frame);
		held.push_back(frame->index);
	}
	EXPECT_THAT(held, testing::UnorderedElementsAre(0, 1, 2, 3));
	const auto begin = std::chrono::steady_clock::now();
	const auto none = capture->camera->waitFrame(100ms);
	ASSERT_FALSE(none);
	EXPECT_EQ(codeOf(none), ETIMEDOUT) << textOf(none);
	EXPECT_GE(std::chrono::steady_clock::now() - begin, 100ms);
	EXPECT_THAT(none.error().message, HasSubstr("100 ms"));
	for (const unsigned index : held)
		EXPECT_TRUE(capture->camera->queue(index));
	const auto frames = takeFrames(*capture, 2);
	EXPECT_TRUE(frames) << textOf(frames);
}

/* A wait may be made of several; one that nothing interrupts is not. */
TEST_P(Lifecycle, ATimeOutIsWaitedOutOnce)
{
	auto capture = start();
	ASSERT_TRUE(capture) << textOf(capture);
	for (unsigned taken = 0; taken < 4; ++taken)
		ASSERT_TRUE(capture->camera->waitFrame(patience));
	const auto begin = std::chrono::steady_clock::now();
	EXPECT_EQ(codeOf(capture->camera->waitFrame(2s)), ETIMEDOUT);
	const auto took = std::chrono::steady_clock::now() - begin;
	EXPECT_GE(took, 2s);
	EXPECT_LT(took, 3900ms);
}

TEST_P(Lifecycle, InterruptWakesAWaiterFromAnotherThread)
{
	auto capture = start();
	ASSERT_TRUE(capture) << textOf(capture);
	std::vector<unsigned> held;
	while (held.size() < 4)
		held.push_back(capture->camera->waitFrame(patience).value().index);

	const auto before = std::chrono::steady_clock::now();
	std::thread other([&] {
		std::this_thread::sleep_for(50ms);
		capture->camera->interrupt(true);
	});
	EXPECT_EQ(codeOf(capture->camera->waitFrame(60s)), ECANCELED);
	other.join();
	EXPECT_LT(std::chrono::steady_clock::now() - before, 30s);
	/* It lasts, frames or not, until taken back. */
	EXPECT_TRUE(capture->camera->queue(held.back()));
	EXPECT_EQ(codeOf(capture->camera->waitFrame(60s)), ECANCELED);
	capture->camera->interrupt(false);
	const auto frames = takeFrames(*capture, 2);
	EXPECT_TRUE(frames) << textOf(frames);
}

TEST_P(Lifecycle, BuffersComeBackFromAnotherThread)
{
	auto capture = start();
	ASSERT_TRUE(capture) << textOf(capture);
	std::mutex mutex;
	std::condition_variable changed;
	std::deque<unsigned> shown;
	bool end = false;
	unsigned failures = 0;
	std::thread display([&] {
		std::unique_lock lock(mutex);
		while (true) {
			changed.wait(lock, [&] { return end || !shown.empty(); });
			if (shown.empty())
				return;
			const unsigned index = shown.front();
			shown.pop_front();
			lock.unlock();
			failures += !capture->camera->queue(index);
			lock.lock();
		}
	});
	for (unsigned count = 0; count < GetParam().frames / 10; ++count) {
		const auto frame = capture->camera->waitFrame(patience);
		EXPECT_TRUE(frame) << textOf(frame);
		std::lock_guard lock(mutex);
		shown.push_back(frame ? frame->index : 0);
		changed.notify_one();
	}
	{
		std::lock_guard lock(mutex);
		end = true;
		changed.notify_one();
	}
	display.join();
	EXPECT_EQ(failures, 0u);
}

/* stop() races with queue() of another thread, as when a pipeline is torn down. */
TEST_P(Lifecycle, StopWhileAnotherThreadQueues)
{
	auto capture = start();
	ASSERT_TRUE(capture) << textOf(capture);
	for (int round = 0; round < 3; ++round) {
		std::vector<unsigned> held;
		while (held.size() < 3)
			held.push_back(capture->camera->waitFrame(patience).value().index);
		std::thread other([&] {
			for (const unsigned index : held) {
				const auto queued = capture->camera->queue(index);
				const int code = queued ? 0 : queued.error().code;
				EXPECT_TRUE(code == 0 || code == ECANCELED) << code;
			}
		});
		EXPECT_TRUE(capture->camera->stop());
		other.join();
		ASSERT_TRUE(capture->camera->start());
	}
	EXPECT_TRUE(takeFrames(*capture, 2));
}

TEST_P(Lifecycle, StopsAndStartsTwentyTimes)
{
	auto capture = start();
	ASSERT_TRUE(capture) << textOf(capture);
	for (int round = 0; round < 20; ++round) {
		const auto frames = takeFrames(*capture, 2);
		ASSERT_TRUE(frames) << textOf(frames);
		EXPECT_LE(frames->front().sequence, 10u) << "a new stream counts anew";
		ASSERT_TRUE(capture->camera->stop());
		const auto started = capture->camera->start();
		ASSERT_TRUE(started) << textOf(started);
	}
}

TEST_P(Lifecycle, ConfiguredAnewItLetsGoOfTheOldBuffers)
{
	auto capture = start();
	ASSERT_TRUE(capture) << textOf(capture);
	ASSERT_TRUE(takeFrames(*capture, 2));
	ASSERT_TRUE(capture->camera->stop());
	capture->buffers.clear();
	ASSERT_TRUE(capture->camera->configure(GetParam().request));
	const Resources between = Resources::now();

	ASSERT_TRUE(importFrom(*capture, "memory@48000000-contiguous"));
	ASSERT_TRUE(capture->camera->start());
	ASSERT_TRUE(takeFrames(*capture, 2));
	ASSERT_TRUE(capture->camera->stop());
	capture->buffers.clear();
	ASSERT_TRUE(capture->camera->configure(GetParam().request));
	EXPECT_EQ(settled(between), between);
}

TEST_P(Lifecycle, NothingIsLeftAfterManyFrames)
{
	/* Once before counting: libraries that are loaded on demand stay. */
	ASSERT_TRUE(start());
	const Resources before = Resources::now();
	{
		auto capture = start();
		ASSERT_TRUE(capture) << textOf(capture);
		const Resources during = Resources::now();
		EXPECT_LT(during.freePages.at(contiguous), before.freePages.at(contiguous));
		const auto frames = takeFrames(*capture, GetParam().frames);
		ASSERT_TRUE(frames) << textOf(frames);
		/* Invariant 6, in steady state nothing is opened or allocated for good: libcamera
		 * duplicates a descriptor or two while it draws or queues. */
		const Resources after = Resources::now();
		EXPECT_EQ(after.freePages, during.freePages);
		EXPECT_NEAR(static_cast<double>(after.allDescriptors()),
			    static_cast<double>(during.allDescriptors()), 2);
	}
	EXPECT_EQ(settled(before), before);
}

/* Invariant 10: closed in the middle of it all, without stop(). */
TEST_P(Lifecycle, DestroyedWhileStreamingNothingIsLeft)
{
	ASSERT_TRUE(start());
	const Resources before = Resources::now();
	for (int round = 0; round < 3; ++round) {
		auto capture = start();
		ASSERT_TRUE(capture) << textOf(capture);
		ASSERT_TRUE(capture->camera->waitFrame(patience));
	}
	EXPECT_EQ(settled(before), before);
}

const CaptureRequest nv12 = request(DRM_FORMAT_NV12, 1280, 720, {60, 1});
const CaptureRequest smallNv12 = request(DRM_FORMAT_NV12, 640, 480);
const CaptureRequest smallRgb = request(DRM_FORMAT_BGR888, 640, 480);

const auto name = [](const auto &tested) {
	return tested.param.name;
};

const Subject vivid{"Vivid", "", nv12, 300};
const Subject vimc{"Vimc", "platform/vimc.0 Sensor B", smallRgb, 60};
const Subject drawn{"Virtual", "Virtual0", smallNv12, 300};

INSTANTIATE_TEST_SUITE_P(VividVmalloc, Lifecycle, testing::Values(vivid), name);
INSTANTIATE_TEST_SUITE_P(VividMultiplanar, Lifecycle, testing::Values(vivid), name);
INSTANTIATE_TEST_SUITE_P(VividContiguous, Lifecycle, testing::Values(vivid), name);
INSTANTIATE_TEST_SUITE_P(VimcVmalloc, Lifecycle, testing::Values(vimc), name);
INSTANTIATE_TEST_SUITE_P(VimcContiguous, Lifecycle, testing::Values(vimc), name);
INSTANTIATE_TEST_SUITE_P(Virtual, Lifecycle, testing::Values(drawn), name);

} /* namespace */
