/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The letter box for release fences, without fences: those are on the board (fences_test.cpp). */
#include "gst/heap/gstheapreleasefencemeta.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace
{

TEST(ReleaseFenceMeta, IsEmptyAtFirst)
{
	GstBuffer *buffer = gst_buffer_new();
	EXPECT_EQ(gst_buffer_get_heap_release_fence_meta(buffer), nullptr);
	GstHeapReleaseFenceMeta *box = gst_buffer_add_heap_release_fence_meta(buffer);
	EXPECT_EQ(gst_buffer_get_heap_release_fence_meta(buffer), box);
	EXPECT_EQ(gst_heap_release_fence_meta_take(box), -1);
	gst_buffer_unref(buffer);
}

/* The caller keeps the buffer then; the descriptor is gone all the same. */
TEST(ReleaseFenceMeta, WhatIsNoSyncFileIsRefusedAndClosed)
{
	GstBuffer *buffer = gst_buffer_new();
	GstHeapReleaseFenceMeta *box = gst_buffer_add_heap_release_fence_meta(buffer);
	const int other = eventfd(0, EFD_CLOEXEC);
	EXPECT_FALSE(gst_heap_release_fence_meta_post(box, other));
	EXPECT_EQ(fcntl(other, F_GETFD), -1) << "closed";
	EXPECT_FALSE(gst_heap_release_fence_meta_post(box, -1));
	EXPECT_EQ(gst_heap_release_fence_meta_take(box), -1);
	gst_buffer_unref(buffer);
}

TEST(ReleaseFenceMeta, StaysWithTheBufferItIsOf)
{
	GstBuffer *buffer = gst_buffer_new();
	gst_buffer_add_heap_release_fence_meta(buffer);
	GstBuffer *copy = gst_buffer_copy_deep(buffer);
	EXPECT_EQ(gst_buffer_get_heap_release_fence_meta(copy), nullptr);
	gst_buffer_unref(copy);
	gst_buffer_unref(buffer);
}

} /* namespace */
