/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcamera_frames.h"

#include <libcamera/version.h>

namespace heapflow
{

namespace
{

/* 0.6 marks frames from before the sensor has settled. */
bool isStartupFrame([[maybe_unused]] libcamera::FrameMetadata::Status status)
{
#if LIBCAMERA_VERSION_MAJOR > 0 || LIBCAMERA_VERSION_MINOR >= 6
	return status == libcamera::FrameMetadata::FrameStartup;
#else
	return false;
#endif
}

} /* namespace */

void readBufferMetadata(const libcamera::FrameMetadata &metadata, CapturedFrame &frame)
{
	frame.sequence = metadata.sequence;
	frame.timestamp = static_cast<int64_t>(metadata.timestamp);
	frame.startup = isStartupFrame(metadata.status);
	frame.corrupted =
		!frame.startup && metadata.status != libcamera::FrameMetadata::FrameSuccess;
	for (const auto &plane : metadata.planes())
		frame.bytesUsed += plane.bytesused;
}

} /* namespace heapflow */
