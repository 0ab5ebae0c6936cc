/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filled frames between a back end's thread and the caller's. */
#pragma once

#include "heapflow/camera/camera.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <vector>

namespace heapflow
{

/**
 * \brief A bounded queue of frames, with a failure that ends it and an interruption
 *
 * Every call may be made from any thread. push() and fail() do not allocate.
 */
class FrameQueue
{
public:
	/** \brief Empty, without failure, with room for `capacity` frames; an interruption stays */
	void reset(size_t capacity);

	/** \return false when it is full: more frames than buffers, which breaks invariant 3 */
	bool push(const CapturedFrame &frame);

	/** \brief What wait() reports once the frames before it are taken; the first one stays */
	void fail(Error error);

	/** \brief Errors: ETIMEDOUT, ECANCELED while interrupted, EAGAIN after nudge(), or what
	 * fail() was told */
	Result<CapturedFrame> wait(std::chrono::milliseconds timeout);

	void interrupt(bool interrupted);

	/** \brief Make the wait() that is under way, or the next, return EAGAIN once */
	void nudge();

private:
	std::mutex mutex_;
	std::condition_variable changed_;
	std::vector<CapturedFrame> ring_;
	size_t head_ = 0;
	size_t count_ = 0;
	std::optional<Error> failure_;
	bool interrupted_ = false;
	bool nudged_ = false;
};

} /* namespace heapflow */
