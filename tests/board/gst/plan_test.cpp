/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What heapcamerasrc makes of the terms of a display: asked before the caps are settled, and by the
 * ALLOCATION query. The display here is a fakesink that answers as heapkmssink does, since vkms
 * takes any pitch.
 */
#include "board.h"
#include "pipeline.h"
#include "vivid.h"

#include <gmock/gmock.h>
#include <gst/video/video.h>

#include <format>

using namespace heapflow::test;
using testing::HasSubstr;

namespace
{

GstStructure *termsWithPitch(guint pitch)
{
	return gst_structure_new("heapflow-display", "name", G_TYPE_STRING, "the panel",
				 "pitch-alignment", G_TYPE_UINT, pitch, "buffers-held", G_TYPE_UINT,
				 3, nullptr);
}

/* Qdata of the pad: the pitch that is asked for, and whether it shows the buffers themselves. */
constexpr const char *pitchKey = "test-pitch";
constexpr const char *scansOutKey = "test-scans-out";

gboolean answer(GstPad *pad, GstObject *parent, GstQuery *query)
{
	const guint pitch = GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(pad), pitchKey));
	if (GST_QUERY_TYPE(query) == GST_QUERY_CUSTOM) {
		GValue list = G_VALUE_INIT, one = G_VALUE_INIT;
		g_value_init(&list, GST_TYPE_LIST);
		g_value_init(&one, GST_TYPE_STRUCTURE);
		g_value_take_boxed(&one, termsWithPitch(pitch));
		gst_value_list_append_and_take_value(&list, &one);
		gst_structure_take_value(gst_query_writable_structure(query), "displays", &list);
		return FALSE;
	}
	if (GST_QUERY_TYPE(query) == GST_QUERY_ALLOCATION) {
		gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
		/* As any element may: the name is what counts, and who comes first registers it. */
		GType api = g_type_from_name("GstHeapScanoutAPI");
		const gchar *tags[] = {"memory", nullptr};
		if (!api)
			api = gst_meta_api_type_register("GstHeapScanoutAPI", tags);
		if (g_object_get_data(G_OBJECT(pad), scansOutKey)) {
			GstStructure *terms = termsWithPitch(pitch);
			gst_query_add_allocation_meta(query, api, terms);
			gst_structure_free(terms);
		}
		return TRUE;
	}
	return gst_pad_query_default(pad, parent, query);
}

/* A source and a sink that needs such a pitch. */
class PlannedPipeline : public Pipeline
{
public:
	PlannedPipeline(const std::string &source, const std::string &caps, guint pitch,
			bool scansOut = true)
		: Pipeline(std::format("heapcamerasrc name=source {} num-buffers=3 heap=video@* ! "
				       "{} ! fakesink name=sink",
				       source, caps))
	{
		GstPad *pad = gst_element_get_static_pad(element("sink"), "sink");
		g_object_set_data(G_OBJECT(pad), pitchKey, GUINT_TO_POINTER(pitch));
		g_object_set_data(G_OBJECT(pad), scansOutKey, GUINT_TO_POINTER(scansOut));
		gst_pad_set_query_function(pad, answer);
		gst_object_unref(pad);
	}
};

constexpr const char *vimc = "camera-name=\"platform/vimc.0 Sensor B\"";

TEST(Plan, ACameraIsAskedForThePitchOfTheDisplay)
{
	const Vivid vivid("0");
	PlannedPipeline pipeline("camera-name=" + vivid.node(),
				 "video/x-raw,format=NV12,width=640,height=360", 512);
	pipeline.run();
	ASSERT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_THAT(pipeline.plan("source", "layout"), HasSubstr("stride 1024"));
	EXPECT_EQ(pipeline.plan("source", "buffers"), "5") << "three on the display, two here";
}

TEST(Plan, PitchesThatFitAreLeftAlone)
{
	const Vivid vivid("0");
	PlannedPipeline pipeline("camera-name=" + vivid.node(),
				 "video/x-raw,format=NV12,width=1280,height=720", 64);
	pipeline.run();
	ASSERT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_THAT(pipeline.plan("source", "layout"), HasSubstr("stride 1280"));
}

/* vimc has the stride that it has; a size that fits nobody is an error before the first frame. */
TEST(Plan, AClashIsAnErrorWithBothNumbers)
{
	PlannedPipeline pipeline(vimc, "video/x-raw,format=RGB,width=1000,height=720", 64);
	pipeline.run();
	expectError(pipeline, "heapcamerasrc", GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION);
	ASSERT_FALSE(pipeline.errors().empty());
	EXPECT_THAT(pipeline.errors().front().message,
		    HasSubstr("the panel needs pitches that are multiples of 64 bytes"));
	EXPECT_THAT(pipeline.errors().front().message, HasSubstr("gives 3000"));
}

/* The display is there, but something in between makes its own frames for it. */
TEST(Plan, NoClashWithADisplayThatShowsOtherFrames)
{
	PlannedPipeline pipeline(vimc, "video/x-raw,format=RGB,width=1000,height=720", 64, false);
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
}

TEST(Plan, NamesTheDisplayAndJudgesEveryHeap)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} heap=auto "
				      "num-buffers=5 ! heapkmssink name=sink sync=false",
				      vivid.node()));
	pipeline.run();
	expectAllShown(pipeline, 5);
	EXPECT_THAT(pipeline.plan("source", "display"), HasSubstr("/dev/dri/card"));
	for (const std::string &heap : allHeaps)
		EXPECT_THAT(pipeline.plan("source", "heap-reasons"), HasSubstr(heap + ": "));
	EXPECT_EQ(pipeline.plan("source", "heap"), "video@42000000");
	EXPECT_TRUE(pipeline.warnings().empty()) << pipeline.warnings().front().message;
}

TEST(Plan, GoesThroughATeeToTheDisplay)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format("heapcamerasrc name=source camera-name={} heap=video@* "
				      "num-buffers=5 ! tee name=t ! queue ! heapkmssink name=sink "
				      "sync=false t. ! queue ! fakesink",
				      vivid.node()));
	pipeline.run();
	expectAllShown(pipeline, 5);
}

} /* namespace */
