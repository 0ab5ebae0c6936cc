/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What no driver of the board has, through heapcamerasrc, from a made-up node into buffers of a
 * real heap: MJPEG, and a sensor that is not mounted upright.
 */
#include "mjpeg_node.h"
#include "run_command.h"

#include <format>

#include <gmock/gmock.h>

using namespace heapflow::test;

namespace
{

std::string readFile(const std::filesystem::path &path)
{
	std::ostringstream text;
	text << std::ifstream(path).rdbuf();
	return text.str();
}

/* Twelve pictures in four buffers: what was longer before must not be behind a shorter one. */
TEST(CameraMjpeg, EachBufferIsAsLongAsItsPicture)
{
	const TemporaryDirectory directory;
	const CommandResult result = runCommand(std::format(
		"LD_PRELOAD=$HEAPFLOW_BUILD/tests/board/gst/libmjpeg-node.so "
		"gst-launch-1.0 heapcamerasrc camera-name={} heap='video@*' num-buffers=12 ! "
		"image/jpeg,width=640,height=480 ! multifilesink location={}/%02d.jpg",
		mjpegNode, directory.path().string()));
	ASSERT_EQ(result.status, 0) << result.errors;
	unsigned first = 0, found = 0;
	for (unsigned number = 0; number < 12; ++number) {
		const std::string file =
			readFile(directory.path() / std::format("{:02}.jpg", number));
		/* Frames from before PLAYING are not pushed. */
		for (; number == 0 && first < 100 && file.size() != mjpegBytes(first); ++first)
			;
		const auto wanted = mjpegPicture(first + number);
		EXPECT_EQ(file, std::string(wanted.begin(), wanted.end())) << number;
		++found;
	}
	EXPECT_EQ(found, 12U);
}

/* The tag says how to turn the picture to see it upright; the driver's own flips count. */
TEST(CameraTells, ASensorThatIsMountedOtherwiseIsATag)
{
	const struct {
		const char *mounted, *tag;
	} cases[] = {
		{"0 0 0", "rotate-0"},     {"90 0 0", "rotate-270"}, {"180 0 0", "rotate-180"},
		{"270 0 0", "rotate-90"},  {"180 1 1", "rotate-0"},  {"0 1 1", "rotate-180"},
		{"180 1 0", "rotate-180"},
	};
	for (const auto &one : cases) {
		const CommandResult result = runCommand(std::format(
			"{}='{}' LD_PRELOAD=$HEAPFLOW_BUILD/tests/board/gst/libmjpeg-node.so "
			"gst-launch-1.0 -t heapcamerasrc camera-name={} heap='video@*' "
			"num-buffers=2 ! fakesink sync=false",
			mjpegMounted, one.mounted, mjpegNode));
		EXPECT_EQ(result.status, 0) << result.errors;
		EXPECT_THAT(result.output,
			    testing::HasSubstr(std::string("image orientation: ") + one.tag))
			<< one.mounted;
	}
}

} /* namespace */
