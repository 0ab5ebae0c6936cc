/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapcamerasrc ! heapkmssink: every camera, heap and format, to the end of the stream. */
#include "board.h"
#include "dmabuf_witness.h"
#include "kms_snapshot.h"
#include "pipeline.h"
#include "quiet_board.h"
#include "run_command.h"
#include "vivid.h"

#include <gmock/gmock.h>
#include <gst/allocators/gstdmabuf.h>

#include <format>
#include <tuple>

using namespace heapflow::test;

namespace
{

int descriptorOf(GstBuffer *buffer)
{
	GstMemory *memory = gst_buffer_peek_memory(buffer, 0);
	return gst_is_dmabuf_memory(memory) ? gst_dmabuf_memory_get_fd(memory) : -1;
}

/* Plays, and looks in each frame from which heap the kernel says that it came. */
void expectFramesFrom(const std::string &description, const std::string &heap, unsigned frames)
{
	const Resources before = quietBoard();
	{
		Pipeline pipeline(description);
		std::map<std::string, unsigned> exporters;
		pipeline.onBuffer([&](GstBuffer *buffer, unsigned) {
			exporters[exporterOf(descriptorOf(buffer))]++;
		});
		pipeline.run();
		expectAllShown(pipeline, frames);
		EXPECT_THAT(exporters, testing::ElementsAre(testing::Pair(heap, frames)));
		EXPECT_EQ(pipeline.plan("source", "heap"), heap);
		EXPECT_TRUE(pipeline.warnings().empty()) << pipeline.warnings().front().message;
	}
	EXPECT_EQ(settled(before), before);
}

std::string vividPipeline(const std::string &heap, const std::string &caps, unsigned frames)
{
	return std::format("heapcamerasrc name=source camera-name={} heap={} num-buffers={} ! {} ! "
			   "heapkmssink name=sink sync=false",
			   vividNode(), heap, frames, caps);
}

/* --- vivid --- */

class VividPlaying : public testing::TestWithParam<std::tuple<std::string, std::string>>
{
};

TEST_P(VividPlaying, Shows300FramesAndLeavesNothing)
{
	const Vivid vivid("0");
	const auto &[heap, format] = GetParam();
	expectFramesFrom(
		vividPipeline(heap,
			      "video/x-raw,width=1280,height=720,framerate=60/1,format=" + format,
			      300),
		heap, 300);
}

INSTANTIATE_TEST_SUITE_P(HeapsAndFormats, VividPlaying,
			 testing::Combine(testing::ValuesIn(allHeaps),
					  testing::Values("NV12", "I420", "RGB", "BGRx")),
			 [](const auto &test) {
				 return nameForTest(std::get<0>(test.param) + "_" +
						    std::get<1>(test.param));
			 });

TEST(Playing, DmabufCapsAreNegotiatedWithoutAnyFilter)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} num-buffers=5 ! "
				      "heapkmssink name=sink sync=false",
				      vivid.node()));
	pipeline.run();
	expectAllShown(pipeline, 5);
	const std::string caps = pipeline.plan("source", "caps");
	EXPECT_NE(caps.find("memory:DMABuf"), std::string::npos) << caps;
	EXPECT_EQ(pipeline.plan("source", "width"), "1280");
	EXPECT_EQ(pipeline.plan("source", "height"), "720");
	EXPECT_EQ(pipeline.plan("source", "heap"), "video@42000000") << "the default expression";
}

TEST(Playing, TheFirstCameraAndTheFirstScreenLinkAlone)
{
	Pipeline pipeline("heapcamerasrc name=source num-buffers=5 heap=video@* ! "
			  "heapkmssink name=sink sync=false");
	pipeline.run();
	expectAllShown(pipeline, 5);
}

/* Invariant 5: an element that knows no dma-bufs maps the same memory, and is given its strides. */
TEST(Playing, AnElementThatReadsByCpuGetsTheSameBuffers)
{
	const Vivid vivid("0");
	Pipeline pipeline(
		std::format("heapcamerasrc name=source camera-name={} num-buffers=3 "
			    "heap=system ! video/x-raw,width=320,height=180 ! videoconvert ! "
			    "video/x-raw,format=GRAY8 ! fakesink name=sink",
			    vivid.node()));
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
}

TEST(Playing, TwentyTimesInOneProcess)
{
	const Vivid vivid("0");
	const Resources before = quietBoard();
	{
		Pipeline pipeline(vividPipeline("video@42000000",
						"video/x-raw,width=640,height=360", 1000000));
		for (int i = 0; i < 20; i++) {
			pipeline.setState(GST_STATE_PLAYING);
			ASSERT_TRUE(pipeline.waitShown(2)) << i << ": " << pipeline.errorText();
			pipeline.setState(i % 2 ? GST_STATE_NULL : GST_STATE_READY);
		}
	}
	EXPECT_EQ(settled(before), before);
}

/* Frames that were filled while the pipeline was paused are stale and not shown. */
TEST(Playing, PauseAndGoOn)
{
	const Vivid vivid("0");
	Pipeline pipeline(
		vividPipeline("video@42000000", "video/x-raw,width=640,height=360", 1000000));
	std::vector<GstClockTime> times;
	pipeline.onBuffer(
		[&](GstBuffer *buffer, unsigned) { times.push_back(GST_BUFFER_PTS(buffer)); });
	pipeline.setState(GST_STATE_PLAYING);
	ASSERT_TRUE(pipeline.waitShown(5)) << pipeline.errorText();
	pipeline.setState(GST_STATE_PAUSED);
	g_usleep(300000);
	const double shown = pipeline.stat("shown");
	pipeline.setState(GST_STATE_PLAYING);
	ASSERT_TRUE(pipeline.waitShown(uint64_t(shown) + 5)) << pipeline.errorText();
	pipeline.setState(GST_STATE_NULL);
	EXPECT_TRUE(std::ranges::is_sorted(times));
}

/* --- libcamera --- */

class VimcPlaying : public testing::TestWithParam<std::string>
{
};

TEST_P(VimcPlaying, ShowsFramesAndLeavesNothing)
{
	ASSERT_NE(moduleParameter("vimc", "allocator"), "1")
		<< "this is for a board without vimc.allocator=1";
	/* vimc renders in software, 6 to 9 frames a second in real time. */
	const unsigned frames = GetParam() == "video@42000000" ? 60 : 8;
	expectFramesFrom(
		std::format("heapcamerasrc name=source camera-name=\"platform/vimc.0 Sensor "
			    "B\" heap={} num-buffers={} ! "
			    "video/x-raw,format=RGB,width=640,height=480 ! "
			    "heapkmssink name=sink sync=false",
			    GetParam(), frames),
		GetParam(), frames);
}

INSTANTIATE_TEST_SUITE_P(Heaps, VimcPlaying, testing::ValuesIn(allHeaps),
			 [](const auto &test) { return nameForTest(test.param); });

class VirtualPlaying : public testing::TestWithParam<std::string>
{
};

TEST_P(VirtualPlaying, ShowsFramesAndLeavesNothing)
{
	expectFramesFrom(
		std::format("heapcamerasrc name=source camera-name=Virtual0 heap={} "
			    "num-buffers=60 ! video/x-raw,format=NV12,width=640,height=480 ! "
			    "heapkmssink name=sink sync=false",
			    GetParam()),
		GetParam(), 60);
}

INSTANTIATE_TEST_SUITE_P(Heaps, VirtualPlaying, testing::ValuesIn(allHeaps),
			 [](const auto &test) { return nameForTest(test.param); });

/* --- gst-launch-1.0 --- */

TEST(Launch, EndsWithSuccessAtTheEndOfTheStream)
{
	const Vivid vivid("0");
	const CommandResult result = runCommand(
		"gst-launch-1.0 heapcamerasrc num-buffers=20 camera-name=" + vivid.node() +
		" heap='video@*' ! heapkmssink");
	EXPECT_EQ(result.status, 0) << result.errors;
	EXPECT_NE(result.output.find("Got EOS"), std::string::npos) << result.output;
}

/*
 * Invariant 14: Ctrl-C, with and without -e, leaves the screen as it was. In the foreground, or
 * timeout sends the signal to its whole group as well, and the second one kills gst-launch.
 */
class Interrupted : public testing::TestWithParam<const char *>
{
};

TEST_P(Interrupted, LeavesTheScreenAsItWas)
{
	const Vivid vivid("0");
	const heapflow::UniqueFd console(lightScreen());
	ASSERT_TRUE(console.valid());
	const KmsSnapshot before = snapshotVkms();
	const CommandResult result = runCommand(
		std::format("timeout --foreground --preserve-status --signal=INT --kill-after=20 3 "
			    "gst-launch-1.0 {} heapcamerasrc camera-name={} heap='video@*' ! "
			    "heapkmssink",
			    GetParam(), vivid.node()));
	EXPECT_NE(result.output.find("handling interrupt"), std::string::npos)
		<< result.status << result.output << result.errors;
	EXPECT_LT(result.status, 128) << "killed by a signal";
	EXPECT_EQ(differences(before, snapshotVkms()), "");
	darkenScreen();
}

INSTANTIATE_TEST_SUITE_P(Launch, Interrupted, testing::Values("-e", ""), [](const auto &test) {
	return std::string(test.param).empty() ? "AtOnce" : "WithEndOfStream";
});

} /* namespace */
