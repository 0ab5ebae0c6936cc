/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hooks, in pipelines of GStreamer's own elements: the watch knows none of them. */
#include "tracer/frame_watch.h"

#include <gmock/gmock.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>

using namespace heapflow::gst;

namespace
{

constexpr unsigned frames = 10;
constexpr uint64_t i420Size = 64 * 48 * 3 / 2;
constexpr uint64_t bgrxSize = 64 * 48 * 4;
/* The caps of all tests but where they say otherwise. */
const std::string picture = "videotestsrc name=source num-buffers=10 ! "
			    "video/x-raw,format=I420,width=64,height=48 ! ";

class FrameWatchTest : public testing::Test
{
protected:
	FrameWatchTest()
	{
		watch.setReportHandler([this](ElementId id, ReportReason) {
			if (auto taken = watch.ledger().takeReport(id))
				report = std::move(*taken);
		});
		watch.start(nullptr);
	}
	~FrameWatchTest() override
	{
		watch.stop();
		watch.setReportHandler({});
	}

	void make(const std::string &line)
	{
		GError *error = nullptr;
		pipeline = gst_parse_launch(line.c_str(), &error);
		ASSERT_EQ(error, nullptr) << error->message;
	}
	void run()
	{
		gst_element_set_state(pipeline, GST_STATE_PLAYING);
		GstBus *bus = gst_element_get_bus(pipeline);
		GstMessage *message = gst_bus_timed_pop_filtered(
			bus, 10 * GST_SECOND, GstMessageType(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
		ASSERT_NE(message, nullptr);
		EXPECT_EQ(GST_MESSAGE_TYPE(message), GST_MESSAGE_EOS);
		gst_message_unref(message);
		gst_object_unref(bus);
		gst_element_set_state(pipeline, GST_STATE_NULL);
		gst_clear_object(&pipeline);
	}
	void run(const std::string &line)
	{
		make(line);
		run();
	}
	GstElement *element(const char *name)
	{
		GstElement *found = gst_bin_get_by_name(GST_BIN(pipeline), name);
		gst_object_unref(found); /* the bin holds it */
		return found;
	}
	ElementReport of(const std::string &name)
	{
		for (const ElementReport &one : report.elements)
			if (one.name == name)
				return one;
		ADD_FAILURE() << "no frame was at " << name;
		return {};
	}
	LinkReport linkTo(const std::string &name)
	{
		for (const LinkReport &link : report.links)
			if (link.to == of(name).id)
				return link;
		ADD_FAILURE() << "no link goes to " << name;
		return {};
	}

	FrameWatch &watch = FrameWatch::instance();
	GstElement *pipeline = nullptr;
	FlowReport report;
};

TEST_F(FrameWatchTest, AConverterCopies)
{
	run(picture + "videoconvert name=convert ! video/x-raw,format=BGRx ! fakesink name=sink");
	EXPECT_EQ(of("convert").copies, (ByteCount{frames, frames * bgrxSize}));
	EXPECT_EQ(of("convert").reads.bytes, frames * i420Size);
	EXPECT_EQ(of("convert").inside, ByteCount());
	EXPECT_EQ(report.copies(), frames);
	/* Caps filters and all pass it on; the copy is on the converter's own link. */
	uint64_t copied = 0;
	for (const LinkReport &link : report.links) {
		copied += link.copies.bytes;
		EXPECT_EQ(link.copies.count > 0, link.from == of("convert").id);
	}
	EXPECT_EQ(copied, frames * bgrxSize);
	EXPECT_EQ(linkTo("sink").caps.substr(0, 10), "BGRx 64x48");
	EXPECT_THAT(linkTo("sink").memory, testing::ElementsAre("system memory"));
}

TEST_F(FrameWatchTest, ASourceDrawsFromItsFirstFrameOn)
{
	run(picture + "fakesink name=sink");
	EXPECT_EQ(of("source").drawn, (ByteCount{frames, frames * i420Size}));
	EXPECT_GE(of("source").writes.count, frames);
	EXPECT_EQ(report.copies(), 0U);
	EXPECT_EQ(of("sink").framesIn, frames);
	EXPECT_EQ(of("sink").heldNow, 0U);
}

TEST_F(FrameWatchTest, AConverterThatPassesOnDoesNothing)
{
	run(picture + "videoconvert name=convert ! fakesink");
	EXPECT_EQ(of("convert").reads, ByteCount());
	EXPECT_EQ(of("convert").writes, ByteCount());
	EXPECT_EQ(report.copies(), 0U);
}

TEST_F(FrameWatchTest, WhatIsBehindAQueueIsAnotherThreadsAndTheSameElements)
{
	run(picture + "queue name=queue ! videoconvert name=convert ! video/x-raw,format=BGRx ! "
		      "fakesink");
	EXPECT_EQ(of("convert").copies.count, frames);
	EXPECT_EQ(of("queue").copies.count, 0U);
	EXPECT_EQ(of("queue").framesOut, frames);
	EXPECT_EQ(of("queue").residence.count, frames);
	EXPECT_GT(of("queue").heldMost, 0U);
}

TEST_F(FrameWatchTest, BinsAreSeenThrough)
{
	run(picture + "( videoconvert name=convert ! video/x-raw,format=BGRx ! identity ) ! "
		      "fakesink name=sink");
	EXPECT_EQ(of("convert").copies.count, frames);
	EXPECT_EQ(linkTo("sink").copies.count, 0U);
	EXPECT_EQ(report.copies(), frames);
}

TEST_F(FrameWatchTest, ABranchThatReadsIsToldFromOneThatDoesNot)
{
	run(picture + "tee name=tee ! queue ! fakesink name=plain "
		      "tee. ! queue ! filesink name=file location=/dev/null");
	EXPECT_EQ(of("plain").reads.count, 0U);
	EXPECT_EQ(of("file").reads, (ByteCount{frames, frames * i420Size}));
	EXPECT_EQ(of("tee").framesOut, 2 * frames);
	EXPECT_EQ(report.copies(), 0U);
}

TEST_F(FrameWatchTest, AnEffectWorksInPlace)
{
	run(picture + "gamma name=gamma gamma=2.0 ! fakesink");
	EXPECT_EQ(of("gamma").writes.bytes, frames * i420Size);
	EXPECT_EQ(report.copies(), 0U);
}

/* gamma must not write into what the other branch shows: GStreamer copies without a word. */
TEST_F(FrameWatchTest, AFrameThatIsSharedIsCopiedToBeWritten)
{
	run(picture + "tee name=tee tee. ! queue ! gamma name=gamma gamma=2.0 ! fakesink "
		      "tee. ! queue ! fakesink");
	EXPECT_GT(of("gamma").copies.count, 0U);
	EXPECT_EQ(of("gamma").copies.bytes, of("gamma").copies.count * i420Size);
}

TEST_F(FrameWatchTest, AMixerCopiesOnceForEachPictureItMakes)
{
	run(picture + "compositor name=mix ! video/x-raw,format=I420,width=64,height=48 ! fakesink "
		      "videotestsrc num-buffers=10 ! video/x-raw,format=I420,width=32,height=24 ! "
		      "mix.");
	EXPECT_EQ(of("mix").copies.count, of("mix").framesOut);
	EXPECT_EQ(of("mix").copies.bytes, of("mix").framesOut * i420Size);
}

/* In another format it converts each of its inputs first, into memory that it keeps. */
TEST_F(FrameWatchTest, AMixerThatConvertsCopiesMore)
{
	run(picture +
	    "compositor name=mix ! video/x-raw,format=BGRx,width=64,height=48 ! fakesink");
	EXPECT_EQ(of("mix").copies.count, 2 * of("mix").framesOut);
	EXPECT_EQ(of("mix").inside.count, of("mix").framesOut);
}

TEST_F(FrameWatchTest, AnEncoderReadsAndCopiesNothing)
{
	run(picture + "jpegenc name=encoder ! fakesink");
	EXPECT_GE(of("encoder").reads.count, frames);
	EXPECT_EQ(of("encoder").reads.bytes, frames * i420Size);
	EXPECT_EQ(report.copies(), 0U);
}

/* Frames of an application, each of two memories, and an application that maps them as one. */
class Application : public FrameWatchTest
{
protected:
	void run(void (*use)(GstBuffer *))
	{
		make("appsrc name=source caps=video/x-raw,format=I420,width=64,height=48,"
		     "framerate=25/1 format=time ! appsink name=sink sync=false");
		GstAppSinkCallbacks callbacks = {};
		callbacks.new_sample = [](GstAppSink *sink, gpointer data) {
			GstSample *sample = gst_app_sink_pull_sample(sink);
			reinterpret_cast<void (*)(GstBuffer *)>(data)(
				gst_sample_get_buffer(sample));
			gst_sample_unref(sample);
			return GST_FLOW_OK;
		};
		gst_app_sink_set_callbacks(GST_APP_SINK(element("sink")), &callbacks,
					   reinterpret_cast<gpointer>(use), nullptr);
		gst_element_set_state(pipeline, GST_STATE_PLAYING);
		auto *source = GST_APP_SRC(element("source"));
		for (unsigned i = 0; i < frames; i++) {
			GstBuffer *buffer = gst_buffer_new_allocate(nullptr, 64 * 48, nullptr);
			gst_buffer_append_memory(
				buffer, gst_allocator_alloc(nullptr, 64 * 48 / 2, nullptr));
			GST_BUFFER_PTS(buffer) = i * 40 * GST_MSECOND;
			gst_app_src_push_buffer(source, buffer);
		}
		gst_app_src_end_of_stream(source);
		FrameWatchTest::run();
	}
};

TEST_F(Application, TwoMemoriesMappedAsOneAreMerged)
{
	run([](GstBuffer *buffer) {
		GstMapInfo info;
		ASSERT_TRUE(gst_buffer_map(buffer, &info, GST_MAP_READ));
		gst_buffer_unmap(buffer, &info);
	});
	EXPECT_EQ(of("sink").copies, (ByteCount{frames, frames * i420Size}));
	/* Each of the two for the merge, and what they were merged into. */
	EXPECT_EQ(of("sink").reads, (ByteCount{3 * frames, 2 * frames * i420Size}));
}

TEST_F(Application, MappedOneByOneTheyAreNot)
{
	run([](GstBuffer *buffer) {
		for (guint i = 0; i < 2; i++) {
			GstMapInfo info;
			ASSERT_TRUE(gst_buffer_map_range(buffer, i, 1, &info, GST_MAP_READ));
			gst_buffer_unmap(buffer, &info);
		}
	});
	EXPECT_EQ(of("sink").copies, ByteCount());
	EXPECT_EQ(of("sink").reads, (ByteCount{2 * frames, frames * i420Size}));
}

TEST_F(Application, ADeepCopyIsACopy)
{
	run([](GstBuffer *buffer) { gst_buffer_unref(gst_buffer_copy_deep(buffer)); });
	EXPECT_EQ(of("sink").copies.bytes, frames * i420Size);
	EXPECT_EQ(of("sink").reads, ByteCount()) << "the maps of a copy are part of it";
}

TEST_F(FrameWatchTest, WhenNobodyWatchesNothingIsEntered)
{
	watch.stop();
	make(picture + "videoconvert ! video/x-raw,format=BGRx ! fakesink");
	run();
	EXPECT_TRUE(report.elements.empty());
	EXPECT_TRUE(watch.ledger().pipelines().empty());
	watch.start(nullptr);
}

TEST_F(FrameWatchTest, DeviceMapsAreNotTheCpus)
{
	EXPECT_TRUE(isCpuMap(GST_MAP_READ));
	EXPECT_TRUE(isCpuMap(GST_MAP_READWRITE));
	EXPECT_TRUE(isCpuMap(
		GstMapFlags(guint(GST_MAP_READ) | guint(GST_VIDEO_FRAME_MAP_FLAG_NO_REF))));
	/* GST_MAP_GL of gstglbasememory.h */
	EXPECT_FALSE(isCpuMap(GstMapFlags(guint(GST_MAP_READ) | guint(GST_MAP_FLAG_LAST) << 1)));
}

} /* namespace */
