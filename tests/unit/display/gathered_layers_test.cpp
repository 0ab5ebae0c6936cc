/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layers of one CRTC whose frames wait for each other, and go into one commit. */
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
 * A screen of 1 Hz, so that a machine that is slow at the moment misses no vblank: frames that come
 * now are committed 750 ms after the last vblank at the latest.
 */
class GatheredLayers : public testing::Test
{
protected:
	void SetUp() override
	{
		for (unsigned i = 0; i < 2; i++) {
			screens_[i] = openFake(fake_);
			ASSERT_TRUE(screens_[i]);
			told_[i].listenTo(*screens_[i]);
			screens_[i]->setLayer({.rectangle = {int(i) * 640, 0, 640, 480}});
			ASSERT_TRUE(screens_[i]->configure(layout_, buffers_[0].get()));
			ASSERT_TRUE(screens_[i]->show(buffers_[0].get(), layout_, 1));
			screens_[i]->setFlipDelivery(FlipDelivery::OnRequest);
		}
		fake_.setInstantFlips(false);
		/* Both bring a frame each 300 ms, as far as can be seen. */
		for (uint64_t cookie = 2; cookie < 4; cookie++) {
			std::this_thread::sleep_for(300ms);
			for (unsigned i = 0; i < 2; i++) {
				ASSERT_TRUE(show(i, cookie));
				finish();
			}
		}
		before_ = fake_.commits().size();
	}

	/* Each waits for its flip. */
	void TearDown() override
	{
		fake_.setInstantFlips(true);
		fake_.flip();
	}

	Result<void> show(unsigned screen, uint64_t cookie)
	{
		screens_[screen]->deliverFlips();
		return screens_[screen]->show(buffers_[cookie % 4].get(), layout_, cookie);
	}

	/* All that waits is on the screen, and a vblank is now. */
	void finish()
	{
		for (auto &screen : screens_) {
			auto drained = std::async(std::launch::async,
						  [&] { return screen->drain(10s).has_value(); });
			while (drained.wait_for(1ms) != std::future_status::ready)
				fake_.flip(monotonicNow());
			ASSERT_TRUE(drained.get());
		}
	}

	size_t commits() const { return fake_.commits().size() - before_; }

	/* Planes that the last commit gave a frame. */
	size_t planesOfLastCommit() const
	{
		const FakeCommit last = fake_.commits().back();
		return static_cast<size_t>(
			std::ranges::count_if(last.properties, [](const auto &property) {
				return property.first.ends_with(" FB_ID");
			}));
	}

	FakeKms fake_{{.modes = {makeMode(1920, 1080, DRM_MODE_TYPE_PREFERRED, 1)},
		       .planes = {FakePlane{}, FakePlane{.type = DRM_PLANE_TYPE_OVERLAY}}}};
	const FrameLayout layout_ = fakeLayout(640, 480);
	const UniqueFd buffers_[4] = {fakeDmabuf(layout_), fakeDmabuf(layout_), fakeDmabuf(layout_),
				      fakeDmabuf(layout_)};
	Told told_[2];
	std::unique_ptr<Screen> screens_[2];
	size_t before_ = 0;
};

} /* namespace */

TEST_F(GatheredLayers, AreInOneCommitOfWhoComesLast)
{
	ASSERT_TRUE(show(0, 4));
	EXPECT_EQ(commits(), 0u) << "it did not wait for the other layer";
	ASSERT_TRUE(show(1, 4));
	EXPECT_EQ(commits(), 1u);
	EXPECT_EQ(planesOfLastCommit(), 2u);
}

/* The frames of the next round wait for the flip as well; who comes after it commits them. */
TEST_F(GatheredLayers, WaitForTheFlipWithoutAThreadThatSleeps)
{
	ASSERT_TRUE(show(0, 4));
	ASSERT_TRUE(show(1, 4));
	ASSERT_TRUE(show(0, 5)) << "a flip is pending";
	ASSERT_TRUE(show(1, 5));
	EXPECT_EQ(commits(), 1u);
	ASSERT_TRUE(fake_.flip(monotonicNow()));
	ASSERT_TRUE(show(0, 6));
	EXPECT_EQ(commits(), 2u);
	EXPECT_EQ(planesOfLastCommit(), 2u);
	EXPECT_EQ(screens_[0]->statistics().dropped, 0u);
}

/* Behind a frame that waits there is no place: the threads wait, and one of them reads the flip. */
TEST_F(GatheredLayers, AreCommittedByOneOfThoseThatWaitForTheFlip)
{
	for (uint64_t cookie = 4; cookie < 6; cookie++) {
		ASSERT_TRUE(show(0, cookie));
		ASSERT_TRUE(show(1, cookie));
	}
	const size_t flips = told_[0].flips().size();
	std::future<void> waiting[2];
	for (unsigned i = 0; i < 2; i++) {
		waiting[i] = std::async(std::launch::async,
					[this, i] { screens_[i]->deliverFlips(10s); });
		ASSERT_EQ(waiting[i].wait_for(20ms), std::future_status::timeout);
	}
	ASSERT_EQ(commits(), 1u);
	ASSERT_TRUE(fake_.flip(monotonicNow()));
	for (auto &each : waiting)
		ASSERT_EQ(each.wait_for(5s), std::future_status::ready);
	EXPECT_EQ(commits(), 2u);
	EXPECT_EQ(planesOfLastCommit(), 2u);
	EXPECT_EQ(told_[0].flips().size(), flips + 1);
	/* There is a place now: nobody waits. */
	screens_[0]->deliverFlips(1h);
}

TEST_F(GatheredLayers, DoNotWaitPastTheVblank)
{
	ASSERT_TRUE(show(0, 4));
	for (unsigned i = 0; i < 1000 && !commits(); i++)
		std::this_thread::sleep_for(5ms);
	EXPECT_EQ(commits(), 1u);
	EXPECT_EQ(planesOfLastCommit(), 1u);
}

TEST_F(GatheredLayers, WaitForNoneThatStopped)
{
	std::this_thread::sleep_for(650ms);
	ASSERT_TRUE(show(0, 4));
	EXPECT_EQ(commits(), 1u);
}

TEST_F(GatheredLayers, WaitForNobodyWhenTheNextFrameIsThere)
{
	ASSERT_TRUE(show(0, 4));
	ASSERT_EQ(commits(), 0u);
	ASSERT_TRUE(show(0, 5));
	EXPECT_EQ(commits(), 1u) << "frame 4, without the other layer";
	EXPECT_EQ(screens_[0]->statistics().dropped, 0u);
}

TEST_F(GatheredLayers, AreCommittedForWhoDrains)
{
	ASSERT_TRUE(show(0, 4));
	ASSERT_EQ(commits(), 0u);
	finish();
	EXPECT_EQ(commits(), 1u);
	EXPECT_EQ(told_[0].flips().back().cookie, 4u);
}

TEST_F(GatheredLayers, AreCommittedBeforeTheFormatChanges)
{
	ASSERT_TRUE(show(0, 4));
	const FrameLayout other = fakeLayout(320, 240);
	const UniqueFd buffer = fakeDmabuf(other);
	auto configured = std::async(std::launch::async, [&] {
		return screens_[0]->configure(other, buffer.get()).has_value();
	});
	while (configured.wait_for(1ms) != std::future_status::ready)
		fake_.flip(monotonicNow());
	EXPECT_TRUE(configured.get());
	EXPECT_EQ(commits(), 1u);
	EXPECT_EQ(told_[0].flips().back().cookie, 4u);
}

TEST_F(GatheredLayers, AreCommittedBeforeTheLayerMoves)
{
	ASSERT_TRUE(show(0, 4));
	auto moved = std::async(std::launch::async,
				[&] { screens_[0]->setLayer({.rectangle = {0, 480, 640, 480}}); });
	while (moved.wait_for(1ms) != std::future_status::ready)
		fake_.flip(monotonicNow());
	EXPECT_EQ(commits(), 1u);
	ASSERT_TRUE(fake_.flip(monotonicNow()));
	fake_.setInstantFlips(true);
	EXPECT_TRUE(show(0, 5));
	EXPECT_EQ(screens_[0]->statistics().dropped, 0u);
}

TEST_F(GatheredLayers, AreForgottenByWhoHides)
{
	ASSERT_TRUE(show(0, 4));
	ASSERT_TRUE(screens_[0]->hide());
	EXPECT_EQ(screens_[0]->statistics().shown, 3u);
	ASSERT_TRUE(show(1, 4));
	for (unsigned i = 0; i < 1000 && told_[1].flips().size() < 4; i++) {
		fake_.flip(monotonicNow());
		screens_[1]->deliverFlips();
		std::this_thread::sleep_for(5ms);
	}
	EXPECT_EQ(told_[1].flips().back().cookie, 4u);
}

/* show() of the frame returned before its commit: the next one says so, and each comes back once.
 */
TEST_F(GatheredLayers, TellTheNextFrameWhenTheyAreRefused)
{
	fake_.setRefusal([](const FakeCommit &) { return ENOSPC; });
	ASSERT_TRUE(show(0, 4));
	for (const auto &refused : {show(1, 4), show(0, 5)}) {
		ASSERT_FALSE(refused);
		EXPECT_EQ(refused.error().code, ENOSPC) << refused.error().text();
	}
	ASSERT_TRUE(told_[0].waitFlips(4));
	EXPECT_EQ(told_[0].released().back(), 4u);
	EXPECT_EQ(screens_[0]->statistics().refused, 1u);
	/* The last frame has no next one. */
	EXPECT_TRUE(told_[0].waitNotice(ScreenNotice::Kind::Refused));
	fake_.setRefusal({});
	ASSERT_TRUE(show(0, 6));
	finish();
	EXPECT_TRUE(told_[1].notices().empty()) << "its show() said so";
	EXPECT_EQ(told_[0].flips().back().cookie, 6u);
	EXPECT_EQ(std::ranges::count(told_[0].released(), 5u), 0) << "show() gave it back";
}

TEST_F(GatheredLayers, DoNotWaitForALayerThatIsToBeShownAtOnce)
{
	screens_[1]->setFlipDelivery(FlipDelivery::AtOnce);
	ASSERT_TRUE(show(0, 4));
	EXPECT_EQ(commits(), 1u);
}
