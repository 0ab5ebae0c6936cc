/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapalloc: elements that know nothing of heaps work in the one that was named. */
#include "board.h"
#include "dmabuf_witness.h"
#include "pipeline.h"
#include "quiet_board.h"
#include "vivid.h"

#include <gmock/gmock.h>
#include <gst/allocators/gstdmabuf.h>
#include <gst/video/video.h>

#include <format>

using namespace heapflow::test;

namespace
{

uint64_t counted(Pipeline &pipeline, const char *field)
{
	GstStructure *stats = nullptr;
	guint64 value = 0;
	g_object_get(pipeline.element("alloc"), "stats", &stats, nullptr);
	EXPECT_TRUE(gst_structure_get_uint64(stats, field, &value)) << field;
	gst_structure_free(stats);
	return value;
}

class V4l2srcInHeap : public testing::TestWithParam<std::string>
{
protected:
	void expectFrames(const std::string &caps)
	{
		const Vivid vivid("0");
		const Resources before = quietBoard();
		{
			Pipeline pipeline(std::format(
				"v4l2src device={} io-mode=dmabuf-import num-buffers=120 ! {}"
				"heapalloc name=alloc heap={} ! heapkmssink name=sink sync=false",
				vivid.node(), caps, GetParam()));
			std::map<std::string, unsigned> exporters;
			unsigned mappings = 0;
			pipeline.onBuffer([&](GstBuffer *buffer, unsigned) {
				GstMemory *memory = gst_buffer_peek_memory(buffer, 0);
				exporters[gst_is_dmabuf_memory(memory)
						  ? exporterOf(gst_dmabuf_memory_get_fd(memory))
						  : "none"]++;
				mappings += mappedDmabufs("alloc");
			});
			pipeline.run();
			expectAllShown(pipeline, 120);
			EXPECT_THAT(exporters,
				    testing::ElementsAre(testing::Pair(GetParam(), 120U)));
			EXPECT_EQ(mappings, 0U);
			EXPECT_EQ(counted(pipeline, "foreign"), 0U);
			EXPECT_EQ(pipeline.stat("imports"), pipeline.stat("framebuffers"));
			EXPECT_LE(pipeline.stat("imports"), 8);
		}
		EXPECT_EQ(settled(before), before);
	}
};

TEST_P(V4l2srcInHeap, Captures120Frames)
{
	expectFrames("video/x-raw,format=NV12,width=1280,height=720 ! ");
}

INSTANTIATE_TEST_SUITE_P(Heaps, V4l2srcInHeap, testing::ValuesIn(allHeaps),
			 [](const auto &test) { return nameForTest(test.param); });

class V4l2srcByItself : public V4l2srcInHeap
{
};

/* With no caps v4l2src takes memory:DMABuf, and the meta must have the planes of the format. */
TEST_P(V4l2srcByItself, CapturesInWhateverItPrefers)
{
	expectFrames("");
}

INSTANTIATE_TEST_SUITE_P(Heaps, V4l2srcByItself, testing::Values("video@42000000"),
			 [](const auto &test) { return nameForTest(test.param); });

TEST(HeapAlloc, AnElementThatDrawsByCpuDrawsIntoTheHeap)
{
	Pipeline pipeline("videotestsrc num-buffers=10 ! "
			  "video/x-raw,format=NV12,width=320,height=240 ! "
			  "heapalloc name=alloc heap=video@42000000 ! fakesink name=sink");
	unsigned inHeap = 0;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned) {
		GstMemory *memory = gst_buffer_peek_memory(buffer, 0);
		inHeap += gst_is_dmabuf_memory(memory) &&
			  exporterOf(gst_dmabuf_memory_get_fd(memory)) == "video@42000000";
	});
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_EQ(inHeap, 10U);
}

TEST(HeapAlloc, MemoryFromElsewhereIsCountedAndPassed)
{
	Pipeline pipeline("videotestsrc num-buffers=7 ! video/x-raw,width=64,height=64 ! "
			  "identity drop-allocation=true ! heapalloc name=alloc heap=system ! "
			  "fakesink name=sink");
	uint64_t foreign = 0, inHeap = 1;
	pipeline.onBuffer([&](GstBuffer *, unsigned) {
		foreign = counted(pipeline, "foreign");
		inHeap = counted(pipeline, "from-heap");
	});
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_EQ(foreign, 7U);
	EXPECT_EQ(inHeap, 0U);
}

/* What heapalloc answers, asked as an element upstream of it asks. */
class Offer : public testing::Test
{
protected:
	void ask(const std::string &heap, const char *caps)
	{
		pipeline_ = std::make_unique<Pipeline>("heapalloc name=alloc heap=" + heap +
						       " ! fakesink name=sink async=false");
		pipeline_->setState(GST_STATE_PAUSED);
		caps_ = gst_caps_from_string(caps);
		GstPad *pad = gst_element_get_static_pad(pipeline_->element("alloc"), "sink");
		gst_pad_send_event(pad, gst_event_new_stream_start("test"));
		gst_pad_send_event(pad, gst_event_new_caps(caps_));
		query_ = gst_query_new_allocation(caps_, TRUE);
		ASSERT_TRUE(gst_pad_query(pad, query_));
		gst_object_unref(pad);
		ASSERT_EQ(gst_query_get_n_allocation_pools(query_), 1U);
		gst_query_parse_nth_allocation_pool(query_, 0, &pool_, &size_, &minimum_, nullptr);
		ASSERT_NE(pool_, nullptr);
	}
	~Offer() override
	{
		if (pool_)
			gst_buffer_pool_set_active(pool_, FALSE);
		gst_clear_object(&pool_);
		g_clear_pointer(&query_, gst_query_unref);
		gst_clear_caps(&caps_);
	}

	std::unique_ptr<Pipeline> pipeline_;
	GstCaps *caps_ = nullptr;
	GstQuery *query_ = nullptr;
	GstBufferPool *pool_ = nullptr;
	guint size_ = 0;
	guint minimum_ = 0;
};

/* Invariants 2 and 11 */
TEST_F(Offer, IsOfTheExactSizeWithTheRoundingInMaxsize)
{
	ask("video@42000000", "video/x-raw,format=NV12,width=1288,height=724,framerate=30/1");
	constexpr guint exact = 1288 * 724 * 3 / 2;
	EXPECT_EQ(size_, exact);
	ASSERT_TRUE(gst_buffer_pool_set_active(pool_, TRUE));
	GstBuffer *buffer = nullptr;
	ASSERT_EQ(gst_buffer_pool_acquire_buffer(pool_, &buffer, nullptr), GST_FLOW_OK);
	EXPECT_EQ(gst_buffer_n_memory(buffer), 1U);
	GstMemory *memory = gst_buffer_peek_memory(buffer, 0);
	gsize offset = 1, maxsize = 0;
	EXPECT_EQ(gst_memory_get_sizes(memory, &offset, &maxsize), exact);
	EXPECT_EQ(offset, 0U);
	EXPECT_EQ(maxsize, (exact + 4095) / 4096 * 4096);
	EXPECT_TRUE(GST_MEMORY_IS_PHYSICALLY_CONTIGUOUS(memory));
	gst_buffer_unref(buffer);
}

TEST_F(Offer, OfSystemMemoryHasNoSuchFlag)
{
	ask("system", "video/x-raw,format=NV12,width=1280,height=720,framerate=30/1");
	ASSERT_TRUE(gst_buffer_pool_set_active(pool_, TRUE));
	GstBuffer *buffer = nullptr;
	ASSERT_EQ(gst_buffer_pool_acquire_buffer(pool_, &buffer, nullptr), GST_FLOW_OK);
	EXPECT_FALSE(GST_MEMORY_IS_PHYSICALLY_CONTIGUOUS(gst_buffer_peek_memory(buffer, 0)));
	gst_buffer_unref(buffer);
}

TEST_F(Offer, HasMemoryThatKeepsWhatIsWritten)
{
	ask("linux,cma", "video/x-raw,format=BGRx,width=64,height=64,framerate=30/1");
	ASSERT_TRUE(gst_buffer_pool_set_active(pool_, TRUE));
	GstBuffer *buffer = nullptr;
	ASSERT_EQ(gst_buffer_pool_acquire_buffer(pool_, &buffer, nullptr), GST_FLOW_OK);
	GstMapInfo info;
	ASSERT_TRUE(gst_buffer_map(buffer, &info, GST_MAP_WRITE));
	for (gsize i = 0; i < info.size; i++)
		info.data[i] = guint8(i * 7);
	gst_buffer_unmap(buffer, &info);
	ASSERT_TRUE(gst_buffer_map(buffer, &info, GST_MAP_READ));
	unsigned wrong = 0;
	for (gsize i = 0; i < info.size; i++)
		wrong += info.data[i] != guint8(i * 7);
	gst_buffer_unmap(buffer, &info);
	EXPECT_EQ(wrong, 0U);
	gst_buffer_unref(buffer);
}

/* Invariant 12: a deep copy comes from ordinary memory, not from the scarce heap. */
TEST_F(Offer, IsNotUsedForCopiesOfGstreamer)
{
	ask("video@42000000", "video/x-raw,format=BGRx,width=64,height=64,framerate=30/1");
	ASSERT_TRUE(gst_buffer_pool_set_active(pool_, TRUE));
	GstBuffer *buffer = nullptr;
	ASSERT_EQ(gst_buffer_pool_acquire_buffer(pool_, &buffer, nullptr), GST_FLOW_OK);
	GstBuffer *copy = gst_buffer_copy_deep(buffer);
	EXPECT_FALSE(gst_is_dmabuf_memory(gst_buffer_peek_memory(copy, 0)));
	gst_buffer_unref(copy);
	gst_buffer_unref(buffer);
}

} /* namespace */
