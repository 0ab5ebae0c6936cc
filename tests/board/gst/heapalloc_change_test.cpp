/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapalloc while the stream plays: another heap, other caps, put in, taken out and linked anew. */
#include "board.h"
#include "heapalloc_stats.h"
#include "pipeline.h"
#include "vivid.h"

#include <gmock/gmock.h>
#include <gst/allocators/gstdmabuf.h>
#include <gst/video/video.h>

#include <format>
#include <set>

using namespace heapflow::test;
using testing::HasSubstr;

namespace
{

constexpr const char *liveSource = "videotestsrc name=source num-buffers=60 ! "
				   "video/x-raw,format=NV12,width=320,height=240 ! ";

/* Heaps of the frames, in the order in which they changed. */
std::vector<std::string> sequenceOf(Pipeline &pipeline,
				    const std::function<void(unsigned)> &atFrame)
{
	std::vector<std::string> sequence;
	pipeline.onBuffer([&](GstBuffer *buffer, unsigned number) {
		const std::string memory = memoryOf(buffer);
		if (sequence.empty() || sequence.back() != memory)
			sequence.push_back(memory);
		atFrame(number);
	});
	pipeline.run();
	return sequence;
}

TEST(HeapAllocChange, AnotherHeapInPlay)
{
	Pipeline pipeline(std::string(liveSource) +
			  "heapalloc name=alloc mode=refuse heap=system ! "
			  "heapkmssink name=sink sync=false");
	const auto sequence = sequenceOf(pipeline, [&](unsigned number) {
		if (number == 20)
			g_object_set(pipeline.element("alloc"), "heap", "video@42000000", nullptr);
		if (number == 40)
			g_object_set(pipeline.element("alloc"), "heap", "linux,cma", nullptr);
	});
	expectAllShown(pipeline, 60);
	EXPECT_THAT(sequence, testing::ElementsAre("system", "video@42000000", "linux,cma"));
	AllocStats stats = allocStats(pipeline);
	EXPECT_EQ(stats["from-heap"] + stats["earlier-heap"], 60U);
	EXPECT_EQ(stats["foreign"], 0U);
	EXPECT_GE(stats["offers"], 3U);
}

TEST(HeapAllocChange, AHeapThatIsNotThereChangesNothing)
{
	Pipeline pipeline(std::string(liveSource) +
			  "heapalloc name=alloc mode=refuse heap=system ! fakesink name=sink");
	const auto sequence = sequenceOf(pipeline, [&](unsigned number) {
		if (number == 20)
			g_object_set(pipeline.element("alloc"), "heap", "no-such-heap", nullptr);
	});
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_THAT(sequence, testing::ElementsAre("system"));
	ASSERT_EQ(pipeline.warnings().size(), 1U);
	EXPECT_THAT(pipeline.warnings().front().message, HasSubstr("no-such-heap"));
	g_autofree char *heap = nullptr;
	g_object_get(pipeline.element("alloc"), "heap", &heap, nullptr);
	EXPECT_STREQ(heap, "system");
}

/* v4l2src keeps an active pool while its caps stay (gst_v4l2src_decide_allocation()). */
TEST(HeapAllocChange, V4l2srcKeepsItsPoolUntilTheCapsChange)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format(
		"v4l2src device={} io-mode=dmabuf-import num-buffers=150 ! "
		"capsfilter name=caps caps=video/x-raw,format=NV12,width=640,height=360 ! "
		"heapalloc name=alloc heap=system ! fakesink name=sink",
		vivid.node()));
	const auto sequence = sequenceOf(pipeline, [&](unsigned number) {
		if (number == 10)
			g_object_set(pipeline.element("alloc"), "heap", "video@42000000", nullptr);
		if (number == 100)
			gst_util_set_object_arg(G_OBJECT(pipeline.element("caps")), "caps",
						"video/x-raw,format=NV12,width=320,height=180");
	});
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_THAT(sequence, testing::ElementsAre("system", "video@42000000"));
	AllocStats stats = allocStats(pipeline);
	EXPECT_EQ(stats["earlier-heap"], 64U);
	EXPECT_GT(stats["passed"], 20U);
	EXPECT_EQ(stats["from-heap"] + stats["earlier-heap"] + stats["passed"], 150U);
	ASSERT_FALSE(pipeline.warnings().empty());
	EXPECT_THAT(pipeline.warnings().back().message,
		    HasSubstr("keeps the pool that it got before the heap was changed"));
}

/* Blocks the pad, does something to what is linked there, and goes on. */
void relink(GstElement *element, const char *padName, std::function<void(GstPad *)> change)
{
	GstPad *pad = gst_element_get_static_pad(element, padName);
	auto *work = new std::function<void(GstPad *)>(std::move(change));
	gst_pad_add_probe(
		pad, GST_PAD_PROBE_TYPE_IDLE,
		[](GstPad *blocked, GstPadProbeInfo *, gpointer data) {
			(*static_cast<std::function<void(GstPad *)> *>(data))(blocked);
			return GST_PAD_PROBE_REMOVE;
		},
		work,
		[](gpointer data) { delete static_cast<std::function<void(GstPad *)> *>(data); });
	gst_object_unref(pad);
}

/* A pipeline that plays gets a heapalloc; the source asks for memory anew and works in the heap. */
TEST(HeapAllocChange, PutIntoAPipelineThatPlays)
{
	Pipeline pipeline("videotestsrc num-buffers=60 ! "
			  "video/x-raw,format=NV12,width=320,height=240 ! identity name=before ! "
			  "fakesink name=sink");
	GstElement *alloc = nullptr;
	const auto sequence = sequenceOf(pipeline, [&](unsigned number) {
		if (number != 20)
			return;
		relink(pipeline.element("before"), "src", [&](GstPad *pad) {
			alloc = gst_element_factory_make("heapalloc", "alloc");
			gst_util_set_object_arg(G_OBJECT(alloc), "heap", "video@42000000");
			GstPad *peer = gst_pad_get_peer(pad);
			gst_pad_unlink(pad, peer);
			gst_bin_add(GST_BIN(GST_OBJECT_PARENT(pipeline.element("before"))), alloc);
			GstPad *in = gst_element_get_static_pad(alloc, "sink");
			GstPad *out = gst_element_get_static_pad(alloc, "src");
			EXPECT_EQ(gst_pad_link(out, peer), GST_PAD_LINK_OK);
			gst_element_sync_state_with_parent(alloc);
			EXPECT_EQ(gst_pad_link(pad, in), GST_PAD_LINK_OK);
			gst_object_unref(in);
			gst_object_unref(out);
			gst_object_unref(peer);
		});
	});
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_THAT(sequence, testing::ElementsAre("ordinary", "video@42000000"));
	EXPECT_GE(allocStats(pipeline)["from-heap"], 35U);
}

/* What is behind it may change: the new sink is asked, through heapalloc, for what it needs. */
TEST(HeapAllocChange, AnotherSinkInPlay)
{
	Pipeline pipeline(
		"videotestsrc num-buffers=60 ! "
		"video/x-raw,format=NV12,width=320,height=240 ! "
		"heapalloc name=alloc mode=refuse heap=video@42000000 ! identity name=sink ! "
		"fakesink name=first async=false");
	uint64_t offers = 0;
	const auto sequence = sequenceOf(pipeline, [&](unsigned number) {
		if (number != 20)
			return;
		offers = allocStats(pipeline)["offers"];
		relink(pipeline.element("sink"), "src", [&](GstPad *pad) {
			GstElement *old = pipeline.element("first");
			GstElement *bin = GST_ELEMENT(GST_OBJECT_PARENT(old));
			GstElement *next = gst_element_factory_make("heapkmssink", "second");
			g_object_set(next, "sync", FALSE, "async", FALSE, nullptr);
			gst_element_unlink(pipeline.element("sink"), old);
			gst_bin_add(GST_BIN(bin), next);
			gst_element_sync_state_with_parent(next);
			GstPad *in = gst_element_get_static_pad(next, "sink");
			EXPECT_EQ(gst_pad_link(pad, in), GST_PAD_LINK_OK);
			gst_object_unref(in);
			gst_element_set_state(old, GST_STATE_NULL);
			gst_bin_remove(GST_BIN(bin), old);
		});
	});
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_THAT(sequence, testing::ElementsAre("video@42000000"));
	AllocStats stats = allocStats(pipeline);
	EXPECT_GT(stats["offers"], offers) << "the source asked anew";
	EXPECT_EQ(stats["from-heap"], 60U);
}

/* Linear DMA_DRM caps have planes; any other modifier is downstream's business. */
TEST(HeapAllocCaps, DmaDrm)
{
	const Vivid vivid("0");
	Pipeline pipeline(std::format(
		"v4l2src device={} io-mode=dmabuf-import num-buffers=30 ! "
		"video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=NV12,width=640,height=360 ! "
		"heapalloc name=alloc mode=refuse heap=video@42000000 ! "
		"heapkmssink name=sink sync=false",
		vivid.node()));
	const auto arrived = memoryOfFrames(pipeline);
	pipeline.run();
	expectAllShown(pipeline, 30);
	EXPECT_EQ((*arrived)["video@42000000"], 30U);
}

/* What heapalloc answers to an ALLOCATION query when downstream has needs. */
class Needs : public testing::Test
{
protected:
	Needs() : alloc_(gst_element_factory_make("heapalloc", nullptr))
	{
		gst_object_ref_sink(alloc_);
		gst_util_set_object_arg(G_OBJECT(alloc_), "heap", "system");
		sink_ = gst_pad_new("needs", GST_PAD_SINK);
		gst_pad_set_element_private(sink_, this);
		gst_pad_set_query_function(sink_, answer);
		gst_pad_set_active(sink_, TRUE);
		GstPad *out = gst_element_get_static_pad(alloc_, "src");
		EXPECT_EQ(gst_pad_link(out, sink_), GST_PAD_LINK_OK);
		gst_object_unref(out);
		gst_element_set_state(alloc_, GST_STATE_PLAYING);
	}
	~Needs() override
	{
		g_clear_pointer(&query_, gst_query_unref);
		gst_element_set_state(alloc_, GST_STATE_NULL);
		gst_object_unref(alloc_);
		gst_object_unref(sink_);
		gst_clear_object(&own_);
		g_clear_pointer(&meta_, gst_structure_free);
	}

	void ask(const char *caps, gboolean needPool = TRUE)
	{
		GstPad *in = gst_element_get_static_pad(alloc_, "sink");
		gst_pad_send_event(in, gst_event_new_stream_start("needs"));
		GstCaps *fixed = gst_caps_from_string(caps);
		gst_pad_send_event(in, gst_event_new_caps(fixed));
		query_ = gst_query_new_allocation(fixed, needPool);
		EXPECT_TRUE(gst_pad_query(in, query_));
		gst_caps_unref(fixed);
		gst_object_unref(in);
	}
	/* A buffer of the pool that was offered; the caller owns it. */
	GstBuffer *buffer()
	{
		GstBufferPool *pool = nullptr;
		GstBuffer *frame = nullptr;
		gst_query_parse_nth_allocation_pool(query_, 0, &pool, nullptr, nullptr, nullptr);
		EXPECT_TRUE(pool && gst_buffer_pool_set_active(pool, TRUE));
		if (pool)
			gst_buffer_pool_acquire_buffer(pool, &frame, nullptr);
		gst_clear_object(&pool);
		return frame;
	}

	GstElement *alloc_;
	GstPad *sink_;
	GstQuery *query_ = nullptr;
	/* What the sink says. */
	GstStructure *meta_ = nullptr;
	GstBufferPool *own_ = nullptr;
	GstAllocationParams params_ = {};
	guint buffers_ = 0;

private:
	static gboolean answer(GstPad *pad, GstObject *parent, GstQuery *query)
	{
		auto *self = static_cast<Needs *>(gst_pad_get_element_private(pad));
		if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION)
			return gst_pad_query_default(pad, parent, query);
		gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, self->meta_);
		if (self->buffers_)
			gst_query_add_allocation_pool(query, self->own_, 1, self->buffers_, 0);
		if (self->params_.align || self->params_.padding)
			gst_query_add_allocation_param(query, nullptr, &self->params_);
		return TRUE;
	}
};

constexpr const char *oddCaps = "video/x-raw,format=NV12,width=322,height=242,framerate=30/1";

void expectAligned(GstBuffer *frame, gint alignment, guint paddingBottom)
{
	ASSERT_NE(frame, nullptr);
	const GstVideoMeta *meta = gst_buffer_get_video_meta(frame);
	ASSERT_NE(meta, nullptr);
	for (guint plane = 0; plane < meta->n_planes; plane++)
		EXPECT_EQ(meta->stride[plane] % alignment, 0) << plane;
	EXPECT_GE(meta->offset[1], gsize(meta->stride[0]) * (meta->height + paddingBottom));
	gst_buffer_unref(frame);
}

TEST_F(Needs, AlignmentBesideTheMetaIsKept)
{
	meta_ = gst_structure_new("video-meta", "padding-bottom", G_TYPE_UINT, 14U, "padding-top",
				  G_TYPE_UINT, 0U, "padding-left", G_TYPE_UINT, 0U, "padding-right",
				  G_TYPE_UINT, 0U, "stride-align0", G_TYPE_UINT, 255U,
				  "stride-align1", G_TYPE_UINT, 255U, "stride-align2", G_TYPE_UINT,
				  255U, "stride-align3", G_TYPE_UINT, 255U, nullptr);
	ask(oddCaps);
	expectAligned(buffer(), 256, 14);
}

/* A sink that would have given an aligned pool needs lines to be so in ours as well. */
TEST_F(Needs, AlignmentOfTheSinksOwnPoolIsKept)
{
	own_ = gst_video_buffer_pool_new();
	buffers_ = 5;
	GstVideoAlignment alignment;
	gst_video_alignment_reset(&alignment);
	for (guint &plane : alignment.stride_align)
		plane = 127;
	GstCaps *caps = gst_caps_from_string(oddCaps);
	GstStructure *config = gst_buffer_pool_get_config(own_);
	gst_buffer_pool_config_set_params(config, caps, 322 * 242 * 3 / 2, 5, 0);
	gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
	gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
	gst_buffer_pool_config_set_video_alignment(config, &alignment);
	gst_buffer_pool_set_config(own_, config);
	gst_caps_unref(caps);
	ask(oddCaps);
	expectAligned(buffer(), 128, 0);
	guint minimum = 0;
	gst_query_parse_nth_allocation_pool(query_, 0, nullptr, nullptr, &minimum, nullptr);
	EXPECT_EQ(minimum, 5U);
}

TEST_F(Needs, PaddingOfTheMemoryIsKept)
{
	params_.align = 63;
	params_.padding = 4096;
	ask("video/x-raw,format=GRAY8,width=64,height=64,framerate=30/1");
	GstBuffer *frame = buffer();
	ASSERT_NE(frame, nullptr);
	gsize offset = 1, maxsize = 0;
	EXPECT_EQ(gst_memory_get_sizes(gst_buffer_peek_memory(frame, 0), &offset, &maxsize), 4096U);
	EXPECT_EQ(offset, 0U) << "invariant 2";
	EXPECT_EQ(maxsize, 8192U);
	gst_buffer_unref(frame);
	EXPECT_EQ(gst_query_get_n_allocation_params(query_), 1U);
}

/* A tee asks for numbers only. */
TEST_F(Needs, WhoNeedsNoPoolGetsNumbers)
{
	buffers_ = 7;
	ask(oddCaps, FALSE);
	GstBufferPool *pool = nullptr;
	guint size = 0, minimum = 0;
	ASSERT_EQ(gst_query_get_n_allocation_pools(query_), 1U);
	gst_query_parse_nth_allocation_pool(query_, 0, &pool, &size, &minimum, nullptr);
	EXPECT_EQ(pool, nullptr);
	EXPECT_GT(size, 322U * 242);
	EXPECT_EQ(minimum, 7U);
}

/* No CPU can lay these out: whatever downstream said stays. */
TEST_F(Needs, TiledFramesAreLeftToDownstream)
{
	buffers_ = 3;
	ask("video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=NV12:0x0100000000000001,"
	    "width=640,height=360,framerate=30/1");
	guint size = 0, minimum = 0;
	ASSERT_EQ(gst_query_get_n_allocation_pools(query_), 1U);
	gst_query_parse_nth_allocation_pool(query_, 0, nullptr, &size, &minimum, nullptr);
	EXPECT_EQ(size, 1U);
	EXPECT_EQ(minimum, 3U);
}

} /* namespace */
