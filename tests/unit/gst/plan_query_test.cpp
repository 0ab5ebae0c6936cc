/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The query between heapflow's elements: how it travels through elements of others. */
#include "gstheapplanquery.h"

#include <drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include <memory>

using namespace heapflow::gst;
using testing::ElementsAre;
using testing::IsEmpty;

namespace
{

struct QueryUnref {
	void operator()(GstQuery *query) const { gst_query_unref(query); }
};
using Query = std::unique_ptr<GstQuery, QueryUnref>;

struct BinUnref {
	void operator()(GstElement *bin) const
	{
		gst_element_set_state(bin, GST_STATE_NULL);
		gst_object_unref(bin);
	}
};

constexpr PlanQuestion question{DRM_FORMAT_NV12, 0, 1280, 720};
constexpr const char *caps = "video/x-raw,format=NV12,width=1280,height=720,framerate=30/1";

DisplayTerms termsOf(const std::string &name)
{
	return {.name = name,
		.device = "/dev/dri/" + name,
		.pitchAlignment = 64,
		.buffersHeld = 3,
		.minimumWidth = 10,
		.maximumWidth = 4096,
		.minimumHeight = 11,
		.maximumHeight = 4097};
}

/* Answers both queries as a display does: a pad function, told its name by the pad's own. */
gboolean answer(GstPad *pad, GstObject *parent, GstQuery *query)
{
	PlanQuestion asked;
	if (parsePlanQuery(query, asked)) {
		if (asked.fourcc == question.fourcc && asked.width == question.width)
			addDisplayTerms(query, termsOf(GST_OBJECT_NAME(parent)));
		return FALSE;
	}
	if (GST_QUERY_TYPE(query) == GST_QUERY_ALLOCATION) {
		gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
		addScanout(query, termsOf(GST_OBJECT_NAME(parent)));
		return TRUE;
	}
	return gst_pad_query_default(pad, parent, query);
}

/* A description whose sinks, all of them fakesinks with names, are displays. */
class Displays
{
public:
	Displays(const std::string &description, const std::vector<std::string> &sinks)
	{
		GError *error = nullptr;
		bin_.reset(gst_parse_bin_from_description(
			("identity name=entry ! " + description).c_str(), FALSE, &error));
		EXPECT_EQ(error, nullptr) << error->message;
		for (const std::string &name : sinks) {
			GstElement *sink = gst_bin_get_by_name(GST_BIN(bin_.get()), name.c_str());
			GstPad *pad = gst_element_get_static_pad(sink, "sink");
			gst_pad_set_query_function(pad, answer);
			gst_object_unref(pad);
			gst_object_unref(sink);
		}
		GstElement *entry = gst_bin_get_by_name(GST_BIN(bin_.get()), "entry");
		pad_ = gst_element_get_static_pad(entry, "sink");
		gst_object_unref(entry);
	}
	~Displays() { gst_object_unref(pad_); }

	std::vector<std::string> asked()
	{
		const Query query(newPlanQuery(question));
		gst_pad_query(pad_, query.get());
		std::vector<std::string> names;
		for (const DisplayTerms &terms : displayTerms(query.get()))
			names.push_back(terms.name);
		return names;
	}

	/* Of the ALLOCATION query, once the caps are known to all. */
	std::string scanout()
	{
		gst_element_set_state(bin_.get(), GST_STATE_PAUSED);
		GstCaps *format = gst_caps_from_string(caps);
		gst_pad_send_event(pad_, gst_event_new_stream_start("plan"));
		gst_pad_send_event(pad_, gst_event_new_caps(format));
		const Query query(gst_query_new_allocation(format, TRUE));
		gst_pad_query(pad_, query.get());
		gst_caps_unref(format);
		return scanoutOf(query.get()).name;
	}

private:
	std::unique_ptr<GstElement, BinUnref> bin_;
	GstPad *pad_ = nullptr;
};

TEST(PlanQuery, CarriesQuestionAndTerms)
{
	const Query query(newPlanQuery({DRM_FORMAT_XRGB8888, 42, 640, 480}));
	PlanQuestion asked;
	ASSERT_TRUE(parsePlanQuery(query.get(), asked));
	EXPECT_EQ(asked.fourcc, uint32_t(DRM_FORMAT_XRGB8888));
	EXPECT_EQ(asked.modifier, 42U);
	EXPECT_EQ(asked.width, 640U);
	EXPECT_EQ(asked.height, 480U);
	EXPECT_THAT(displayTerms(query.get()), IsEmpty());
	addDisplayTerms(query.get(), termsOf("card1"));
	addDisplayTerms(query.get(), termsOf("card2"));
	EXPECT_THAT(displayTerms(query.get()), ElementsAre(termsOf("card1"), termsOf("card2")));
}

TEST(PlanQuery, OtherQueriesAreNotMistakenForIt)
{
	PlanQuestion asked;
	const Query other(
		gst_query_new_custom(GST_QUERY_CUSTOM, gst_structure_new_empty("somebody-else")));
	EXPECT_FALSE(parsePlanQuery(other.get(), asked));
	const Query latency(gst_query_new_latency());
	EXPECT_FALSE(parsePlanQuery(latency.get(), asked));
	const Query half(gst_query_new_custom(GST_QUERY_CUSTOM,
					      gst_structure_new("heapflow-plan-query", "fourcc",
								G_TYPE_STRING, "NV12", nullptr)));
	EXPECT_FALSE(parsePlanQuery(half.get(), asked)) << "fields of another type";
}

/* Any program may answer, and with anything. */
TEST(PlanQuery, AnswersOfOtherTypesAreDefaults)
{
	const Query query(newPlanQuery(question));
	GstStructure *structure = gst_query_writable_structure(query.get());
	gst_structure_set(structure, "displays", G_TYPE_STRING, "none", nullptr);
	EXPECT_THAT(displayTerms(query.get()), IsEmpty());

	GValue texts = G_VALUE_INIT, text = G_VALUE_INIT;
	g_value_init(&texts, GST_TYPE_LIST);
	g_value_init(&text, G_TYPE_STRING);
	g_value_set_string(&text, "no structure");
	gst_value_list_append_and_take_value(&texts, &text);
	gst_structure_take_value(structure, "displays", &texts);
	EXPECT_THAT(displayTerms(query.get()), IsEmpty());

	GValue list = G_VALUE_INIT, one = G_VALUE_INIT;
	g_value_init(&list, GST_TYPE_LIST);
	g_value_init(&one, GST_TYPE_STRUCTURE);
	g_value_take_boxed(&one, gst_structure_new("x", "pitch-alignment", G_TYPE_STRING, "many",
						   "max-width", G_TYPE_INT, -5, nullptr));
	gst_value_list_append_and_take_value(&list, &one);
	gst_structure_take_value(structure, "displays", &list);
	EXPECT_THAT(displayTerms(query.get()), ElementsAre(DisplayTerms{.name = "a display"}));
}

TEST(PlanQuery, GoesThroughElementsThatDoNotKnowIt)
{
	EXPECT_THAT(Displays("queue ! identity ! capsfilter ! fakesink name=one", {"one"}).asked(),
		    ElementsAre("one"));
	EXPECT_THAT(Displays("videoconvert ! fakesink name=one", {"one"}).asked(),
		    ElementsAre("one"));
	EXPECT_THAT(Displays("fakesink", {}).asked(), IsEmpty());
}

/* Nobody's branch is forgotten, though a tee ends with the first one that returns TRUE. */
TEST(PlanQuery, EveryBranchOfATeeIsAsked)
{
	Displays displays("tee name=t ! queue ! fakesink name=one t. ! queue ! fakesink name=two "
			  "t. ! queue ! fakesink",
			  {"one", "two"});
	EXPECT_THAT(displays.asked(), testing::UnorderedElementsAre("one", "two"));
}

TEST(PlanScanout, IsToldThroughElementsThatPassBuffersOn)
{
	EXPECT_EQ(Displays("identity ! fakesink name=one", {"one"}).scanout(), "one");
	EXPECT_EQ(Displays("videoconvert ! fakesink name=one", {"one"}).scanout(), "one")
		<< "it has nothing to convert";
	EXPECT_EQ(Displays("fakesink", {}).scanout(), "");
}

/* Its frames are others, whatever the display says of them. */
TEST(PlanScanout, IsNotToldThroughOneThatMakesItsOwn)
{
	EXPECT_EQ(Displays("videoconvert ! video/x-raw,format=BGRx ! fakesink name=one", {"one"})
			  .scanout(),
		  "");
}

} /* namespace */
