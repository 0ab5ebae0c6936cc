/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz_answers.h"

#include <array>

#include <gst/heap/heap.h>
#include <gst/video/gstvideometa.h>
#include <gst/video/gstvideopool.h>
#include <gst/video/video.h>

namespace heapflow::test
{

namespace
{

/* Frames of more bytes are not offered room for: the board has 64 MiB regions. */
constexpr guint largestFrame = 16 << 20;

constexpr std::array allocators = {"system", "video@42000000"};

/* What others say that they need is mostly right. */
guint randomSizeAround(Random &random, guint size)
{
	switch (pick(random, 8)) {
	case 0:
		return size + 4096 * pick(random, 4);
	case 1:
		return pick(random, size + 1);
	case 2:
		return 0;
	default:
		return size;
	}
}

GstBufferPool *randomPool(Random &random)
{
	static constexpr std::array heaps = {"system", "video@42000000", "default"};
	switch (pick(random, 4)) {
	case 0:
		return gst_buffer_pool_new();
	case 1:
		return gst_video_buffer_pool_new();
	default:
		return gst_heap_buffer_pool_new(heaps[pick(random, heaps.size())], nullptr);
	}
}

/* Some offer a pool that is configured, or in use. */
void useAlready(Random &random, GstBufferPool *pool, GstCaps *caps, guint size)
{
	if (size == 0 || size > largestFrame || pick(random, 3))
		return;
	GstStructure *config = gst_buffer_pool_get_config(pool);
	gst_buffer_pool_config_set_params(config, caps, size, 1, pick(random, 2) * 4);
	if (pick(random, 2))
		gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
	if (gst_buffer_pool_set_config(pool, config) && pick(random, 2))
		gst_buffer_pool_set_active(pool, TRUE);
}

} /* namespace */

RandomAnswers::RandomAnswers(GstPad *pad, Random::result_type seed)
	: pad_(pad),
	  id_(gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, probe, this, nullptr)),
	  random_(seed)
{
	/* The library keeps these for the process. */
	for (const char *heap : allocators) {
		GstAllocator *allocator = gst_heap_allocator_get(heap, nullptr);
		gst_clear_object(&allocator);
	}
}

RandomAnswers::~RandomAnswers()
{
	gst_pad_remove_probe(pad_, id_);
}

GstPadProbeReturn RandomAnswers::probe(GstPad *, GstPadProbeInfo *info, gpointer data)
{
	auto *self = static_cast<RandomAnswers *>(data);
	GstQuery *query = GST_PAD_PROBE_INFO_QUERY(info);

	/* A probe of queries is called before and, with PULL, after the pad answers. */
	if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION ||
	    !(info->type & GST_PAD_PROBE_TYPE_PUSH))
		return GST_PAD_PROBE_OK;
	std::lock_guard lock(self->mutex_);
	if (pick(self->random_, 5) == 0)
		return GST_PAD_PROBE_OK; /* the harness answers */
	self->answer(query);
	self->given_++;
	return GST_PAD_PROBE_HANDLED;
}

void RandomAnswers::addPool(GstQuery *query, GstCaps *caps)
{
	GstVideoInfo info;
	guint size = 4096;
	if (caps && gst_video_info_from_caps(&info, caps) &&
	    GST_VIDEO_INFO_SIZE(&info) < largestFrame)
		size = guint(GST_VIDEO_INFO_SIZE(&info));
	size = randomSizeAround(random_, size);
	const guint minimum = pick(random_, 5);
	const guint maximum = pick(random_, 2) ? 0 : minimum + pick(random_, 6);
	/* Without a pool, the numbers are a wish. */
	GstBufferPool *pool = pick(random_, 4) ? randomPool(random_) : nullptr;
	if (pool && caps)
		useAlready(random_, pool, caps, size);
	gst_query_add_allocation_pool(query, pool, size, minimum, maximum);
	if (!pool)
		return;
	/* Whoever offered it stops it, sooner or later. */
	if (pick(random_, 8) == 0)
		gst_buffer_pool_set_active(pool, FALSE);
	gst_object_unref(pool);
}

void RandomAnswers::addParameters(GstQuery *query)
{
	GstAllocationParams params;
	gst_allocation_params_init(&params);
	params.align = (gsize(1) << pick(random_, 14)) - 1;
	params.prefix = pick(random_, 4) ? 0 : pick(random_, 64);
	params.padding = pick(random_, 4) ? 0 : pick(random_, 8192);
	GstAllocator *allocator = nullptr;
	if (pick(random_, 2))
		allocator = gst_heap_allocator_get(allocators[pick(random_, allocators.size())],
						   nullptr);
	gst_query_add_allocation_param(query, allocator, &params);
	gst_clear_object(&allocator);
}

void RandomAnswers::addMetas(GstQuery *query)
{
	if (pick(random_, 2)) {
		GstStructure *params = nullptr;
		if (pick(random_, 2))
			params = gst_structure_new("video-meta", "padding-top", G_TYPE_UINT,
						   pick(random_, 16), "stride-align0", G_TYPE_UINT,
						   (1U << pick(random_, 9)) - 1, nullptr);
		gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, params);
		g_clear_pointer(&params, gst_structure_free);
	}
	if (pick(random_, 4) == 0)
		gst_query_add_allocation_meta(query, GST_VIDEO_CROP_META_API_TYPE, nullptr);
}

void RandomAnswers::answer(GstQuery *query)
{
	GstCaps *caps = nullptr;
	gboolean needPool = FALSE;

	gst_query_parse_allocation(query, &caps, &needPool);
	for (unsigned i = pick(random_, 3); i > 0; i--)
		addPool(query, caps);
	for (unsigned i = pick(random_, 3); i > 0; i--)
		addParameters(query);
	addMetas(query);
}

} /* namespace heapflow::test */
