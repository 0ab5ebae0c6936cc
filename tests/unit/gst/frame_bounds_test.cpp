/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that claim more than their memory has: the CPU must not read them. */
#include "gstheapframebounds.h"
#include "memory_file.h"
#include "result.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gst/allocators/gstfdmemory.h>

using namespace heapflow;
using namespace heapflow::gst;
using testing::HasSubstr;

namespace
{

constexpr gsize lumaSize = 64 * 32, frameSize = lumaSize * 3 / 2;

class FrameBounds : public testing::Test
{
protected:
	FrameBounds()
	{
		GstCaps *caps = gst_caps_from_string("video/x-raw,format=NV12,width=64,height=32");
		format_ = *frameFormatFromCaps(caps);
		gst_caps_unref(caps);
	}
	~FrameBounds() override { gst_buffer_unref(buffer_); }

	GstVideoMeta *addMeta()
	{
		return gst_buffer_add_video_meta(buffer_, GST_VIDEO_FRAME_FLAG_NONE,
						 GST_VIDEO_FORMAT_NV12, 64, 32);
	}
	int code() const { return test::codeOf(checkFrameBounds(format_, buffer_)); }

	FrameFormat format_;
	GstBuffer *buffer_ = gst_buffer_new_allocate(nullptr, frameSize, nullptr);
};

TEST_F(FrameBounds, ARightFramePassesWithAndWithoutMeta)
{
	EXPECT_EQ(code(), 0);
	addMeta();
	EXPECT_EQ(code(), 0);
}

TEST_F(FrameBounds, LinesBehindTheEndAreRefused)
{
	GstVideoMeta *meta = addMeta();
	const GstVideoMeta good = *meta;
	const auto with = [&](auto change) {
		meta->height = good.height;
		meta->width = good.width;
		for (unsigned i = 0; i < 2; i++) {
			meta->offset[i] = good.offset[i];
			meta->stride[i] = good.stride[i];
		}
		change();
		return code();
	};
	EXPECT_EQ(with([&] {}), 0);
	EXPECT_EQ(with([&] { meta->stride[0] = 128; }), EINVAL);
	EXPECT_EQ(with([&] { meta->stride[0] = 63; }), EINVAL);
	EXPECT_EQ(with([&] { meta->stride[1] = 0; }), EINVAL);
	EXPECT_EQ(with([&] { meta->stride[1] = -64; }), EINVAL);
	EXPECT_EQ(with([&] { meta->stride[0] = G_MAXINT; }), EINVAL);
	EXPECT_EQ(with([&] { meta->offset[1] += 1; }), EINVAL);
	EXPECT_EQ(with([&] { meta->offset[1] = frameSize; }), EINVAL);
	EXPECT_EQ(with([&] { meta->offset[1] += gsize(1) << 32; }), EINVAL);
	EXPECT_EQ(with([&] { meta->offset[0] = G_MAXSIZE; }), EINVAL);
	EXPECT_EQ(with([&] { meta->height = G_MAXUINT; }), EINVAL);
	EXPECT_EQ(with([&] { meta->width = G_MAXUINT; }), EINVAL);
}

/* Reading what a descriptor does not have is SIGBUS. */
TEST_F(FrameBounds, ADescriptorMustHaveTheBytesOfItsMemory)
{
	GstAllocator *allocator = gst_fd_allocator_new();
	UniqueFd file = test::memoryFile(frameSize - 1);
	GstMemory *memory = gst_fd_allocator_alloc(allocator, file.release(), frameSize,
						   GST_FD_MEMORY_FLAG_NONE);
	gst_buffer_replace_all_memory(buffer_, memory);
	gst_object_unref(allocator);

	const auto checked = checkFrameBounds(format_, buffer_);
	ASSERT_EQ(test::codeOf(checked), EINVAL);
	EXPECT_THAT(checked.error().message, HasSubstr("3072 bytes at 0"));
	EXPECT_THAT(checked.error().message, HasSubstr("which has 3071 bytes"));
}

} /* namespace */
