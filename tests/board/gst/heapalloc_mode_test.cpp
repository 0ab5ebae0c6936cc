/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapalloc: what becomes of frames in memory that is not of the heap, and that it is said. */
#include "board.h"
#include "dmabuf_witness.h"
#include "heapalloc_stats.h"
#include "pipeline.h"
#include "vivid.h"

#include <gmock/gmock.h>
#include <gst/allocators/gstdmabuf.h>
#include <gst/video/video.h>

#include <format>
#include <map>

using namespace heapflow::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

namespace
{

constexpr const char *foreignSource =
	"videotestsrc num-buffers=12 pattern=ball ! video/x-raw,format=NV12,width=320,height=240 ! "
	"identity drop-allocation=true ! ";

TEST(HeapAllocMode, PassSaysItOnceAndCountsAll)
{
	Pipeline pipeline(std::string(foreignSource) +
			  "heapalloc name=alloc heap=system ! fakesink name=sink");
	const auto arrived = memoryOfFrames(pipeline);
	pipeline.run();
	AllocStats stats = allocStats(pipeline);
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_THAT(*arrived, ElementsAre(Pair("ordinary", 12U)));
	EXPECT_EQ(stats["foreign"], 12U);
	EXPECT_EQ(stats["passed"], 12U);
	EXPECT_EQ(stats["from-heap"], 0U);
	EXPECT_EQ(stats["copied"] + stats["refused"] + stats["copied-bytes"], 0U);
	ASSERT_EQ(pipeline.warnings().size(), 1U);
	EXPECT_EQ(pipeline.warnings().front().element, "heapalloc");
	EXPECT_THAT(pipeline.warnings().front().message, HasSubstr("ordinary memory"));
	EXPECT_THAT(pipeline.warnings().front().message,
		    HasSubstr("no element before it asked for memory"));
	ASSERT_EQ(pipeline.elementMessages("heapflow-foreign").size(), 1U);
	EXPECT_THAT(pipeline.elementMessages("heapflow-foreign").front(), HasSubstr("reason"));
}

TEST(HeapAllocMode, CopyPutsEveryFrameIntoTheHeap)
{
	Pipeline pipeline(std::string(foreignSource) +
			  "heapalloc name=alloc mode=copy heap=video@42000000 ! fakesink "
			  "name=sink");
	const auto arrived = memoryOfFrames(pipeline);
	pipeline.run();
	AllocStats stats = allocStats(pipeline);
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_THAT(*arrived, ElementsAre(Pair("video@42000000", 12U)));
	EXPECT_EQ(stats["foreign"], 12U);
	EXPECT_EQ(stats["copied"], 12U);
	EXPECT_EQ(stats["copied-bytes"], 12U * 320 * 240 * 3 / 2);
	ASSERT_EQ(pipeline.warnings().size(), 1U);
	EXPECT_THAT(pipeline.warnings().front().message,
		    HasSubstr("Frames are copied into heap video@42000000: "));
	ASSERT_EQ(pipeline.elementMessages("heapflow-copy").size(), 1U);
	for (const char *field : {"reason", "hint", "element", "bytes"})
		EXPECT_THAT(pipeline.elementMessages("heapflow-copy").front(), HasSubstr(field));
	EXPECT_TRUE(pipeline.elementMessages("heapflow-foreign").empty());
}

TEST(HeapAllocMode, RefuseEndsTheStreamAtTheFirst)
{
	Pipeline pipeline(std::string(foreignSource) +
			  "heapalloc name=alloc mode=refuse heap=system ! fakesink name=sink");
	const auto arrived = memoryOfFrames(pipeline);
	pipeline.run();
	expectError(pipeline, "heapalloc", GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION);
	EXPECT_THAT(*arrived, ElementsAre());
}

TEST(HeapAllocMode, RefuseLetsFramesOfTheHeapPass)
{
	Pipeline pipeline("videotestsrc num-buffers=12 ! "
			  "video/x-raw,format=NV12,width=320,height=240 ! "
			  "heapalloc name=alloc mode=refuse heap=system ! fakesink name=sink");
	const auto arrived = memoryOfFrames(pipeline);
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_THAT(*arrived, ElementsAre(Pair("system", 12U)));
}

/* Memory of a heap is not enough: it must be of the one that was named. */
TEST(HeapAllocMode, FramesOfAnotherHeapAreForeign)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("heapcamerasrc camera-name={} buffer-mode=heap num-buffers=8 "
				      "heap=system ! heapalloc name=alloc mode=copy "
				      "heap=video@42000000 ! heapkmssink name=sink sync=false",
				      vivid.node()));
	const auto arrived = memoryOfFrames(pipeline);
	pipeline.run();
	AllocStats stats = allocStats(pipeline);
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_THAT(*arrived, ElementsAre(Pair("video@42000000", 8U)));
	EXPECT_EQ(stats["copied"], 8U);
	ASSERT_FALSE(pipeline.warnings().empty());
	EXPECT_THAT(pipeline.warnings().front().message, HasSubstr("dma-bufs of system"));
}

/* heapcamerasrc wraps its buffers itself; what counts is whose they are. */
TEST(HeapAllocMode, FramesOfTheSameHeapFromACameraAreNotForeign)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("heapcamerasrc camera-name={} buffer-mode=heap num-buffers=8 "
				      "heap=video@42000000 ! heapalloc name=alloc mode=refuse "
				      "heap=video@42000000 ! heapkmssink name=sink sync=false",
				      vivid.node()));
	pipeline.run();
	expectAllShown(pipeline, 8);
	EXPECT_EQ(allocStats(pipeline)["from-heap"], 8U);
}

/* Two names of one region are one heap. */
TEST(HeapAllocMode, TheOtherNameOfTheRegionIsTheSameHeap)
{
	Pipeline pipeline("videotestsrc num-buffers=5 ! "
			  "video/x-raw,format=NV12,width=320,height=240 ! "
			  "heapalloc heap=default_cma_region ! "
			  "heapalloc name=alloc mode=refuse heap=linux,cma ! fakesink name=sink");
	/* The first of the two to answer is the one nearest to the source. */
	const auto arrived = memoryOfFrames(pipeline);
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_THAT(*arrived, ElementsAre(Pair("default_cma_region", 5U)));
}

/* A copy has the pixels, the times and the metas of the original. */
TEST(HeapAllocMode, ACopyIsTheSamePicture)
{
	const auto picturesOf = [](const std::string &mode) {
		Pipeline pipeline(
			"videotestsrc num-buffers=6 pattern=ball ! "
			"video/x-raw,format=I420,width=174,height=130 ! videocrop left=2 ! "
			"identity drop-allocation=true ! "
			"heapalloc name=alloc heap=system mode=" +
			mode + " ! fakesink name=sink");
		std::vector<std::string> pictures;
		pipeline.onBuffer([&](GstBuffer *buffer, unsigned) {
			GstVideoInfo info;
			gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, 172, 130);
			GstVideoFrame frame;
			ASSERT_TRUE(gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ));
			std::string text = std::to_string(GST_BUFFER_PTS(buffer)) + "/" +
					   std::to_string(GST_BUFFER_OFFSET(buffer)) + ":";
			for (guint plane = 0; plane < 3; plane++)
				for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&frame, plane);
				     y++)
					text.append(
						static_cast<const char *>(
							GST_VIDEO_FRAME_PLANE_DATA(&frame, plane)) +
							y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame,
											 plane),
						gsize(GST_VIDEO_FRAME_COMP_WIDTH(&frame, plane)));
			gst_video_frame_unmap(&frame);
			pictures.push_back(std::move(text));
		});
		pipeline.run();
		EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
		return pictures;
	};
	const auto originals = picturesOf("pass");
	const auto copies = picturesOf("copy");
	ASSERT_EQ(originals.size(), 6U);
	EXPECT_TRUE(originals == copies);
	EXPECT_NE(originals.front(), originals.back()) << "the ball moves";
}

TEST(HeapAllocMode, WhatCannotBeCopiedEndsTheStream)
{
	Pipeline pipeline(
		"audiotestsrc num-buffers=3 ! heapalloc name=alloc mode=copy heap=system ! "
		"fakesink name=sink");
	pipeline.run();
	expectError(pipeline, "heapalloc", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
}

TEST(HeapAllocMode, AudioIsPassedAndSaid)
{
	Pipeline pipeline(
		"audiotestsrc num-buffers=3 ! heapalloc name=alloc heap=system ! fakesink "
		"name=sink");
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	ASSERT_EQ(pipeline.warnings().size(), 1U);
	EXPECT_THAT(pipeline.warnings().front().message, HasSubstr("audio/x-raw is not raw video"));
}

/* The mode may change in play: from the next frame on. */
TEST(HeapAllocMode, ChangesInPlay)
{
	Pipeline pipeline(std::string(foreignSource) +
			  "heapalloc name=alloc heap=system ! fakesink name=sink");
	std::map<std::string, unsigned> arrived;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
		arrived[memoryOf(buffer)]++;
		if (number == 5)
			gst_util_set_object_arg(G_OBJECT(pipeline.element("alloc")), "mode",
						"copy");
	});
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_THAT(arrived, ElementsAre(Pair("ordinary", 5U), Pair("system", 7U)));
}

/* gsttee.c passes on numbers and metas, but no pool. */
TEST(HeapAllocTee, BeforeTheTeeFeedsAllBranches)
{
	Pipeline pipeline("videotestsrc num-buffers=20 ! "
			  "video/x-raw,format=NV12,width=320,height=240 ! "
			  "heapalloc name=alloc mode=refuse heap=video@42000000 ! tee name=t "
			  "t. ! queue ! heapkmssink name=sink sync=false "
			  "t. ! queue ! fakesink sync=false");
	const auto arrived = memoryOfFrames(pipeline);
	pipeline.run();
	expectAllShown(pipeline, 20);
	EXPECT_THAT(*arrived, ElementsAre(Pair("video@42000000", 20U)));
}

TEST(HeapAllocTee, AfterTheTeeSaysThatItMustGoBefore)
{
	Pipeline pipeline("videotestsrc num-buffers=5 ! "
			  "video/x-raw,format=NV12,width=320,height=240 ! tee name=t "
			  "t. ! heapalloc name=alloc heap=system ! fakesink name=sink");
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	ASSERT_EQ(pipeline.warnings().size(), 1U);
	EXPECT_THAT(pipeline.warnings().front().debug, HasSubstr("put heapalloc before the tee"));
}

TEST(HeapAllocMode, AnElementOfV4l2IsToldItsProperty)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("v4l2src device={} io-mode=mmap num-buffers=5 ! "
				      "video/x-raw,format=NV12,width=640,height=360 ! "
				      "heapalloc name=alloc heap=system ! fakesink name=sink",
				      vivid.node()));
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	ASSERT_FALSE(pipeline.warnings().empty());
	EXPECT_THAT(pipeline.warnings().back().debug, HasSubstr("io-mode=dmabuf-import"));
}

} /* namespace */
