/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Controls, sensor configuration and tuning file of heapcamerasrc. */
#include "pipeline.h"
#include "pipeline_watch.h"
#include "vivid.h"

#include <atomic>
#include <cmath>
#include <format>
#include <mutex>
#include <vector>

#include <gmock/gmock.h>
#include <gst/video/video.h>

using namespace heapflow::test;

namespace
{

const std::string vimc = "\"platform/vimc.0 Sensor B\"";

TEST(CameraTells, ControlsArePropertiesThatWorkWhilePlaying)
{
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} heap=system ! "
				      "video/x-raw,width=320,height=240 ! "
				      "fakesink name=sink sync=false",
				      vimc));
	std::atomic<double> mean = 0;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned) { mean = meanOf(buffer); });
	pipeline.setState(GST_STATE_PLAYING);
	GstElement *source = pipeline.element("source");
	ASSERT_TRUE(waitFor([&] { return mean > 10; }));
	const double normal = mean;
	g_object_set(source, "brightness", -0.6, nullptr);
	EXPECT_TRUE(waitFor([&] { return mean < normal - 20; })) << mean;
	double set = 0;
	g_object_get(source, "brightness", &set, nullptr);
	EXPECT_DOUBLE_EQ(set, -0.6);
	GstStructure *both = gst_structure_from_string("c,brightness=0.8,contrast=0.2", nullptr);
	g_object_set(source, "controls", both, nullptr);
	gst_structure_free(both);
	EXPECT_TRUE(waitFor([&] { return mean > normal; })) << mean;

	GstStructure *list = nullptr;
	g_object_get(source, "camera-controls", &list, nullptr);
	ASSERT_NE(list, nullptr);
	EXPECT_TRUE(gst_structure_has_field(list, "brightness"));
	gst_structure_free(list);
}

/* No frame has one of them and not the other: they go with one request. */
TEST(CameraTells, AStructureOfControlsIsForOneFrame)
{
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} heap=system ! "
				      "video/x-raw,width=320,height=240 ! "
				      "fakesink name=sink sync=false",
				      vimc));
	std::mutex mutex;
	std::vector<double> means;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned) {
		std::lock_guard lock(mutex);
		means.push_back(meanOf(buffer));
	});
	pipeline.setState(GST_STATE_PLAYING);
	const auto settle = [&](const char *controls) {
		GstStructure *structure = gst_structure_from_string(controls, nullptr);
		g_object_set(pipeline.element("source"), "controls", structure, nullptr);
		gst_structure_free(structure);
		const auto count = [&] {
			std::lock_guard lock(mutex);
			return means.size();
		};
		const size_t now = count();
		EXPECT_TRUE(waitFor([&] { return count() >= now + 12; })) << pipeline.errorText();
		std::lock_guard lock(mutex);
		return means.back();
	};
	const double first = settle("c,brightness=0.6,contrast=1.9");
	const double brightOnly = settle("c,brightness=-0.6,contrast=1.9");
	(void)settle("c,brightness=0.6,contrast=1.9");
	const double contrastOnly = settle("c,brightness=0.6,contrast=0.1");
	(void)settle("c,brightness=0.6,contrast=1.9");
	{
		std::lock_guard lock(mutex);
		means.clear();
	}
	const double both = settle("c,brightness=-0.6,contrast=0.1");
	std::lock_guard lock(mutex);
	for (const double other : {first, brightOnly, contrastOnly})
		ASSERT_GT(std::abs(both - other), 4) << "the pictures tell them apart";
	for (const double mean : means)
		EXPECT_TRUE(std::abs(mean - first) < 1 || std::abs(mean - both) < 1)
			<< mean << ", neither " << first << " nor " << both;
}

/* Two names for one control; the camera is set up anew with what was set last. */
TEST(CameraTells, TheValueSetLastHoldsWhenTheCameraIsSetUpAnew)
{
	Pipeline pipeline(
		std::format("heapcamerasrc name=source camera-name={} heap=system "
			    "controls=\"c,brightness=0.8\" ! "
			    "capsfilter name=filter caps=video/x-raw,width=320,height=240 ! "
			    "fakesink name=sink sync=false",
			    vimc));
	std::atomic<double> mean = 0;
	std::atomic<unsigned> width = 0;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned) {
		mean = meanOf(buffer);
		width = gst_buffer_get_video_meta(buffer)->width;
	});
	pipeline.setState(GST_STATE_PLAYING);
	GstElement *source = pipeline.element("source");
	ASSERT_TRUE(waitFor([&] { return mean > 100; })) << mean;
	const double bright = mean;
	g_object_set(source, "brightness", -0.6, nullptr);
	EXPECT_TRUE(waitFor([&] { return mean < bright - 40; })) << mean;
	GstCaps *other = gst_caps_from_string("video/x-raw,width=640,height=480");
	g_object_set(pipeline.element("filter"), "caps", other, nullptr);
	gst_caps_unref(other);
	ASSERT_TRUE(waitFor([&] { return width == 640; })) << pipeline.errorText();
	g_usleep(G_USEC_PER_SEC);
	EXPECT_LT(mean, bright - 40);
	double set = 0;
	g_object_get(source, "brightness", &set, nullptr);
	EXPECT_DOUBLE_EQ(set, -0.6);
}

TEST(CameraTells, ASensorConfigurationThatCannotBeMetIsAnErrorAtTheStart)
{
	const struct {
		const char *config, *message;
	} cases[] = {
		{"s,width=640,height=480,depth=8", "mode of its sensor"},
		{"s,width=640,height=480", "needs width, height and depth"},
		{"s,width=640,height=480,bits=8", "no field 'bits'"},
	};
	for (const auto &one : cases) {
		Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} "
					      "sensor-config=\"{}\" num-buffers=2 ! "
					      "fakesink name=sink sync=false",
					      vimc, one.config));
		pipeline.run();
		expectError(pipeline, "heapcamerasrc", GST_RESOURCE_ERROR,
			    GST_RESOURCE_ERROR_SETTINGS);
		EXPECT_THAT(pipeline.errors().front().message, testing::HasSubstr(one.message));
	}
}

TEST(CameraTells, ATuningFileThatIsNotThereIsAnError)
{
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} "
				      "tuning-file=/nowhere/to/be.found num-buffers=2 ! "
				      "fakesink name=sink sync=false",
				      vimc));
	pipeline.run();
	expectError(pipeline, "heapcamerasrc", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
	EXPECT_THAT(pipeline.errors().front().message, testing::HasSubstr("/nowhere/to/be.found"));
}

TEST(CameraTells, AWrongControlIsAnErrorAtTheStartAndAWarningLater)
{
	Pipeline wrong(std::format("heapcamerasrc name=source camera-name={} brightness=5 "
				   "num-buffers=2 ! fakesink name=sink sync=false",
				   vimc));
	wrong.run();
	expectError(wrong, "heapcamerasrc", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
	EXPECT_THAT(wrong.errors().front().message, testing::HasSubstr("-1 to 1"));

	Pipeline later(std::format("heapcamerasrc name=source camera-name={} num-buffers=12 "
				   "heap=system ! fakesink name=sink sync=false",
				   vimc));
	later.onBuffer([&](GstBuffer *, unsigned number) {
		if (number == 2)
			g_object_set(later.element("source"), "brightness", 7.0, nullptr);
	});
	later.run();
	EXPECT_TRUE(later.reachedEnd()) << later.errorText();
	ASSERT_EQ(later.warnings().size(), 1U);
	EXPECT_THAT(later.warnings().front().message, testing::HasSubstr("-1 to 1, not 7"));
}

/* It would be pressed again whenever the camera is set up anew. */
TEST(CameraTells, AButtonIsPressedOnceAndNotKept)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} heap=system "
				      "controls=\"c,button=true,volume=100\" ! "
				      "fakesink name=sink sync=false",
				      vivid.node()));
	const auto kept = [&pipeline](const char *name) {
		GstStructure *controls = nullptr;
		g_object_get(pipeline.element("source"), "controls", &controls, nullptr);
		const bool has = controls && gst_structure_has_field(controls, name);
		g_clear_pointer(&controls, gst_structure_free);
		return has;
	};
	Counter counter(pipeline, "sink");
	EXPECT_TRUE(kept("button")) << "until there is a camera";
	pipeline.setState(GST_STATE_PLAYING);
	ASSERT_TRUE(waitFor([&] { return counter.count > 2; })) << pipeline.errorText();
	EXPECT_FALSE(kept("button"));
	EXPECT_TRUE(kept("volume"));
	GstStructure *again = gst_structure_from_string("c,button=true", nullptr);
	g_object_set(pipeline.element("source"), "controls", again, nullptr);
	gst_structure_free(again);
	EXPECT_FALSE(kept("button"));
}

} /* namespace */
