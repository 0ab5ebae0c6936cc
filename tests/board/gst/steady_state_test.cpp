/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invariants 1, 3 and 6, watched while pictures play. */
#include "board.h"
#include "clock_looks.h"
#include "dmabuf_witness.h"
#include "pipeline.h"
#include "thread_sleeps.h"
#include "vivid.h"

#include <gst/allocators/gstdmabuf.h>
#include <gst/video/video.h>

#include <filesystem>
#include <format>
#include <fstream>
#include <set>

using namespace heapflow::test;

namespace
{

ino_t identityOf(GstBuffer *buffer)
{
	struct stat status = {};
	fstat(gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(buffer, 0)), &status);
	return status.st_ino;
}

struct Watched {
	Resources resources;
	unsigned dmabufs = 0;
	unsigned mappings = 0;
	double imports = 0;
};

Watched look(Pipeline &pipeline)
{
	return {Resources::now(), openDmabufs("source"), mappedDmabufs("source"),
		pipeline.stat("imports")};
}

/* The state after `first` frames is that after `last`: nothing was taken in between. */
void expectSteady(const std::string &source, unsigned first, unsigned last, bool cpuFree)
{
	Pipeline pipeline(std::format("heapcamerasrc name=source {} num-buffers={} ! "
				      "heapkmssink name=sink sync=false",
				      source, last + 1));
	Watched early, late;
	std::set<ino_t> buffers;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
		buffers.insert(identityOf(buffer));
		if (number == first)
			early = look(pipeline);
		if (number == last)
			late = look(pipeline);
	});
	pipeline.run();
	expectAllShown(pipeline, last + 1);

	const double count = std::stod(pipeline.plan("source", "buffers"));
	EXPECT_LE(early.resources.takeSyncFiles(), count) << "fences of frames under way";
	EXPECT_LE(late.resources.takeSyncFiles(), count) << "fences of frames under way";
	EXPECT_EQ(late.resources, early.resources) << "descriptors or CMA pages";
	EXPECT_EQ(late.dmabufs, early.dmabufs);
	EXPECT_EQ(late.dmabufs, count);
	EXPECT_EQ(early.imports, count) << "each buffer is imported once";
	EXPECT_EQ(late.imports, count);
	EXPECT_EQ(pipeline.stat("framebuffers"), count) << "invariant 3";
	EXPECT_EQ(buffers.size(), count);
	if (cpuFree) {
		EXPECT_EQ(early.mappings, 0U);
		EXPECT_EQ(late.mappings, 0U);
	}
}

TEST(SteadyState, VividTakesNothing)
{
	const Vivid vivid("0");
	expectSteady("camera-name=" + vivid.node() + " heap=video@42000000", 30, 250, true);
}

TEST(SteadyState, VimcTakesNothing)
{
	expectSteady("camera-name=\"platform/vimc.0 Sensor B\" heap=video@42000000", 10, 30, true);
}

/* libcamera's virtual camera draws by CPU and maps each frame itself, so mappings come and go. */
TEST(SteadyState, VirtualTakesNothing)
{
	expectSteady("camera-name=Virtual0 heap=video@42000000", 15, 50, false);
}

/*
 * Waking a thread costs more than all else that a frame takes. The thread of the display looks in
 * four times a second (Screen::deliverFlips()), and not at each of the 60 flips.
 */
TEST(SteadyState, NoThreadIsWokenForAFlip)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} num-buffers=200 "
				      "heap=video@42000000 ! heapkmssink name=sink sync=false",
				      vivid.node()));
	unsigned long before = 0, after = 0;
	pipeline.onBuffer([&](GstBuffer *, unsigned number) {
		if (number == 60)
			before = sleepsOf("heapflow-flip");
		if (number == 180)
			after = sleepsOf("heapflow-flip");
	});
	pipeline.run();
	expectAllShown(pipeline, 200);
	EXPECT_GT(before, 0U);
	EXPECT_LE(after - before, 12U) << "in two seconds";
}

/*
 * Six of ours: when a frame is asked for, when it came, when the sink has it, when the flip before
 * it was heard of, and before and after its commit. The seventh is GStreamer's.
 */
TEST(SteadyState, TheClockIsLookedAtSevenTimesAFrame)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} num-buffers=200 "
				      "heap=video@42000000 ! heapkmssink name=sink sync=false",
				      vivid.node()));
	constexpr unsigned first = 60, last = 180;
	unsigned long before = 0, after = 0;
	pipeline.onBuffer([&](GstBuffer *, unsigned number) {
		if (number == first)
			before = clockLooks();
		if (number == last)
			after = clockLooks();
	});
	pipeline.run();
	expectAllShown(pipeline, 200);
	const double each = double(after - before) / (last - first);
	EXPECT_GE(each, 5) << "it is not counted";
	EXPECT_LE(each, 7.5);
}

/*
 * Invariant 1: when a frame arrives, the one before it is on the screen or about to be, and must
 * not be with its pool, which would have given it to the camera. GStreamer sets GstBuffer::pool as
 * long as a buffer is out of its pool.
 */
TEST(SteadyState, TheBufferOnTheScreenIsNotBackWithTheCamera)
{
	const Vivid vivid("0");
	/* GstBaseSink's last sample would hold a reference of its own. */
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} num-buffers=200 "
				      "heap=video@42000000 ! heapkmssink name=sink sync=false "
				      "enable-last-sample=false",
				      vivid.node()));
	/* Valid as long as the pool lives: it makes no new buffers. */
	GstBuffer *before = nullptr;
	unsigned tooEarly = 0, same = 0;
	std::set<GstBuffer *> returned;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned) {
		/* Time for the flip of the frame before: that it happened must not be enough. */
		g_usleep(25000);
		tooEarly += before && !before->pool;
		same += buffer == before;
		if (before)
			returned.insert(before);
		before = buffer;
	});
	pipeline.run();
	expectAllShown(pipeline, 200);
	EXPECT_EQ(tooEarly, 0U);
	EXPECT_EQ(same, 0U);
	EXPECT_GT(returned.size(), 1U) << "buffers do come back";
}

TEST(SteadyState, FramesSayWhatTheyAre)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} num-buffers=60 "
				      "heap=video@42000000 ! heapkmssink name=sink sync=false",
				      vivid.node()));
	GstCaps *arrival = gst_caps_from_string("timestamp/x-heapflow-arrival");
	uint64_t last = 0;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
		const uint64_t sequence = GST_BUFFER_OFFSET(buffer);
		const bool gap = number > 1 && sequence != last + 1;
		/* Invariant 13. GstBaseSrc marks the first. */
		if (number > 1) {
			EXPECT_EQ(bool(GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT)),
				  gap)
				<< number;
		}
		last = sequence;
		EXPECT_TRUE(GST_BUFFER_PTS_IS_VALID(buffer));
		EXPECT_NE(gst_buffer_get_reference_timestamp_meta(buffer, arrival), nullptr);
		EXPECT_EQ(gst_buffer_n_memory(buffer), 1U) << "invariant 2";
		EXPECT_EQ(gst_buffer_get_size(buffer), 1280U * 720 * 3 / 2) << "invariant 11";
		const GstVideoMeta *meta = gst_buffer_get_video_meta(buffer);
		ASSERT_NE(meta, nullptr);
		EXPECT_EQ(meta->n_planes, 2U);
		EXPECT_EQ(meta->offset[0], 0U);
		EXPECT_EQ(meta->offset[1], 1280U * 720);
		EXPECT_TRUE(GST_MEMORY_IS_PHYSICALLY_CONTIGUOUS(gst_buffer_peek_memory(buffer, 0)));
		EXPECT_EQ(nameOf(gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(buffer, 0))),
			  "source");
	});
	pipeline.run();
	expectAllShown(pipeline, 60);
	gst_caps_unref(arrival);
}

} /* namespace */
