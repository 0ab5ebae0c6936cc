/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pool without a free buffer says who has them, once, and the waiting goes on. */
#include "library_fixture.h"
#include "sync_timeline.h"

#include <gmock/gmock.h>
#include <gst/allocators/allocators.h>

#include <thread>

using namespace heapflow;
using namespace heapflow::test;
using namespace std::chrono_literals;
using testing::HasSubstr;

namespace
{

/* `identity` stands for the element that offered the pool. Nothing but the tests feeds the rest. */
class Starvation : public testing::Test
{
protected:
	Starvation()
	{
		pipeline_ = gst_parse_launch("identity name=owner ! queue name=waiting ! "
					     "fakesink name=screen async=false",
					     nullptr);
		owner_ = gst_bin_get_by_name(GST_BIN(pipeline_), "owner");
		waiting_ = gst_bin_get_by_name(GST_BIN(pipeline_), "waiting");
		screen_ = gst_bin_get_by_name(GST_BIN(pipeline_), "screen");
	}
	~Starvation() override
	{
		gst_element_set_state(pipeline_, GST_STATE_NULL);
		for (gpointer object : {owner_, waiting_, screen_, pipeline_})
			gst_object_unref(object);
	}

	PoolPointer pool(guint buffers, guint timeout)
	{
		PoolPointer made = activePool("video@*", buffers, buffers);
		g_object_set(made.get(), "element", owner_, "starvation-timeout", timeout, nullptr);
		return made;
	}

	/* The warning that the element posted, with its details; empty when there is none. */
	std::string warning(GstStructure **details = nullptr)
	{
		GstBus *bus = gst_element_get_bus(pipeline_);
		GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_WARNING);
		std::string text;
		gst_object_unref(bus);
		if (!message)
			return text;
		EXPECT_EQ(GST_MESSAGE_SRC(message), GST_OBJECT(owner_));
		GError *error = nullptr;
		gst_message_parse_warning(message, &error, nullptr);
		EXPECT_TRUE(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY));
		text = error->message;
		g_error_free(error);
		if (details) {
			const GstStructure *told = nullptr;
			gst_message_parse_warning_details(message, &told);
			*details = told ? gst_structure_copy(told) : nullptr;
		}
		gst_message_unref(message);
		return text;
	}

	void play()
	{
		gst_element_set_state(pipeline_, GST_STATE_PLAYING);
		EXPECT_EQ(gst_element_get_state(pipeline_, nullptr, nullptr, GST_SECOND),
			  GST_STATE_CHANGE_SUCCESS);
	}

	/* As the element before it would. */
	static void feed(GstElement *element, const std::vector<GstBuffer *> &buffers)
	{
		GstPad *pad = gst_element_get_static_pad(element, "sink");
		GstCaps *caps = videoCaps("NV12", 640, 360);
		GstSegment segment;
		gst_segment_init(&segment, GST_FORMAT_TIME);
		gst_pad_send_event(pad, gst_event_new_stream_start("s"));
		gst_pad_send_event(pad, gst_event_new_caps(caps));
		gst_pad_send_event(pad, gst_event_new_segment(&segment));
		for (GstBuffer *buffer : buffers) {
			EXPECT_EQ(gst_pad_chain(pad, buffer), GST_FLOW_OK);
		}
		gst_caps_unref(caps);
		gst_object_unref(pad);
	}

	GstElement *pipeline_, *owner_, *waiting_, *screen_;
};

TEST_F(Starvation, SaysWhichQueueIsFull)
{
	const PoolPointer starving = pool(3, 150);
	play();
	/* A sink that is slow. */
	GstPad *into = gst_element_get_static_pad(screen_, "sink");
	gst_pad_add_probe(
		into, GstPadProbeType(GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER),
		[](GstPad *, GstPadProbeInfo *, gpointer) { return GST_PAD_PROBE_OK; }, nullptr,
		nullptr);
	gst_object_unref(into);
	feed(waiting_, {takeNow(starving), takeNow(starving), takeNow(starving)});

	std::jthread rescue([&] {
		std::this_thread::sleep_for(400ms);
		gst_element_set_state(pipeline_, GST_STATE_NULL);
	});
	GstBuffer *got = nullptr;
	EXPECT_EQ(gst_buffer_pool_acquire_buffer(starving.get(), &got, nullptr), GST_FLOW_OK);
	const std::string text = warning();
	EXPECT_THAT(text, HasSubstr("3 of 3 are held, for "));
	EXPECT_THAT(text, HasSubstr("waiting has 2 queued"));
	rescue.join();
	gst_clear_buffer(&got);
	gst_buffer_pool_set_active(starving.get(), FALSE);
}

TEST_F(Starvation, TellsTheNumbersOnce)
{
	const SyncTimeline timeline;
	const PoolPointer starving = pool(3, 100);
	play();
	std::vector<GstBuffer *> held;
	for (int i = 0; i < 2; i++)
		held.push_back(takeNow(starving));
	GstBuffer *busy = takeNow(starving);
	const auto fence = timeline.fence(1);
	ASSERT_TRUE(fence.importInto(gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(busy, 0)),
				     Access::Read));
	gst_buffer_unref(busy);

	std::jthread device([&] {
		std::this_thread::sleep_for(450ms);
		timeline.increase();
	});
	GstBuffer *got = nullptr;
	EXPECT_EQ(gst_buffer_pool_acquire_buffer(starving.get(), &got, nullptr), GST_FLOW_OK);
	EXPECT_EQ(got, busy);
	GstStructure *details = nullptr;
	const std::string text = warning(&details);
	EXPECT_THAT(text, HasSubstr("2 of 3 are held"));
	EXPECT_THAT(text, HasSubstr("1 came back and a device still works"));
	ASSERT_TRUE(details);
	EXPECT_STREQ(gst_structure_get_name(details), "heapflow-pool-starved");
	guint number = 0;
	EXPECT_TRUE(gst_structure_get_uint(details, "held", &number));
	EXPECT_EQ(number, 2U);
	EXPECT_TRUE(gst_structure_get_uint(details, "fenced", &number));
	EXPECT_EQ(number, 1U);
	gst_structure_free(details);
	EXPECT_EQ(warning(), "") << "told twice for one wait";
	EXPECT_EQ(statOf(starving, "starvations"), 1U);
	gst_buffer_unref(got);
	for (GstBuffer *buffer : held)
		gst_buffer_unref(buffer);
	gst_buffer_pool_set_active(starving.get(), FALSE);
}

TEST_F(Starvation, SaysThatASinkKeepsItsLastFrame)
{
	const PoolPointer starving = pool(1, 100);
	play();
	feed(screen_, {takeNow(starving)});

	std::jthread rescue([&] {
		std::this_thread::sleep_for(300ms);
		g_object_set(screen_, "enable-last-sample", FALSE, nullptr);
	});
	GstBuffer *got = nullptr;
	EXPECT_EQ(gst_buffer_pool_acquire_buffer(starving.get(), &got, nullptr), GST_FLOW_OK);
	EXPECT_THAT(warning(), HasSubstr("screen keeps the last frame"));
	gst_clear_buffer(&got);
	gst_buffer_pool_set_active(starving.get(), FALSE);
}

TEST_F(Starvation, IsNotToldWhilePausedNorWhenItIsSwitchedOff)
{
	for (const guint timeout : {50U, 0U}) {
		const PoolPointer starving = pool(1, timeout);
		if (timeout == 0)
			play();
		GstBuffer *held = takeNow(starving);
		std::jthread holder([&] {
			std::this_thread::sleep_for(200ms);
			gst_buffer_unref(held);
		});
		GstBuffer *got = nullptr;
		EXPECT_EQ(gst_buffer_pool_acquire_buffer(starving.get(), &got, nullptr),
			  GST_FLOW_OK);
		EXPECT_EQ(warning(), "");
		EXPECT_EQ(statOf(starving, "starvations"), timeout ? 1U : 0U);
		gst_clear_buffer(&got);
		gst_buffer_pool_set_active(starving.get(), FALSE);
	}
}

} /* namespace */
