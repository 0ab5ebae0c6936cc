/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GstHeapCameraMeta as an application reads it, with what no camera of the board reports. */
#include "gst/heap/gstheapcamerameta.h"

#include "gstheapcamerametaprivate.h"
#include "gstheapcamerapad.h"

#include <memory>

#include <gtest/gtest.h>

using namespace heapflow;

namespace
{

struct Unref {
	void operator()(GstBuffer *buffer) const { gst_buffer_unref(buffer); }
};

class CameraMeta : public testing::Test
{
protected:
	CameraMeta()
	{
		meta_->sequence = 7;
		meta_->sensor_timestamp = 1000;
		meta_->arrival = 2000;
		meta_->priv->controls = {
			{"ExposureTime", int64_t{10000}},
			{"AnalogueGain", 2.5},
			{"DigitalGain", 1.25},
			{"ColourTemperature", int64_t{4500}},
			{"LensPosition", 0.5},
			{"AeState", std::string("converged")},
			{"ColourGains", std::vector<double>{1.5, 2}},
			{"AfWindows", std::vector<int64_t>{1, 2, 3, 4}},
			{"AwbLocked", true},
		};
	}

	std::unique_ptr<GstBuffer, Unref> buffer_{gst_buffer_new()};
	GstHeapCameraMeta *meta_ = gst_buffer_add_heap_camera_meta(buffer_.get());
};

void expectAll(const GstHeapCameraMeta *meta)
{
	gint64 exposure = 0;
	gdouble analogue = 0, digital = 0, lens = 0;
	gint temperature = 0;
	EXPECT_TRUE(gst_heap_camera_meta_get_exposure_time(meta, &exposure));
	EXPECT_EQ(exposure, 10000);
	EXPECT_TRUE(gst_heap_camera_meta_get_analogue_gain(meta, &analogue));
	EXPECT_DOUBLE_EQ(analogue, 2.5);
	EXPECT_TRUE(gst_heap_camera_meta_get_digital_gain(meta, &digital));
	EXPECT_DOUBLE_EQ(digital, 1.25);
	EXPECT_TRUE(gst_heap_camera_meta_get_colour_temperature(meta, &temperature));
	EXPECT_EQ(temperature, 4500);
	EXPECT_TRUE(gst_heap_camera_meta_get_lens_position(meta, &lens));
	EXPECT_DOUBLE_EQ(lens, 0.5);
}

TEST_F(CameraMeta, TellsWhatTheCameraReported)
{
	expectAll(meta_);
	EXPECT_TRUE(gst_heap_camera_meta_get_lens_position(meta_, nullptr)) << "is it told?";
}

TEST_F(CameraMeta, IsFalseForWhatWasNotReported)
{
	meta_->priv->controls.clear();
	gint64 exposure = 5;
	EXPECT_FALSE(gst_heap_camera_meta_get_exposure_time(meta_, &exposure));
	EXPECT_EQ(exposure, 5);
	GValue value = G_VALUE_INIT;
	EXPECT_FALSE(gst_heap_camera_meta_get_value(meta_, "ExposureTime", &value));
	EXPECT_FALSE(gst_heap_camera_meta_get_value(meta_, nullptr, &value));
	EXPECT_FALSE(G_IS_VALUE(&value));
}

TEST_F(CameraMeta, HasEveryValueByName)
{
	GValue value = G_VALUE_INIT;
	ASSERT_TRUE(gst_heap_camera_meta_get_value(meta_, "AfWindows", &value));
	ASSERT_EQ(gst_value_array_get_size(&value), 4U);
	EXPECT_EQ(g_value_get_int64(gst_value_array_get_value(&value, 3)), 4);
	g_value_unset(&value);
	ASSERT_TRUE(gst_heap_camera_meta_get_value(meta_, "AwbLocked", &value));
	EXPECT_TRUE(g_value_get_boolean(&value));
	g_value_unset(&value);

	GstStructure *all = gst_heap_camera_meta_to_structure(meta_);
	EXPECT_EQ(gst_structure_n_fields(all), 3 + 9);
	EXPECT_STREQ(gst_structure_get_string(all, "AeState"), "converged");
	guint64 sequence = 0;
	EXPECT_TRUE(gst_structure_get_uint64(all, "sequence", &sequence));
	EXPECT_EQ(sequence, 7U);
	gst_structure_free(all);
}

TEST_F(CameraMeta, GoesAlongWithACopy)
{
	const std::unique_ptr<GstBuffer, Unref> copy(gst_buffer_copy(buffer_.get()));
	buffer_.reset();
	const GstHeapCameraMeta *copied = gst_buffer_get_heap_camera_meta(copy.get());
	ASSERT_NE(copied, nullptr);
	EXPECT_EQ(copied->sensor_timestamp, 1000);
	expectAll(copied);
}

/* GStreamer's names of the EXIF orientations, as gst_video_orientation_from_tag() reads them. */
TEST(OrientationTag, IsOneOfGstreamersForEachOfLibcameras)
{
	const std::pair<Orientation, const char *> names[] = {
		{Orientation::Rotate0, "rotate-0"},
		{Orientation::Rotate0Mirror, "flip-rotate-0"},
		{Orientation::Rotate180, "rotate-180"},
		{Orientation::Rotate180Mirror, "flip-rotate-180"},
		{Orientation::Rotate90Mirror, "flip-rotate-270"},
		{Orientation::Rotate270, "rotate-90"},
		{Orientation::Rotate270Mirror, "flip-rotate-90"},
		{Orientation::Rotate90, "rotate-270"},
	};
	for (const auto &[orientation, name] : names) {
		GstEvent *event = gst::orientationTag(orientation);
		GstTagList *tags = nullptr;
		g_autofree char *text = nullptr;
		gst_event_parse_tag(event, &tags);
		ASSERT_TRUE(gst_tag_list_get_string(tags, GST_TAG_IMAGE_ORIENTATION, &text));
		EXPECT_STREQ(text, name) << int(orientation);
		gst_event_unref(event);
	}
}

} /* namespace */
