/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* With DropPolicy::Replace a frame that waited for a flip waits for a newer one, too. */
#include "event_loop.h"
#include "fake_screen.h"

#include <future>
#include <thread>

using namespace heapflow;
using namespace heapflow::test;
using namespace std::chrono_literals;

namespace
{

/*
 * A screen of 1 Hz, so that a machine that is slow at the moment misses no vblank: a frame is
 * committed 750 ms after the last one at the latest. Frames come each 300 ms.
 */
class CatchingUp : public testing::Test
{
protected:
	void SetUp() override
	{
		screen_ = openFake(fake_);
		ASSERT_TRUE(screen_);
		told_.listenTo(*screen_);
		screen_->setLayer({.dropPolicy = DropPolicy::Replace});
		ASSERT_TRUE(screen_->configure(layout_, buffers_[0].get()));
		fake_.setInstantFlips(false);
		for (uint64_t cookie = 1; cookie < 4; cookie++) {
			ASSERT_TRUE(show(cookie));
			ASSERT_TRUE(fake_.flip(monotonicNow()));
			ASSERT_TRUE(told_.waitFlips(cookie));
			std::this_thread::sleep_for(300ms);
		}
	}

	void TearDown() override { fake_.setInstantFlips(true); }

	Result<void> show(uint64_t cookie, int64_t due = 0)
	{
		return screen_->show({.dmabuf = buffers_[cookie % 4].get(),
				      .layout = layout_,
				      .cookie = cookie,
				      .due = due});
	}

	/* Frame 5 waits for the flip of 4, which comes, and says that it was, or will be, at a
	 * time. */
	void flipWhileOneWaits(int64_t early, int64_t due = 0)
	{
		ASSERT_TRUE(show(4));
		std::this_thread::sleep_for(300ms);
		ASSERT_TRUE(show(5, due));
		const size_t commits = fake_.commits().size();
		flippedAt_ = monotonicNow();
		ASSERT_TRUE(fake_.flip(flippedAt_ + early));
		/* Told after the commit, if there is one. */
		ASSERT_TRUE(told_.waitFlips(4));
		committed_ = fake_.commits().size() - commits;
	}

	FakeKms fake_{{.modes = {makeMode(1920, 1080, DRM_MODE_TYPE_PREFERRED, 1)}}};
	const FrameLayout layout_ = fakeLayout(640, 480);
	const UniqueFd buffers_[4] = {fakeDmabuf(layout_), fakeDmabuf(layout_), fakeDmabuf(layout_),
				      fakeDmabuf(layout_)};
	Told told_;
	std::unique_ptr<Screen> screen_;
	int64_t flippedAt_ = 0;
	size_t committed_ = 0;
};

} /* namespace */

TEST_F(CatchingUp, TheNewerFrameIsShownInItsPlace)
{
	flipWhileOneWaits(0);
	EXPECT_EQ(committed_, 0u);
	std::this_thread::sleep_for(300ms);
	ASSERT_TRUE(show(6)) << "which waits for no other, though there is time";
	ASSERT_TRUE(fake_.flip(monotonicNow())) << "committed by who brought it";
	ASSERT_TRUE(screen_->drain(10s));
	EXPECT_EQ(told_.flips().back().cookie, 6u);
	EXPECT_EQ(screen_->statistics().replaced, 1u);
}

/* Hardware tells of a flip in the vblank, and its time is the end of that. */
TEST_F(CatchingUp, AFlipMayBeToldBeforeItsTime)
{
	flipWhileOneWaits(100'000'000);
	EXPECT_EQ(committed_, 0u);
}

/* The newer one may be meant for a later vblank. */
TEST_F(CatchingUp, AFrameWithATimeOfItsOwnIsNotHeldBack)
{
	flipWhileOneWaits(0, monotonicNow());
	EXPECT_EQ(committed_, 1u);
}

TEST_F(CatchingUp, EndsForWhoDrains)
{
	flipWhileOneWaits(0);
	auto drained =
		std::async(std::launch::async, [&] { return screen_->drain(10s).has_value(); });
	while (drained.wait_for(1ms) != std::future_status::ready)
		fake_.flip(monotonicNow());
	EXPECT_TRUE(drained.get());
	EXPECT_EQ(told_.flips().back().cookie, 5u);
	EXPECT_LT(told_.flips().back().arrival - flippedAt_, 700'000'000) << "not by the timer";
	EXPECT_EQ(screen_->statistics().replaced, 0u);
}
