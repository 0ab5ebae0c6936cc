/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invariant 3: the queue never holds more frames than there are buffers. */
#include "frame_queue.h"
#include "result.h"

#include <atomic>
#include <cerrno>
#include <thread>

#include <gtest/gtest.h>

using namespace heapflow;
using namespace std::chrono_literals;

namespace
{

CapturedFrame frame(uint64_t sequence)
{
	CapturedFrame result;
	result.sequence = sequence;
	result.index = static_cast<unsigned>(sequence % 4);
	return result;
}

TEST(FrameQueue, KeepsTheOrder)
{
	FrameQueue queue;
	queue.reset(3);
	for (uint64_t round = 0; round < 5; ++round) {
		EXPECT_TRUE(queue.push(frame(2 * round)));
		EXPECT_TRUE(queue.push(frame(2 * round + 1)));
		EXPECT_EQ(queue.wait(0ms)->sequence, 2 * round);
		EXPECT_EQ(queue.wait(0ms)->sequence, 2 * round + 1);
	}
}

TEST(FrameQueue, RefusesMoreThanItsCapacity)
{
	FrameQueue queue;
	EXPECT_FALSE(queue.push(frame(0)));
	queue.reset(2);
	EXPECT_TRUE(queue.push(frame(0)));
	EXPECT_TRUE(queue.push(frame(1)));
	EXPECT_FALSE(queue.push(frame(2)));
	EXPECT_EQ(queue.wait(0ms)->sequence, 0u);
	EXPECT_TRUE(queue.push(frame(3)));
	EXPECT_EQ(queue.wait(0ms)->sequence, 1u);
	EXPECT_EQ(queue.wait(0ms)->sequence, 3u);
}

TEST(FrameQueue, TimesOut)
{
	FrameQueue queue;
	queue.reset(1);
	const auto before = std::chrono::steady_clock::now();
	const auto result = queue.wait(20ms);
	ASSERT_FALSE(result);
	EXPECT_EQ(test::codeOf(result), ETIMEDOUT);
	EXPECT_NE(result.error().message.find("20 ms"), std::string::npos);
	EXPECT_GE(std::chrono::steady_clock::now() - before, 20ms);
}

TEST(FrameQueue, AFailureComesAfterTheFramesBeforeItAndStays)
{
	FrameQueue queue;
	queue.reset(2);
	queue.push(frame(1));
	queue.fail({EFAULT, "first", ""});
	queue.fail({ENODEV, "second", ""});
	EXPECT_EQ(queue.wait(0ms)->sequence, 1u);
	EXPECT_EQ(queue.wait(0ms).error().message, "first");
	EXPECT_EQ(test::codeOf(queue.wait(0ms)), EFAULT);
	queue.reset(2);
	EXPECT_EQ(test::codeOf(queue.wait(0ms)), ETIMEDOUT);
}

TEST(FrameQueue, AnInterruptionLastsUntilItIsTakenBack)
{
	FrameQueue queue;
	queue.reset(1);
	queue.push(frame(9));
	queue.interrupt(true);
	EXPECT_EQ(test::codeOf(queue.wait(0ms)), ECANCELED);
	EXPECT_EQ(test::codeOf(queue.wait(1s)), ECANCELED);
	queue.interrupt(false);
	EXPECT_EQ(queue.wait(0ms)->sequence, 9u);
}

TEST(FrameQueue, ResetKeepsAnInterruption)
{
	FrameQueue queue;
	queue.interrupt(true);
	queue.reset(1);
	EXPECT_EQ(test::codeOf(queue.wait(0ms)), ECANCELED);
}

TEST(FrameQueue, WakesAWaiterForFrameFailureAndInterruption)
{
	FrameQueue queue;
	queue.reset(1);
	std::thread pusher([&] { queue.push(frame(4)); });
	EXPECT_EQ(queue.wait(10s)->sequence, 4u);
	pusher.join();

	std::thread failer([&] { queue.fail({ENODEV, "gone", ""}); });
	EXPECT_EQ(test::codeOf(queue.wait(10s)), ENODEV);
	failer.join();

	std::thread interrupter([&] { queue.interrupt(true); });
	while (test::codeOf(queue.wait(10s)) != ECANCELED)
		;
	interrupter.join();
}

/* A camera that fills four buffers as fast as they come back; for ThreadSanitizer as well. */
TEST(FrameQueue, NothingIsLostBetweenTwoThreads)
{
	constexpr uint64_t total = 20000;
	constexpr size_t buffers = 4;
	FrameQueue queue;
	queue.reset(buffers);
	std::atomic<size_t> free = buffers;
	std::atomic<bool> overflow = false;

	std::thread camera([&] {
		for (uint64_t sequence = 0; sequence < total; ++sequence) {
			while (free == 0)
				std::this_thread::yield();
			--free;
			if (!queue.push(frame(sequence)))
				overflow = true;
		}
		queue.fail({ENODEV, "end", ""});
	});

	uint64_t next = 0;
	while (true) {
		const auto result = queue.wait(10s);
		if (!result) {
			EXPECT_EQ(test::codeOf(result), ENODEV);
			break;
		}
		EXPECT_EQ(result->sequence, next++);
		++free;
	}
	camera.join();
	EXPECT_EQ(next, total);
	EXPECT_FALSE(overflow);
}

TEST(FrameQueue, InterruptionsFromAnotherThreadLoseNoFrame)
{
	constexpr uint64_t total = 2000;
	FrameQueue queue;
	queue.reset(total);
	std::atomic<bool> done = false;
	std::thread interrupter([&] {
		while (!done) {
			queue.interrupt(true);
			std::this_thread::yield();
			queue.interrupt(false);
			std::this_thread::yield();
		}
	});
	std::thread camera([&] {
		for (uint64_t sequence = 0; sequence < total; ++sequence)
			queue.push(frame(sequence));
	});
	for (uint64_t next = 0; next < total;) {
		const auto result = queue.wait(10s);
		if (result)
			EXPECT_EQ(result->sequence, next++);
		else
			ASSERT_EQ(test::codeOf(result), ECANCELED);
	}
	done = true;
	interrupter.join();
	camera.join();
}

TEST(FrameQueue, ANudgeIsSeenOnceAndBeforeFrames)
{
	FrameQueue queue;
	queue.reset(2);
	ASSERT_TRUE(queue.push({}));
	queue.nudge();
	EXPECT_EQ(test::codeOf(queue.wait(std::chrono::milliseconds(0))), EAGAIN);
	EXPECT_TRUE(queue.wait(std::chrono::milliseconds(0)));
	queue.nudge();
	queue.reset(2);
	EXPECT_EQ(test::codeOf(queue.wait(std::chrono::milliseconds(0))), ETIMEDOUT);
}

} /* namespace */
