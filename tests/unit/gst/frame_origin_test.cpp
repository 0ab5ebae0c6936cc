/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a buffer tells of where its frame was before. */
#include "gstheapframeoriginprivate.h"

#include "gstheapallocator.h"

#include "memory_file.h"

#include <gtest/gtest.h>

using namespace heapflow::test;

namespace
{

class FrameOrigin : public testing::Test
{
protected:
	~FrameOrigin() override
	{
		gst_clear_buffer(&camera_);
		gst_clear_buffer(&other_);
		gst_object_unref(allocator_);
	}

	/* As a pool of ours makes it. */
	GstBuffer *pooled()
	{
		GstBuffer *buffer = gst_buffer_new();
		gst_buffer_append_memory(
			buffer,
			gst_heap_allocator_wrap(GST_HEAP_ALLOCATOR(allocator_), memoryFile(4096),
						heapNamed("video@42000000", true), 4096, 4096));
		gst_buffer_add_heap_origin(buffer);
		return buffer;
	}
	static void copyMetas(GstBuffer *from, GstBuffer *to)
	{
		gst_buffer_copy_into(to, from, GST_BUFFER_COPY_META, 0, gsize(-1));
	}
	static void write(GstBuffer *buffer)
	{
		gst_heap_memory_note_cpu_write(gst_buffer_peek_memory(buffer, 0));
	}

	GstAllocator *allocator_ = gst_heap_allocator_new({}, "unit");
	GstBuffer *camera_ = pooled();
	GstBuffer *other_ = pooled();
};

TEST_F(FrameOrigin, ACopyNeedsBothAnEarlierFrameAndACpuThatWrites)
{
	EXPECT_FALSE(gst_buffer_is_cpu_copy(camera_));
	write(other_);
	EXPECT_FALSE(gst_buffer_is_cpu_copy(other_)) << "drawn";
	copyMetas(camera_, other_);
	EXPECT_TRUE(gst_buffer_is_cpu_copy(other_));
}

TEST_F(FrameOrigin, WhatADeviceMadeIsNone)
{
	copyMetas(camera_, other_);
	EXPECT_FALSE(gst_buffer_is_cpu_copy(other_));
}

TEST_F(FrameOrigin, ABufferThatCameHomeIsNewAgain)
{
	write(other_);
	gst_buffer_forget_cpu_writes(other_);
	copyMetas(camera_, other_);
	EXPECT_FALSE(gst_buffer_is_cpu_copy(other_));
}

TEST_F(FrameOrigin, AnotherBufferOfTheSameMemoryIsNoCopy)
{
	write(camera_);
	GstBuffer *again = gst_buffer_copy(camera_);
	GstBuffer *part = gst_buffer_copy_region(camera_, GST_BUFFER_COPY_ALL, 0, 100);
	EXPECT_FALSE(gst_buffer_is_cpu_copy(again));
	EXPECT_FALSE(gst_buffer_is_cpu_copy(part));
	gst_buffer_unref(again);
	gst_buffer_unref(part);
}

TEST_F(FrameOrigin, AFrameMayOutliveTheOneItWasMadeOf)
{
	copyMetas(camera_, other_);
	gst_clear_buffer(&camera_);
	write(other_);
	EXPECT_TRUE(gst_buffer_is_cpu_copy(other_));
}

TEST_F(FrameOrigin, MemoryOfOthersTellsNothing)
{
	GstBuffer *ordinary = gst_buffer_new_allocate(nullptr, 4096, nullptr);
	gst_buffer_add_heap_origin(ordinary);
	EXPECT_FALSE(gst_buffer_is_cpu_copy(ordinary));
	copyMetas(camera_, ordinary);
	EXPECT_FALSE(gst_buffer_is_cpu_copy(ordinary));
	gst_buffer_unref(ordinary);
}

} /* namespace */
