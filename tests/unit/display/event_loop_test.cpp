/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thread reads the kernel's event format from any descriptor: here from a pipe. */
#include "event_loop.h"
#include "thread_sleeps.h"

#include <condition_variable>
#include <cstring>
#include <future>
#include <mutex>
#include <vector>

#include <drm.h>
#include <drm_mode.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

class EventLoopTest : public testing::Test
{
protected:
	void SetUp() override
	{
		int ends[2];
		ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
		read_.reset(ends[0]);
		write_.reset(ends[1]);
		auto loop = EventLoop::start(read_.get(),
					     {.flip =
						      [this](const RawFlip &flip) {
							      const std::lock_guard lock(mutex_);
							      flips_.push_back(flip);
							      changed_.notify_all();
						      },
					      .timer = [this] { count(timers_); },
					      .woken = [this] { count(wakes_); },
					      .hotplug = [] {},
					      .other = {}});
		ASSERT_TRUE(loop) << loop.error().text();
		loop_ = std::move(*loop);
	}

	void count(int &counter)
	{
		const std::lock_guard lock(mutex_);
		counter++;
		changed_.notify_all();
	}

	bool waitFor(const int &counter, int value)
	{
		std::unique_lock lock(mutex_);
		return changed_.wait_for(lock, std::chrono::seconds(10),
					 [&] { return counter >= value; });
	}

	void send(const std::string &bytes)
	{
		ASSERT_EQ(write(write_.get(), bytes.data(), bytes.size()),
			  static_cast<ssize_t>(bytes.size()));
	}

	static std::string event(uint32_t type, uint64_t serial, uint32_t sequence = 0)
	{
		drm_event_vblank vblank = {};
		vblank.base = {type, sizeof(vblank)};
		vblank.user_data = serial;
		vblank.sequence = sequence;
		vblank.crtc_id = 31;
		vblank.tv_sec = 5000; /* beyond 32 bits of nanoseconds */
		vblank.tv_usec = 7;
		return {reinterpret_cast<const char *>(&vblank), sizeof(vblank)};
	}

	/* When it returns, the thread is out of the poll() that it began before. */
	void leaveFlipsToOthers()
	{
		loop_->awaitFlips(false);
		for (int wakes = 1; wakes <= 2; wakes++) {
			loop_->wake();
			ASSERT_TRUE(waitFor(wakes_, wakes));
		}
	}

	std::vector<RawFlip> wait(size_t count)
	{
		std::unique_lock lock(mutex_);
		EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(10),
					      [&] { return flips_.size() >= count; }));
		return flips_;
	}

	UniqueFd read_, write_;
	std::mutex mutex_;
	std::condition_variable changed_;
	std::vector<RawFlip> flips_;
	int timers_ = 0;
	int wakes_ = 0;
	std::unique_ptr<EventLoop> loop_;
};

} /* namespace */

TEST_F(EventLoopTest, ReadsFlips)
{
	const int64_t before = monotonicNow();
	send(event(DRM_EVENT_FLIP_COMPLETE, 0x1'0000'0001, 42));
	const auto flips = wait(1);
	ASSERT_EQ(flips.size(), 1u);
	EXPECT_EQ(flips[0].serial, 0x1'0000'0001u);
	EXPECT_EQ(flips[0].sequence, 42u);
	EXPECT_EQ(flips[0].crtc, 31u);
	EXPECT_EQ(flips[0].timestamp, 5'000'000'007'000);
	EXPECT_GE(flips[0].arrival, before);
}

TEST_F(EventLoopTest, SeveralInOneReadAndOtherEventsBetween)
{
	send(event(DRM_EVENT_FLIP_COMPLETE, 1) + event(DRM_EVENT_VBLANK, 2) + event(0x80000000, 3) +
	     event(DRM_EVENT_FLIP_COMPLETE, 4));
	const auto flips = wait(2);
	ASSERT_EQ(flips.size(), 2u);
	EXPECT_EQ(flips[0].serial, 1u);
	EXPECT_EQ(flips[1].serial, 4u);
}

TEST_F(EventLoopTest, BrokenLengthsEndTheReadNotTheThread)
{
	drm_event broken = {DRM_EVENT_FLIP_COMPLETE, 0};
	send({reinterpret_cast<const char *>(&broken), sizeof(broken)});
	broken.length = 500;
	send({reinterpret_cast<const char *>(&broken), sizeof(broken)});
	broken.length = sizeof(broken); /* too short for a flip */
	send({reinterpret_cast<const char *>(&broken), sizeof(broken)});
	send("abc");
	/* Not in the same read as the broken ones. */
	std::this_thread::sleep_for(std::chrono::milliseconds(50));
	send(event(DRM_EVENT_FLIP_COMPLETE, 9));
	const auto flips = wait(1);
	ASSERT_EQ(flips.size(), 1u);
	EXPECT_EQ(flips[0].serial, 9u);
}

TEST_F(EventLoopTest, EndsWhenTheDeviceIsGone)
{
	write_.reset();
	loop_.reset(); /* does not hang */
}

TEST_F(EventLoopTest, EndsWhileIdle)
{
	loop_.reset();
}

TEST_F(EventLoopTest, TheTimerComesAtItsTimeAndOnce)
{
	const int64_t at = monotonicNow() + 20'000'000;
	loop_->setTimer(at);
	ASSERT_TRUE(waitFor(timers_, 1));
	EXPECT_GE(monotonicNow(), at);
	loop_->setTimer(monotonicNow() + 3600'000'000'000);
	loop_->setTimer(0); /* never */
	loop_->wake();
	ASSERT_TRUE(waitFor(wakes_, 1));
	EXPECT_EQ(timers_, 1);
}

TEST_F(EventLoopTest, ATimeThatHasPassedComesAtOnce)
{
	loop_->setTimer(1);
	EXPECT_TRUE(waitFor(timers_, 1));
}

/* A directory is readable to poll(), and read() refuses it: EISDIR, as often as it is tried. */
TEST(EventLoopFailure, ADescriptorThatCannotBeReadIsToldOnceAndEndsTheThread)
{
	const UniqueFd directory(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	std::mutex mutex;
	std::condition_variable changed;
	std::vector<Error> failures;
	auto loop = EventLoop::start(directory.get(),
				     {.flip = [](const RawFlip &) {},
				      .timer = [] {},
				      .woken = [] {},
				      .hotplug = [] {},
				      .other = {},
				      .failed =
					      [&](const Error &error) {
						      const std::lock_guard lock(mutex);
						      failures.push_back(error);
						      changed.notify_all();
					      }});
	ASSERT_TRUE(loop) << loop.error().text();
	{
		std::unique_lock lock(mutex);
		ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(10),
					     [&] { return !failures.empty(); }));
	}
	loop->reset();
	ASSERT_EQ(failures.size(), 1U);
	EXPECT_EQ(failures[0].code, EISDIR);
}

TEST_F(EventLoopTest, AFlipThatIsNotAwaitedIsReadByWhoTakesIt)
{
	leaveFlipsToOthers();
	send(event(DRM_EVENT_FLIP_COMPLETE, 1));
	loop_->takeFlips();
	EXPECT_EQ(wait(1).size(), 1u);
	/* Nothing is there, and the pipe blocks: it must not be read. */
	loop_->takeFlips();
	send(event(DRM_EVENT_FLIP_COMPLETE, 2));
	loop_->awaitFlips(true);
	EXPECT_EQ(wait(2).size(), 2u);
}

TEST_F(EventLoopTest, AFlipIsWaitedForUntilNoneCanCome)
{
	leaveFlipsToOthers();
	const auto yes = [] {
		return true;
	};
	EXPECT_FALSE(loop_->waitForFlips(std::chrono::milliseconds(1), yes));
	EXPECT_TRUE(loop_->waitForFlips(std::chrono::hours(1), [] { return false; }));
	send(event(DRM_EVENT_FLIP_COMPLETE, 1));
	EXPECT_TRUE(loop_->waitForFlips(std::chrono::hours(1), yes));
	EXPECT_EQ(wait(1).size(), 1u);
	write_.reset();
	EXPECT_FALSE(loop_->waitForFlips(std::chrono::hours(1), yes)) << "the other end is gone";
}

/* Else who waits would poll and read for ever, and never look at the clock. */
TEST(UnreadableEvents, AFlipThatCannotBeReadEndsTheWait)
{
	/* poll() says that a directory can be read, read() that it cannot. */
	const UniqueFd directory(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const auto nothing = [] {
	};
	auto loop = EventLoop::start(directory.get(), {.flip = [](const RawFlip &) {},
						       .timer = nothing,
						       .woken = nothing,
						       .hotplug = nothing});
	ASSERT_TRUE(loop);
	EXPECT_EQ((*loop)->takeFlips(), EISDIR);
	EXPECT_FALSE((*loop)->waitForFlips(std::chrono::hours(1), [] { return true; }));
}

/* poll() looks again before it returns, finds nothing, and sleeps on: a frame would come late. */
TEST_F(EventLoopTest, AFlipThatAnotherThreadTakesEndsTheWait)
{
	leaveFlipsToOthers();
	for (uint64_t serial = 1; serial <= 50; serial++) {
		std::promise<void> begun;
		auto waited = std::async(std::launch::async, [&] {
			return loop_->waitForFlips(std::chrono::seconds(20), [&] {
				begun.set_value();
				return true;
			});
		});
		begun.get_future().wait();
		send(event(DRM_EVENT_FLIP_COMPLETE, serial));
		loop_->takeFlips();
		ASSERT_EQ(waited.wait_for(std::chrono::seconds(10)), std::future_status::ready);
		EXPECT_TRUE(waited.get());
		EXPECT_EQ(wait(serial).size(), serial);
	}
}

/*
 * The device's thread polls with the flips, from the time when they were its own. Each that another
 * thread has read before it runs would wake it and leave it in poll(): it has to be told to leave.
 * SCHED_IDLE on the same processor: it always comes too late (sched(7)).
 */
TEST_F(EventLoopTest, AFlipThatAnotherThreadHasReadWakesItOnlyOnce)
{
	struct Processors {
		cpu_set_t all = {};
		int failed = sched_getaffinity(0, sizeof(all), &all);
		~Processors() { sched_setaffinity(0, sizeof(all), &all); }
	};
	const Processors before = {};
	ASSERT_EQ(before.failed, 0);
	cpu_set_t here;
	CPU_ZERO(&here);
	CPU_SET(static_cast<size_t>(sched_getcpu()), &here);
	const sched_param none = {};
	const int thread = threadOf("heapflow-flip");
	ASSERT_EQ(sched_setaffinity(0, sizeof(here), &here), 0);
	ASSERT_EQ(sched_setaffinity(thread, sizeof(here), &here), 0);
	ASSERT_EQ(sched_setscheduler(thread, SCHED_IDLE, &none), 0);

	constexpr unsigned flips = 50;
	loop_->awaitFlips(false);
	std::this_thread::sleep_for(std::chrono::milliseconds(20));
	const unsigned long slept = sleepsOf("heapflow-flip");
	for (uint64_t serial = 1; serial <= flips; serial++) {
		send(event(DRM_EVENT_FLIP_COMPLETE, serial));
		loop_->takeFlips();
		std::this_thread::sleep_for(std::chrono::milliseconds(2));
	}
	EXPECT_LE(sleepsOf("heapflow-flip") - slept, 5u);
	EXPECT_EQ(wait(flips).size(), flips);
}
