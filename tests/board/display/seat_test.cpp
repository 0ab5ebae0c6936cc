/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The display as a seat manager lends it: seatd, started for the test. */
#include "display_fixture.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

class SeatDaemon
{
public:
	SeatDaemon()
	{
		pid_ = fork();
		if (pid_ == 0) {
			/* The board has no virtual terminals. */
			setenv("SEATD_VTBOUND", "0", 1);
			execlp("seatd", "seatd", nullptr);
			_exit(127);
		}
		EXPECT_TRUE(eventually([] { return access("/run/seatd.sock", F_OK) == 0; }));
	}

	~SeatDaemon()
	{
		kill(pid_, SIGTERM);
		waitpid(pid_, nullptr, 0);
	}

	SeatDaemon(const SeatDaemon &) = delete;
	SeatDaemon &operator=(const SeatDaemon &) = delete;

private:
	pid_t pid_;
};

} /* namespace */

TEST(DisplaySeat, WithoutAManagerSaysSo)
{
	const auto screen = Screen::open({.driver = "vkms", .seat = true});
	ASSERT_FALSE(screen);
	EXPECT_THAT(screen.error().text(), testing::HasSubstr("seat"));
}

TEST(DisplaySeat, LendsTheDisplay)
{
	const SeatDaemon daemon;
	const FrameLayout layout = makeFrameLayout(DRM_FORMAT_NV12, 640, 480).value();
	const Buffer buffer = allocate("video@42000000", layout.size());
	for (int round = 0; round < 2; round++) {
		const auto screen = Screen::open({.driver = "vkms", .seat = true});
		ASSERT_TRUE(screen) << textOf(screen);
		ASSERT_TRUE((*screen)->configure(layout, buffer.fd()));
		ASSERT_TRUE((*screen)->show(buffer.fd(), layout, 1));
		ASSERT_TRUE((*screen)->drain(std::chrono::seconds(1)));
		EXPECT_TRUE((*screen)->screenshot());
	}
	EXPECT_TRUE(framebuffersOfDevice().empty());
}
