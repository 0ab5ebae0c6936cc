/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapctl screenshot: of the screen of another program, and of a dark one. */
#include "display_fixture.h"
#include "heapflow/display/screen_capture.h"
#include "other_process.h"
#include "picture.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include <drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

FrameLayout pictureLayout()
{
	FrameLayout layout = makeFrameLayout(DRM_FORMAT_NV12, 640, 480).value();
	layout.colorimetry = {ColorEncoding::BT709, ColorRange::Limited};
	return layout;
}

int showPicture()
{
	const FrameLayout layout = pictureLayout();
	auto screen = openVkms({.mode = "1024x768"});
	const Buffer buffer = allocate("video@42000000", layout.size());
	drawPicture(layout, buffer.map(Access::Write)->bytes());
	screen->setLayer({.transform = Transform::Rotate180});
	if (!screen->configure(layout, buffer.fd()) || !screen->show(buffer.fd(), layout, 1) ||
	    !screen->drain(std::chrono::seconds(1)))
		return 1;
	OtherProcess::tellReady();
	return OtherProcess::waitForEnd();
}

} /* namespace */

TEST(DisplayCapture, OfAnotherProgramsScreen)
{
	OtherProcess other(showPicture);
	ASSERT_TRUE(other.ready());
	const auto capture = captureScreen({.driver = "vkms"});
	ASSERT_TRUE(capture) << textOf(capture);
	EXPECT_EQ(capture->method, "mapping") << "the other program is master";
	EXPECT_EQ(capture->connector, "Virtual-1");
	ASSERT_EQ(capture->image.width, 1024u);
	/* In the middle, upside down. */
	const FrameLayout layout = pictureLayout();
	unsigned wrong = 0;
	for (uint32_t y = 0; y < 480; y++) {
		for (uint32_t x = 0; x < 640; x++) {
			const Rgb found = pixelOf(capture->image, 192 + x, 144 + y);
			const Rgb wanted = expectedAt(layout, 639 - x, 479 - y);
			for (size_t i = 0; i < 3; i++)
				wrong += std::abs(found[i] - wanted[i]) > 1;
		}
	}
	EXPECT_EQ(wrong, 0u);
	EXPECT_EQ(pixelOf(capture->image, 0, 0), (Rgb{0, 0, 0}));
	EXPECT_EQ(other.end(), 0) << "it was not disturbed";
}

TEST(DisplayCapture, OfADarkScreen)
{
	const auto capture = captureScreen({.driver = "vkms"});
	ASSERT_FALSE(capture);
	EXPECT_EQ(capture.error().code, ENODATA) << textOf(capture);
	EXPECT_EQ(captureScreen({.driver = "nobody"}).error_or(Error{}).code, ENOENT);
}

TEST(DisplayCapture, ByTheTool)
{
	OtherProcess other(showPicture);
	ASSERT_TRUE(other.ready());
	const auto run = [](const std::string &arguments) {
		return WEXITSTATUS(std::system(
			("heapctl screenshot " + arguments + " >/tmp/out 2>/tmp/err").c_str()));
	};
	EXPECT_EQ(run("--driver vkms /tmp/screen.png"), 0);
	EXPECT_THAT(readText("/tmp/out"), testing::HasSubstr("/tmp/screen.png: 1024x768, Virtual-1 "
							     "of "));
	EXPECT_THAT(readText("/tmp/screen.png"), testing::StartsWith("\x89PNG"));
	EXPECT_EQ(run("--driver vkms -"), 0);
	EXPECT_EQ(readText("/tmp/out"), readText("/tmp/screen.png")) << "the same, as it should be";
	EXPECT_EQ(run("--driver vkms --json /tmp/screen.png"), 0);
	EXPECT_THAT(readText("/tmp/out"), testing::HasSubstr("\"method\": \"mapping\""));
	EXPECT_EQ(run("--driver vkms /nowhere/screen.png"), 1);
	EXPECT_THAT(readText("/tmp/err"), testing::HasSubstr("/nowhere/screen.png"));
	EXPECT_EQ(run("--driver nobody /tmp/screen.png"), 1);
	EXPECT_EQ(run(""), 2);
	EXPECT_EQ(other.end(), 0);
	EXPECT_EQ(run("--driver vkms /tmp/screen.png"), 1);
	EXPECT_THAT(readText("/tmp/err"), testing::HasSubstr("dark"));
}
