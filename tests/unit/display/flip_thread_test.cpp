/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thread reads the kernel's event format from any descriptor: here from a pipe. */
#include "flip_thread.h"

#include <condition_variable>
#include <cstring>
#include <mutex>
#include <vector>

#include <drm.h>
#include <drm_mode.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace heapflow;

namespace
{

class FlipThreadTest : public testing::Test
{
protected:
	void SetUp() override
	{
		int ends[2];
		ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
		read_.reset(ends[0]);
		write_.reset(ends[1]);
		auto thread = FlipThread::start(read_.get(), [this](const RawFlip &flip) {
			const std::lock_guard lock(mutex_);
			flips_.push_back(flip);
			changed_.notify_all();
		});
		ASSERT_TRUE(thread) << thread.error().text();
		thread_ = std::move(*thread);
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
		vblank.tv_sec = 5000; /* beyond 32 bits of nanoseconds */
		vblank.tv_usec = 7;
		return {reinterpret_cast<const char *>(&vblank), sizeof(vblank)};
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
	std::unique_ptr<FlipThread> thread_;
};

} /* namespace */

TEST_F(FlipThreadTest, ReadsFlips)
{
	const int64_t before = monotonicNow();
	send(event(DRM_EVENT_FLIP_COMPLETE, 0x1'0000'0001, 42));
	const auto flips = wait(1);
	ASSERT_EQ(flips.size(), 1u);
	EXPECT_EQ(flips[0].serial, 0x1'0000'0001u);
	EXPECT_EQ(flips[0].sequence, 42u);
	EXPECT_EQ(flips[0].timestamp, 5'000'000'007'000);
	EXPECT_GE(flips[0].arrival, before);
}

TEST_F(FlipThreadTest, SeveralInOneReadAndOtherEventsBetween)
{
	send(event(DRM_EVENT_FLIP_COMPLETE, 1) + event(DRM_EVENT_VBLANK, 2) + event(0x80000000, 3) +
	     event(DRM_EVENT_FLIP_COMPLETE, 4));
	const auto flips = wait(2);
	ASSERT_EQ(flips.size(), 2u);
	EXPECT_EQ(flips[0].serial, 1u);
	EXPECT_EQ(flips[1].serial, 4u);
}

TEST_F(FlipThreadTest, BrokenLengthsEndTheReadNotTheThread)
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

TEST_F(FlipThreadTest, EndsWhenTheDeviceIsGone)
{
	write_.reset();
	thread_.reset(); /* does not hang */
}

TEST_F(FlipThreadTest, EndsWhileIdle)
{
	thread_.reset();
}
