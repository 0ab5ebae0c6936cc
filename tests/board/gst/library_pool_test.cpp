/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pool: what its buffers are, that it takes all of them or none, and that it leaves nothing. */
#include "board.h"
#include "dmabuf_witness.h"
#include "library_fixture.h"

#include <gmock/gmock.h>
#include <gst/allocators/allocators.h>

#include <set>

#include <sys/stat.h>

using namespace heapflow::test;
using testing::HasSubstr;

namespace
{

/* A region of 32 MiB that nothing else on the board uses. */
constexpr const char *smallRegion = "memory@48000000-contiguous";

guint64 freeBytes(const char *heap)
{
	guint64 available = 0;
	GstAllocator *allocator = gst_heap_allocator_get(heap, nullptr);
	EXPECT_TRUE(
		gst_heap_allocator_get_space(GST_HEAP_ALLOCATOR(allocator), nullptr, &available));
	gst_object_unref(allocator);
	return available;
}

ino_t inodeOf(GstBuffer *buffer, guint memory = 0)
{
	struct stat status = {};
	fstat(gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(buffer, memory)), &status);
	return status.st_ino;
}

class LibraryPool : public testing::TestWithParam<std::string>
{
};

TEST_P(LibraryPool, HasFramesOfItsHeapThatSayWhereTheirPlanesAre)
{
	const PoolPointer pool = activePool(GetParam().c_str(), 3, 3);
	ASSERT_TRUE(pool);
	std::vector<GstBuffer *> buffers;
	while (GstBuffer *buffer = takeNow(pool))
		buffers.push_back(buffer);
	EXPECT_EQ(buffers.size(), 3U);
	for (GstBuffer *buffer : buffers) {
		EXPECT_EQ(gst_buffer_n_memory(buffer), 1U);
		EXPECT_EQ(gst_buffer_get_size(buffer), 640U * 360 * 3 / 2);
		const std::string exporter =
			exporterOf(gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(buffer, 0)));
		g_autofree char *heap = nullptr;
		g_object_get(pool.get(), "heap", &heap, nullptr);
		EXPECT_EQ(heap, exporter);
		const GstVideoMeta *meta = gst_buffer_get_video_meta(buffer);
		ASSERT_TRUE(meta);
		EXPECT_EQ(meta->n_planes, 2U);
		EXPECT_EQ(meta->offset[1], 640U * 360);
		gst_buffer_unref(buffer);
	}
	EXPECT_TRUE(gst_buffer_pool_set_active(pool.get(), FALSE));
}

INSTANTIATE_TEST_SUITE_P(Heaps, LibraryPool, testing::ValuesIn(allHeaps),
			 [](const auto &test) { return nameForTest(test.param); });

TEST(LibraryPools, TakeLinearDrmCaps)
{
	ErrorOf error;
	const PoolPointer pool(gst_heap_buffer_pool_new("video@*", error.place()));
	ASSERT_TRUE(pool) << error.text();
	GstCaps *caps = gst_caps_from_string("video/x-raw(memory:DMABuf),format=DMA_DRM,"
					     "drm-format=NV12,width=640,height=360");
	EXPECT_TRUE(gst_heap_buffer_pool_configure(GST_HEAP_BUFFER_POOL(pool.get()), caps, 1, 1,
						   nullptr, GST_HEAP_BUFFER_POOL_FLAG_NONE,
						   error.place()))
		<< error.text();
	gst_caps_unref(caps);
	ASSERT_TRUE(gst_heap_buffer_pool_activate(GST_HEAP_BUFFER_POOL(pool.get()), error.place()));
	GstBuffer *buffer = takeNow(pool);
	ASSERT_TRUE(buffer);
	EXPECT_EQ(gst_buffer_get_video_meta(buffer)->format, GST_VIDEO_FORMAT_NV12);
	gst_buffer_unref(buffer);
	gst_buffer_pool_set_active(pool.get(), FALSE);

	caps = gst_caps_from_string("video/x-raw(memory:DMABuf),format=DMA_DRM,"
				    "drm-format=NV12:0x0100000000000002,width=640,height=360");
	EXPECT_FALSE(gst_heap_buffer_pool_configure(GST_HEAP_BUFFER_POOL(pool.get()), caps, 1, 1,
						    nullptr, GST_HEAP_BUFFER_POOL_FLAG_NONE,
						    error.place()));
	EXPECT_TRUE(error.is(GST_RESOURCE_ERROR_SETTINGS)) << error.text();
	EXPECT_THAT(error.text(), HasSubstr("NV12:0x0100000000000002"));
	gst_caps_unref(caps);
}

struct Planes {
	const char *format;
	std::vector<gsize> sizes; /* of 640x360 */
};

class LibraryPlanes : public testing::TestWithParam<Planes>
{
};

TEST_P(LibraryPlanes, AreADmabufEach)
{
	const auto &[format, sizes] = GetParam();
	const PoolPointer pool = activePool("video@*", 2, 2, format, 640, 360,
					    GST_HEAP_BUFFER_POOL_FLAG_MEMORY_PER_PLANE);
	ASSERT_TRUE(pool);
	GstBuffer *buffer = takeNow(pool);
	ASSERT_TRUE(buffer);
	ASSERT_EQ(gst_buffer_n_memory(buffer), sizes.size());
	std::set<ino_t> inodes;
	gsize offset = 0;
	const GstVideoMeta *meta = gst_buffer_get_video_meta(buffer);
	for (guint i = 0; i < sizes.size(); i++) {
		GstMemory *memory = gst_buffer_peek_memory(buffer, i);
		EXPECT_EQ(gst_memory_get_sizes(memory, nullptr, nullptr), sizes[i]);
		inodes.insert(inodeOf(buffer, i));
		EXPECT_EQ(meta->offset[i], offset) << "of plane " << i;
		offset += sizes[i];
	}
	EXPECT_EQ(inodes.size(), sizes.size());
	EXPECT_EQ(gst_buffer_get_size(buffer), offset);

	/* Every byte that is written by planes is read by planes again. */
	GstVideoInfo info;
	gst_video_info_set_format(&info, gst_video_format_from_string(format), 640, 360);
	GstVideoFrame frame;
	ASSERT_TRUE(gst_video_frame_map(&frame, &info, buffer, GST_MAP_WRITE));
	for (guint i = 0; i < sizes.size(); i++)
		memset(GST_VIDEO_FRAME_PLANE_DATA(&frame, i), int(i + 1), sizes[i]);
	gst_video_frame_unmap(&frame);
	for (guint i = 0; i < sizes.size(); i++) {
		GstMapInfo map;
		ASSERT_TRUE(gst_memory_map(gst_buffer_peek_memory(buffer, i), &map, GST_MAP_READ));
		EXPECT_TRUE(std::all_of(map.data, map.data + map.size,
					[i](guint8 byte) { return byte == i + 1; }))
			<< "plane " << i;
		gst_memory_unmap(gst_buffer_peek_memory(buffer, i), &map);
	}

	/* What an element cut off comes back, of each memory. */
	gst_buffer_resize_range(buffer, 0, 1, 16, 100);
	gst_buffer_resize_range(buffer, gint(sizes.size()) - 1, 1, 0, 10);
	const std::set<ino_t> before = inodes;
	gst_buffer_unref(buffer);
	GstBuffer *both[2] = {takeNow(pool), takeNow(pool)};
	inodes.clear();
	for (GstBuffer *one : both) {
		ASSERT_TRUE(one);
		for (guint i = 0; i < sizes.size(); i++) {
			EXPECT_EQ(gst_buffer_peek_memory(one, i)->size, sizes[i]);
			EXPECT_EQ(gst_buffer_peek_memory(one, i)->offset, 0U);
			inodes.insert(inodeOf(one, i));
		}
	}
	EXPECT_TRUE(std::ranges::includes(inodes, before)) << "it was thrown away";
	for (GstBuffer *one : both)
		gst_buffer_unref(one);
	EXPECT_TRUE(gst_buffer_pool_set_active(pool.get(), FALSE));
}

INSTANTIATE_TEST_SUITE_P(Formats, LibraryPlanes,
			 testing::Values(Planes{"NV12", {640 * 360, 640 * 180}},
					 Planes{"I420", {640 * 360, 320 * 180, 320 * 180}},
					 Planes{"NV16", {640 * 360, 640 * 360}},
					 Planes{"BGRx", {640 * 360 * 4}}),
			 [](const auto &test) { return std::string(test.param.format); });

TEST(LibraryPools, AlignLinesOfEachPlane)
{
	GstVideoAlignment alignment;
	gst_video_alignment_reset(&alignment);
	alignment.stride_align[0] = alignment.stride_align[1] = 255;
	alignment.padding_bottom = 8;
	for (const GstHeapBufferPoolFlags flags :
	     {GST_HEAP_BUFFER_POOL_FLAG_NONE, GST_HEAP_BUFFER_POOL_FLAG_MEMORY_PER_PLANE}) {
		const PoolPointer pool =
			activePool("video@*", 1, 1, "NV12", 648, 360, flags, &alignment);
		ASSERT_TRUE(pool);
		GstBuffer *buffer = takeNow(pool);
		ASSERT_TRUE(buffer);
		const GstVideoMeta *meta = gst_buffer_get_video_meta(buffer);
		EXPECT_EQ(meta->stride[0], 768);
		EXPECT_EQ(meta->stride[1], 768);
		EXPECT_EQ(meta->offset[1], 768U * 368);
		EXPECT_EQ(gst_buffer_get_size(buffer), 768U * 368 * 3 / 2);
		EXPECT_EQ(meta->alignment.padding_bottom, 8U);
		if (flags) {
			EXPECT_EQ(gst_buffer_peek_memory(buffer, 0)->size, 768U * 368);
		}
		gst_buffer_unref(buffer);
		gst_buffer_pool_set_active(pool.get(), FALSE);
	}
}

TEST(LibraryPools, TakeAllMinimumBuffersOrNone)
{
	for (const GstHeapBufferPoolFlags flags :
	     {GST_HEAP_BUFFER_POOL_FLAG_NONE, GST_HEAP_BUFFER_POOL_FLAG_MEMORY_PER_PLANE}) {
		const guint64 before = freeBytes(smallRegion);
		ErrorOf error;
		const PoolPointer pool(gst_heap_buffer_pool_new(smallRegion, error.place()));
		ASSERT_TRUE(pool) << error.text();
		GstCaps *caps = videoCaps("NV12", 1920, 1080);
		ASSERT_TRUE(gst_heap_buffer_pool_configure(GST_HEAP_BUFFER_POOL(pool.get()), caps,
							   20, 0, nullptr, flags, error.place()))
			<< error.text();
		EXPECT_FALSE(gst_heap_buffer_pool_activate(GST_HEAP_BUFFER_POOL(pool.get()),
							   error.place()));
		EXPECT_TRUE(error.is(GST_RESOURCE_ERROR_NO_SPACE_LEFT)) << error.text();
		EXPECT_THAT(error.text(), HasSubstr(flags ? "of 40" : "of 20"));
		EXPECT_EQ(freeBytes(smallRegion), before);
		EXPECT_FALSE(gst_buffer_pool_is_active(pool.get()));

		/* The same pool with what fits. */
		ErrorOf none;
		EXPECT_TRUE(gst_heap_buffer_pool_configure(GST_HEAP_BUFFER_POOL(pool.get()), caps,
							   5, 5, nullptr, flags, none.place()))
			<< none.text();
		EXPECT_TRUE(gst_heap_buffer_pool_activate(GST_HEAP_BUFFER_POOL(pool.get()),
							  none.place()))
			<< none.text();
		gst_buffer_pool_set_active(pool.get(), FALSE);
		EXPECT_EQ(freeBytes(smallRegion), before);
		gst_caps_unref(caps);
	}
}

TEST(LibraryPools, GoToTheNextHeapWithAllOfTheirBuffers)
{
	const PoolPointer pool =
		activePool("memory@48000000-contiguous:video@*", 15, 0, "NV12", 1920, 1080);
	ASSERT_TRUE(pool);
	for (int i = 0; i < 15; i++) {
		GstBuffer *buffer = takeNow(pool);
		ASSERT_TRUE(buffer);
		EXPECT_EQ(exporterOf(gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(buffer, 0))),
			  "video@42000000");
		gst_buffer_unref(buffer);
	}
	gst_buffer_pool_set_active(pool.get(), FALSE);
}

/* Two pools that share an allocator do not take each other's buffers. */
TEST(LibraryPools, MayShareAnAllocator)
{
	ErrorOf error;
	AllocatorPointer allocator(gst_heap_allocator_get(smallRegion, error.place()));
	ASSERT_TRUE(allocator) << error.text();
	const guint64 before = freeBytes(smallRegion);
	std::vector<PoolPointer> pools;
	for (int i = 0; i < 2; i++) {
		pools.emplace_back(gst_heap_buffer_pool_new_with_allocator(
			GST_HEAP_ALLOCATOR(allocator.get())));
		auto *pool = GST_HEAP_BUFFER_POOL(pools.back().get());
		GstCaps *caps = videoCaps("NV12", 640 * (i + 1), 360);
		EXPECT_TRUE(gst_heap_buffer_pool_configure(
			pool, caps, 3, 3, nullptr, GST_HEAP_BUFFER_POOL_FLAG_NONE, error.place()));
		EXPECT_TRUE(gst_heap_buffer_pool_activate(pool, error.place())) << error.text();
		gst_caps_unref(caps);
	}
	for (int i = 0; i < 2; i++) {
		GstBuffer *buffer = takeNow(pools[i]);
		ASSERT_TRUE(buffer);
		EXPECT_EQ(gst_buffer_get_size(buffer), 640U * (i + 1) * 360 * 3 / 2);
		EXPECT_EQ(gst_buffer_peek_memory(buffer, 0)->allocator, allocator.get());
		gst_buffer_unref(buffer);
	}
	for (const PoolPointer &pool : pools)
		gst_buffer_pool_set_active(pool.get(), FALSE);
	EXPECT_EQ(freeBytes(smallRegion), before);
}

TEST(LibraryPools, MendWhatElementsDidToABuffer)
{
	const PoolPointer pool = activePool("video@*", 1, 1);
	ASSERT_TRUE(pool);
	GstBuffer *buffer = takeNow(pool);
	ASSERT_TRUE(buffer);
	const ino_t inode = inodeOf(buffer);
	gst_buffer_resize(buffer, 100, 200);
	GstVideoMeta *meta = gst_buffer_get_video_meta(buffer);
	meta->stride[0] = 1;
	meta->offset[1] = 2;
	meta->width = 3;
	gst_buffer_unref(buffer);

	buffer = takeNow(pool);
	ASSERT_TRUE(buffer);
	EXPECT_EQ(inodeOf(buffer), inode);
	EXPECT_EQ(gst_buffer_get_size(buffer), 640U * 360 * 3 / 2);
	meta = gst_buffer_get_video_meta(buffer);
	EXPECT_EQ(meta->stride[0], 640);
	EXPECT_EQ(meta->offset[1], 640U * 360);
	EXPECT_EQ(meta->width, 640U);
	gst_buffer_unref(buffer);
	gst_buffer_pool_set_active(pool.get(), FALSE);
}

TEST(LibraryPools, CycleWithoutAllocating)
{
	const PoolPointer pool = activePool("video@*", 4, 4);
	ASSERT_TRUE(pool);
	std::set<ino_t> inodes;
	for (int i = 0; i < 500; i++) {
		GstBuffer *buffer = takeNow(pool);
		ASSERT_TRUE(buffer);
		inodes.insert(inodeOf(buffer));
		gst_buffer_unref(buffer);
	}
	EXPECT_EQ(inodes.size(), 4U);
	EXPECT_EQ(statOf(pool, "held"), 0U);
	gst_buffer_pool_set_active(pool.get(), FALSE);
}

TEST(LibraryPools, ChangeSizeFormatAndHeapAHundredTimes)
{
	const char *const heaps[] = {"video@*", smallRegion, "system"};
	const char *const formats[] = {"NV12", "I420", "BGRx"};
	const Resources before = Resources::now();
	for (const char *heap : heaps) {
		ErrorOf error;
		const PoolPointer pool(gst_heap_buffer_pool_new(heap, error.place()));
		ASSERT_TRUE(pool) << error.text();
		auto *self = GST_HEAP_BUFFER_POOL(pool.get());
		for (int i = 0; i < 34; i++) {
			GstCaps *caps = videoCaps(formats[i % 3], 64 * (1 + i % 10), 48 + i * 2);
			ASSERT_TRUE(gst_heap_buffer_pool_configure(
				self, caps, 2 + guint(i) % 3, 0, nullptr,
				i % 2 ? GST_HEAP_BUFFER_POOL_FLAG_MEMORY_PER_PLANE
				      : GST_HEAP_BUFFER_POOL_FLAG_NONE,
				error.place()))
				<< error.text();
			gst_caps_unref(caps);
			ASSERT_TRUE(gst_heap_buffer_pool_activate(self, error.place()))
				<< error.text();
			GstBuffer *buffer = takeNow(pool);
			ASSERT_TRUE(buffer);
			/* In use it cannot be changed, and says so. */
			if (i == 0) {
				ErrorOf busy;
				caps = videoCaps("NV12", 64, 64);
				EXPECT_FALSE(gst_heap_buffer_pool_configure(
					self, caps, 1, 1, nullptr, GST_HEAP_BUFFER_POOL_FLAG_NONE,
					busy.place()));
				EXPECT_TRUE(busy.is(GST_RESOURCE_ERROR_BUSY)) << busy.text();
				gst_caps_unref(caps);
			}
			ASSERT_TRUE(gst_buffer_pool_set_active(pool.get(), FALSE));
			if (i == 1) {
				ErrorOf held;
				caps = videoCaps("NV12", 64, 64);
				EXPECT_FALSE(gst_heap_buffer_pool_configure(
					self, caps, 1, 1, nullptr, GST_HEAP_BUFFER_POOL_FLAG_NONE,
					held.place()));
				EXPECT_TRUE(held.is(GST_RESOURCE_ERROR_BUSY)) << held.text();
				gst_caps_unref(caps);
			}
			gst_buffer_unref(buffer);
		}
	}
	EXPECT_EQ(settled(before), before);
}

/* With a limit of 2 the third one does not exist; without, it does. */
TEST(LibraryPools, GrowUpToTheirLimit)
{
	const PoolPointer limited = activePool("video@*", 1, 2);
	const PoolPointer unlimited = activePool("video@*", 0, 0);
	ASSERT_TRUE(limited && unlimited);
	std::vector<GstBuffer *> taken;
	for (int i = 0; i < 2; i++)
		taken.push_back(takeNow(limited));
	EXPECT_EQ(takeNow(limited), nullptr);
	for (int i = 0; i < 5; i++)
		taken.push_back(takeNow(unlimited));
	for (GstBuffer *buffer : taken) {
		ASSERT_TRUE(buffer);
		gst_buffer_unref(buffer);
	}
	gst_buffer_pool_set_active(limited.get(), FALSE);
	gst_buffer_pool_set_active(unlimited.get(), FALSE);
}

TEST(LibraryPools, SayThatTheyWereNotConfigured)
{
	ErrorOf error;
	const PoolPointer pool(gst_heap_buffer_pool_new("system", error.place()));
	ASSERT_TRUE(pool) << error.text();
	EXPECT_FALSE(
		gst_heap_buffer_pool_activate(GST_HEAP_BUFFER_POOL(pool.get()), error.place()));
	EXPECT_TRUE(error.is(GST_RESOURCE_ERROR_SETTINGS)) << error.text();
}

} /* namespace */
