/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commits and flips on a display that fails as no real one can be made to. */
#include "display_device.h"
#include "fake_screen.h"
#include "output.h"

#include <cerrno>
#include <thread>

#include <gmock/gmock.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::ElementsAre;
using Kind = ScreenNotice::Kind;

namespace
{

class ScreenCommit : public testing::Test
{
protected:
	void start(FakeDisplay display = {.modes = fakeModes(),
					  .planes = {{}, {.type = DRM_PLANE_TYPE_OVERLAY}}},
		   const LayerOptions &layer = {})
	{
		fake_ = std::make_unique<FakeKms>(std::move(display));
		screen_ = openFake(*fake_);
		ASSERT_TRUE(screen_);
		told_.listenTo(*screen_);
		screen_->setLayer(layer);
		for (int i = 0; i < 4; i++)
			buffers_.push_back(fakeDmabuf(layout_));
		const auto plan = screen_->configure(layout_, buffers_[0].get());
		ASSERT_TRUE(plan) << plan.error().text();
	}

	Result<void> show(uint64_t cookie)
	{
		return screen_->show(buffers_[cookie % 4].get(), layout_, cookie);
	}

	const FrameLayout layout_ = fakeLayout(1920, 1080);
	std::vector<UniqueFd> buffers_;
	std::unique_ptr<FakeKms> fake_;
	Told told_;
	std::unique_ptr<Screen> screen_;
};

} /* namespace */

TEST_F(ScreenCommit, OnlyTheFramebufferChangesFromFrameToFrame)
{
	start();
	for (uint64_t cookie = 1; cookie <= 6; cookie++)
		ASSERT_TRUE(show(cookie));
	ASSERT_TRUE(told_.waitFlips(6));
	EXPECT_THAT(told_.released(), ElementsAre(1u, 2u, 3u, 4u, 5u));
	const FakeCommit last = fake_->commits().back();
	EXPECT_EQ(last.properties.size(), 1u);
	EXPECT_TRUE(last.properties.contains("plane 40 FB_ID"));
	EXPECT_EQ(fake_->framebuffers(), 4u);
	EXPECT_EQ(fake_->handles(), 0u);
	screen_.reset();
	EXPECT_EQ(fake_->framebuffers(), 0u);
	EXPECT_EQ(fake_->blobs(), 0u);
	EXPECT_EQ(fake_->value(FakeKms::crtc, "ACTIVE"), 0u);
}

TEST_F(ScreenCommit, ANewerFrameReplacesTheOneThatWaits)
{
	start({.modes = fakeModes()}, {.dropPolicy = DropPolicy::Replace});
	fake_->setInstantFlips(false);
	ASSERT_TRUE(show(1));
	ASSERT_TRUE(show(2)); /* waits */
	ASSERT_TRUE(show(3)); /* instead of 2 */
	ASSERT_TRUE(told_.waitFlips(1));
	EXPECT_THAT(told_.released(), ElementsAre(2u));
	EXPECT_EQ(told_.flips()[0].cookie, 0u) << "nothing was shown";
	fake_->flip();
	ASSERT_TRUE(told_.waitFlips(2));
	fake_->flip();
	ASSERT_TRUE(told_.waitFlips(3));
	EXPECT_THAT(told_.released(), ElementsAre(2u, 1u));
	const ScreenStatistics counts = screen_->statistics();
	EXPECT_EQ(counts.shown, 2u);
	EXPECT_EQ(counts.dropped, 1u);
	EXPECT_EQ(counts.replaced, 1u);
}

TEST_F(ScreenCommit, BusyAndInterruptedAreTriedAgainAndCounted)
{
	start();
	ASSERT_TRUE(show(1));
	fake_->failCommits(3, EBUSY);
	ASSERT_TRUE(show(2));
	fake_->failCommits(2, EINTR);
	ASSERT_TRUE(show(3));
	fake_->failCommits(2, EAGAIN);
	ASSERT_TRUE(show(4));
	ASSERT_TRUE(told_.waitFlips(4));
	EXPECT_EQ(screen_->statistics().busy, 3u);
	EXPECT_EQ(screen_->statistics().interrupted, 4u);
	EXPECT_EQ(screen_->statistics().dropped, 0u);
}

TEST_F(ScreenCommit, ADriverThatIsBusyForEverIsAnErrorAndNoStall)
{
	start();
	ASSERT_TRUE(show(1));
	fake_->failCommits(1'000'000, EBUSY);
	const auto shown = show(2);
	ASSERT_FALSE(shown);
	EXPECT_TRUE(shown.error().code == EBUSY || shown.error().code == ETIMEDOUT);
	fake_->failCommits(0, 0);
	EXPECT_TRUE(show(3));
}

TEST_F(ScreenCommit, NoSpaceTriesAnotherArrangement)
{
	start();
	fake_->failCommits(1, ENOSPC);
	ASSERT_TRUE(show(1));
	EXPECT_EQ(screen_->statistics().noSpace, 1u);
	EXPECT_EQ(screen_->plan()->planeId, FakeKms::firstPlane + 1);
}

TEST_F(ScreenCommit, ARefusedFrameIsDroppedAndTheNextIsShown)
{
	start();
	ASSERT_TRUE(show(1));
	fake_->failCommits(1, ENOMEM);
	const auto refused = show(2);
	ASSERT_FALSE(refused);
	EXPECT_EQ(refused.error().code, ENOMEM);
	ASSERT_TRUE(show(3));
	ASSERT_TRUE(screen_->drain(std::chrono::seconds(1)));
	EXPECT_THAT(told_.released(), ElementsAre(1u)) << "the error gave frame 2 back";
	EXPECT_EQ(screen_->statistics().refused, 1u);
}

TEST_F(ScreenCommit, AFlipThatDoesNotComeIsReportedAndGotOver)
{
	start();
	fake_->setInstantFlips(false);
	ASSERT_TRUE(show(1));
	const auto second = show(2);
	ASSERT_FALSE(second);
	EXPECT_EQ(second.error().code, ETIMEDOUT);
	EXPECT_TRUE(told_.waitNotice(Kind::FlipOverdue));
	EXPECT_GE(screen_->statistics().overdue, 1u);
	/* It comes at last. */
	fake_->flip();
	ASSERT_TRUE(told_.waitFlips(1));
	EXPECT_TRUE(told_.released().empty()) << "the error gave frame 2 back";
	fake_->setInstantFlips(true);
	EXPECT_TRUE(show(3));
}

TEST_F(ScreenCommit, AnotherMasterPausesAndItsEndResumes)
{
	start();
	ASSERT_TRUE(show(1));
	ASSERT_TRUE(told_.waitFlips(1));
	fake_->setMaster(false);
	EXPECT_TRUE(show(2)) << "taken and dropped";
	EXPECT_TRUE(told_.waitNotice(Kind::MasterLost));
	EXPECT_TRUE(show(3));
	EXPECT_EQ(screen_->statistics().dark, 2u);
	fake_->setMaster(true);
	ASSERT_TRUE(told_.waitNotice(Kind::MasterBack));
	/* The last frame that was shown is back by itself, with all that belongs to it. */
	ASSERT_TRUE(screen_->drain(std::chrono::seconds(1)));
	EXPECT_EQ(told_.flips().back().cookie, 1u);
	EXPECT_EQ(told_.flips().back().released, 0u);
	EXPECT_GT(fake_->commits().back().properties.size(), 1u) << "all is set again";
	ASSERT_TRUE(show(4));
	ASSERT_TRUE(screen_->drain(std::chrono::seconds(1)));
	EXPECT_EQ(told_.notices().size(), 2u) << "each said once";
}

TEST_F(ScreenCommit, ADeviceThatIsGone)
{
	start();
	ASSERT_TRUE(show(1));
	ASSERT_TRUE(told_.waitFlips(1));
	fake_->remove();
	const auto shown = show(2);
	ASSERT_FALSE(shown);
	EXPECT_EQ(shown.error().code, ENODEV) << shown.error().text();
	EXPECT_EQ(show(3).error().code, ENODEV);
	screen_.reset(); /* does not hang */
}

TEST_F(ScreenCommit, TearsWhereTheDriverCanAndElseDoesNot)
{
	FakeDisplay display{.modes = fakeModes()};
	display.asyncFlips = true;
	start(display, {.tearing = true});
	for (uint64_t cookie = 1; cookie <= 3; cookie++)
		ASSERT_TRUE(show(cookie));
	EXPECT_FALSE(fake_->commits()[0].flags & DRM_MODE_PAGE_FLIP_ASYNC) << "the modeset";
	EXPECT_TRUE(fake_->commits()[2].flags & DRM_MODE_PAGE_FLIP_ASYNC);
	/* This format, say, cannot. */
	fake_->setRefusal([](const FakeCommit &commit) {
		return commit.flags & DRM_MODE_PAGE_FLIP_ASYNC ? EINVAL : 0;
	});
	ASSERT_TRUE(show(4));
	EXPECT_EQ(fake_->commits().back().properties.size(), 1u) << "nothing else was wrong";
	ASSERT_TRUE(show(5));
	EXPECT_FALSE(fake_->commits().back().flags & DRM_MODE_PAGE_FLIP_ASYNC);
}

TEST_F(ScreenCommit, WhatSomebodyElseTurnedOffIsSetAgain)
{
	start();
	ASSERT_TRUE(show(1));
	ASSERT_TRUE(told_.waitFlips(1));
	fake_->setValue(FakeKms::crtc, "ACTIVE", 0);
	ASSERT_TRUE(show(2));
	EXPECT_EQ(fake_->value(FakeKms::crtc, "ACTIVE"), 1u);
	EXPECT_EQ(screen_->statistics().refused, 0u);
}

TEST_F(ScreenCommit, FramesWaitForTheirTime)
{
	start();
	fake_->setInstantFlips(false);
	ASSERT_TRUE(show(1));
	const int64_t vblank = std::chrono::steady_clock::now().time_since_epoch().count();
	fake_->flip(vblank);
	ASSERT_TRUE(told_.waitFlips(1));
	fake_->setInstantFlips(true);
	/* 60 Hz: five vblanks from now; to be committed after the fourth. */
	constexpr int64_t period = 1'000'000'000 / 60;
	ASSERT_TRUE(screen_->show({.dmabuf = buffers_[1].get(),
				   .layout = layout_,
				   .cookie = 2,
				   .due = vblank + 5 * period}));
	const int64_t now = std::chrono::steady_clock::now().time_since_epoch().count();
	EXPECT_GE(now, vblank + 4 * period);
}

TEST_F(ScreenCommit, TwoLayersAreOneCommit)
{
	start();
	Told toldAbove; /* outlives the screen, whose thread calls it */
	const auto above = openFake(*fake_);
	toldAbove.listenTo(*above);
	const FrameLayout layout = fakeLayout(640, 480, DRM_FORMAT_XRGB8888);
	const UniqueFd buffer = fakeDmabuf(layout);
	const auto plan = above->configure(layout, buffer.get());
	ASSERT_TRUE(plan) << plan.error().text();
	EXPECT_EQ(plan->planeId, FakeKms::firstPlane + 1);
	ASSERT_TRUE(show(1));
	ASSERT_TRUE(told_.waitFlips(1));

	/* Both wait for the same flip. */
	fake_->setInstantFlips(false);
	ASSERT_TRUE(show(2));
	std::thread first([&] { EXPECT_TRUE(show(3)); });
	std::thread second([&] { EXPECT_TRUE(above->show(buffer.get(), layout, 1)); });
	std::this_thread::sleep_for(std::chrono::milliseconds(100));
	fake_->setInstantFlips(true);
	fake_->flip();
	first.join();
	second.join();
	const FakeCommit both = fake_->commits().back();
	EXPECT_TRUE(both.properties.contains("plane 40 FB_ID"));
	EXPECT_TRUE(both.properties.contains("plane 41 FB_ID"));
	ASSERT_TRUE(toldAbove.waitFlips(1));

	/* One goes, the other stays. */
	ASSERT_TRUE(above->hide());
	EXPECT_EQ(fake_->value(41, "FB_ID"), 0u);
	EXPECT_NE(fake_->value(40, "FB_ID"), 0u);
	EXPECT_TRUE(show(4));
}

/* Rather another mode than a cropped camera, unless somebody asked for the mode. */
TEST_F(ScreenCommit, ALargerLayerMayChangeTheModeOfASmallerOne)
{
	for (const char *asked : {"", "640x480"}) {
		FakeKms fake(
			{.modes = fakeModes(), .planes = {{}, {.type = DRM_PLANE_TYPE_OVERLAY}}});
		const auto small = openFake(fake, {.mode = asked});
		const FrameLayout smallLayout = fakeLayout(640, 480);
		const UniqueFd smallBuffer = fakeDmabuf(smallLayout);
		ASSERT_TRUE(small->configure(smallLayout, smallBuffer.get()));
		ASSERT_TRUE(small->show(smallBuffer.get(), smallLayout, 1));
		ASSERT_EQ(small->plan()->mode.width, 640u);

		const auto large = openFake(fake);
		const UniqueFd buffer = fakeDmabuf(layout_);
		const auto plan = large->configure(layout_, buffer.get());
		ASSERT_TRUE(plan) << plan.error().text();
		const bool fixed = *asked;
		EXPECT_EQ(plan->mode.width, fixed ? 640u : 1920u);
		EXPECT_EQ(plan->arrangement, fixed ? "cropped" : "native");
		ASSERT_TRUE(large->show(buffer.get(), layout_, 1));
		EXPECT_EQ(fake.commits().back().properties.contains("crtc 20 MODE_ID"), !fixed);
	}
}

TEST_F(ScreenCommit, ALayerThatMustBeBelowMovesTheOther)
{
	start({.modes = fakeModes(), .planes = {{}, {.type = DRM_PLANE_TYPE_OVERLAY}}},
	      {.zpos = 1});
	ASSERT_TRUE(show(1));
	EXPECT_EQ(screen_->plan()->planeId, FakeKms::firstPlane);
	const auto below = openFake(*fake_);
	below->setLayer({.zpos = 0});
	const auto plan = below->configure(layout_, buffers_[3].get());
	ASSERT_TRUE(plan) << plan.error().text();
	EXPECT_EQ(plan->planeId, FakeKms::firstPlane);
	EXPECT_EQ(screen_->plan()->planeId, FakeKms::firstPlane + 1) << "it moved up";
	ASSERT_TRUE(below->show(buffers_[3].get(), layout_, 9));
	const FakeCommit commit = fake_->commits().back();
	EXPECT_TRUE(commit.properties.contains("plane 40 FB_ID"));
	EXPECT_TRUE(commit.properties.contains("plane 41 FB_ID")) << "with the frame it had";
}

TEST_F(ScreenCommit, FencesGoInAndOut)
{
	start();
	std::vector<std::pair<uint64_t, uint64_t>> given;
	screen_->setFenceHandler([&](uint64_t cookie, uint64_t released, int fence) {
		given.emplace_back(cookie, released);
		::close(fence);
	});
	UniqueFd fence(memfd_create("fence", 0));
	ASSERT_TRUE(screen_->show({.dmabuf = buffers_[1].get(),
				   .layout = layout_,
				   .cookie = 1,
				   .fence = fence.get()}));
	const FakeCommit commit = fake_->commits().back();
	EXPECT_TRUE(commit.properties.contains("plane 40 IN_FENCE_FD"));
	EXPECT_TRUE(commit.properties.contains("crtc 20 OUT_FENCE_PTR"));
	ASSERT_TRUE(show(2));
	EXPECT_FALSE(fake_->commits().back().properties.contains("plane 40 IN_FENCE_FD"));
}

TEST_F(ScreenCommit, CropsMoveWithoutANewPlan)
{
	start();
	const auto showCrop = [&](uint64_t cookie, Rectangle crop) {
		return screen_->show({.dmabuf = buffers_[cookie % 4].get(),
				      .layout = layout_,
				      .cookie = cookie,
				      .crop = crop});
	};
	ASSERT_TRUE(showCrop(1, {100, 50, 640, 480}));
	const uint64_t plans = screen_->counts().plans;
	ASSERT_TRUE(showCrop(2, {200, 60, 640, 480}));
	EXPECT_EQ(screen_->counts().plans, plans);
	EXPECT_EQ(fake_->commits().back().properties.at("plane 40 SRC_X"), 200u << 16);
	ASSERT_TRUE(showCrop(3, {200, 60, 320, 240}));
	EXPECT_EQ(screen_->counts().plans, plans + 1);
	EXPECT_EQ(showCrop(4, {1900, 0, 640, 480}).error().code, EINVAL);
	EXPECT_EQ(showCrop(4, {-1, 0, 640, 480}).error().code, EINVAL);
}

/* Every call that a Screen makes fails once: an error or none, but no crash, hang or leak. */
TEST(ScreenFailures, OfEveryCallInTurn)
{
	const FrameLayout layout = fakeLayout(960, 540);
	unsigned calls = 1'000'000;
	unsigned errors = 0;
	for (const int code : {EINVAL, ENOMEM, EACCES, ENODEV, EINTR}) {
		for (unsigned failing = 1; failing <= calls; failing++) {
			FakeKms fake({.modes = fakeModes(), .hdr = true, .variableRefresh = true});
			fake.failCall(failing, code);
			const UniqueFd buffer = fakeDmabuf(layout);
			{
				const auto screen = Screen::open({.fd = fake.fd()});
				errors += !screen;
				if (screen) {
					(*screen)->setLayer({.hdr = HdrMetadata{}});
					(void)(*screen)->configure(layout, buffer.get());
					for (uint64_t cookie = 1; cookie <= 3; cookie++)
						errors += !(*screen)->show(buffer.get(), layout,
									   cookie);
					(void)(*screen)->hide();
				}
			}
			if (fake.calls() < failing) {
				calls = failing; /* nothing is left to fail */
				break;
			}
			EXPECT_LE(fake.framebuffers(), 1u) << "call " << failing;
			EXPECT_LE(fake.handles(), 1u) << "call " << failing;
			EXPECT_LE(fake.blobs(), 1u) << "call " << failing;
		}
		ASSERT_GT(calls, 50u);
		ASSERT_LT(calls, 1'000'000u);
		calls += 1000;
	}
	EXPECT_GT(errors, 50u);
}

/* As when a dock is connected: the device's thread is told, here by the test. */
TEST(ScreenHotplug, WaitsForAConnectorThatIsNotThereYet)
{
	FakeKms fake({.modes = fakeModes()});
	EXPECT_EQ(Screen::open({.connector = "HDMI-A-7", .fd = fake.fd()}).error().code, ENOENT);
	const ScreenOptions options{
		.connector = "HDMI-A-7", .fd = fake.fd(), .waitForScreen = true};
	const auto screen = Screen::open(options);
	ASSERT_TRUE(screen) << screen.error().text();
	Told told;
	told.listenTo(**screen);
	const FrameLayout layout = fakeLayout(1920, 1080);
	const UniqueFd buffer = fakeDmabuf(layout);
	ASSERT_TRUE((*screen)->configure(layout, buffer.get()));
	EXPECT_TRUE((*screen)->show(buffer.get(), layout, 1));
	EXPECT_TRUE(fake.commits().empty());

	const auto device = DisplayDevice::adopt(fake.fd());
	ASSERT_TRUE(device);
	const auto output = (*device)->output(options);
	ASSERT_TRUE(output);
	(*output)->hotplug();
	EXPECT_TRUE(told.notices().empty()) << "it is still another connector";
	fake.setConnectorNumber(7);
	(*output)->hotplug();
	EXPECT_TRUE(told.waitNotice(Kind::Plugged));
	EXPECT_TRUE((*screen)->show(buffer.get(), layout, 2));
	ASSERT_EQ(fake.commits().size(), 1u);
	EXPECT_EQ((*screen)->plan()->connector, "HDMI-A-7");
	EXPECT_TRUE((*screen)->hide());
	EXPECT_EQ(fake.value(FakeKms::crtc, "ACTIVE"), 0u) << "restored";
}

/* The frame whose flip does not come any more as well. */
TEST(ScreenHotplug, EachFrameOfAScreenThatGoesIsCountedAsDark)
{
	FakeKms fake({.modes = fakeModes()});
	Told told; /* outlives the screen, whose thread calls it */
	const auto screen = openFake(fake);
	ASSERT_TRUE(screen);
	told.listenTo(*screen);
	const FrameLayout layout = fakeLayout(1920, 1080);
	const UniqueFd buffer = fakeDmabuf(layout);
	ASSERT_TRUE(screen->configure(layout, buffer.get()));
	ASSERT_TRUE(screen->show(buffer.get(), layout, 1));
	ASSERT_TRUE(screen->drain(std::chrono::seconds(10)));
	fake.setInstantFlips(false);
	ASSERT_TRUE(screen->show(buffer.get(), layout, 2));
	fake.setConnected(false);
	const auto device = DisplayDevice::adopt(fake.fd());
	ASSERT_TRUE(device);
	(*(*device)->output({.fd = fake.fd(), .waitForScreen = true}))->hotplug();
	ASSERT_TRUE(told.waitNotice(Kind::Unplugged));
	ASSERT_TRUE(screen->show(buffer.get(), layout, 3));
	const ScreenStatistics counts = screen->statistics();
	EXPECT_EQ(counts.shown, 1u);
	EXPECT_EQ(counts.dark, 2u);
	EXPECT_EQ(counts.dropped, 2u);
}

TEST(ScreenHotplug, StartsWithoutAScreenWhenAsked)
{
	FakeKms fake({.modes = fakeModes()});
	fake.setConnected(false);
	EXPECT_EQ(Screen::open({.fd = fake.fd()}).error().code, ENOTCONN);
	const auto screen = openFake(fake, {.waitForScreen = true});
	ASSERT_TRUE(screen);
	EXPECT_EQ(screen->mode().width, 0u);
	const FrameLayout layout = fakeLayout(1920, 1080);
	const UniqueFd buffer = fakeDmabuf(layout);
	const auto plan = screen->configure(layout, buffer.get());
	ASSERT_TRUE(plan) << plan.error().text();
	EXPECT_EQ(plan->planeId, 0u);
	EXPECT_TRUE(screen->show(buffer.get(), layout, 1));
	EXPECT_EQ(screen->statistics().dark, 1u);
	EXPECT_TRUE(fake.commits().empty());
}
