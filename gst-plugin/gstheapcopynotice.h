/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What our elements say of copies by the CPU, in one form. */
#pragma once

#include <cstdint>
#include <string>

#include <gst/gst.h>

namespace heapflow::gst
{

/** \brief A copy of frames; empty and 0: not known */
struct CopyNotice {
	std::string reason;  /**< who copies what, or why: a sentence without its full stop */
	std::string hint;    /**< what to do about it */
	std::string element; /**< who copies */
	uint64_t bytes = 0;  /**< of a frame */
};

/**
 * \brief The element message `heapflow-copy`, for programs, and a warning, for people
 *
 * The message has the fields `reason`, `hint` and `element` (strings) and `bytes` (guint64), each
 * of them always. Any thread.
 */
void announceCopy(GstElement *owner, const CopyNotice &notice);

/**
 * \brief Has the CPU copied this frame before it came? Then says so, once in `said`
 *
 * Not said by a second element of ours, nor while everything is watched: then it is said of the
 * element that copies (gstheapzerocopy.h).
 *
 * \param[in] sinkPad The owner's, that the frame came through
 */
bool noticeEarlierCopy(GstElement *owner, GstPad *sinkPad, GstBuffer *frame, bool &said);

} /* namespace heapflow::gst */
