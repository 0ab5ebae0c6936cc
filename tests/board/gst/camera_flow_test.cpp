/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policies, starvation, recovery and what frames tell, of heapcamerasrc. */
#include "board.h"
#include "long_form.h"
#include "pipeline.h"
#include "pipeline_watch.h"
#include "quiet_board.h"
#include "vivid.h"

#include "gst/heap/gstheapcamerameta.h"

#include <atomic>
#include <format>
#include <mutex>

#include <gmock/gmock.h>
#include <malloc.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace heapflow::test;

namespace
{

const std::string vimc = "\"platform/vimc.0 Sensor B\"";

TEST(CameraFlow, LatestSkipsWhatWaited)
{
	const Vivid vivid("0");
	for (const bool latest : {false, true}) {
		Pipeline pipeline(std::format(
			"heapcamerasrc name=source camera-name={} heap=system num-buffers=8 "
			"drop-policy={} ! "
			"video/x-raw,format=NV12,width=640,height=360,framerate=60/1 ! "
			"identity sleep-time=60000 ! fakesink name=sink sync=false",
			vivid.node(), latest ? "latest" : "queue"));
		std::vector<GstClockTime> ages;
		pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
			GstHeapCameraMeta *meta = gst_buffer_get_heap_camera_meta(buffer);
			ASSERT_NE(meta, nullptr);
			if (number > 3)
				ages.push_back(GstClockTime(g_get_monotonic_time() * 1000 -
							    meta->sensor_timestamp));
		});
		pipeline.run();
		ASSERT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
		/* identity itself keeps each for 60 ms. */
		for (const GstClockTime age : ages) {
			if (latest)
				EXPECT_LT(age, 90 * GST_MSECOND);
			else
				EXPECT_GT(age, 90 * GST_MSECOND);
		}
	}
}

TEST(CameraFlow, StarvationIsSaidAndEnds)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} heap=system ! "
				      "queue name=hold ! fakesink name=sink sync=false",
				      vivid.node()));
	std::mutex mutex;
	std::vector<GstBuffer *> kept;
	bool keep = true;
	std::atomic<unsigned> seen = 0;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned) {
		seen++;
		std::lock_guard lock(mutex);
		if (keep)
			kept.push_back(gst_buffer_ref(buffer));
	});
	pipeline.setState(GST_STATE_PLAYING);
	GstMessage *message = nullptr;
	const GstStructure *said = messageOf(pipeline, "heapflow-starved", &message);
	ASSERT_NE(said, nullptr);
	guint buffers = 0, downstream = 0;
	gst_structure_get_uint(said, "buffers", &buffers);
	gst_structure_get_uint(said, "downstream", &downstream);
	EXPECT_EQ(downstream, buffers);
	EXPECT_STREQ(gst_structure_get_string(said, "next"), "hold");
	gst_message_unref(message);
	/* Longer than a silent camera is given: starving is not the camera's fault. */
	g_usleep(6 * G_USEC_PER_SEC);
	{
		std::lock_guard lock(mutex);
		keep = false;
		for (GstBuffer *buffer : kept)
			gst_buffer_unref(buffer);
	}
	const unsigned now = seen;
	EXPECT_TRUE(waitFor([&] { return seen > now + 10; })) << pipeline.errorText();
}

/* gst-launch-1.0 -v prints each property that is notified, and a null structure is a critical. */
TEST(CameraFlow, ItsPlanIsNotifiedOnlyWhenThereIsOne)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} num-buffers=2 ! "
				      "fakesink name=sink",
				      vivid.node()));
	unsigned times[2] = {};
	const auto notified = +[](GstObject *, GstObject *object, GParamSpec *, gpointer data) {
		GstStructure *plan = nullptr;
		g_object_get(object, "plan", &plan, nullptr);
		static_cast<unsigned *>(data)[plan != nullptr]++;
		g_clear_pointer(&plan, gst_structure_free);
	};
	g_signal_connect(pipeline.element("source"), "deep-notify::plan", G_CALLBACK(notified),
			 times);
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_EQ(times[0], 0u);
	EXPECT_GE(times[1], 1u);
}

/* Memory without its buffer, and another process: nobody else could tell the user. */
TEST(CameraFlow, StarvationNamesWhoHasTheMemory)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} heap=system ! "
				      "fakesink name=sink sync=false enable-last-sample=false",
				      vivid.node()));
	std::vector<GstMemory *> kept;
	std::atomic<bool> keep = true;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned) {
		if (keep)
			kept.push_back(gst_memory_ref(gst_buffer_peek_memory(buffer, 0)));
	});
	pipeline.setState(GST_STATE_PAUSED);
	pipeline.setState(GST_STATE_PLAYING);
	GstMessage *message = nullptr;
	const GstStructure *plan = messageOf(pipeline, "heapflow-plan", &message);
	ASSERT_NE(plan, nullptr);
	gst_message_unref(message);
	/* It has what this process has open: the buffers are there since the plan is. */
	const pid_t other = fork();
	if (other == 0) {
		pause();
		_exit(0);
	}
	const GstStructure *said = messageOf(pipeline, "heapflow-starved", &message);
	kill(other, SIGKILL);
	waitpid(other, nullptr, 0);
	ASSERT_NE(said, nullptr);
	guint buffers = 0, without = 0;
	gst_structure_get_uint(said, "buffers", &buffers);
	gst_structure_get_uint(said, "kept", &without);
	EXPECT_EQ(without, buffers);
	EXPECT_THAT(gst_structure_get_string(said, "processes"),
		    testing::HasSubstr(std::format("[{}] {}", other, buffers)));
	gst_message_unref(message);
	keep = false;
	for (GstMemory *memory : kept)
		gst_memory_unref(memory);
}

TEST(CameraFlow, ManyFramesWithoutGrowth)
{
	const Vivid vivid("0");
	const unsigned frames = numberFrom("HEAPFLOW_FRAMES", 1000);
	Pipeline pipeline(
		std::format("heapcamerasrc name=source camera-name={} "
			    "heap=video@42000000 num-buffers={} ! "
			    "video/x-raw,format=NV12,width=320,height=180,framerate=60/1 ! "
			    "fakesink name=sink sync=false",
			    vivid.node(), frames));
	Resources before, after;
	size_t allocated = 0, later = 0;
	uint64_t last = 0;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
		EXPECT_TRUE(number == 1 || GST_BUFFER_OFFSET(buffer) == last + 1) << number;
		last = GST_BUFFER_OFFSET(buffer);
		if (number == 200) {
			before = Resources::now();
			allocated = mallinfo2().uordblks;
		} else if (number == frames - 1) {
			after = Resources::now();
			later = mallinfo2().uordblks;
		}
	});
	pipeline.run(std::chrono::seconds(60 + frames / 30));
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_EQ(after, before);
	EXPECT_LE(later, allocated + 16384);
}

TEST(CameraFlow, LostFramesAreDiscontAndQos)
{
	const Vivid vivid("0");
	setControl(vivid.node(), "Percentage of Dropped Buffers", 40);
	Pipeline pipeline(
		std::format("heapcamerasrc name=source camera-name={} heap=system num-buffers=30 ! "
			    "fakesink name=sink sync=false qos=false",
			    vivid.node()));
	unsigned discont = 0;
	uint64_t lost = 0, last = 0;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
		const uint64_t sequence = GST_BUFFER_OFFSET(buffer);
		if (number > 1 && sequence != last + 1) {
			lost += sequence - last - 1;
			EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT));
			discont++;
		}
		last = sequence;
	});
	pipeline.setState(GST_STATE_PLAYING);
	GstBus *bus =
		gst_element_get_bus(GST_ELEMENT(GST_OBJECT_PARENT(pipeline.element("source"))));
	guint64 dropped = 0;
	while (GstMessage *message = gst_bus_timed_pop_filtered(
		       bus, 20 * GST_SECOND,
		       GstMessageType(GST_MESSAGE_QOS | GST_MESSAGE_EOS | GST_MESSAGE_ERROR))) {
		const bool end = GST_MESSAGE_TYPE(message) != GST_MESSAGE_QOS;
		if (!end)
			gst_message_parse_qos_stats(message, nullptr, nullptr, &dropped);
		gst_message_unref(message);
		if (end)
			break;
	}
	gst_object_unref(bus);
	pipeline.setState(GST_STATE_NULL);
	setControl(vivid.node(), "Percentage of Dropped Buffers", 0);
	EXPECT_GT(discont, 3U);
	EXPECT_EQ(dropped, lost);
}

TEST(CameraFlow, AFailureIsRecoveredFromOnceAndSaid)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} heap=system "
				      "num-buffers=60 ! fakesink name=sink sync=false",
				      vivid.node()));
	unsigned anew = 0;
	uint64_t last = 0;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
		if (number == 10)
			setControl(vivid.node(), "Inject Fatal Streaming Error", 1);
		/* The camera counts from the beginning. */
		if (number > 1 && GST_BUFFER_OFFSET(buffer) < last) {
			anew++;
			EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT));
		}
		last = GST_BUFFER_OFFSET(buffer);
	});
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_EQ(pipeline.warnings().size(), 1U);
	EXPECT_EQ(anew, 1U);
}

/* It is tried anew once, not for ever. */
TEST(CameraFlow, ASilentCameraIsAnError)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} heap=system ! "
				      "fakesink name=sink sync=false",
				      vivid.node()));
	pipeline.onBuffer([&](GstBuffer *, unsigned number) {
		if (number == 10)
			setControl(vivid.node(), "Percentage of Dropped Buffers", 100);
	});
	pipeline.run();
	setControl(vivid.node(), "Percentage of Dropped Buffers", 0);
	EXPECT_EQ(pipeline.warnings().size(), 1U);
	expectError(pipeline, "heapcamerasrc", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ);
	EXPECT_THAT(pipeline.errors().front().message, testing::HasSubstr("held downstream"));
}

TEST(CameraFlow, ALostCameraIsAnError)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} heap=system ! "
				      "fakesink name=sink sync=false",
				      vivid.node()));
	pipeline.onBuffer([&](GstBuffer *, unsigned number) {
		if (number == 5)
			setControl(vivid.node(), "Disconnect", 1);
	});
	pipeline.run();
	expectError(pipeline, "heapcamerasrc", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
}

TEST(CameraFlow, ALostCameraIsWaitedForIfWanted)
{
	const Vivid vivid("0");
	const unsigned losses = numberFrom("HEAPFLOW_CYCLES", 5);
	const Resources before = quietBoard();
	{
		Pipeline pipeline(std::format(
			"heapcamerasrc name=source camera-name={} heap=system wait-for-camera=true "
			"num-buffers={} ! fakesink name=sink sync=false",
			vivid.node(), (losses + 1) * 10));
		unsigned lost = 0;
		pipeline.onBuffer([&](GstBuffer *, unsigned number) {
			if (number % 10 == 0 && lost < losses) {
				lost++;
				setControl(vivid.node(), "Disconnect", 1);
			}
		});
		pipeline.run(std::chrono::seconds(300));
		EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
		EXPECT_EQ(pipeline.warnings().size(), losses);
	}
	EXPECT_EQ(settled(before), before);
}

/* It is asked for its modes when the stream begins, and is not there then. */
TEST(CameraFlow, ACameraThatIsLostBeforeItPlaysIsWaitedForIfWanted)
{
	const Vivid vivid("0");
	for (const bool waits : {true, false}) {
		Pipeline pipeline(
			std::format("heapcamerasrc name=source camera-name={} wait-for-camera={} "
				    "num-buffers=5 ! video/x-raw(memory:DMABuf),drm-format=XR24 ! "
				    "fakesink name=sink sync=false",
				    vivid.node(), waits));
		pipeline.setState(GST_STATE_READY);
		setControl(vivid.node(), "Disconnect", 1);
		pipeline.run();
		EXPECT_EQ(pipeline.reachedEnd(), waits) << pipeline.errorText();
		EXPECT_THAT(pipeline.errorText(), testing::HasSubstr(waits ? "" : "ENODEV"));
	}
}

TEST(CameraTells, FramesCarryWhatTheCameraTold)
{
	Pipeline pipeline("heapcamerasrc name=source camera-name=Virtual0 heap=system "
			  "num-buffers=5 ! fakesink name=sink sync=false");
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned) {
		GstHeapCameraMeta *meta = gst_buffer_get_heap_camera_meta(buffer);
		ASSERT_NE(meta, nullptr);
		EXPECT_EQ(meta->sequence, GST_BUFFER_OFFSET(buffer));
		EXPECT_LE(std::abs(meta->sensor_timestamp - meta->arrival), 1000000000);
		GValue value = G_VALUE_INIT;
		ASSERT_TRUE(gst_heap_camera_meta_get_value(meta, "SensorTimestamp", &value));
		EXPECT_GT(g_value_get_int64(&value), 0);
		g_value_unset(&value);
		EXPECT_FALSE(gst_heap_camera_meta_get_value(meta, "NoSuchThing", &value));
		gint64 exposure = 0;
		EXPECT_FALSE(gst_heap_camera_meta_get_exposure_time(meta, &exposure))
			<< "the virtual camera has none";
		GstStructure *all = gst_heap_camera_meta_to_structure(meta);
		EXPECT_TRUE(gst_structure_has_field(all, "SensorTimestamp"));
		gst_structure_free(all);
		/* It goes along with a copy. */
		GstBuffer *copy = gst_buffer_copy(buffer);
		GstHeapCameraMeta *copied = gst_buffer_get_heap_camera_meta(copy);
		ASSERT_NE(copied, nullptr);
		EXPECT_EQ(copied->arrival, meta->arrival);
		GValue again = G_VALUE_INIT;
		EXPECT_TRUE(gst_heap_camera_meta_get_value(copied, "SensorTimestamp", &again));
		g_value_unset(&again);
		gst_buffer_unref(copy);
	});
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
}

TEST(CameraTells, OrientationIsATag)
{
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} heap=system "
				      "num-buffers=5 ! fakesink name=sink sync=false",
				      vimc));
	std::string orientation;
	GstPad *pad = gst_element_get_static_pad(pipeline.element("sink"), "sink");
	gst_pad_add_probe(
		pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
		[](GstPad *, GstPadProbeInfo *info, gpointer data) {
			GstEvent *event = GST_PAD_PROBE_INFO_EVENT(info);
			if (GST_EVENT_TYPE(event) == GST_EVENT_TAG) {
				GstTagList *tags = nullptr;
				g_autofree char *text = nullptr;
				gst_event_parse_tag(event, &tags);
				if (gst_tag_list_get_string(tags, GST_TAG_IMAGE_ORIENTATION, &text))
					*static_cast<std::string *>(data) = text;
			}
			return GST_PAD_PROBE_OK;
		},
		&orientation, nullptr);
	gst_object_unref(pad);
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_EQ(orientation, "rotate-0");
}

/* --- the device provider --- */

TEST(CameraProvider, ListsTheCamerasAndMakesElementsForThem)
{
	GstDeviceProvider *provider = gst_device_provider_factory_get_by_name("heapcameraprovider");
	ASSERT_NE(provider, nullptr);
	ASSERT_TRUE(gst_device_provider_start(provider));
	GList *devices = gst_device_provider_get_devices(provider);
	EXPECT_EQ(g_list_length(devices), 3U);
	std::vector<std::string> names;
	for (GList *item = devices; item; item = item->next) {
		auto *device = GST_DEVICE(item->data);
		g_autofree char *name = gst_device_get_display_name(device);
		names.emplace_back(name);
		GstCaps *caps = gst_device_get_caps(device);
		EXPECT_FALSE(gst_caps_is_empty(caps)) << name;
		gst_caps_unref(caps);
		GstElement *element = gst_device_create_element(device, nullptr);
		ASSERT_NE(element, nullptr);
		gst_object_ref_sink(element);
		EXPECT_EQ(gst_element_set_state(element, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS)
			<< name;
		gst_element_set_state(element, GST_STATE_NULL);
		gst_object_unref(element);
	}
	g_list_free_full(devices, gst_object_unref);
	gst_device_provider_stop(provider);
	gst_object_unref(provider);
	EXPECT_THAT(names, testing::UnorderedElementsAre("Virtual bars",
							 testing::HasSubstr("Sensor B"), "vivid"));
}

/* As an application asks that wants to know once, and not to be told of changes. */
TEST(CameraProvider, ListsThemInFewLinesWithoutBeingStarted)
{
	GstDeviceProvider *provider = gst_device_provider_factory_get_by_name("heapcameraprovider");
	ASSERT_NE(provider, nullptr);
	GList *devices = gst_device_provider_get_devices(provider);
	EXPECT_EQ(g_list_length(devices), 3U);
	for (GList *item = devices; item; item = item->next) {
		auto *device = GST_DEVICE(item->data);
		g_autofree char *name = gst_device_get_display_name(device);
		GstCaps *caps = gst_device_get_caps(device);
		EXPECT_FALSE(gst_caps_is_empty(caps)) << name;
		/* vivid has some 30 formats, each in some 20 sizes. */
		EXPECT_LT(gst_caps_get_size(caps), 100U) << name;
		gst_caps_unref(caps);
	}
	g_list_free_full(devices, gst_object_unref);
	gst_object_unref(provider);
}

} /* namespace */
