/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cameras that are unplugged and plugged in, as GStreamer tells of them. On a board of its own: the
 * nodes have other numbers afterwards.
 */
#include "board.h"
#include "pipeline.h"
#include "pipeline_watch.h"
#include "run_command.h"
#include "vivid.h"

#include "heapflow/heap/unique_fd.h"

#include <format>
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>

using namespace heapflow::test;

namespace
{

void bindDriver(const std::string &driver, const char *how)
{
	std::ofstream("/sys/bus/platform/drivers/" + driver + "/" + how)
		<< driver << ".0" << std::flush;
}

/* The provider as an application has it, with the messages on its bus. */
class CameraHotplug : public testing::Test
{
protected:
	void SetUp() override
	{
		provider_ = gst_device_provider_factory_get_by_name("heapcameraprovider");
		ASSERT_NE(provider_, nullptr);
		bus_ = gst_device_provider_get_bus(provider_);
		ASSERT_TRUE(gst_device_provider_start(provider_));
		/* Those that are there at the start are told of as well. */
		for (int i = 0; i < 3; i++)
			gst_clear_object(&next(GST_MESSAGE_DEVICE_ADDED).device);
	}
	void TearDown() override
	{
		gst_device_provider_stop(provider_);
		gst_object_unref(bus_);
		gst_object_unref(provider_);
	}

	struct Told {
		std::string name;
		GstDevice *device = nullptr; /* the test unrefs it */
	};
	Told &next(GstMessageType type)
	{
		told_ = {};
		GstMessage *message = gst_bus_timed_pop(bus_, 10 * GST_SECOND);
		if (!message) {
			ADD_FAILURE() << "nothing is told";
			return told_;
		}
		EXPECT_EQ(GST_MESSAGE_TYPE(message), type) << GST_MESSAGE_TYPE_NAME(message);
		if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_DEVICE_REMOVED)
			gst_message_parse_device_removed(message, &told_.device);
		else
			gst_message_parse_device_added(message, &told_.device);
		g_autofree char *name = gst_device_get_display_name(told_.device);
		told_.name = name;
		gst_message_unref(message);
		return told_;
	}
	/* The element that the device makes delivers frames. */
	static void expectFrames(GstDevice *device)
	{
		Pipeline pipeline("fakesrc name=source ! fakesink name=sink sync=false");
		auto *bin = GST_BIN(GST_OBJECT_PARENT(pipeline.element("sink")));
		GstElement *camera = gst_device_create_element(device, "camera");
		ASSERT_NE(camera, nullptr);
		g_object_set(camera, "num-buffers", 5, "heap", "system", nullptr);
		gst_bin_remove(bin, pipeline.element("source"));
		gst_bin_add(bin, camera);
		ASSERT_TRUE(gst_element_link(camera, pipeline.element("sink")));
		Counter counter(pipeline, "sink");
		pipeline.run();
		EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
		EXPECT_EQ(counter.count, 5U);
	}
	guint devices() const
	{
		GList *list = gst_device_provider_get_devices(provider_);
		const guint count = g_list_length(list);
		g_list_free_full(list, gst_object_unref);
		return count;
	}

	GstDeviceProvider *provider_ = nullptr;
	GstBus *bus_ = nullptr;
	Told told_;
};

TEST_F(CameraHotplug, ADeviceOfLibcameraGoesAndComesBack)
{
	for (int cycle = 0; cycle < 2; cycle++) {
		bindDriver("vimc", "unbind");
		Told gone = next(GST_MESSAGE_DEVICE_REMOVED);
		EXPECT_THAT(gone.name, testing::HasSubstr("Sensor B"));
		gst_clear_object(&gone.device);
		EXPECT_EQ(devices(), 2U);
		bindDriver("vimc", "bind");
		Told back = next(GST_MESSAGE_DEVICE_ADDED);
		EXPECT_THAT(back.name, testing::HasSubstr("Sensor B"));
		EXPECT_EQ(devices(), 3U);
		GstCaps *caps = gst_device_get_caps(back.device);
		EXPECT_FALSE(gst_caps_is_empty(caps));
		gst_caps_unref(caps);
		expectFrames(back.device);
		gst_clear_object(&back.device);
	}
}

TEST_F(CameraHotplug, ADeviceOfV4l2GoesAndComesBack)
{
	for (int cycle = 0; cycle < 2; cycle++) {
		bindDriver("vivid", "unbind");
		Told gone = next(GST_MESSAGE_DEVICE_REMOVED);
		EXPECT_EQ(gone.name, "vivid");
		gst_clear_object(&gone.device);
		EXPECT_EQ(devices(), 2U);
		bindDriver("vivid", "bind");
		Told back = next(GST_MESSAGE_DEVICE_ADDED);
		EXPECT_EQ(back.name, "vivid");
		EXPECT_EQ(devices(), 3U);
		expectFrames(back.device);
		gst_clear_object(&back.device);
	}
}

/* In a process of its own: what libcamera knew of the device stays in it. */
TEST(CameraHotplugPlaying, ALostCameraOfLibcameraIsAnError)
{
	const TemporaryDirectory directory;
	const std::string frames = (directory.path() / "frames").string();
	/* Unplugged when the first frames have come, however long that takes. */
	const CommandResult result = runCommand(std::format(
		"timeout 60 gst-launch-1.0 heapcamerasrc camera-name='platform/vimc.0 Sensor B' "
		"heap=system ! filesink location={0} & launched=$!; "
		"for i in $(seq 300); do [ -s {0} ] && break; sleep 0.1; done; "
		"echo vimc.0 >/sys/bus/platform/drivers/vimc/unbind; wait $launched; status=$?; "
		"echo vimc.0 >/sys/bus/platform/drivers/vimc/bind; exit $status",
		frames));
	EXPECT_THAT(result.status, testing::AnyOf(1, 255)) << result.errors;
	EXPECT_THAT(result.errors, testing::HasSubstr("is gone"));
	EXPECT_THAT(result.errors, testing::HasSubstr("unplugged"));
}

/* libcamera cannot have it again in the process, and would abort it. */
TEST(CameraHotplugPlaying, ALostCameraOfLibcameraThatComesBackIsAnErrorAndNoAbort)
{
	const TemporaryDirectory directory;
	const std::string frames = (directory.path() / "frames").string();
	const CommandResult result = runCommand(std::format(
		"timeout 60 gst-launch-1.0 heapcamerasrc camera-name='platform/vimc.0 Sensor B' "
		"wait-for-camera=true heap=system ! filesink location={0} & launched=$!; "
		"for i in $(seq 300); do [ -s {0} ] && break; sleep 0.1; done; "
		"echo vimc.0 >/sys/bus/platform/drivers/vimc/unbind; sleep 2; "
		"echo vimc.0 >/sys/bus/platform/drivers/vimc/bind; wait $launched",
		frames));
	EXPECT_THAT(result.status, testing::AnyOf(1, 255)) << result.errors;
	EXPECT_THAT(result.errors, testing::HasSubstr("cannot have it a second time"));
}

/* Whoever still has the old node open keeps its number. */
TEST(CameraHotplugPlaying, AV4l2CameraThatComesBackUnderAnotherNumberIsFound)
{
	const std::string before = vividNode();
	Pipeline pipeline("heapcamerasrc name=source camera-name=vivid heap=system "
			  "wait-for-camera=true ! fakesink name=sink sync=false");
	Counter counter(pipeline, "sink");
	pipeline.setState(GST_STATE_PLAYING);
	ASSERT_TRUE(waitFor([&] { return counter.count > 5; })) << pipeline.errorText();
	const heapflow::UniqueFd old(open(before.c_str(), O_RDWR | O_CLOEXEC));
	ASSERT_TRUE(old.valid());
	bindDriver("vivid", "unbind");
	g_usleep(G_USEC_PER_SEC);
	bindDriver("vivid", "bind");
	const unsigned then = counter.count;
	EXPECT_TRUE(waitFor([&] { return counter.count > then + 5; })) << pipeline.errorText();
	EXPECT_NE(vividNode(), before) << "the node was to have another number";
}

/* Not there when the pipeline starts, and plugged in two seconds later. */
TEST(CameraHotplugPlaying, ACameraThatIsNotThereYetIsWaitedFor)
{
	const std::pair<const char *, const char *> cameras[] = {
		{"vimc", "platform/vimc.0 Sensor B"}, {"vivid", "vivid"}};
	for (const auto &[driver, name] : cameras) {
		const CommandResult result = runCommand(std::format(
			"cd /sys/bus/platform/drivers/{0}; echo {0}.0 >unbind; sleep 1; "
			"timeout 60 gst-launch-1.0 heapcamerasrc camera-name='{1}' heap=system "
			"wait-for-camera=true num-buffers=3 ! fakesink & launched=$!; sleep 2; "
			"kill -0 $launched || echo ended early >&2; echo {0}.0 >bind; "
			"wait $launched",
			driver, name));
		EXPECT_EQ(result.status, 0) << result.errors;
		EXPECT_THAT(result.errors, testing::Not(testing::HasSubstr("ended early")));
	}
	const CommandResult absent =
		runCommand("cd /sys/bus/platform/drivers/vivid; echo vivid.0 >unbind; sleep 1; "
			   "gst-launch-1.0 heapcamerasrc camera-name=vivid ! fakesink; status=$?; "
			   "echo vivid.0 >bind; exit $status");
	EXPECT_NE(absent.status, 0);
	EXPECT_THAT(absent.errors, testing::HasSubstr("there is no camera 'vivid'"));
}

} /* namespace */
