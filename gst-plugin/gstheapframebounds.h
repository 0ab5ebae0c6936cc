/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Is what a frame says of its pixels inside its memory? Asked before the CPU reads them. */
#pragma once

#include "gstheapformat.h"

namespace heapflow::gst
{

/**
 * \brief Does the memory have the bytes that it claims, and do all lines of the frame lie in it?
 *
 * gst_video_frame_map() believes a GstVideoMeta, and a memory of a descriptor its size; the CPU
 * would read behind the end, or get SIGBUS. Two system calls a memory of a descriptor at most.
 *
 * Errors: EINVAL, with the numbers; EBADF the descriptor is closed.
 */
Result<void> checkFrameBounds(const FrameFormat &format, GstBuffer *frame);

} /* namespace heapflow::gst */
