/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invariant 14: the screen is left as it was found, on every way out. */
#include "display_fixture.h"
#include "kms_snapshot.h"
#include "other_process.h"

#include <drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

/* Another mode than the one found, YCbCr with colours of its own, and several flips. */
void useScreen(Screen &screen, bool takeScreenshot)
{
	FrameLayout layout = makeFrameLayout(DRM_FORMAT_NV12, 640, 480).value();
	layout.colorimetry = {ColorEncoding::BT709, ColorRange::Limited};
	std::vector<Buffer> buffers;
	for (int i = 0; i < 2; i++)
		buffers.push_back(allocate("video@42000000", layout.size()));
	const auto plan = screen.configure(layout, buffers[0].fd());
	ASSERT_TRUE(plan) << textOf(plan);
	for (uint64_t cookie = 1; cookie <= 5; cookie++) {
		const auto shown = screen.show(buffers[cookie % 2].fd(), layout, cookie);
		ASSERT_TRUE(shown) << textOf(shown);
	}
	if (takeScreenshot) {
		const auto image = screen.screenshot();
		EXPECT_TRUE(image) << textOf(image);
	}
	/* The buffers go while the last frame is on the screen: it keeps the memory by itself. */
}

} /* namespace */

TEST(DisplayRestore, DarkScreenIsDarkAgain)
{
	const KmsSnapshot before = snapshotVkms();
	ASSERT_EQ(countSet(before, "ACTIVE"), 0);
	{
		const auto screen = openVkms();
		ASSERT_TRUE(screen);
		useScreen(*screen, true);
		EXPECT_NE(differences(before, snapshotVkms()), "")
			<< "the test would prove nothing";
	}
	EXPECT_EQ(differences(before, snapshotVkms()), "");
	EXPECT_THAT(settledFramebuffers({}), testing::IsEmpty());
}

TEST(DisplayRestore, WhatSomebodyElseShowedIsBack)
{
	const UniqueFd owner(lightScreen());
	ASSERT_TRUE(owner.valid());
	const KmsSnapshot before = snapshot(owner.get());
	ASSERT_EQ(countSet(before, "ACTIVE"), 1);
	ASSERT_EQ(countSet(before, "FB_ID"), 1);
	{
		const auto screen = openVkms();
		ASSERT_TRUE(screen);
		EXPECT_EQ(screen->mode().width, 1024u) << "the mode that is set";
		useScreen(*screen, true);
		EXPECT_NE(differences(before, snapshot(owner.get())), "");
	}
	EXPECT_EQ(differences(before, snapshot(owner.get())), "");
	EXPECT_EQ(framebuffersOfDevice().size(), 1u) << "that of the other program";
}

TEST(DisplayRestore, HideRestoresToo)
{
	const UniqueFd owner(lightScreen());
	ASSERT_TRUE(owner.valid());
	const KmsSnapshot before = snapshot(owner.get());
	const auto screen = openVkms();
	ASSERT_TRUE(screen);
	useScreen(*screen, false);
	const auto hidden = screen->hide();
	ASSERT_TRUE(hidden) << textOf(hidden);
	EXPECT_EQ(differences(before, snapshot(owner.get())), "");
}

TEST(DisplayRestore, AlsoWhenConfiguredAgainWithoutAFrame)
{
	const KmsSnapshot before = snapshotVkms();
	{
		const auto screen = openVkms();
		ASSERT_TRUE(screen);
		useScreen(*screen, false);
		const FrameLayout layout = makeFrameLayout(DRM_FORMAT_XRGB8888, 800, 600).value();
		const Buffer buffer = allocate("system", layout.size());
		ASSERT_TRUE(screen->configure(layout, buffer.fd()));
	}
	EXPECT_EQ(differences(before, snapshotVkms()), "");
}

TEST(DisplayRestore, FrameOfTheModeFoundChangesNoMode)
{
	const UniqueFd owner(lightScreen());
	ASSERT_TRUE(owner.valid());
	const KmsSnapshot before = snapshot(owner.get());
	const auto screen = openVkms();
	ASSERT_TRUE(screen);
	const FrameLayout layout = makeFrameLayout(DRM_FORMAT_XRGB8888, 1024, 768).value();
	const Buffer buffer = allocate("system", layout.size());
	ASSERT_TRUE(screen->configure(layout, buffer.fd()));
	ASSERT_TRUE(screen->show(buffer.fd(), layout, 1));
	ASSERT_TRUE(screen->drain(std::chrono::seconds(1)));
	const std::string changed = differences(before, snapshot(owner.get()));
	EXPECT_NE(changed.find("FB_ID"), std::string::npos) << changed;
	EXPECT_EQ(changed.find("MODE_ID"), std::string::npos) << changed;
	EXPECT_EQ(changed.find("ACTIVE"), std::string::npos) << changed;
}

TEST(DisplayRestore, OwnerThatEndedMeanwhileLeavesADarkPlane)
{
	UniqueFd owner(lightScreen());
	ASSERT_TRUE(owner.valid());
	auto screen = openVkms();
	ASSERT_TRUE(screen);
	useScreen(*screen, false);
	owner.reset(); /* its framebuffer goes with it */
	screen.reset();
	const KmsSnapshot after = snapshotVkms();
	EXPECT_EQ(countSet(after, "FB_ID"), 0);
	EXPECT_THAT(settledFramebuffers({}), testing::IsEmpty());
}

TEST(DisplayRestore, UntouchedWhenNothingWasShown)
{
	const UniqueFd owner(lightScreen());
	ASSERT_TRUE(owner.valid());
	const KmsSnapshot before = snapshot(owner.get());
	const FrameLayout layout = makeFrameLayout(DRM_FORMAT_NV12, 640, 480).value();
	const Buffer buffer = allocate("system", layout.size());
	auto screen = openVkms();
	ASSERT_TRUE(screen);
	ASSERT_TRUE(screen->configure(layout, buffer.fd()));
	EXPECT_EQ(differences(before, snapshot(owner.get())), "") << "configure() only tests";
	screen.reset();
	EXPECT_EQ(differences(before, snapshot(owner.get())), "");
}

TEST(DisplayRestore, KilledProcessLeavesNoFrameAndNoMemory)
{
	const uint64_t pages = freeCmaPages();
	OtherProcess other([] {
		auto screen = openVkms();
		if (!screen)
			return 1;
		useScreen(*screen, false);
		OtherProcess::tellReady();
		return OtherProcess::waitForEnd();
	});
	ASSERT_TRUE(other.ready());
	EXPECT_FALSE(framebuffersOfDevice().empty());
	other.kill();

	const KmsSnapshot after = snapshotVkms();
	EXPECT_EQ(countSet(after, "FB_ID"), 0) << "closing the device turned our framebuffers off";
	EXPECT_THAT(settledFramebuffers({}), testing::IsEmpty());
	EXPECT_TRUE(eventually([&] { return freeCmaPages() == pages; })) << freeCmaPages();

	/* And the display works for the next one. */
	const auto screen = openVkms();
	ASSERT_TRUE(screen);
	useScreen(*screen, false);
}
