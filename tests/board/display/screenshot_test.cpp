/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the screen back beside everything else that happens. */
#include "display_fixture.h"
#include "kms_snapshot.h"
#include "picture.h"

#include <atomic>
#include <cerrno>
#include <thread>

#include <drm_fourcc.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

const FrameLayout &flatLayout()
{
	static const FrameLayout layout = makeFrameLayout(DRM_FORMAT_XRGB8888, 640, 480).value();
	return layout;
}

Buffer flatBuffer(Components colour)
{
	Buffer buffer = allocate("system", flatLayout().size());
	drawFlat(flatLayout(), buffer.map(Access::Write).value().bytes(), colour);
	return buffer;
}

bool isFlat(const Image &image, Rgb colour)
{
	for (uint32_t y = 0; y < image.height; y++) {
		for (uint32_t x = 0; x < image.width; x++) {
			if (pixelOf(image, x, y) != colour)
				return false;
		}
	}
	return !image.pixels.empty();
}

} /* namespace */

TEST(DisplayScreenshot, DarkScreenIsAnError)
{
	const auto screen = openVkms();
	ASSERT_TRUE(screen);
	const auto image = screen->screenshot();
	ASSERT_FALSE(image);
	EXPECT_EQ(image.error().code, ENODATA) << image.error().text();
}

TEST(DisplayScreenshot, IsTheFrameShownLastEachTime)
{
	const auto screen = openVkms();
	ASSERT_TRUE(screen);
	const Rgb colours[] = {{200, 10, 30}, {5, 250, 100}, {17, 34, 255}};
	std::vector<Buffer> buffers;
	for (const Rgb &colour : colours)
		buffers.push_back(flatBuffer(colour));
	ASSERT_TRUE(screen->configure(flatLayout(), buffers[0].fd()));
	for (size_t i = 0; i < buffers.size(); i++) {
		ASSERT_TRUE(screen->show(buffers[i].fd(), flatLayout(), i + 1));
		const auto image = screen->screenshot();
		ASSERT_TRUE(image) << textOf(image);
		EXPECT_TRUE(isFlat(*image, colours[i])) << "frame " << i + 1;
	}
}

TEST(DisplayScreenshot, LeavesTheFrameAndDetachesTheConnector)
{
	const auto screen = openVkms();
	ASSERT_TRUE(screen);
	const Buffer buffer = flatBuffer({1, 2, 3});
	ASSERT_TRUE(screen->configure(flatLayout(), buffer.fd()));
	ASSERT_TRUE(screen->show(buffer.fd(), flatLayout(), 1));
	ASSERT_TRUE(screen->drain(std::chrono::seconds(1)));
	const KmsSnapshot before = snapshotVkms();
	const size_t descriptors = openDescriptors();
	const size_t framebuffers = framebuffersOfDevice().size();
	ASSERT_TRUE(screen->screenshot());
	EXPECT_EQ(differences(before, snapshotVkms()), "");
	EXPECT_EQ(openDescriptors(), descriptors);
	EXPECT_EQ(framebuffersOfDevice().size(), framebuffers);
}

TEST(DisplayScreenshot, WhileAnotherThreadShowsFrames)
{
	const auto screen = openVkms();
	ASSERT_TRUE(screen);
	FlipLog log;
	screen->setFlipHandler(log.handler());
	const Rgb colours[] = {{255, 0, 0}, {0, 0, 255}};
	const Buffer buffers[] = {flatBuffer(colours[0]), flatBuffer(colours[1])};
	ASSERT_TRUE(screen->configure(flatLayout(), buffers[0].fd()));

	std::atomic<bool> stop = false;
	std::atomic<uint64_t> shown = 0;
	std::string refused;
	std::thread camera([&] {
		for (uint64_t cookie = 1; !stop; cookie++) {
			const auto result =
				screen->show(buffers[cookie % 2].fd(), flatLayout(), cookie);
			if (!result) {
				refused = result.error().text();
				return;
			}
			shown = cookie;
		}
	});
	ASSERT_TRUE(log.wait(3));
	for (int i = 0; i < 3; i++) {
		const auto image = screen->screenshot();
		EXPECT_TRUE(image) << textOf(image);
		/* Of one frame, not of two halves. */
		EXPECT_TRUE(image && (isFlat(*image, colours[0]) || isFlat(*image, colours[1])));
		EXPECT_TRUE(log.wait(log.events().size() + 3)) << "frames go on";
	}
	stop = true;
	camera.join();
	EXPECT_EQ(refused, "");
	ASSERT_TRUE(screen->drain(std::chrono::seconds(1)));
	const auto events = log.events();
	ASSERT_EQ(events.size(), shown);
	for (size_t i = 0; i < events.size(); i++)
		EXPECT_EQ(events[i].released, i);
}

/* Needs the board's kernel argument vkms.enable_writeback=0. */
TEST(DisplayWithoutWriteback, ScreenshotIsComposedByTheCpu)
{
	const auto screen = openVkms({.mode = "1024x768"});
	ASSERT_TRUE(screen);
	FrameLayout layout = makeFrameLayout(DRM_FORMAT_NV12, 640, 480).value();
	layout.colorimetry = {ColorEncoding::BT709, ColorRange::Limited};
	const Buffer buffer = allocate("video@42000000", layout.size());
	drawPicture(layout, buffer.map(Access::Write)->bytes());
	screen->setLayer({.rectangle = {100, 50, 640, 480}});
	const auto plan = screen->configure(layout, buffer.fd());
	ASSERT_TRUE(plan) << textOf(plan);
	ASSERT_TRUE(screen->show(buffer.fd(), layout, 1));
	const auto image = screen->screenshot();
	ASSERT_TRUE(image) << textOf(image);
	const Comparison comparison = comparePicture(*image, layout, plan->x, plan->y, 2);
	EXPECT_EQ(comparison.wrong, 0u) << comparison.firstWrong;
	EXPECT_EQ(pixelOf(*image, 0, 0), (Rgb{0, 0, 0})) << "outside of the frame";
	EXPECT_EQ(screen->counts().framebuffers, 1u);
}

/* Needs the board's kernel argument vkms.enable_overlay=0. */
TEST(DisplayWithoutOverlay, PrimaryPlaneAloneServes)
{
	const auto screen = openVkms();
	ASSERT_TRUE(screen);
	ASSERT_EQ(screen->formats().front().planes.size(), 1u) << "boot with vkms.enable_overlay=0";
	const Buffer buffer = flatBuffer({9, 8, 7});
	const auto plan = screen->configure(flatLayout(), buffer.fd());
	ASSERT_TRUE(plan) << textOf(plan);
	EXPECT_EQ(plan->planeType, "primary");
	ASSERT_TRUE(screen->show(buffer.fd(), flatLayout(), 1));
	const auto image = screen->screenshot();
	ASSERT_TRUE(image) << textOf(image);
	EXPECT_TRUE(isFlat(*image, {9, 8, 7}));
}
