/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pads of every element: templates, links, requests, and questions that nobody expects. */
#include "every_element.h"

#include <functional>

#include <gst/video/video.h>

using namespace heapflow::test;

namespace
{

using EveryElementsPads = EveryElement;

void forEachTemplate(const AloneElement &element, const std::function<void(GstPadTemplate *)> &look)
{
	for (const GList *item =
		     gst_element_class_get_pad_template_list(GST_ELEMENT_GET_CLASS(element.get()));
	     item; item = item->next)
		look(GST_PAD_TEMPLATE(item->data));
}

void forEachPad(const AloneElement &element, const std::function<void(GstPad *)> &look)
{
	std::vector<GstPad *> pads;
	GST_OBJECT_LOCK(element.get());
	for (const GList *item = GST_ELEMENT_PADS(element.get()); item; item = item->next)
		pads.push_back(GST_PAD(gst_object_ref(item->data)));
	GST_OBJECT_UNLOCK(element.get());
	for (GstPad *pad : pads) {
		look(pad);
		gst_object_unref(pad);
	}
}

/* A pad of the other direction that takes anything. */
GstPad *peerOf(GstPad *pad)
{
	const bool source = GST_PAD_IS_SRC(pad);
	GstPad *peer = gst_pad_new("peer", source ? GST_PAD_SINK : GST_PAD_SRC);
	return GST_PAD(gst_object_ref_sink(peer));
}

TEST_F(EveryElementsPads, AreThoseOfTheTemplates)
{
	for (const std::string &name : names_) {
		SCOPED_TRACE(name);
		const AloneElement element(name);
		ASSERT_TRUE(element);
		unsigned templates = 0;
		forEachTemplate(element, [&](GstPadTemplate *pads) {
			templates++;
			GstCaps *caps = gst_pad_template_get_caps(pads);
			EXPECT_FALSE(gst_caps_is_empty(caps)) << pads->name_template;
			gst_caps_unref(caps);
			if (GST_PAD_TEMPLATE_PRESENCE(pads) != GST_PAD_ALWAYS)
				return;
			GstPad *pad =
				gst_element_get_static_pad(element.get(), pads->name_template);
			ASSERT_TRUE(pad) << pads->name_template;
			EXPECT_EQ(GST_PAD_DIRECTION(pad), GST_PAD_TEMPLATE_DIRECTION(pads));
			EXPECT_EQ(GST_PAD_PAD_TEMPLATE(pad), pads);
			gst_object_unref(pad);
		});
		EXPECT_GT(templates, 0U);
		forEachPad(element, [](GstPad *pad) { EXPECT_TRUE(GST_PAD_PAD_TEMPLATE(pad)); });
	}
}

TEST_F(EveryElementsPads, SayWhoTheyAre)
{
	for (const std::string &name : names_) {
		SCOPED_TRACE(name);
		const AloneElement element(name);
		ASSERT_TRUE(element);
		GstElementClass *klass = GST_ELEMENT_GET_CLASS(element.get());
		for (const char *key :
		     {GST_ELEMENT_METADATA_LONGNAME, GST_ELEMENT_METADATA_KLASS,
		      GST_ELEMENT_METADATA_DESCRIPTION, GST_ELEMENT_METADATA_AUTHOR}) {
			const char *value = gst_element_class_get_metadata(klass, key);
			EXPECT_TRUE(value && *value) << key;
		}
		EXPECT_TRUE(gst_element_get_factory(element.get()));
	}
}

TEST_F(EveryElementsPads, LinkAndUnlink)
{
	for (const std::string &name : names_) {
		SCOPED_TRACE(name);
		const AloneElement element(name);
		ASSERT_TRUE(element);
		for (const GstState state : {GST_STATE_NULL, GST_STATE_READY, GST_STATE_NULL}) {
			gst_element_set_state(element.get(), state);
			forEachPad(element, [](GstPad *pad) {
				for (int i = 0; i < 50; i++) {
					GstPad *peer = peerOf(pad);
					GstPad *source = GST_PAD_IS_SRC(pad) ? pad : peer;
					GstPad *sink = GST_PAD_IS_SRC(pad) ? peer : pad;
					EXPECT_EQ(gst_pad_link(source, sink), GST_PAD_LINK_OK);
					EXPECT_TRUE(gst_pad_unlink(source, sink));
					EXPECT_FALSE(gst_pad_is_linked(pad));
					gst_object_unref(peer);
				}
			});
		}
	}
}

TEST_F(EveryElementsPads, AreMadeOnRequestAndReleased)
{
	unsigned requested = 0;
	for (const std::string &name : names_)
		for (const GstState state : {GST_STATE_NULL, GST_STATE_READY}) {
			SCOPED_TRACE(name);
			const AloneElement element(name);
			ASSERT_TRUE(element);
			gst_element_set_state(element.get(), state);
			forEachTemplate(element, [&](GstPadTemplate *pads) {
				if (GST_PAD_TEMPLATE_PRESENCE(pads) != GST_PAD_REQUEST)
					return;
				const guint16 before = element.get()->numpads;
				for (int round = 0; round < 3; round++) {
					GstPad *first = gst_element_request_pad(element.get(), pads,
										nullptr, nullptr);
					GstPad *second = gst_element_request_pad(
						element.get(), pads, nullptr, nullptr);
					/* There may be as many as the device has streams. */
					for (GstPad *pad : {first, second}) {
						if (!pad)
							continue;
						requested++;
						EXPECT_EQ(GST_PAD_PAD_TEMPLATE(pad), pads);
						gst_element_release_request_pad(element.get(), pad);
						gst_object_unref(pad);
					}
					EXPECT_NE(first, second);
					EXPECT_EQ(element.get()->numpads, before);
				}
			});
		}
	EXPECT_GT(requested, 0U) << "heapcamerasrc has pads on request";
}

TEST_F(EveryElementsPads, AnswerAnyQuery)
{
	for (const std::string &name : names_)
		for (const GstState state : {GST_STATE_NULL, GST_STATE_READY}) {
			SCOPED_TRACE(name);
			const AloneElement element(name);
			ASSERT_TRUE(element);
			gst_element_set_state(element.get(), state);
			GstCaps *any = gst_caps_new_any();
			GstCaps *video = gst_caps_from_string(
				"video/x-raw,format=NV12,width=64,height=48,framerate=30/1");
			GstCaps *audio = gst_caps_from_string("audio/x-raw");
			const std::vector<std::function<GstQuery *()>> questions = {
				[&] { return gst_query_new_caps(nullptr); },
				[&] { return gst_query_new_caps(any); },
				[&] { return gst_query_new_caps(audio); },
				[&] { return gst_query_new_accept_caps(video); },
				[&] { return gst_query_new_accept_caps(audio); },
				[&] { return gst_query_new_latency(); },
				[&] { return gst_query_new_position(GST_FORMAT_TIME); },
				[&] { return gst_query_new_duration(GST_FORMAT_BYTES); },
				[&] { return gst_query_new_seeking(GST_FORMAT_TIME); },
				[&] { return gst_query_new_segment(GST_FORMAT_TIME); },
				[&] { return gst_query_new_formats(); },
				[&] { return gst_query_new_scheduling(); },
				[&] { return gst_query_new_drain(); },
				[&] { return gst_query_new_context("nobody.knows"); },
				[&] { return gst_query_new_allocation(nullptr, TRUE); },
				[&] { return gst_query_new_allocation(audio, TRUE); },
				[&] {
					return gst_query_new_custom(
						GST_QUERY_CUSTOM,
						gst_structure_new_empty("nobody-knows"));
				},
			};
			forEachPad(element, [&](GstPad *pad) {
				for (const auto &ask : questions) {
					GstQuery *query = ask();
					if (GST_PAD_IS_SRC(pad) ? GST_QUERY_IS_UPSTREAM(query)
								: GST_QUERY_IS_DOWNSTREAM(query))
						gst_pad_query(pad, query);
					gst_query_unref(query);
				}
			});
			for (GstCaps *caps : {any, video, audio})
				gst_caps_unref(caps);
		}
}

/* Of those that a sink does not wait with: a gap would be held until PLAYING. */
TEST_F(EveryElementsPads, TakeAnyEvent)
{
	for (const std::string &name : names_)
		for (const GstState state : {GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED}) {
			SCOPED_TRACE(name);
			const AloneElement element(name);
			ASSERT_TRUE(element);
			gst_element_set_state(element.get(), state);
			forEachPad(element, [](GstPad *pad) {
				const bool source = GST_PAD_IS_SRC(pad);
				GstSegment segment;
				gst_segment_init(&segment, GST_FORMAT_TIME);
				std::vector<GstEvent *> events;
				if (source)
					events = {gst_event_new_reconfigure(),
						  gst_event_new_latency(GST_SECOND),
						  gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1.0, 0,
								    0),
						  gst_event_new_custom(
							  GST_EVENT_CUSTOM_UPSTREAM,
							  gst_structure_new_empty("odd"))};
				else
					events = {gst_event_new_flush_start(),
						  gst_event_new_flush_stop(TRUE),
						  gst_event_new_stream_start("id"),
						  gst_event_new_segment(&segment),
						  gst_event_new_tag(gst_tag_list_new_empty()),
						  gst_event_new_custom(
							  GST_EVENT_CUSTOM_DOWNSTREAM_OOB,
							  gst_structure_new_empty("odd")),
						  gst_event_new_flush_start(),
						  gst_event_new_flush_stop(TRUE)};
				for (GstEvent *event : events)
					gst_pad_send_event(pad, event);
			});
		}
}

} /* namespace */
