/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Applications at the ends of a pipeline: whose memory flows when one offers it, or asks for it. */
#include "library_fixture.h"
#include "pipeline.h"
#include "vivid.h"

#include <format>
#include <set>
#include <string>
#include <thread>

#include <gst/app/gstappsrc.h>

using namespace heapflow::test;

namespace
{

constexpr const char *caps = "video/x-raw,format=NV12,width=640,height=360,framerate=30/1";
constexpr const char *heap = "memory@48000000-contiguous";

std::string heapOf(GstBuffer *buffer)
{
	g_autofree char *name = gst_heap_memory_dup_heap_name(gst_buffer_peek_memory(buffer, 0));
	return name ? name : "none";
}

/* appsink's propose-allocation (since GStreamer 1.24): the application has a pool, of this heap. */
gboolean offer(GstElement *, GstQuery *query, gpointer offers)
{
	GstCaps *wanted = nullptr;
	GstVideoInfo info;
	gst_query_parse_allocation(query, &wanted, nullptr);
	if (!wanted || !gst_video_info_from_caps(&info, wanted))
		return FALSE;
	const PoolPointer pool(gst_heap_buffer_pool_new(heap, nullptr));
	if (!pool)
		return FALSE;
	gst_query_add_allocation_pool(query, pool.get(), guint(GST_VIDEO_INFO_SIZE(&info)), 3, 0);
	gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
	++*static_cast<unsigned *>(offers);
	return TRUE;
}

class AppsinkOffers : public testing::Test
{
protected:
	void expectFramesInHeap(const std::string &source)
	{
		Pipeline pipeline(
			std::format("{} ! {} ! appsink name=sink sync=false emit-signals=true "
				    "wait-on-eos=false max-buffers=2 drop=true",
				    source, caps));
		unsigned offers = 0;
		std::multiset<std::string> heaps;
		g_signal_connect(pipeline.element("sink"), "propose-allocation", G_CALLBACK(offer),
				 &offers);
		pipeline.onBuffer(
			[&](GstBuffer *buffer, unsigned) { heaps.insert(heapOf(buffer)); });
		pipeline.run();
		EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
		EXPECT_GE(offers, 1U);
		EXPECT_EQ(heaps.count(heap), 20U) << (heaps.empty() ? "none" : *heaps.begin());
		EXPECT_EQ(heaps.size(), 20U);
	}

	const Vivid vivid_{"0"};
};

TEST_F(AppsinkOffers, AndHeapcamerasrcCapturesIntoIt)
{
	expectFramesInHeap(
		std::format("heapcamerasrc camera-name={} num-buffers=20", vivid_.node()));
}

TEST_F(AppsinkOffers, AndV4l2srcImportsIt)
{
	expectFramesInHeap(std::format("v4l2src device={} io-mode=dmabuf-import num-buffers=20",
				       vivid_.node()));
}

/* heapalloc does not hide what comes from behind it when it has the same heap to give. */
TEST_F(AppsinkOffers, AlsoBehindHeapalloc)
{
	expectFramesInHeap(std::format("v4l2src device={} io-mode=dmabuf-import num-buffers=20 ! "
				       "heapalloc heap={}",
				       vivid_.node(), heap));
}

/* --- An application that draws asks the pipeline for memory, as an element would --- */

/* The pool that is offered to who sends frames of these caps; active, or null. */
PoolPointer poolOffered(GstElement *source)
{
	GstPad *pad = gst_element_get_static_pad(source, "src");
	GstCaps *fixed = gst_caps_from_string(caps);
	GstQuery *query = gst_query_new_allocation(fixed, TRUE);
	GstBufferPool *pool = nullptr;
	guint size = 0, minimum = 0, maximum = 0;

	if (gst_pad_peer_query(pad, query) && gst_query_get_n_allocation_pools(query) > 0)
		gst_query_parse_nth_allocation_pool(query, 0, &pool, &size, &minimum, &maximum);
	gst_query_unref(query);
	if (pool) {
		GstStructure *config = gst_buffer_pool_get_config(pool);
		gst_buffer_pool_config_set_params(config, fixed, size, minimum, maximum);
		gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
		if (!gst_buffer_pool_set_config(pool, config) ||
		    !gst_buffer_pool_set_active(pool, TRUE))
			gst_clear_object(&pool);
	}
	gst_caps_unref(fixed);
	gst_object_unref(pad);
	return PoolPointer(pool);
}

void drawAndPush(GstElement *source, GstBufferPool *pool, unsigned frames)
{
	for (unsigned i = 0; i < frames; i++) {
		GstBuffer *buffer = nullptr;
		ASSERT_EQ(gst_buffer_pool_acquire_buffer(pool, &buffer, nullptr), GST_FLOW_OK);
		ASSERT_EQ(heapOf(buffer), heap);
		gst_buffer_memset(buffer, 0, guint8(16 + i), gsize(-1));
		GST_BUFFER_PTS(buffer) = i * GST_SECOND / 30;
		ASSERT_EQ(gst_app_src_push_buffer(GST_APP_SRC(source), buffer), GST_FLOW_OK);
	}
	gst_app_src_end_of_stream(GST_APP_SRC(source));
}

void expectAppsrcDrawsInto(const std::string &behind)
{
	Pipeline pipeline(std::format("appsrc name=source format=time caps={} ! {}", caps, behind));
	pipeline.setState(GST_STATE_PAUSED);
	GstElement *source = pipeline.element("source");
	const PoolPointer pool = poolOffered(source);
	ASSERT_NE(pool, nullptr);
	std::thread drawing([&] { drawAndPush(source, pool.get(), 20); });
	pipeline.run();
	drawing.join();
	gst_buffer_pool_set_active(pool.get(), FALSE);
	expectAllShown(pipeline, 20);
}

TEST(AppsrcAsks, AndDrawsIntoThePoolOfTheSink)
{
	expectAppsrcDrawsInto(std::format("heapkmssink name=sink sync=false heap={}", heap));
}

TEST(AppsrcAsks, AndDrawsIntoThePoolOfHeapalloc)
{
	expectAppsrcDrawsInto(
		std::format("heapalloc heap={} ! heapkmssink name=sink sync=false", heap));
}

} /* namespace */
