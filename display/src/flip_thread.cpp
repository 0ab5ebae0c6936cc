/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flip_thread.h"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <pthread.h>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <xf86drm.h>

namespace heapflow
{

namespace
{

/* Calls `handler` for each flip in a buffer of events (drm_mode.h: "struct drm_event"). */
void parseEvents(const char *data, size_t size, const FlipThread::Handler &handler)
{
	const int64_t arrival = monotonicNow();
	while (size >= sizeof(drm_event)) {
		drm_event header;
		std::memcpy(&header, data, sizeof(header));
		if (header.length < sizeof(header) || header.length > size)
			return;
		if (header.type == DRM_EVENT_FLIP_COMPLETE &&
		    header.length >= sizeof(drm_event_vblank)) {
			drm_event_vblank event;
			std::memcpy(&event, data, sizeof(event));
			handler({event.user_data, event.sequence,
				 (int64_t{event.tv_sec} * 1'000'000 + event.tv_usec) * 1000,
				 arrival});
		}
		data += header.length;
		size -= header.length;
	}
}

} /* namespace */

int64_t monotonicNow()
{
	timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

Result<std::unique_ptr<FlipThread>> FlipThread::start(int drm, Handler handler)
{
	UniqueFd stop(eventfd(0, EFD_CLOEXEC));
	if (!stop.valid())
		return fail(errno, "cannot make an eventfd for the flip thread");

	std::unique_ptr<FlipThread> self(new FlipThread(drm, std::move(stop), std::move(handler)));
	try {
		self->thread_ = std::thread(&FlipThread::run, self.get());
	} catch (const std::system_error &error) {
		return fail(error.code().value(), "cannot start the flip thread");
	}
	pthread_setname_np(self->thread_.native_handle(), "heapflow-flip");
	return self;
}

FlipThread::FlipThread(int drm, UniqueFd stop, Handler handler)
	: drm_(drm), stop_(std::move(stop)), handler_(std::move(handler))
{
}

FlipThread::~FlipThread()
{
	if (!thread_.joinable())
		return;
	const uint64_t one = 1;
	while (write(stop_.get(), &one, sizeof(one)) < 0 && errno == EINTR)
		;
	thread_.join();
}

void FlipThread::run()
{
	pollfd fds[] = {{drm_, POLLIN, 0}, {stop_.get(), POLLIN, 0}};
	/* Aligned for no one: events are copied out. One read takes all that are waiting. */
	char events[1024];
	while (true) {
		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			return;
		}
		if (fds[1].revents)
			return;
		if (!(fds[0].revents & POLLIN)) {
			if (fds[0].revents & (POLLERR | POLLHUP | POLLNVAL))
				return;
			continue;
		}
		const ssize_t size = read(drm_, events, sizeof(events));
		if (size > 0)
			parseEvents(events, static_cast<size_t>(size), handler_);
		else if (size < 0 && errno != EINTR && errno != EAGAIN)
			return;
	}
}

} /* namespace heapflow */
