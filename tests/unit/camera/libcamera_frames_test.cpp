/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No camera of the board has a sensor that settles or frames that fail; their status is read here.
 */
#include "libcamera_frames.h"

#include <gtest/gtest.h>
#include <libcamera/version.h>

using namespace heapflow;
using libcamera::FrameMetadata;

namespace
{

CapturedFrame frameWith(FrameMetadata::Status status)
{
	FrameMetadata metadata;
	metadata.status = status;
	metadata.sequence = 4294967295;
	metadata.timestamp = 1234567890123;
	CapturedFrame frame;
	readBufferMetadata(metadata, frame);
	return frame;
}

TEST(LibcameraFrames, AGoodFrameIsNeitherCorruptedNorOfTheStartup)
{
	const CapturedFrame frame = frameWith(FrameMetadata::FrameSuccess);
	EXPECT_FALSE(frame.corrupted);
	EXPECT_FALSE(frame.startup);
	EXPECT_EQ(frame.sequence, 4294967295U);
	EXPECT_EQ(frame.timestamp, 1234567890123);
}

TEST(LibcameraFrames, AFrameWithAnErrorIsCorrupted)
{
	const CapturedFrame frame = frameWith(FrameMetadata::FrameError);
	EXPECT_TRUE(frame.corrupted);
	EXPECT_FALSE(frame.startup);
}

#if LIBCAMERA_VERSION_MAJOR > 0 || LIBCAMERA_VERSION_MINOR >= 6
TEST(LibcameraFrames, AFrameFromBeforeTheSensorSettledIsOfTheStartupAndNotBad)
{
	const CapturedFrame frame = frameWith(FrameMetadata::FrameStartup);
	EXPECT_TRUE(frame.startup);
	EXPECT_FALSE(frame.corrupted);
}
#endif

} /* namespace */
