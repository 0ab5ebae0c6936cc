/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies of frames into memory of a heap, for those who allowed it. */
#pragma once

#include "gstheapformat.h"

#include <string>

#include <gst/gst.h>

namespace heapflow::gst
{

/** \brief What those who get the copies need of them */
struct CopyNeeds {
	guint buffers = 0;                            /**< that they hold at a time */
	const GstVideoAlignment *alignment = nullptr; /**< borrowed; null: none */
};

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

	/** \brief Is there a pool for these caps? */
	bool ready(const GstCaps *caps) const;

	/**
	 * \brief Make the pool; one that was there before is given back when its frames are
	 *
	 * Errors: ENOTSUP frames whose planes the CPU cannot read (tiled), ENOMEM, what
	 * offerHeapPool() says.
	 */
	Result<void> prepare(GstElement *element, const std::string &heap, GstCaps *caps,
			     const FrameFormat &format, const CopyNeeds &needs = {});

	/**
	 * \brief A copy of a frame, with its times and all metas that do not describe its memory
	 *
	 * Errors: ENOMEM, EIO the frame cannot be read or the copy not be written.
	 */
	Result<GstBuffer *> copy(const FrameFormat &format, GstBuffer *frame);

	/** \brief prepare(), when it is not ready(), and copy() */
	Result<GstBuffer *> copy(GstElement *element, const std::string &heap, GstCaps *caps,
				 const FrameFormat &format, GstBuffer *frame);

	/** \brief Give the memory back */
	void reset();

private:
	GstBufferPool *pool_ = nullptr;
	GstCaps *caps_ = nullptr;
};

} /* namespace heapflow::gst */
