/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The shared allocators: one for each region of the board, found by every name of it. */
#include "board.h"
#include "dmabuf_witness.h"
#include "library_fixture.h"

#include <gmock/gmock.h>

using namespace heapflow::test;
using testing::HasSubstr;

namespace
{

AllocatorPointer get(const char *expression)
{
	ErrorOf error;
	AllocatorPointer allocator(gst_heap_allocator_get(expression, error.place()));
	EXPECT_TRUE(allocator) << error.text();
	return allocator;
}

AllocatorPointer find(const std::string &name)
{
	return AllocatorPointer(gst_allocator_find(name.c_str()));
}

TEST(LibraryAllocators, AreRegisteredUnderTheNamesOfAllHeaps)
{
	ErrorOf error;
	gchar **names = gst_heap_allocator_register_all(error.place());
	ASSERT_TRUE(names) << error.text();
	std::vector<std::string> found(names, names + g_strv_length(names));
	g_strfreev(names);

	std::vector<std::string> expected;
	for (const std::string &heap : allHeaps)
		expected.push_back("heap:" + heap);
	EXPECT_THAT(found, testing::UnorderedElementsAreArray(expected));
	for (const std::string &name : expected) {
		EXPECT_TRUE(find(name)) << name;
	}
}

TEST(LibraryAllocators, AreOneForARegionWithTwoNames)
{
	const AllocatorPointer present = get("default_cma_region");
	const AllocatorPointer old = get("linux,cma");
	EXPECT_EQ(present, old);
	EXPECT_EQ(find("heap:default_cma_region"), present);
	EXPECT_EQ(find("heap:linux,cma"), present);
	/* Names that this kernel does not have find it by the alias rules of expressions. */
	EXPECT_EQ(get("default"), present);
	EXPECT_EQ(get("reserved"), present);

	const AllocatorPointer video = get("video@*");
	EXPECT_NE(video, present);
	EXPECT_EQ(find("heap:video@42000000"), video);
	EXPECT_NE(get("system"), video);
	EXPECT_EQ(get("no-such-heap:video@42000000"), video);
}

TEST(LibraryAllocators, SayWhatIsThereWhenAHeapIsNot)
{
	ErrorOf error;
	EXPECT_EQ(gst_heap_allocator_get("no-such-heap", error.place()), nullptr);
	EXPECT_TRUE(error.is(GST_RESOURCE_ERROR_NOT_FOUND)) << error.text();
	EXPECT_THAT(error.text(), HasSubstr("video@42000000"));

	ErrorOf wrong;
	EXPECT_EQ(gst_heap_allocator_get("is=nonsense", wrong.place()), nullptr);
	EXPECT_TRUE(wrong.is(GST_RESOURCE_ERROR_SETTINGS)) << wrong.text();
	/* Who does not want to know need not ask. */
	EXPECT_EQ(gst_heap_allocator_get("no-such-heap", nullptr), nullptr);
}

class LibraryAllocator : public testing::TestWithParam<std::string>
{
};

TEST_P(LibraryAllocator, GivesMemoryOfItsHeapWithTheFlagsOfTheRegion)
{
	const AllocatorPointer allocator = get(GetParam().c_str());
	GstMemory *memory = gst_allocator_alloc(allocator.get(), 5000, nullptr);
	ASSERT_TRUE(memory);
	EXPECT_TRUE(gst_is_dmabuf_memory(memory));
	EXPECT_TRUE(gst_is_heap_memory(memory));
	gsize maxsize = 0;
	EXPECT_EQ(gst_memory_get_sizes(memory, nullptr, &maxsize), 5000U);
	EXPECT_EQ(maxsize, 8192U);
	EXPECT_EQ(bool(GST_MEMORY_IS_PHYSICALLY_CONTIGUOUS(memory)), GetParam() != "system");
	EXPECT_FALSE(GST_MEMORY_FLAG_IS_SET(memory, GST_MEMORY_FLAG_NOT_MAPPABLE));

	/* The kernel names the node that it came from; of twins either. */
	const std::string exporter = exporterOf(gst_dmabuf_memory_get_fd(memory));
	EXPECT_EQ(find("heap:" + exporter), allocator) << exporter;
	g_autofree char *heap = gst_heap_memory_dup_heap_name(memory);
	EXPECT_EQ(heap, exporter);

	/* Invariant 12, and zeroed */
	GstMemory *copy = gst_memory_copy(memory, 0, -1);
	EXPECT_FALSE(gst_is_dmabuf_memory(copy));
	EXPECT_FALSE(gst_is_heap_memory(copy));
	EXPECT_EQ(gst_heap_memory_dup_heap_name(copy), nullptr);
	GstMapInfo map;
	ASSERT_TRUE(gst_memory_map(copy, &map, GST_MAP_READ));
	EXPECT_TRUE(std::all_of(map.data, map.data + map.size, [](guint8 b) { return b == 0; }));
	gst_memory_unmap(copy, &map);
	gst_memory_unref(copy);
	gst_memory_unref(memory);
}

/* GStreamer's own pool, which knows nothing of heaps. */
TEST_P(LibraryAllocator, FeedsAnyPool)
{
	const AllocatorPointer allocator = get(GetParam().c_str());
	const PoolPointer pool(gst_video_buffer_pool_new());
	GstCaps *caps = videoCaps("NV12", 640, 360);
	GstStructure *config = gst_buffer_pool_get_config(pool.get());
	GstAllocationParams parameters;
	gst_allocation_params_init(&parameters);
	parameters.align = 255;
	gst_buffer_pool_config_set_params(config, caps, 640 * 360 * 3 / 2, 2, 2);
	gst_buffer_pool_config_set_allocator(config, allocator.get(), &parameters);
	gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
	gst_caps_unref(caps);
	ASSERT_TRUE(gst_buffer_pool_set_config(pool.get(), config));
	ASSERT_TRUE(gst_buffer_pool_set_active(pool.get(), TRUE));
	GstBuffer *buffer = takeNow(pool);
	ASSERT_TRUE(buffer);
	EXPECT_EQ(gst_buffer_peek_memory(buffer, 0)->allocator, allocator.get());
	gst_buffer_unref(buffer);
	gst_buffer_pool_set_active(pool.get(), FALSE);
}

#if GST_CHECK_VERSION(1, 28, 0)
/* GStreamer's pool of dma-bufs, with the alignment that it asks for. */
TEST_P(LibraryAllocator, FeedsGstVideoDmabufPool)
{
	const AllocatorPointer allocator = get(GetParam().c_str());
	const PoolPointer pool(gst_video_dmabuf_pool_new());
	ASSERT_TRUE(pool);
	GstCaps *caps = videoCaps("NV12", 648, 360);
	GstStructure *config = gst_buffer_pool_get_config(pool.get());
	gst_buffer_pool_config_set_params(config, caps, 648 * 360 * 3 / 2, 2, 2);
	gst_buffer_pool_config_set_allocator(config, allocator.get(), nullptr);
	gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
	gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
	gst_caps_unref(caps);
	/* It adds its alignment, and is asked for what it made of the configuration. */
	if (!gst_buffer_pool_set_config(pool.get(), config)) {
		config = gst_buffer_pool_get_config(pool.get());
		ASSERT_TRUE(gst_buffer_pool_set_config(pool.get(), config));
	}
	ASSERT_TRUE(gst_buffer_pool_set_active(pool.get(), TRUE));
	GstBuffer *buffer = takeNow(pool);
	ASSERT_TRUE(buffer);
	EXPECT_EQ(gst_buffer_peek_memory(buffer, 0)->allocator, allocator.get());
	EXPECT_EQ(gst_buffer_get_video_meta(buffer)->stride[0], 768);
	gst_buffer_unref(buffer);
	gst_buffer_pool_set_active(pool.get(), FALSE);
}
#endif

INSTANTIATE_TEST_SUITE_P(Heaps, LibraryAllocator, testing::ValuesIn(allHeaps),
			 [](const auto &test) { return nameForTest(test.param); });

TEST(LibraryAllocators, KnowHowMuchThereIsAndSayItWhenItIsNotEnough)
{
	const AllocatorPointer allocator = get("memory@48000000-contiguous");
	auto *heap = GST_HEAP_ALLOCATOR(allocator.get());
	guint64 total = 0, before = 0, after = 0;
	ASSERT_TRUE(gst_heap_allocator_get_space(heap, &total, &before));
	EXPECT_EQ(total, 32U << 20);
	EXPECT_LE(before, total);

	std::vector<GstMemory *> taken;
	ErrorOf error;
	while (GstMemory *memory = gst_heap_allocator_alloc(heap, 3 << 20, nullptr, error.place()))
		taken.push_back(memory);
	EXPECT_GE(taken.size(), 8U);
	EXPECT_TRUE(error.is(GST_RESOURCE_ERROR_NO_SPACE_LEFT)) << error.text();
	/* What was wanted, in numbers. */
	EXPECT_THAT(error.text(), HasSubstr("3145728"));
	EXPECT_THAT(error.text(), HasSubstr("ENOMEM"));
	ASSERT_TRUE(gst_heap_allocator_get_space(heap, nullptr, &after));
	EXPECT_EQ(before - after, taken.size() * (3U << 20));
	for (GstMemory *memory : taken)
		gst_memory_unref(memory);
	ASSERT_TRUE(gst_heap_allocator_get_space(heap, nullptr, &after));
	EXPECT_EQ(after, before);
}

TEST(LibraryAllocators, RefuseSizesThatCannotBe)
{
	const AllocatorPointer allocator = get("video@*");
	auto *heap = GST_HEAP_ALLOCATOR(allocator.get());
	GstAllocationParams parameters;
	gst_allocation_params_init(&parameters);
	parameters.padding = G_MAXSIZE - 10;
	ErrorOf error;
	EXPECT_EQ(gst_heap_allocator_alloc(heap, 100, &parameters, error.place()), nullptr);
	EXPECT_TRUE(error.is(GST_RESOURCE_ERROR_SETTINGS)) << error.text();
	ErrorOf none;
	EXPECT_EQ(gst_heap_allocator_alloc(heap, 0, nullptr, none.place()), nullptr);
	EXPECT_TRUE(none.is(GST_RESOURCE_ERROR_SETTINGS)) << none.text();
}

TEST(LibraryAllocators, PrefixAndPaddingAreAroundTheMemory)
{
	const AllocatorPointer allocator = get("video@*");
	GstAllocationParams parameters;
	gst_allocation_params_init(&parameters);
	parameters.prefix = 128;
	parameters.padding = 64;
	GstMemory *memory = gst_heap_allocator_alloc(GST_HEAP_ALLOCATOR(allocator.get()), 1000,
						     &parameters, nullptr);
	ASSERT_TRUE(memory);
	gsize offset = 0, maxsize = 0;
	EXPECT_EQ(gst_memory_get_sizes(memory, &offset, &maxsize), 1000U);
	EXPECT_EQ(offset, 128U);
	EXPECT_EQ(maxsize, 4096U);
	gst_memory_unref(memory);
}

} /* namespace */
