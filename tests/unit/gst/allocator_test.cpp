/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What needs no heap: flags, and the memory around a descriptor. The rest is in board-gst. */
#include "gstheapallocator.h"

#include "memory_file.h"

#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

class Allocator : public testing::Test
{
protected:
	~Allocator() override { gst_object_unref(allocator_); }

	GstMemory *wrap(const Heap &heap, gsize maxsize, gsize size)
	{
		return gst_heap_allocator_wrap(GST_HEAP_ALLOCATOR(allocator_), memoryFile(maxsize),
					       heap, maxsize, size);
	}

	GstAllocator *allocator_ = gst_heap_allocator_new({}, "unit");
};

/* Invariant 12 */
TEST_F(Allocator, AnyPoolMayAllocateAndNobodyCopiesIntoIt)
{
	EXPECT_TRUE(GST_IS_DMABUF_ALLOCATOR(allocator_));
	EXPECT_FALSE(GST_OBJECT_FLAG_IS_SET(allocator_, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC));
	EXPECT_TRUE(GST_OBJECT_FLAG_IS_SET(allocator_, GST_ALLOCATOR_FLAG_NO_COPY));
}

/* Invariant 11 */
TEST_F(Allocator, SizeIsExactAndPageRoundingStandsInMaxsize)
{
	GstMemory *memory = wrap(heapNamed("video@42000000", true), 8192, 5000);
	gsize offset = 1, maxsize = 0;
	EXPECT_EQ(gst_memory_get_sizes(memory, &offset, &maxsize), 5000U);
	EXPECT_EQ(offset, 0U);
	EXPECT_EQ(maxsize, 8192U);
	EXPECT_TRUE(gst_is_dmabuf_memory(memory));
	gst_memory_unref(memory);
}

TEST_F(Allocator, ContiguousMemoryIsFlaggedByEvidenceNotByName)
{
	GstMemory *proven = wrap(heapNamed("any-name", true), 4096, 4096);
	GstMemory *claimed = wrap(heapNamed("video@1-contiguous", false), 4096, 4096);
	EXPECT_TRUE(GST_MEMORY_IS_PHYSICALLY_CONTIGUOUS(proven));
	EXPECT_FALSE(GST_MEMORY_IS_PHYSICALLY_CONTIGUOUS(claimed));
	gst_memory_unref(proven);
	gst_memory_unref(claimed);
}

/* Invariant 9: a mapping whose bracket cannot begin is no mapping. A memfd knows no DMA_BUF_SYNC.
 */
TEST_F(Allocator, WithoutSyncBracketThereIsNoMapping)
{
	GstMemory *memory = wrap(heapNamed("system", false), 4096, 4096);
	GstMapInfo info;
	EXPECT_FALSE(gst_memory_map(memory, &info, GST_MAP_READ));
	gst_memory_unref(memory);
}

TEST_F(Allocator, ProtectedMemoryIsNeverMapped)
{
	GstMemory *memory = wrap(heapNamed("video@42000000-protected", true), 4096, 4096);
	GstMapInfo info;
	EXPECT_TRUE(GST_MEMORY_FLAG_IS_SET(memory, GST_MEMORY_FLAG_NOT_MAPPABLE));
	EXPECT_FALSE(gst_memory_map(memory, &info, GST_MAP_READ));
	gst_memory_unref(memory);
}

TEST_F(Allocator, AnAlignmentBeyondAPageIsRefusedWithAReason)
{
	GstAllocationParams params;
	gst_allocation_params_init(&params);
	params.align = 65535;
	EXPECT_EQ(gst_allocator_alloc(allocator_, 100, &params), nullptr);
	const Error error = gst_heap_allocator_get_last_error(GST_HEAP_ALLOCATOR(allocator_));
	EXPECT_EQ(error.code, EINVAL);
	EXPECT_NE(error.message.find("65536"), std::string::npos) << error.message;
}

} /* namespace */
