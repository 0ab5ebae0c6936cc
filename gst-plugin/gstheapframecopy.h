/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies of frames that cannot be scanned out, for those who allowed it. */
#pragma once

#include "gstheapformat.h"

#include <string>

#include <gst/gst.h>

namespace heapflow::gst
{

/**
 * \brief A pool in a heap that frames are copied into
 *
 * The streaming thread's. Pools are made for one format; another one makes another pool.
 */
class FrameCopier
{
public:
	FrameCopier() = default;
	~FrameCopier();

	FrameCopier(const FrameCopier &) = delete;
	FrameCopier &operator=(const FrameCopier &) = delete;

	/**
	 * \brief A copy of a frame, with its times, in a buffer that the display can scan out
	 *
	 * Errors: ENOTSUP frames whose planes the CPU cannot read (tiled), what the pool says.
	 */
	Result<GstBuffer *> copy(GstElement *element, const std::string &heap, GstCaps *caps,
				 const FrameFormat &format, GstBuffer *frame);

	/** \brief Give the memory back */
	void reset();

private:
	GstBufferPool *pool_ = nullptr;
	GstCaps *caps_ = nullptr;
};

} /* namespace heapflow::gst */
