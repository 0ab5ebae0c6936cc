/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invariants 2 and 3: wrong buffers are refused before a driver sees them. */
#include "buffer_check.h"
#include "result.h"

#include <cerrno>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

using namespace heapflow;
using testing::HasSubstr;

namespace
{

/* A memfd has an inode of its own and a size, which is all that is looked at. */
Buffer buffer(uint64_t size)
{
	UniqueFd fd(memfd_create("buffer", MFD_CLOEXEC));
	EXPECT_EQ(ftruncate(fd.get(), static_cast<off_t>(size)), 0);
	return Buffer(std::move(fd), size, "system");
}

CaptureConfiguration configuration()
{
	CaptureConfiguration result;
	result.layout = *makeFrameLayout(DRM_FORMAT_NV12, 64, 64);
	result.bufferCount = 2;
	return result;
}

std::vector<Buffer> two(Buffer first, Buffer second)
{
	std::vector<Buffer> buffers;
	buffers.push_back(std::move(first));
	buffers.push_back(std::move(second));
	return buffers;
}

TEST(BufferCheck, TheRightOnesPass)
{
	EXPECT_TRUE(checkBuffers(two(buffer(8192), buffer(8192)), configuration(), "vivid"));
}

TEST(BufferCheck, AnyOtherCountIsRefusedWithBothNumbers)
{
	auto buffers = two(buffer(8192), buffer(8192));
	buffers.push_back(buffer(8192));
	const auto checked = checkBuffers(buffers, configuration(), "vivid");
	ASSERT_FALSE(checked);
	EXPECT_EQ(test::codeOf(checked), EINVAL);
	EXPECT_EQ(checked.error().message, "vivid takes exactly 2 buffers, not 3");
	EXPECT_EQ(test::codeOf(checkBuffers({}, configuration(), "vivid")), EINVAL);
}

TEST(BufferCheck, OneThatIsTooSmallIsRefused)
{
	const auto checked =
		checkBuffers(two(buffer(8192), buffer(4096)), configuration(), "vivid");
	ASSERT_FALSE(checked);
	EXPECT_EQ(test::codeOf(checked), EINVAL);
	EXPECT_THAT(checked.error().message, HasSubstr("6144"));
	EXPECT_THAT(checked.error().message, HasSubstr("4096"));
}

TEST(BufferCheck, TheSameDmaBufTwiceIsRefusedByWhateverDescriptor)
{
	Buffer first = buffer(8192);
	Buffer second(UniqueFd(dup(first.fd())), 8192, "system");
	const auto checked =
		checkBuffers(two(std::move(first), std::move(second)), configuration(), "vivid");
	ASSERT_FALSE(checked);
	EXPECT_EQ(test::codeOf(checked), EINVAL);
	EXPECT_THAT(checked.error().message, HasSubstr("buffer 1"));
}

TEST(BufferCheck, ABufferWithoutADescriptorIsRefused)
{
	const auto checked = checkBuffers(two(buffer(8192), Buffer(UniqueFd(), 8192, "system")),
					  configuration(), "vivid");
	ASSERT_FALSE(checked);
	EXPECT_EQ(test::codeOf(checked), EBADF);
}

/* libcamera would abort the program, and videobuf2 lose the dma-buf. */
TEST(BufferCheck, WhatTheKernelSaysOfTheSizeCounts)
{
	UniqueFd fd(memfd_create("short", MFD_CLOEXEC));
	ASSERT_EQ(ftruncate(fd.get(), 4096), 0);
	const auto checked = checkBuffers(two(buffer(8192), Buffer(std::move(fd), 8192, "system")),
					  configuration(), "vivid");
	ASSERT_FALSE(checked);
	EXPECT_EQ(test::codeOf(checked), EINVAL);
	EXPECT_THAT(checked.error().message, HasSubstr("4096 bytes"));
}

TEST(DescriptorCheck, NoDmaBufIsRefusedByName)
{
	const auto checked = checkDescriptors(two(buffer(8192), buffer(8192)), false, "vimc");
	ASSERT_FALSE(checked);
	EXPECT_EQ(test::codeOf(checked), EINVAL);
	EXPECT_THAT(checked.error().message, HasSubstr("is no dma-buf but /memfd:buffer"));
}

} /* namespace */
