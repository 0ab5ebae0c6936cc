/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The buffers in a V4L2 node's queue. */
#pragma once

#include "v4l2_node.h"

#include "heapflow/camera/camera.h"

#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <linux/videodev2.h>
#include <poll.h>

namespace heapflow
{

/**
 * \brief Imported dma-bufs, who has each of them, and the queue of the driver
 *
 * V4L2 knows no fences and may refuse a buffer for a moment; such buffers are pending, and
 * sendPending() tries them again.
 *
 * Threads: queue() and streaming() may be called from any, everything else by one at a time.
 */
class V4l2Queue
{
public:
	/** \brief A frame as VIDIOC_DQBUF tells of it */
	struct Filled {
		unsigned index = 0;
		uint32_t sequence = 0;
		int64_t timestamp = 0; /**< ns; of CLOCK_MONOTONIC if `monotonic` */
		bool monotonic = false;
		bool error = false;
		uint32_t bytesUsed = 0;
	};

	/** \param[in] node Borrowed */
	V4l2Queue(const V4l2Node &node, std::string name);

	/** \brief Slots for `count` dma-bufs; 0 lets go of all. Errors: EINVAL, EBUSY, ENOMEM */
	Result<unsigned> request(unsigned count);
	/** \brief As Camera::importBuffers(), of which the layout has been checked */
	Result<void> import(std::span<const Buffer> buffers, uint32_t bytes);
	size_t count() const { return slots_.size(); }
	bool imported() const { return !slots_.empty() && slots_.front().fd >= 0; }

	/** \brief All buffers to the driver, and go. \return 0 or the errno */
	int start();
	int stop();
	bool streaming() const;

	/**
	 * \brief As Camera::queue()
	 *
	 * \return whether who waits for frames must look at watchPending() or starved() anew
	 */
	Result<bool> queue(unsigned index, std::optional<Fence> release);

	/**
	 * \brief Queue what is pending and may go now
	 *
	 * Errors: ETIME a fence that was not signalled in three seconds, or the errno with which
	 * the driver has refused a buffer for so long; ENODEV.
	 */
	Result<void> sendPending();
	/** \brief Add what sendPending() waits for. \return ms after which to try again, or -1 */
	int watchPending(std::vector<pollfd> &descriptors) const;
	/** \brief The driver has no buffer to fill */
	bool starved() const;
	/** \brief The errno with which it refused a buffer that it has not taken since; 0: none */
	int refusal() const;

	/** \return 0 or the errno of VIDIOC_DQBUF */
	int dequeue(Filled &filled);

private:
	enum class Owner { Caller, Pending, Driver };
	struct Slot {
		int fd = -1;
		Owner owner = Owner::Caller;
		std::optional<Fence> fence;
		int64_t since = 0; /* ns, CLOCK_MONOTONIC: when it stayed pending; 0: has not */
		int code = 0;      /* with which the driver refused it last */
	};

	v4l2_buffer describe(unsigned index, v4l2_plane *plane) const;
	int send(unsigned index);
	bool starvedLocked() const;
	Result<void> sendOne(unsigned index);

	const V4l2Node &node_;
	std::string name_;
	uint32_t bytes_ = 0;

	mutable std::mutex mutex_; /* guards what follows */
	std::vector<Slot> slots_;
	bool streaming_ = false;
};

/** \brief ENODEV, in words */
std::unexpected<Error> v4l2Gone(const std::string &name);

} /* namespace heapflow */
