/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapfencedbuffers.h"

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include <gst/allocators/gstdmabuf.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace heapflow::gst
{

namespace
{

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds withoutEvent{10};

/* Nobody works on the dma-buf any more; what is none is not for us to judge. */
bool isReady(GstMemory *memory)
{
	if (!gst_is_dmabuf_memory(memory))
		return true;
	pollfd ready = {gst_dmabuf_memory_get_fd(memory), POLLOUT, 0};
	int result;
	do {
		result = poll(&ready, 1, 0);
	} while (result < 0 && errno == EINTR);
	/* When it cannot be asked it is not free: a frame that waits is better than one torn. */
	return result > 0;
}

UniqueFd makeEvent()
{
	return UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

timespec timespecOf(std::chrono::nanoseconds time)
{
	const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
	return {.tv_sec = time_t(seconds.count()), .tv_nsec = long((time - seconds).count())};
}

} /* namespace */

FencedBuffers::FencedBuffers()
{
	if (UniqueFd event = makeEvent(); event.valid())
		spare_.push_back(std::move(event));
}

bool FencedBuffers::isFree(GstBuffer *buffer)
{
	for (guint i = 0; i < gst_buffer_n_memory(buffer); i++)
		if (!isReady(gst_buffer_peek_memory(buffer, i)))
			return false;
	return true;
}

void FencedBuffers::add(GstBuffer *buffer)
{
	std::lock_guard lock(mutex_);

	buffers_.push_back(buffer);
	count_ = buffers_.size();
}

std::vector<GstBuffer *> FencedBuffers::takeFree()
{
	std::vector<GstBuffer *> free;

	if (count_ == 0)
		return free;
	std::lock_guard lock(mutex_);
	std::erase_if(buffers_, [&](GstBuffer *buffer) {
		if (!isFree(buffer))
			return false;
		free.push_back(buffer);
		return true;
	});
	count_ = buffers_.size();
	return free;
}

std::vector<GstBuffer *> FencedBuffers::takeAll()
{
	std::lock_guard lock(mutex_);

	count_ = 0;
	return std::exchange(buffers_, {});
}

void FencedBuffers::notify()
{
	if (waiting_ == 0)
		return;
	const uint64_t one = 1;
	std::lock_guard lock(mutex_);
	/* EAGAIN: it was woken more often than can be counted. */
	for (const int event : waiters_)
		while (write(event, &one, sizeof(one)) < 0 && errno == EINTR)
			;
}

FencedBuffers::Waiter::Waiter(FencedBuffers &buffers) : buffers_(buffers)
{
	std::lock_guard lock(buffers_.mutex_);

	if (buffers_.spare_.empty()) {
		event_ = makeEvent();
	} else {
		event_ = std::move(buffers_.spare_.back());
		buffers_.spare_.pop_back();
	}
	buffers_.waiters_.push_back(event_.get());
	buffers_.waiting_ = buffers_.waiters_.size();
}

FencedBuffers::Waiter::~Waiter()
{
	std::lock_guard lock(buffers_.mutex_);

	std::erase(buffers_.waiters_, event_.get());
	buffers_.waiting_ = buffers_.waiters_.size();
	if (event_.valid())
		buffers_.spare_.push_back(std::move(event_));
}

/* What is ready already must not be polled: the plane of a frame whose other plane is not. */
bool FencedBuffers::addBusy(std::vector<pollfd> &descriptors)
{
	std::lock_guard lock(mutex_);

	for (GstBuffer *buffer : buffers_) {
		const size_t before = descriptors.size();
		for (guint i = 0; i < gst_buffer_n_memory(buffer); i++) {
			GstMemory *memory = gst_buffer_peek_memory(buffer, i);
			if (!isReady(memory))
				descriptors.push_back(
					{gst_dmabuf_memory_get_fd(memory), POLLOUT, 0});
		}
		if (descriptors.size() == before)
			return false;
	}
	return true;
}

void FencedBuffers::Waiter::wait(std::chrono::nanoseconds timeout)
{
	std::vector<pollfd> descriptors = {{event_.get(), POLLIN, 0}};

	/*
	 * A buffer may be handed out, or freed, while its descriptor is polled here: then this
	 * wakes for nothing, and the caller looks again.
	 */
	if (!buffers_.addBusy(descriptors))
		return;

	/* Without a descriptor (EMFILE) nobody can wake this thread. */
	const bool forever = timeout == std::chrono::nanoseconds::max() && event_.valid();
	const Clock::time_point end =
		Clock::now() + (event_.valid() && !forever ? timeout : withoutEvent);
	int result;
	do {
		const timespec left = timespecOf(
			std::max<Clock::duration>(end - Clock::now(), Clock::duration(0)));
		result = ppoll(descriptors.data(), descriptors.size(), forever ? nullptr : &left,
			       nullptr);
	} while (result < 0 && errno == EINTR);

	/* Without memory for so many descriptors (ENOMEM): not to spin. */
	if (result < 0)
		std::this_thread::sleep_for(withoutEvent);

	uint64_t times;
	if (result > 0 && descriptors.front().revents)
		while (read(event_.get(), &times, sizeof(times)) < 0 && errno == EINTR)
			;
}

} /* namespace heapflow::gst */
