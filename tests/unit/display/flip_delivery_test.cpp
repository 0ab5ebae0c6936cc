/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which thread learns of a flip, and when: the device's, or the one that brings frames. */
#include "fake_screen.h"

#include <future>
#include <thread>

using namespace heapflow;
using namespace heapflow::test;
using namespace std::chrono_literals;

namespace
{

class FlipsOnRequest : public testing::Test
{
protected:
	void SetUp() override
	{
		screen_ = openFake(fake_);
		ASSERT_TRUE(screen_);
		screen_->setFlipHandler([this](const FlipEvent &event) {
			const std::lock_guard lock(mutex_);
			told_.emplace_back(event.cookie, std::this_thread::get_id());
			changed_.notify_all();
		});
		ASSERT_TRUE(screen_->configure(layout_, buffers_[0].get()));
		screen_->setFlipDelivery(FlipDelivery::OnRequest);
		fake_.setInstantFlips(false);
		/* The device's thread still polls for this one; from now on it knows better. */
		ASSERT_TRUE(show(1));
		ASSERT_TRUE(fake_.flip());
		ASSERT_TRUE(waitTold(1));
		ASSERT_TRUE(screen_->drain(10s));
	}

	Result<void> show(uint64_t cookie)
	{
		return screen_->show(buffers_[cookie % 2].get(), layout_, cookie);
	}

	bool waitTold(size_t count)
	{
		std::unique_lock lock(mutex_);
		return changed_.wait_for(lock, 10s, [&] { return told_.size() >= count; });
	}

	size_t told()
	{
		const std::lock_guard lock(mutex_);
		return told_.size();
	}

	std::thread::id whoToldOf(uint64_t cookie)
	{
		const std::lock_guard lock(mutex_);
		for (const auto &[shown, thread] : told_) {
			if (shown == cookie)
				return thread;
		}
		return {};
	}

	FakeKms fake_{{.modes = fakeModes()}};
	const FrameLayout layout_ = fakeLayout(1920, 1080);
	const UniqueFd buffers_[2] = {fakeDmabuf(layout_), fakeDmabuf(layout_)};
	std::mutex mutex_;
	std::condition_variable changed_;
	std::vector<std::pair<uint64_t, std::thread::id>> told_;
	Told notices_;
	std::unique_ptr<Screen> screen_;
};

} /* namespace */

TEST_F(FlipsOnRequest, AreToldByTheThreadThatAsks)
{
	for (uint64_t cookie = 2; cookie < 10; cookie++) {
		ASSERT_TRUE(show(cookie));
		ASSERT_TRUE(fake_.flip());
		screen_->deliverFlips();
		EXPECT_EQ(whoToldOf(cookie), std::this_thread::get_id()) << cookie;
	}
	EXPECT_EQ(screen_->statistics().shown, 9u);
}

TEST_F(FlipsOnRequest, AreWaitedForByTheThreadThatAsks)
{
	ASSERT_TRUE(show(2));
	const auto flip = std::async(std::launch::async, [&] {
		std::this_thread::sleep_for(20ms);
		return fake_.flip();
	});
	screen_->deliverFlips(10s);
	EXPECT_EQ(whoToldOf(2), std::this_thread::get_id());
}

TEST_F(FlipsOnRequest, AreNotWaitedForForever)
{
	ASSERT_TRUE(show(2));
	screen_->deliverFlips(10ms);
	EXPECT_EQ(told(), 1u);
	/* Nothing is pending: at once. */
	ASSERT_TRUE(fake_.flip());
	screen_->deliverFlips();
	screen_->deliverFlips(1h);
	EXPECT_EQ(told(), 2u);
}

TEST_F(FlipsOnRequest, AreToldAtOnceWhileAFrameWaits)
{
	ASSERT_TRUE(show(2));
	auto shown = std::async(std::launch::async, [&] { return show(3).has_value(); });
	ASSERT_EQ(shown.wait_for(20ms), std::future_status::timeout) << "the flip is pending";
	ASSERT_TRUE(fake_.flip());
	EXPECT_TRUE(shown.get());
	EXPECT_TRUE(waitTold(2));
}

TEST_F(FlipsOnRequest, AreToldAtOnceToWhoDrains)
{
	ASSERT_TRUE(show(2));
	auto drained =
		std::async(std::launch::async, [&] { return screen_->drain(10s).has_value(); });
	ASSERT_EQ(drained.wait_for(20ms), std::future_status::timeout);
	ASSERT_TRUE(fake_.flip());
	EXPECT_TRUE(drained.get());
	EXPECT_EQ(told(), 2u);
	EXPECT_NE(whoToldOf(2), std::this_thread::get_id());
}

/* The last frame of a pipeline that is paused: the one before it goes back all the same. */
TEST_F(FlipsOnRequest, AreToldWhenNobodyAsks)
{
	ASSERT_TRUE(show(2));
	ASSERT_TRUE(fake_.flip());
	EXPECT_TRUE(waitTold(2));
	EXPECT_EQ(screen_->statistics().overdue, 0u);
}

TEST_F(FlipsOnRequest, AreMissedAllTheSame)
{
	notices_.listenTo(*screen_);
	ASSERT_TRUE(show(2));
	EXPECT_TRUE(notices_.waitNotice(ScreenNotice::Kind::FlipOverdue));
	EXPECT_EQ(screen_->statistics().overdue, 1u);
}

/* Its frames go into the commits of the other, which wants to know at once. */
TEST_F(FlipsOnRequest, AreToldAtOnceWhenAnotherLayerWantsIt)
{
	const auto other = openFake(fake_);
	ASSERT_TRUE(other);
	ASSERT_TRUE(show(2));
	ASSERT_TRUE(fake_.flip());
	ASSERT_TRUE(screen_->drain(10s));
	ASSERT_TRUE(show(3));
	ASSERT_TRUE(fake_.flip());
	EXPECT_TRUE(waitTold(3));
	EXPECT_NE(whoToldOf(3), std::this_thread::get_id());
}
