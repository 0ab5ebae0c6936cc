/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What frames of heapcamerasrc tell beyond the picture, and when a buffer may be filled again. */
#include "board.h"
#include "pipeline.h"
#include "pipeline_watch.h"
#include "sync_timeline.h"
#include "vivid.h"

#include "gst/heap/gstheapcamerameta.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <format>
#include <fstream>
#include <mutex>
#include <sstream>
#include <vector>

#include <gmock/gmock.h>
#include <gst/allocators/gstdmabuf.h>
#include <gst/controller/gstdirectcontrolbinding.h>
#include <gst/controller/gstinterpolationcontrolsource.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace heapflow::test;

namespace
{

const std::string vimc = "\"platform/vimc.0 Sensor B\"";

ino_t identityOf(GstBuffer *buffer)
{
	struct stat status = {};
	fstat(gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(buffer, 0)), &status);
	return status.st_ino;
}

/* The suites for libcamera 0.4 must not run with another by mistake, and the other way round. */
TEST(CameraTells, RunWithTheLibcameraThatIsMeant)
{
	GstElement *source = gst_element_factory_make("heapcamerasrc", nullptr);
	ASSERT_NE(source, nullptr);
	gst_object_unref(source);
	const char *expected = std::getenv("HEAPFLOW_EXPECT_LIBCAMERA");
	std::ostringstream maps;
	maps << std::ifstream("/proc/self/maps").rdbuf();
	const std::string text = maps.str();
	EXPECT_THAT(text, testing::HasSubstr(std::string("/libcamera.so.") +
					     (expected ? expected : "0.7") + "."));
	EXPECT_EQ(text.find("/libcamera.so."),
		  text.find(std::string("/libcamera.so.") + (expected ? expected : "0.7") + "."));
}

TEST(CameraTells, ABadFrameIsCorruptedAndPushed)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} heap=system "
				      "num-buffers=30 ! fakesink name=sink sync=false",
				      vivid.node()));
	unsigned corrupted = 0;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
		if (number == 10)
			setControl(vivid.node(), "Inject V4L2_BUF_FLAG_ERROR", 1);
		if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_CORRUPTED))
			corrupted++;
	});
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_EQ(corrupted, 1U);
}

TEST(CameraTells, DurationAndDistanceAreThoseOfTheRate)
{
	const Vivid vivid("0");
	for (const int rate : {60, 25}) {
		Pipeline pipeline(std::format(
			"heapcamerasrc name=source camera-name={} heap=system num-buffers=12 ! "
			"video/x-raw,format=NV12,width=640,height=360,framerate={}/1 ! "
			"fakesink name=sink sync=false",
			vivid.node(), rate));
		GstClockTime first = 0;
		uint64_t firstNumber = 0;
		pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
			EXPECT_EQ(GST_BUFFER_DURATION(buffer), GST_SECOND / guint64(rate));
			if (number == 1) {
				first = GST_BUFFER_PTS(buffer);
				firstNumber = GST_BUFFER_OFFSET(buffer);
			}
			if (number != 12)
				return;
			/* vivid computes its times, so they fit the numbers. */
			const double period = double(GST_BUFFER_PTS(buffer) - first) /
					      double(GST_BUFFER_OFFSET(buffer) - firstNumber);
			EXPECT_NEAR(period, 1e9 / rate, 1e9 / rate * 0.08);
		});
		pipeline.run();
		EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	}
}

/* The camera reports at least the time that its frames really take to arrive. */
TEST(CameraTells, TheLatencyIsThatOfItsFrames)
{
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} heap=system ! "
				      "video/x-raw,width=640,height=480 ! "
				      "fakesink name=sink sync=false",
				      vimc));
	std::atomic<gint64> oldest = 0;
	std::atomic<unsigned> seen = 0;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned) {
		const GstHeapCameraMeta *meta = gst_buffer_get_heap_camera_meta(buffer);
		oldest = std::max<gint64>(oldest, meta->arrival - meta->sensor_timestamp);
		seen++;
	});
	pipeline.setState(GST_STATE_PLAYING);
	ASSERT_TRUE(waitFor([&] { return seen >= 6; })) << pipeline.errorText();
	GstQuery *query = gst_query_new_latency();
	ASSERT_TRUE(gst_element_query(pipeline.element("source"), query));
	gboolean live = FALSE;
	GstClockTime least = 0, most = 0;
	gst_query_parse_latency(query, &live, &least, &most);
	gst_query_unref(query);
	EXPECT_TRUE(live);
	EXPECT_GE(least, GstClockTime(oldest.load()));
	EXPECT_LE(least, GST_SECOND / 2 + GST_SECOND / 8);
	EXPECT_GT(most, least) << "with all buffers full";
}

TEST(CameraTells, TheCamerasLimitOfBuffersIsSaid)
{
	Pipeline pipeline("heapcamerasrc name=source camera-name=Virtual0 heap=system buffers=8 "
			  "num-buffers=3 ! fakesink name=sink sync=false");
	pipeline.setState(GST_STATE_PLAYING);
	GstBus *bus =
		gst_element_get_bus(GST_ELEMENT(GST_OBJECT_PARENT(pipeline.element("source"))));
	GstMessage *message = gst_bus_timed_pop_filtered(bus, 10 * GST_SECOND, GST_MESSAGE_INFO);
	gst_object_unref(bus);
	ASSERT_NE(message, nullptr);
	GError *said = nullptr;
	gst_message_parse_info(message, &said, nullptr);
	EXPECT_STREQ(said->message, "The camera takes 4 buffers, not 8 as asked.");
	g_error_free(said);
	gst_message_unref(message);
	EXPECT_TRUE(waitFor([&] { return pipeline.plan("source", "buffers") == "4"; }));
}

/* A GstController moves a control while the camera plays. */
TEST(CameraTells, AControllerDrivesAControl)
{
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} heap=system ! "
				      "video/x-raw,width=320,height=240 ! "
				      "fakesink name=sink sync=false",
				      vimc));
	GstElement *source = pipeline.element("source");
	GstControlSource *curve = gst_interpolation_control_source_new();
	g_object_set(curve, "mode", GST_INTERPOLATION_MODE_NONE, nullptr);
	/* Values, not parts of the range: the limits of the property are those of all cameras. */
	ASSERT_TRUE(gst_object_add_control_binding(
		GST_OBJECT(source),
		gst_direct_control_binding_new_absolute(GST_OBJECT(source), "brightness", curve)));
	auto *points = GST_TIMED_VALUE_CONTROL_SOURCE(curve);
	gst_timed_value_control_source_set(points, 0, 0.0);
	gst_timed_value_control_source_set(points, GST_SECOND, -0.7);

	std::atomic<double> before = 0, after = 255;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned) {
		(GST_BUFFER_PTS(buffer) < GST_SECOND ? before : after) = meanOf(buffer);
	});
	pipeline.setState(GST_STATE_PLAYING);
	EXPECT_TRUE(waitFor([&] { return before > 20 && after < before - 20; }))
		<< before << " and " << after;
	/* The sensor keeps what it was set to. */
	gst_timed_value_control_source_unset_all(points);
	gst_timed_value_control_source_set(points, 0, 0.0);
	EXPECT_TRUE(waitFor([&] { return after > before - 2; })) << after;
	gst_object_unref(curve);
}

/* --- fences --- */

class CameraFence : public testing::TestWithParam<std::string>
{
};

/*
 * A GPU may still read a frame that its program has let go of: the dma-buf knows, and the camera
 * does not fill that buffer before.
 */
TEST_P(CameraFence, ABufferThatADeviceStillReadsIsNotFilled)
{
	const SyncTimeline timeline;
	ASSERT_TRUE(timeline.works());
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name=\"{}\" heap=system ! "
				      "fakesink name=sink sync=false enable-last-sample=false",
				      GetParam() == "vivid" ? vividNode() : GetParam()));
	std::mutex mutex;
	ino_t read = 0;
	bool signalled = false;
	unsigned early = 0, others = 0, again = 0;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
		std::lock_guard lock(mutex);
		if (number == 3) {
			read = identityOf(buffer);
			const int fd = gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(buffer, 0));
			EXPECT_TRUE(timeline.fence(1).importInto(fd, heapflow::Access::Read));
			return;
		}
		if (number < 3)
			return;
		const bool same = identityOf(buffer) == read;
		early += same && !signalled;
		again += same && signalled;
		others += !same;
	});
	pipeline.setState(GST_STATE_PLAYING);
	const auto locked = [&mutex](const unsigned &count) {
		std::lock_guard lock(mutex);
		return count;
	};
	EXPECT_TRUE(waitFor([&] { return locked(others) >= 8; })) << pipeline.errorText();
	{
		std::lock_guard lock(mutex);
		EXPECT_EQ(early, 0U);
		signalled = true;
	}
	timeline.increase();
	EXPECT_TRUE(waitFor([&] { return locked(again) > 0; })) << "it does come back";
	EXPECT_EQ(early, 0U);
}

/* Its fence cannot be had, as there is no descriptor for it: not knowing is no leave to write. */
TEST(CameraTells, ABufferWhoseFenceCannotBeHadIsNotFilled)
{
	const SyncTimeline timeline;
	ASSERT_TRUE(timeline.works());
	rlimit limit = {};
	getrlimit(RLIMIT_NOFILE, &limit);
	/* Not below what is open: poll() takes no more descriptors than the limit. */
	const rlimit few = {200, limit.rlim_max};
	std::vector<int> all;
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} heap=system ! "
				      "fakesink name=sink sync=false enable-last-sample=false",
				      vividNode()));
	std::atomic<ino_t> read = 0;
	std::atomic<unsigned> early = 0, others = 0, again = 0;
	std::atomic<bool> signalled = false;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
		if (number == 3) {
			read = identityOf(buffer);
			const int fd = gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(buffer, 0));
			EXPECT_TRUE(timeline.fence(1).importInto(fd, heapflow::Access::Read));
			setrlimit(RLIMIT_NOFILE, &few);
			for (int one; (one = dup(fd)) >= 0;)
				all.push_back(one);
		} else if (number > 3) {
			const bool same = identityOf(buffer) == read;
			early += same && !signalled;
			again += same && signalled;
			others += !same;
		}
	});
	pipeline.setState(GST_STATE_PLAYING);
	const bool went = waitFor([&] { return others >= 12; });
	EXPECT_EQ(early, 0U);
	signalled = true;
	timeline.increase();
	const bool came = waitFor([&] { return again > 0; });
	setrlimit(RLIMIT_NOFILE, &limit);
	std::ranges::for_each(all, close);
	EXPECT_EQ(early, 0U);
	EXPECT_TRUE(went) << pipeline.errorText();
	EXPECT_TRUE(came) << "it does come back";
}

INSTANTIATE_TEST_SUITE_P(Cameras, CameraFence,
			 testing::Values("vivid", "Virtual0", "platform/vimc.0 Sensor B"),
			 [](const auto &tested) { return nameForTest(tested.param); });

} /* namespace */
