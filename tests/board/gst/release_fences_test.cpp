/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers that go back to a camera with the fence of the flip that replaces them. */
#include "gst/heap/gstheapreleasefencemeta.h"

#include "board.h"
#include "dmabuf_witness.h"
#include "pipeline.h"
#include "quiet_board.h"
#include "sync_timeline.h"
#include "vivid.h"

#include <chrono>
#include <format>
#include <iostream>
#include <vector>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

constexpr const char *vimc = "camera-name=\"platform/vimc.0 Sensor B\"";

class ReleaseFenceBox : public testing::Test
{
protected:
	~ReleaseFenceBox() override { gst_buffer_unref(buffer_); }

	GstBuffer *buffer_ = gst_buffer_new();
	GstHeapReleaseFenceMeta *box_ = gst_buffer_add_heap_release_fence_meta(buffer_);
	SyncTimeline timeline_;
};

TEST_F(ReleaseFenceBox, GivesWhatWasPostedOnce)
{
	ASSERT_TRUE(timeline_.works());
	ASSERT_TRUE(gst_heap_release_fence_meta_post(box_, timeline_.fence(1).takeFd().release()));
	const Fence taken(UniqueFd(gst_heap_release_fence_meta_take(box_)));
	EXPECT_EQ(taken.status().value(), FenceStatus::Active);
	EXPECT_EQ(gst_heap_release_fence_meta_take(box_), -1);
	timeline_.increase();
	EXPECT_EQ(taken.status().value(), FenceStatus::Signalled);
}

/* A tee to two displays: the camera may write when both are done. */
TEST_F(ReleaseFenceBox, WaitsForAllThatWerePosted)
{
	ASSERT_TRUE(gst_heap_release_fence_meta_post(box_, timeline_.fence(1).takeFd().release()));
	ASSERT_TRUE(gst_heap_release_fence_meta_post(box_, timeline_.fence(2).takeFd().release()));
	const Fence both(UniqueFd(gst_heap_release_fence_meta_take(box_)));
	timeline_.increase();
	EXPECT_EQ(both.status().value(), FenceStatus::Active) << "one of two";
	timeline_.increase();
	EXPECT_EQ(both.status().value(), FenceStatus::Signalled);
}

/* What the sink of a run counted, and how fast it was. */
struct Played {
	double shown = 0, fences = 0, framesPerSecond = 0, latency = 0;
};

/* Somebody else keeps the first `kept` frames, so that the camera has fewer to fill. */
Played play(const std::string &camera, const std::string &sink, unsigned frames, unsigned kept = 1)
{
	Pipeline pipeline(std::format("heapcamerasrc name=source {} heap=video@42000000 "
				      "num-buffers={} ! heapkmssink name=sink sync=false {}",
				      camera, frames, sink));
	std::vector<GstBuffer *> first;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
		if (number <= kept)
			first.push_back(gst_buffer_ref(buffer));
	});
	pipeline.run();
	expectAllShown(pipeline, frames);
	for (GstBuffer *buffer : first)
		gst_buffer_unref(buffer);
	return {pipeline.stat("shown"), pipeline.stat("fences"), pipeline.stat("fps"),
		pipeline.stat("latency-median")};
}

TEST(ReleaseFences, BuffersOfLibcameraGoBackWithOne)
{
	const Played run = play(vimc, "", 20);
	/* The first flip shows nothing of ours before it; the last is not replaced. */
	EXPECT_GE(run.fences, 20.0 - 2);
	EXPECT_LT(run.fences, 20.0);
}

/* A fence is more work for each frame. */
TEST(ReleaseFences, AreNotForACameraThatHasTwoToFill)
{
	EXPECT_EQ(play(vimc, "", 20, 0).fences, 0);
}

TEST(ReleaseFences, AreOffOnRequest)
{
	EXPECT_EQ(play(vimc, "release-fences=false", 8).fences, 0);
}

/*
 * Invariant 1. The fence of a buffer is that of the flip which replaced it, not of an earlier one:
 * it was signalled after the frame that replaced it had come. The test takes it in the camera's
 * place, and so holds the buffer for a while.
 */
TEST(ReleaseFences, AreOfTheFlipThatReplacesTheBuffer)
{
	Pipeline pipeline(std::format("heapcamerasrc name=source {} heap=video@42000000 "
				      "num-buffers=12 ! heapkmssink name=sink sync=false "
				      "enable-last-sample=false",
				      vimc));
	struct Seen {
		GstBuffer *buffer;
		std::chrono::nanoseconds came;
	};
	std::vector<Seen> last;    /* the one on the screen, and the one before it */
	GstBuffer *kept = nullptr; /* all along: the camera has few to fill */
	unsigned looked = 0;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
		if (number == 1) {
			kept = gst_buffer_ref(buffer);
			return;
		}
		last.push_back({gst_buffer_ref(buffer),
				std::chrono::steady_clock::now().time_since_epoch()});
		if (last.size() < 3)
			return;
		GstHeapReleaseFenceMeta *box =
			gst_buffer_get_heap_release_fence_meta(last[0].buffer);
		ASSERT_NE(box, nullptr);
		const Fence fence(UniqueFd(gst_heap_release_fence_meta_take(box)));
		ASSERT_TRUE(fence.wait(std::chrono::seconds(1)));
		const auto info = fence.info();
		ASSERT_TRUE(info) << info.error().text();
		ASSERT_EQ(info->points.size(), 1U);
		EXPECT_GE(info->points[0].time, last[1].came)
			<< "signalled before the frame that replaced it had come";
		gst_buffer_unref(last[0].buffer);
		last.erase(last.begin());
		looked++;
	});
	pipeline.run();
	for (const Seen &seen : last)
		gst_buffer_unref(seen.buffer);
	gst_clear_buffer(&kept);
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_EQ(looked, 9U);
}

/* V4L2 has no fence for QBUF. */
TEST(ReleaseFences, AreNotForV4l2)
{
	const Vivid vivid("0");
	EXPECT_EQ(play("camera-name=" + vivid.node(), "", 30).fences, 0);
}

TEST(ReleaseFences, NothingIsLeft)
{
	const Resources before = quietBoard();
	play(vimc, "", 12);
	EXPECT_EQ(settled(before), before) << "descriptors of fences, or memory";
}

/* Never slower than waiting for the flip; in simulated time, where figures are exact. */
TEST(PacedReleaseFences, CostNoFrameAndNoTime)
{
	const Played with = play(vimc, "", 40);
	const Played without = play(vimc, "release-fences=false", 40);
	EXPECT_GT(with.fences, 0);
	/* A start at another moment of the refresh is one vblank more or less for the whole run. */
	EXPECT_GE(with.framesPerSecond, without.framesPerSecond * 39 / 40);
	EXPECT_LE(with.latency, without.latency * 1.001);
	RecordProperty("fps-with", std::to_string(with.framesPerSecond));
	std::cout << std::format("with fences {:.3f}/s, {:.0f} us; without {:.3f}/s, {:.0f} us\n",
				 with.framesPerSecond, with.latency / 1000, without.framesPerSecond,
				 without.latency / 1000);
}

} /* namespace */
