/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configuration of the pool; what it allocates is tested on the board. */
#include "gstheapbufferpool.h"

#include <gtest/gtest.h>

using namespace heapflow;

namespace
{

constexpr guint nv12Size = 1280 * 720 * 3 / 2;

class BufferPool : public testing::Test
{
protected:
	~BufferPool() override
	{
		gst_object_unref(pool_);
		gst_object_unref(allocator_);
		gst_object_unref(element_);
	}

	bool configure(const char *caps, guint size, const GstVideoAlignment *alignment = nullptr)
	{
		GstStructure *config = gst_buffer_pool_get_config(pool_);
		GstCaps *parsed = gst_caps_from_string(caps);
		gst_buffer_pool_config_set_params(config, parsed, size, 3, 0);
		gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
		if (alignment) {
			gst_buffer_pool_config_add_option(config,
							  GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
			gst_buffer_pool_config_set_video_alignment(config, alignment);
		}
		gst_caps_unref(parsed);
		return gst_buffer_pool_set_config(pool_, config);
	}

	guint configuredSize()
	{
		guint size = 0;
		GstStructure *config = gst_buffer_pool_get_config(pool_);
		gst_buffer_pool_config_get_params(config, nullptr, &size, nullptr, nullptr);
		gst_structure_free(config);
		return size;
	}

	GstElement *element_ = GST_ELEMENT(gst_object_ref_sink(gst_bin_new(nullptr)));
	GstAllocator *allocator_ = gst_heap_allocator_new({}, "unit");
	GstBufferPool *pool_ =
		gst_heap_buffer_pool_new_for_element(GST_HEAP_ALLOCATOR(allocator_), element_);
};

/* Invariant 11: v4l2src refuses a pool whose size is not that of the video. */
TEST_F(BufferPool, KeepsTheExactSize)
{
	EXPECT_TRUE(configure("video/x-raw,format=NV12,width=1280,height=720", nv12Size));
	EXPECT_EQ(configuredSize(), nv12Size);
}

TEST_F(BufferPool, TakesLinearDrmCaps)
{
	EXPECT_TRUE(configure("video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=NV12,"
			      "width=1280,height=720",
			      nv12Size));
	EXPECT_EQ(configuredSize(), nv12Size);
}

TEST_F(BufferPool, RefusesTiledCaps)
{
	EXPECT_FALSE(configure("video/x-raw(memory:DMABuf),format=DMA_DRM,"
			       "drm-format=NV12:0x0100000000000002,width=1280,height=720",
			       nv12Size));
}

TEST_F(BufferPool, TellsTheSizeWhenAskedForLess)
{
	EXPECT_FALSE(configure("video/x-raw,format=NV12,width=1280,height=720", 1000));
	EXPECT_EQ(configuredSize(), nv12Size);
}

TEST_F(BufferPool, TakesTheLargerSizeThatADeviceWants)
{
	EXPECT_TRUE(configure("video/x-raw,format=NV12,width=1280,height=720", nv12Size + 4096));
	EXPECT_EQ(configuredSize(), nv12Size + 4096);
}

TEST_F(BufferPool, AlignsLinesAndAddsThemUp)
{
	GstVideoAlignment alignment;
	gst_video_alignment_reset(&alignment);
	alignment.stride_align[0] = alignment.stride_align[1] = 255;
	/* 1288 becomes 1536 */
	EXPECT_FALSE(configure("video/x-raw,format=NV12,width=1288,height=720", 1288 * 720 * 3 / 2,
			       &alignment));
	EXPECT_EQ(configuredSize(), 1536U * 720 * 3 / 2);
}

TEST_F(BufferPool, StaysWithItsHeapWhateverAllocatorIsNamed)
{
	GstStructure *config = gst_buffer_pool_get_config(pool_);
	GstCaps *caps = gst_caps_from_string("video/x-raw,format=NV12,width=1280,height=720");
	GstAllocator *system = gst_allocator_find(GST_ALLOCATOR_SYSMEM);
	GstAllocationParams params;
	gst_allocation_params_init(&params);
	params.prefix = 64;
	gst_buffer_pool_config_set_params(config, caps, nv12Size, 2, 0);
	gst_buffer_pool_config_set_allocator(config, system, &params);
	EXPECT_TRUE(gst_buffer_pool_set_config(pool_, config));

	config = gst_buffer_pool_get_config(pool_);
	GstAllocator *configured = nullptr;
	gst_buffer_pool_config_get_allocator(config, &configured, &params);
	EXPECT_EQ(configured, allocator_);
	EXPECT_EQ(params.prefix, 0U) << "invariant 2: the first plane is at offset 0";
	gst_structure_free(config);
	gst_object_unref(system);
	gst_caps_unref(caps);
}

TEST_F(BufferPool, AnOfferFromAHeapThatIsNotThereIsAnError)
{
	GstCaps *caps = gst_caps_from_string("video/x-raw,format=NV12,width=1280,height=720");
	auto offer = gst::offerHeapPool(element_, "no-such-heap", caps, 3, nullptr);
	gst_caps_unref(caps);
	ASSERT_FALSE(offer);
	EXPECT_EQ(offer.error().code, ENOENT);
}

} /* namespace */
