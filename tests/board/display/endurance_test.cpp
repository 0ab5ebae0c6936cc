/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Thousands of commits, and nothing grows. On a board with simulated time they take seconds. */
#include "display_fixture.h"

#include <cstdlib>
#include <filesystem>
#include <malloc.h>

#include <drm_fourcc.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

/* HEAPFLOW_COMMITS=20000 is the long form. */
uint64_t commitCount()
{
	const char *text = std::getenv("HEAPFLOW_COMMITS");
	const uint64_t count = text ? std::strtoull(text, nullptr, 10) : 0;
	return count ? count : 2000;
}

/* Bytes that malloc() has handed out. */
size_t allocatedBytes()
{
	return mallinfo2().uordblks;
}

uint64_t slabKilobytes()
{
	const std::string text = readText("/proc/meminfo");
	const size_t at = text.find("\nSlab:");
	return at == std::string::npos ? 0 : std::strtoull(&text[at + 6], nullptr, 10);
}

} /* namespace */

TEST(DisplayEndurance, ManyCommitsWithoutGrowth)
{
	constexpr uint64_t warmUp = 100;
	const uint64_t commits = commitCount();
	const FrameLayout layout = makeFrameLayout(DRM_FORMAT_NV12, 640, 480).value();
	std::vector<Buffer> buffers;
	for (int i = 0; i < 4; i++)
		buffers.push_back(allocate("video@42000000", layout.size()));
	const auto screen = openVkms();
	ASSERT_TRUE(screen);
	std::atomic<uint64_t> flips = 0;
	screen->setFlipHandler([&](const FlipEvent &) { flips++; });
	ASSERT_TRUE(screen->configure(layout, buffers[0].fd()));
	const auto showFrames = [&](uint64_t first, uint64_t last) {
		for (uint64_t cookie = first; cookie <= last; cookie++) {
			const auto shown = screen->show(buffers[cookie % 4].fd(), layout, cookie);
			ASSERT_TRUE(shown) << cookie << ": " << textOf(shown);
		}
		ASSERT_TRUE(screen->drain(std::chrono::seconds(1)));
	};

	showFrames(1, warmUp);
	/* Measured once before it counts: streams and directories keep what they need first. */
	(void)openDescriptors(), (void)freeCmaPages(), (void)slabKilobytes();
	const size_t descriptors = openDescriptors();
	const uint64_t pages = freeCmaPages();
	const uint64_t slab = slabKilobytes();
	const size_t bytes = allocatedBytes();
	showFrames(warmUp + 1, warmUp + commits);

	EXPECT_EQ(allocatedBytes(), bytes);
	EXPECT_EQ(flips, warmUp + commits);
	EXPECT_EQ(openDescriptors(), descriptors);
	EXPECT_EQ(freeCmaPages(), pages);
	EXPECT_EQ(framebuffersOfDevice().size(), 4u);
	EXPECT_EQ(attachments(buffers[0].fd()), 1);
	EXPECT_EQ(screen->counts().imports, 4u);
	/* A leak of the smallest object that a commit makes would be 64 bytes a commit. The debug
	 * kernel keeps what is freed for a while (KASAN's quarantine), and has kmemleak instead. */
	if (!std::filesystem::exists("/sys/kernel/debug/kmemleak")) {
		EXPECT_LT(slabKilobytes(), slab + 64 * commits / 1024 + 256);
	}
	const ScreenStatistics counts = screen->statistics();
	EXPECT_EQ(counts.shown, warmUp + commits);
	EXPECT_EQ(counts.dropped, 0u);
	EXPECT_EQ(counts.overdue, 0u);
}
