/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers that came back to their pool while a device still works on their memory. */
#pragma once

#include "heapflow/heap/unique_fd.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <vector>

#include <gst/gst.h>
#include <poll.h>

namespace heapflow::gst
{

/**
 * \brief Set aside until their fences are signalled, and the place where a thread waits for a
 * buffer
 *
 * A GPU or a display may still read what its program has let go of; the dma-buf knows: it is ready
 * for POLLOUT when nobody works on it any more (dma_buf_poll() in the kernel's dma-buf.c). So the
 * thread that wants a buffer can wait for fences and for buffers that come back in one poll(), and
 * no thread of the pool's own is needed.
 *
 * Any thread may call any function.
 */
class FencedBuffers
{
public:
	FencedBuffers();

	/** \brief A thread can wait: there was a descriptor for it */
	bool usable() const { return !spare_.empty(); }

	/** \brief Nobody works on its memory; one system call for each memory */
	static bool isFree(GstBuffer *buffer);

	void add(GstBuffer *buffer);

	/** \brief Those whose fences are signalled by now; no system call when there are none */
	std::vector<GstBuffer *> takeFree();
	std::vector<GstBuffer *> takeAll();

	size_t count() const { return count_; }

	/**
	 * \brief A thread that is about to wait() and looks for a buffer once more before
	 *
	 * From its making on, notify() is not lost on it. Each has a descriptor of its own: of one
	 * for all, the first thread could take what was meant for the second.
	 */
	class Waiter
	{
	public:
		explicit Waiter(FencedBuffers &buffers);
		~Waiter();
		Waiter(const Waiter &) = delete;
		Waiter &operator=(const Waiter &) = delete;

		/**
		 * \brief Until a fence is signalled, notify(), or the time is over
		 *
		 * \param[in] timeout nanoseconds::max() has no end
		 */
		void wait(std::chrono::nanoseconds timeout);

	private:
		FencedBuffers &buffers_;
		UniqueFd event_;
	};

	/** \brief Wakes all threads that wait; no system call when none does */
	void notify();

private:
	bool addBusy(std::vector<pollfd> &descriptors); /* false: one has become free */

	std::mutex mutex_;
	std::vector<GstBuffer *> buffers_;
	std::atomic<size_t> count_ = 0;   /* of buffers_ */
	std::vector<int> waiters_;        /* their descriptors */
	std::atomic<size_t> waiting_ = 0; /* of waiters_ */
	std::vector<UniqueFd> spare_;     /* for the next one that waits */
};

} /* namespace heapflow::gst */
