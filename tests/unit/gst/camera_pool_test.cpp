/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When exactly a buffer goes back to its camera (invariant 1). The camera here only writes down
 * what it gets back: on the board one sees that pictures are right, but not when a buffer was
 * queued.
 */
#include "gstheapcamerapool.h"

#include "gst/heap/gstheapreleasefencemeta.h"
#include "memory_file.h"

#include <drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <gst/allocators/gstdmabuf.h>
#include <gst/video/video.h>

using namespace heapflow;
using namespace heapflow::gst;
using namespace heapflow::test;
using testing::ElementsAre;
using testing::IsEmpty;

namespace
{

class Ledger : public Camera
{
public:
	const CameraInfo &info() const override { return info_; }
	Result<std::vector<CaptureMode>> modes(StreamRole, std::span<const uint32_t>) override
	{
		return {};
	}
	Result<std::vector<CaptureConfiguration>> configureStreams(std::span<const CaptureRequest>,
								   const SensorRequest &) override
	{
		return {};
	}
	Result<void> importBuffers(std::span<const Buffer>, unsigned) override { return {}; }
	Result<void> start() override { return {}; }
	Result<CapturedFrame> waitFrame(std::chrono::milliseconds, unsigned) override { return {}; }
	const FrameControls &metadata(unsigned, unsigned) const override { return none_; }
	Result<void> queue(unsigned index, unsigned, std::optional<Fence> release) override
	{
		returned.push_back(index);
		fences += release.has_value();
		return {};
	}
	std::vector<ControlDescription> controls() override { return {}; }
	Result<void> setControls(const ControlList &) override { return {}; }
	void interrupt(bool, std::optional<unsigned>) override {}
	Result<void> stop() override { return {}; }

	std::vector<unsigned> returned;
	unsigned fences = 0; /* that came with them */

private:
	CameraInfo info_;
	FrameControls none_;
};

class CameraPool : public testing::Test
{
protected:
	void SetUp() override
	{
		configuration_.layout = *makeFrameLayout(DRM_FORMAT_NV12, 64, 32);
		configuration_.bufferCount = 3;
		for (int i = 0; i < 3; i++)
			buffers_.emplace_back(memoryFile(4096), 4096, "unit");
		GstCaps *caps = gst_caps_from_string("video/x-raw,format=NV12,width=64,height=32");
		auto pool = gst_heap_camera_pool_new(GST_HEAP_ALLOCATOR(allocator_),
						     heapNamed("unit", false), buffers_,
						     configuration_, caps, way_);
		gst_caps_unref(caps);
		ASSERT_TRUE(pool) << pool.error().text();
		pool_ = *pool;
	}
	~CameraPool() override
	{
		if (pool_)
			gst_buffer_pool_set_active(GST_BUFFER_POOL_CAST(pool_), FALSE);
		gst_clear_object(&pool_);
		gst_object_unref(allocator_);
	}

	Ledger camera_;
	std::shared_ptr<CameraReturn> way_ = std::make_shared<CameraReturn>(&camera_);
	CaptureConfiguration configuration_;
	std::vector<Buffer> buffers_;
	GstAllocator *allocator_ = gst_heap_allocator_new({}, "unit");
	GstHeapCameraPool *pool_ = nullptr;
};

TEST_F(CameraPool, ABufferGoesBackWithItsLastReference)
{
	GstBuffer *buffer = gst_heap_camera_pool_take(pool_, 1);
	ASSERT_NE(buffer, nullptr);
	GstBuffer *shown = gst_buffer_ref(buffer);
	gst_buffer_unref(buffer);
	EXPECT_THAT(camera_.returned, IsEmpty()) << "the sink still shows it";
	EXPECT_EQ(gst_heap_camera_pool_outstanding(pool_), 1U);
	gst_buffer_unref(shown);
	EXPECT_THAT(camera_.returned, ElementsAre(1));
	EXPECT_EQ(gst_heap_camera_pool_outstanding(pool_), 0U);
}

/* The letter box tells displays that they may let go before they are done. */
TEST_F(CameraPool, OnlyBuffersOfACameraThatWaitsForFencesTakeThem)
{
	GstBuffer *buffer = gst_heap_camera_pool_take(pool_, 0);
	EXPECT_NE(gst_buffer_get_heap_release_fence_meta(buffer), nullptr) << "libcamera waits";
	GstBuffer *copy = gst_buffer_copy(buffer);
	EXPECT_EQ(gst_buffer_get_heap_release_fence_meta(copy), nullptr)
		<< "nobody would look into the box of a copy";
	gst_buffer_unref(copy);
	gst_buffer_unref(buffer);
	buffer = gst_heap_camera_pool_take(pool_, 0);
	EXPECT_NE(gst_buffer_get_heap_release_fence_meta(buffer), nullptr) << "it stays";
	gst_buffer_unref(buffer);
	EXPECT_EQ(camera_.fences, 0U);
}

TEST_F(CameraPool, TheSameBufferAndMemoryComeAgain)
{
	GstBuffer *first = gst_heap_camera_pool_take(pool_, 0);
	GstMemory *memory = gst_buffer_peek_memory(first, 0);
	GST_BUFFER_FLAG_SET(first, GST_BUFFER_FLAG_DISCONT);
	GST_BUFFER_PTS(first) = 5;
	gst_buffer_unref(first);
	GstBuffer *again = gst_heap_camera_pool_take(pool_, 0);
	EXPECT_EQ(again, first);
	EXPECT_EQ(gst_buffer_peek_memory(again, 0), memory);
	EXPECT_FALSE(GST_BUFFER_FLAG_IS_SET(again, GST_BUFFER_FLAG_DISCONT));
	EXPECT_FALSE(GST_BUFFER_PTS_IS_VALID(again));
	ASSERT_NE(gst_buffer_get_video_meta(again), nullptr);
	EXPECT_EQ(gst_buffer_get_size(again), configuration_.layout.size());
	gst_buffer_unref(again);
}

TEST_F(CameraPool, ABufferIsHandedOutOnce)
{
	GstBuffer *buffer = gst_heap_camera_pool_take(pool_, 2);
	EXPECT_EQ(gst_heap_camera_pool_take(pool_, 2), nullptr);
	EXPECT_EQ(gst_heap_camera_pool_take(pool_, 3), nullptr);
	gst_buffer_unref(buffer);
}

TEST_F(CameraPool, AShallowCopyHoldsTheBufferBack)
{
	GstBuffer *buffer = gst_heap_camera_pool_take(pool_, 0);
	GstBuffer *copy = gst_buffer_copy(buffer);
	gst_buffer_unref(buffer);
	EXPECT_THAT(camera_.returned, IsEmpty());
	gst_buffer_unref(copy);
	(void)gst_heap_camera_pool_collect(pool_);
	EXPECT_THAT(camera_.returned, ElementsAre(0));
}

TEST_F(CameraPool, AMemoryThatSomebodyKeepsHoldsTheBufferBack)
{
	GstBuffer *buffer = gst_heap_camera_pool_take(pool_, 0);
	GstMemory *kept = gst_buffer_get_memory(buffer, 0);
	gst_buffer_unref(buffer);
	EXPECT_THAT(camera_.returned, IsEmpty());
	EXPECT_EQ(gst_heap_camera_pool_collect(pool_), 1U);
	EXPECT_THAT(camera_.returned, IsEmpty());
	gst_memory_unref(kept);
	EXPECT_EQ(gst_heap_camera_pool_collect(pool_), 0U);
	EXPECT_THAT(camera_.returned, ElementsAre(0));
}

TEST_F(CameraPool, NothingGoesBackToACameraThatStopped)
{
	GstBuffer *buffer = gst_heap_camera_pool_take(pool_, 0);
	const int fd = gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(buffer, 0));
	way_->close();
	gst_buffer_pool_set_active(GST_BUFFER_POOL_CAST(pool_), FALSE);
	gst_clear_object(&pool_);
	buffers_.clear();
	EXPECT_EQ(*bufferSize(fd), 4096U) << "downstream may keep the frame";
	gst_buffer_unref(buffer);
	EXPECT_THAT(camera_.returned, IsEmpty());
	EXPECT_FALSE(bufferSize(fd)) << "the last reference closes the descriptor";
}

/*
 * Memory of downstream's pool: larger than the frame, and in a buffer of that pool. It goes round
 * as it is; GstBufferPool would resize it, and so exchange it for a share of it.
 */
TEST(CameraPoolOfDownstream, LargerMemoryGoesRoundAsItIs)
{
	Ledger camera;
	CaptureConfiguration configuration;
	configuration.layout = *makeFrameLayout(DRM_FORMAT_NV12, 64, 32);
	configuration.bufferCount = 1;
	GstAllocator *allocator = gst_dmabuf_allocator_new();
	GstMemory *memory = gst_dmabuf_allocator_alloc(allocator, memoryFile(8192).release(), 8192);
	GstBuffer *ofDownstream = gst_buffer_new();
	gst_buffer_append_memory(ofDownstream, gst_memory_ref(memory));
	GstCaps *caps = gst_caps_from_string("video/x-raw,format=NV12,width=64,height=32");
	auto pool = gst_heap_camera_pool_new_wrapped({memory}, configuration, caps,
						     std::make_shared<CameraReturn>(&camera));
	gst_caps_unref(caps);
	ASSERT_TRUE(pool) << pool.error().text();
	for (unsigned round = 1; round <= 3; round++) {
		GstBuffer *buffer = gst_heap_camera_pool_take(*pool, 0);
		ASSERT_NE(buffer, nullptr) << "lost in round " << round;
		EXPECT_EQ(gst_buffer_peek_memory(buffer, 0), memory);
		EXPECT_EQ(gst_buffer_get_size(buffer), configuration.layout.size());
		/* A frame of MJPEG is shorter still. */
		gst_heap_camera_pool_set_used(buffer, 100 * round);
		EXPECT_EQ(gst_buffer_get_size(buffer), 100 * round);
		gst_buffer_unref(buffer);
		EXPECT_EQ(camera.returned.size(), round);
	}
	gst_buffer_pool_set_active(GST_BUFFER_POOL_CAST(*pool), FALSE);
	gst_object_unref(*pool);
	gst_buffer_unref(ofDownstream);
	gst_object_unref(allocator);
}

} /* namespace */
