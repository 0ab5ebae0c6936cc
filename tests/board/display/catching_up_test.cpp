/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One frame that is late, with DropPolicy::Replace: those after it are not a period late for ever.
 */
#include "display_fixture.h"

#include <atomic>
#include <map>
#include <mutex>

#include <drm_fourcc.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

constexpr uint64_t bufferCount = 4;
constexpr unsigned before = 3;
constexpr uint64_t frames = 40;
constexpr uint64_t lateFrame = 20;

/* In simulated time, where threads are on time. */
class DisplayCatchingUp : public testing::Test
{
protected:
	void SetUp() override
	{
		for (uint64_t i = 0; i < bufferCount; i++)
			buffers_.push_back(allocate("video@42000000", layout_.size()));
		screen_ = openVkms();
		ASSERT_TRUE(screen_);
		screen_->setLayer({.dropPolicy = DropPolicy::Replace});
		screen_->setFlipHandler([this](const FlipEvent &event) {
			const std::lock_guard lock(mutex_);
			if (event.timestamp && event.cookie)
				visible_[event.cookie] = event.timestamp;
			if (event.timestamp)
				vblank_ = event.timestamp;
		});
		const auto plan = screen_->configure(layout_, buffers_[0].fd());
		ASSERT_TRUE(plan) << textOf(plan);
		/* The first flip is the modeset's, and its time not that of a vblank. */
		for (unsigned i = 0; i < before; i++) {
			show();
			ASSERT_TRUE(screen_->drain(std::chrono::seconds(1)));
		}
		screen_->setFlipDelivery(FlipDelivery::OnRequest);
		period_ = static_cast<int64_t>(1e12) / screen_->mode().refreshMilliHz;
	}

	void show()
	{
		screen_->deliverFlips();
		const Buffer &buffer = buffers_[++cookie_ % bufferCount];
		shownAt_[cookie_] = monotonicNow();
		const auto shown = screen_->show(buffer.fd(), layout_, cookie_);
		ASSERT_TRUE(shown) << textOf(shown);
	}

	/* Each so long after a vblank, but for one that is a period late. */
	void play(int64_t after, uint64_t count = frames)
	{
		const int64_t begin = vblank_ + 4 * period_ + after;
		for (uint64_t n = 0; n < count; n++) {
			sleepUntil(begin + static_cast<int64_t>(n) * period_ +
				   (n == lateFrame ? period_ - ms : 0));
			show();
		}
	}

	/* From show() to the screen, of the frame with that number of play(); 0: not shown */
	int64_t latency(uint64_t number)
	{
		const std::lock_guard lock(mutex_);
		const uint64_t cookie = number + before + 1;
		return visible_.contains(cookie) ? visible_[cookie] - shownAt_[cookie] : 0;
	}

	const FrameLayout layout_ = makeFrameLayout(DRM_FORMAT_XRGB8888, 320, 240).value();
	std::vector<Buffer> buffers_;
	std::mutex mutex_;
	std::map<uint64_t, int64_t> visible_; /* by cookie: ns */
	std::map<uint64_t, int64_t> shownAt_;
	std::atomic<int64_t> vblank_ = 0;
	uint64_t cookie_ = 0;
	int64_t period_ = 0;
	std::unique_ptr<Screen> screen_;
};

} /* namespace */

TEST_F(DisplayCatchingUp, OneLateFrameDelaysNoOtherForLong)
{
	play(5 * ms);
	ASSERT_TRUE(screen_->drain(std::chrono::seconds(1)));
	for (uint64_t n = 2; n < lateFrame; n++)
		EXPECT_LT(latency(n), period_) << "frame " << n;
	for (uint64_t n = lateFrame + 4; n < frames; n++) {
		EXPECT_GT(latency(n), 0) << "frame " << n;
		EXPECT_LT(latency(n), period_) << "frame " << n;
	}
	EXPECT_EQ(screen_->statistics().replaced, 1u);
}

/* Then the newer frame would come too late for the next vblank, and nothing is won by waiting. */
TEST_F(DisplayCatchingUp, FramesThatComeJustBeforeTheVblankAreNotDropped)
{
	play(15 * ms);
	ASSERT_TRUE(screen_->drain(std::chrono::seconds(1)));
	EXPECT_EQ(screen_->statistics().replaced, 0u);
	EXPECT_EQ(screen_->statistics().dropped, 0u);
}

/* Nobody drains, and no newer frame comes: it is shown by the vblank by which it would have been.
 */
TEST_F(DisplayCatchingUp, AFrameThatWaitsInVainMissesNoVblank)
{
	const uint64_t last = lateFrame + 1;
	play(5 * ms, last + 1);
	EXPECT_TRUE(eventually([&] { return latency(last) > 0; }));
	EXPECT_GT(latency(last), period_) << "the one before it was pending";
	EXPECT_LT(latency(last), 2 * period_);
	EXPECT_EQ(screen_->statistics().replaced, 0u);
}
