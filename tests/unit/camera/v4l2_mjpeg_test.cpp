/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MJPEG of a V4L2 camera: how long each picture is, and one that has not come whole. */
#include "heapflow/camera/camera.h"

#include "mjpeg_node.h"
#include "result.h"

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/videodev2.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace heapflow;
using namespace heapflow::test;
using namespace std::chrono_literals;

namespace
{

Buffer memoryOf(uint64_t size)
{
	UniqueFd fd(memfd_create("mjpeg", MFD_CLOEXEC));
	EXPECT_EQ(ftruncate(fd.get(), static_cast<off_t>(size)), 0);
	return Buffer(std::move(fd), size, "unit");
}

TEST(V4l2Mjpeg, IsAModeWithoutABetterOne)
{
	const auto camera = openCamera(mjpegNode);
	ASSERT_TRUE(camera) << textOf(camera);
	const auto modes = (*camera)->modes();
	ASSERT_TRUE(modes) << textOf(modes);
	ASSERT_EQ(modes->size(), 2u);
	EXPECT_EQ(modes->front().fourcc, fourccMjpeg);
	const auto configuration =
		(*camera)->configure({.fourcc = fourccMjpeg, .width = 1280, .height = 720});
	ASSERT_TRUE(configuration) << textOf(configuration);
	EXPECT_EQ(configuration->layout.width, 1280u);
	ASSERT_EQ(configuration->layout.planes.size(), 1u);
	EXPECT_EQ(configuration->layout.planes[0].stride, 0u);
	EXPECT_EQ(configuration->layout.size(), 100000u) << "the longest there can be";
}

/* Each size is a system call. One is asked for each time, to see whether the source is the same. */
TEST(V4l2Mjpeg, SizesAreAskedOnlyOfFormatsOfInterestAndOnce)
{
	const auto camera = openCamera(mjpegNode);
	ASSERT_TRUE(camera) << textOf(camera);
	const auto asked = [&](std::vector<uint32_t> formats) {
		const unsigned before = mjpegNodeSizesAsked();
		EXPECT_TRUE((*camera)->modes(StreamRole::Viewfinder, formats));
		return mjpegNodeSizesAsked() - before;
	};
	EXPECT_EQ(asked({DRM_FORMAT_NV12}), 1u);
	EXPECT_GT(asked({fourccMjpeg}), 2u);
	EXPECT_EQ(asked({DRM_FORMAT_NV12, fourccMjpeg}), 1u);
	EXPECT_EQ(asked({}), 1u) << "there is no other format";
}

TEST(V4l2Mjpeg, EachFrameHasItsOwnLength)
{
	const auto camera = openCamera(mjpegNode);
	ASSERT_TRUE(camera) << textOf(camera);
	const auto configuration = (*camera)->configure({});
	ASSERT_TRUE(configuration) << textOf(configuration);
	std::vector<Buffer> buffers;
	for (unsigned i = 0; i < configuration->bufferCount; ++i)
		buffers.push_back(memoryOf(configuration->layout.size()));
	ASSERT_TRUE((*camera)->importBuffers(buffers));
	ASSERT_TRUE((*camera)->start());
	for (uint32_t number = 0; number < 20; ++number) {
		const auto frame = (*camera)->waitFrame(1s);
		ASSERT_TRUE(frame) << textOf(frame);
		EXPECT_EQ(frame->sequence, number);
		EXPECT_EQ(frame->bytesUsed, mjpegBytes(number));
		EXPECT_FALSE(frame->corrupted) << "shorter than the longest is no fault";
		ASSERT_TRUE((*camera)->queue(frame->index));
	}
	EXPECT_TRUE((*camera)->stop());
}

/* V4L2 has two names for it. */
TEST(V4l2Mjpeg, ANodeThatSaysJpegIsAskedForJpeg)
{
	setMjpegNodeFormat(V4L2_PIX_FMT_JPEG);
	const auto camera = openCamera(mjpegNode);
	ASSERT_TRUE(camera) << textOf(camera);
	const auto configuration =
		(*camera)->configure({.fourcc = fourccMjpeg, .width = 1280, .height = 720});
	EXPECT_TRUE(configuration) << textOf(configuration);
	setMjpegNodeFormat(V4L2_PIX_FMT_MJPEG);
}

} /* namespace */
