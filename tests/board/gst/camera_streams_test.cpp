/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several streams of a camera, and several cameras, of heapcamerasrc. */
#include "board.h"
#include "pipeline.h"
#include "pipeline_watch.h"
#include "quiet_board.h"
#include "vivid.h"

#include "gst/heap/gstheapcamerameta.h"

#include <format>

#include <gmock/gmock.h>

using namespace heapflow::test;

namespace
{

const std::string vimc = "\"platform/vimc.0 Sensor B\"";

/* Of the stream that a sink receives; empty when nobody began it. */
std::string streamIdOf(GstElement *sink)
{
	GstPad *pad = gst_element_get_static_pad(sink, "sink");
	g_autofree char *id = gst_pad_get_stream_id(pad);
	gst_object_unref(pad);
	return id ? id : "";
}

std::string capsOf(GstElement *sink)
{
	GstPad *pad = gst_element_get_static_pad(sink, "sink");
	GstCaps *caps = gst_pad_get_current_caps(pad);
	g_autofree char *text = caps ? gst_caps_to_string(caps) : nullptr;
	gst_clear_caps(&caps);
	gst_object_unref(pad);
	return text ? text : "";
}

/* A field of what was settled for the stream of a pad. */
std::string planned(GstElement *source, const char *name, const char *field)
{
	GstPad *pad = gst_element_get_static_pad(source, name);
	GstStructure *plan = nullptr;
	g_object_get(pad, "plan", &plan, nullptr);
	gst_object_unref(pad);
	const GValue *value = plan ? gst_structure_get_value(plan, field) : nullptr;
	g_autofree char *text = value ? gst_value_serialize(value) : nullptr;
	g_clear_pointer(&plan, gst_structure_free);
	return text ? text : "";
}

/* A thread that has made libcamera 0.4's manager once keeps an eventfd (ProcessManager()). */
void openOnce()
{
	Pipeline pipeline("heapcamerasrc name=source camera-name=Virtual0 ! fakesink name=sink");
	pipeline.setState(GST_STATE_READY);
}

TEST(CameraStreams, TwoOfOneCamera)
{
	openOnce();
	const Resources before = quietBoard();
	{
		Pipeline pipeline(
			"heapcamerasrc name=source camera-name=Virtual0 heap=system num-buffers=40 "
			"source. ! video/x-raw,width=640,height=480 ! fakesink name=sink "
			"sync=false "
			"source.src_0 ! video/x-raw,width=1280,height=720 ! fakesink name=other "
			"sync=false async=false");
		Counter other(pipeline, "other");
		std::string id, otherId, otherCaps, width, otherWidth;
		pipeline.onBuffer([&](GstBuffer *, unsigned number) {
			if (number != 10)
				return;
			id = streamIdOf(pipeline.element("sink"));
			otherId = streamIdOf(pipeline.element("other"));
			otherCaps = capsOf(pipeline.element("other"));
			width = planned(pipeline.element("source"), "src", "width");
			otherWidth = planned(pipeline.element("source"), "src_0", "width");
		});
		pipeline.run();
		EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
		EXPECT_GT(other.count, 20U);
		EXPECT_FALSE(id.empty()) << "no stream-start";
		EXPECT_FALSE(otherId.empty()) << "no stream-start";
		EXPECT_NE(id, otherId);
		EXPECT_EQ(width, "640");
		EXPECT_EQ(otherWidth, "1280");
		EXPECT_THAT(otherCaps, testing::HasSubstr("width=(int)1280, height=(int)720"));
	}
	EXPECT_EQ(settled(before), before);
}

/* Applications, and GStreamer's own bins, go through the pads of an element at any time. */
TEST(CameraStreams, AllPadsCanBeGoneThrough)
{
	const auto pads = [](GstElement *source) {
		unsigned count = 0;
		gst_element_foreach_src_pad(
			source,
			[](GstElement *, GstPad *, gpointer number) -> gboolean {
				++*static_cast<unsigned *>(number);
				return TRUE;
			},
			&count);
		return count;
	};
	Pipeline pipeline(
		"heapcamerasrc name=source camera-name=Virtual0 heap=system num-buffers=10 "
		"source. ! video/x-raw,width=640,height=480 ! fakesink name=sink sync=false "
		"source.src_0 ! video/x-raw,width=640,height=480 ! fakesink name=other "
		"sync=false async=false");
	EXPECT_EQ(pads(pipeline.element("source")), 2U);
	unsigned inPlay = 0;
	pipeline.onBuffer(
		[&](GstBuffer *, unsigned) { inPlay = pads(pipeline.element("source")); });
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_EQ(inPlay, 2U);
	pipeline.setState(GST_STATE_READY);
	EXPECT_EQ(pads(pipeline.element("source")), 2U);
}

TEST(CameraStreams, ASlowBranchDoesNotStopTheOther)
{
	Pipeline pipeline(
		"heapcamerasrc name=source camera-name=Virtual0 heap=system num-buffers=60 "
		"source. ! video/x-raw,width=640,height=480 ! fakesink name=sink sync=false "
		"source.src_0 ! video/x-raw,width=640,height=480 ! identity sleep-time=300000 ! "
		"fakesink name=other sync=false async=false");
	Counter fast(pipeline, "sink"), slow(pipeline, "other");
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_EQ(fast.count, 60U);
	EXPECT_LT(slow.count, 30U);
	EXPECT_GT(slow.count, 0U);
}

/* As ASlowBranch..., whose frames are old when they come; here the newest is taken. */
TEST(CameraStreams, ABranchMayTakeTheLatestOnly)
{
	GstClockTime age[2] = {};
	for (const bool latest : {false, true}) {
		Pipeline pipeline("heapcamerasrc name=source camera-name=Virtual0 heap=system "
				  "source. ! video/x-raw,width=640,height=480,framerate=30/1 ! "
				  "fakesink name=other sync=false "
				  "source.src_0 ! video/x-raw,width=640,height=480 ! "
				  "identity sleep-time=200000 ! fakesink name=sink sync=false "
				  "async=false");
		GstPad *pad = gst_element_get_static_pad(pipeline.element("source"), "src_0");
		gst_util_set_object_arg(G_OBJECT(pad), "drop-policy", latest ? "latest" : "queue");
		gst_object_unref(pad);
		std::atomic<unsigned> count = 0;
		pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
			count = number;
			if (number > 5 && number <= 15)
				age[latest] += GstClockTime(
					g_get_monotonic_time() * 1000 -
					gst_buffer_get_heap_camera_meta(buffer)->arrival);
		});
		pipeline.setState(GST_STATE_PLAYING);
		EXPECT_TRUE(waitFor([&] { return count > 15; })) << pipeline.errorText();
	}
	/* Of four buffers one is in identity, and of the three that wait the last is taken. */
	EXPECT_LT(age[1] + 10 * 100 * GST_MSECOND, age[0]);
}

/* The flush is the branch's own, as before a seek in it. */
TEST(CameraStreams, ABranchThatFlushesGoesOn)
{
	Pipeline pipeline("heapcamerasrc name=source camera-name=Virtual0 heap=system "
			  "source. ! video/x-raw,width=640,height=480 ! "
			  "fakesink name=sink sync=false "
			  "source.src_0 ! video/x-raw,width=640,height=480 ! "
			  "fakesink name=other sync=false async=false");
	Counter main(pipeline, "sink"), other(pipeline, "other");
	pipeline.setState(GST_STATE_PLAYING);
	ASSERT_TRUE(waitFor([&] { return other.count > 3; })) << pipeline.errorText();
	GstPad *pad = gst_element_get_static_pad(pipeline.element("source"), "src_0");
	for (int i = 0; i < 3; i++) {
		gst_pad_push_event(pad, gst_event_new_flush_start());
		const unsigned before = main.count, stood = other.count;
		EXPECT_TRUE(waitFor([&] { return main.count > before + 5; }));
		EXPECT_LE(other.count, stood + 1);
		gst_pad_push_event(pad, gst_event_new_flush_stop(TRUE));
		/* It takes the segment along. */
		GstSegment segment;
		gst_segment_init(&segment, GST_FORMAT_TIME);
		gst_pad_push_event(pad, gst_event_new_segment(&segment));
		EXPECT_TRUE(waitFor([&] { return other.count > stood + 5; }))
			<< "after flush " << i;
	}
	gst_object_unref(pad);
}

TEST(CameraStreams, TheCameraIsChosenByItsProperties)
{
	const std::pair<std::string, std::string> choices[] = {
		{"camera-location=front", "Virtual0"},
		{"camera-index=0", "Virtual0"},
		{"camera-index=1", "platform/vimc.0 Sensor B"},
		{"camera-name=vivid", vividNode()},
	};
	for (const auto &[property, camera] : choices) {
		Pipeline pipeline("heapcamerasrc name=source heap=system num-buffers=2 " +
				  property + " ! fakesink name=sink sync=false");
		std::string chosen;
		pipeline.onBuffer(
			[&](GstBuffer *, unsigned) { chosen = pipeline.plan("source", "camera"); });
		pipeline.run();
		EXPECT_TRUE(pipeline.reachedEnd()) << property << ": " << pipeline.errorText();
		EXPECT_EQ(chosen, camera) << property;
	}
}

/* A request pad with a sink named "late" behind it, while the pipeline plays. */
class LateBranch
{
public:
	explicit LateBranch(GstElement *source)
		: source_(source), sink_(gst_element_factory_make("fakesink", "late"))
	{
		g_object_set(sink_, "sync", FALSE, "async", FALSE, nullptr);
		gst_bin_add(bin(), sink_);
		gst_element_sync_state_with_parent(sink_);
		pad_ = gst_element_request_pad_simple(source_, "src_%u");
		GstPad *peer = gst_element_get_static_pad(sink_, "sink");
		EXPECT_EQ(gst_pad_link(pad_, peer), GST_PAD_LINK_OK);
		gst_object_unref(peer);
	}
	~LateBranch()
	{
		gst_element_release_request_pad(source_, pad_);
		gst_object_unref(pad_);
		gst_element_set_state(sink_, GST_STATE_NULL);
		gst_bin_remove(bin(), sink_);
	}
	LateBranch(const LateBranch &) = delete;
	LateBranch &operator=(const LateBranch &) = delete;

private:
	GstBin *bin() const { return GST_BIN(GST_OBJECT_PARENT(source_)); }

	GstElement *source_, *sink_;
	GstPad *pad_ = nullptr;
};

TEST(CameraStreams, PadsComeAndGoWhilePlaying)
{
	Pipeline pipeline("heapcamerasrc name=source camera-name=Virtual0 heap=system "
			  "source. ! video/x-raw,width=640,height=480 ! "
			  "fakesink name=sink sync=false");
	Counter main(pipeline, "sink");
	pipeline.setState(GST_STATE_PLAYING);
	ASSERT_TRUE(waitFor([&] { return main.count > 3; }));
	GstElement *source = pipeline.element("source");
	for (int i = 0; i < 3; i++) {
		{
			const LateBranch branch(source);
			Counter late(pipeline, "late");
			EXPECT_TRUE(waitFor([&] { return late.count > 3; }))
				<< pipeline.errorText();
		}
		const unsigned now = main.count;
		EXPECT_TRUE(waitFor([&] { return main.count > now + 3; }));
	}
}

/* Negotiation takes a while, and a pad may be released before its thread has begun. */
TEST(CameraStreams, PadsMayGoAtAnyMoment)
{
	Pipeline pipeline("heapcamerasrc name=source camera-name=Virtual0 heap=system "
			  "source. ! video/x-raw,width=640,height=480 ! "
			  "fakesink name=sink sync=false");
	Counter main(pipeline, "sink");
	pipeline.setState(GST_STATE_PLAYING);
	ASSERT_TRUE(waitFor([&] { return main.count > 3; }));
	GstElement *source = pipeline.element("source");
	for (int i = 0; i < 40; i++) {
		const LateBranch branch(source);
		g_usleep(gulong(i) * 2500);
	}
	const unsigned now = main.count;
	EXPECT_TRUE(waitFor([&] { return main.count > now + 3; })) << pipeline.errorText();
}

TEST(CameraStreams, SeveralCamerasAtOnce)
{
	Pipeline pipeline(std::format(
		"heapcamerasrc name=source camera-name={} heap=system num-buffers=20 ! "
		"fakesink name=sink sync=false "
		"heapcamerasrc camera-name=Virtual0 heap=video@42000000 num-buffers=20 ! "
		"fakesink name=two sync=false heapcamerasrc camera-name={} heap=default "
		"num-buffers=5 ! fakesink name=three sync=false",
		vividNode(), vimc));
	Counter one(pipeline, "sink"), two(pipeline, "two"), three(pipeline, "three");
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_EQ(one.count, 20U);
	EXPECT_EQ(two.count, 20U);
	EXPECT_EQ(three.count, 5U);
}

} /* namespace */
