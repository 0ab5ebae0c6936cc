/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No GObject and no GstMiniObject of ours survives: GStreamer's leaks tracer in a process of its
 * own. */
#include "run_command.h"
#include "vivid.h"

#include <gmock/gmock.h>

#include <format>

using namespace heapflow::test;

namespace
{

/* How the tracer prints an object that is left; "type-name=(string)%s" is the format of it. */
constexpr const char *alive = "object-alive, type-name=(string)G";

class Leaks : public testing::TestWithParam<const char *>
{
};

TEST_P(Leaks, None)
{
	const Vivid vivid("0");
	const std::string line = std::vformat(GetParam(), std::make_format_args(vivid.node()));
	const CommandResult result =
		runCommand("GST_TRACERS=leaks GST_DEBUG=GST_TRACER:7 GST_DEBUG_NO_COLOR=1 "
			   "G_DEBUG=fatal-criticals gst-launch-1.0 " +
			   line);
	EXPECT_TRUE(result.status <= 1 || result.status == 255) << result.status;
	EXPECT_THAT(result.errors, testing::Not(testing::HasSubstr(alive)));
	/* Without this line the tracer did not run. */
	EXPECT_THAT(result.errors, testing::HasSubstr("object-alive.class"));
}

std::string nameOfLine(const testing::TestParamInfo<const char *> &info)
{
	static const char *const names[] = {"Camera", "HeapAlloc", "Error", "Virtual", "Contract"};
	return names[info.index];
}

INSTANTIATE_TEST_SUITE_P(
	Pipelines, Leaks,
	testing::Values("heapcamerasrc camera-name={} num-buffers=20 heap=video@* ! heapkmssink",
			"v4l2src device={} io-mode=dmabuf-import num-buffers=20 ! "
			"heapalloc heap=video@* ! heapkmssink",
			"heapcamerasrc camera-name={} heap=no-such-heap ! heapkmssink",
			"heapcamerasrc camera-name=Virtual0 num-buffers=10 ! heapkmssink",
			"heapcamerasrc camera-name={} heap=video@* require-zero-copy=true "
			"num-buffers=100 ! video/x-raw,format=NV12,width=640,height=360 ! "
			"videoconvert ! video/x-raw,format=BGRx ! heapkmssink"),
	nameOfLine);

} /* namespace */
