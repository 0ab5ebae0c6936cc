/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event_loop.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <iterator>
#include <pthread.h>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <xf86drm.h>

namespace heapflow
{

namespace
{

constexpr int64_t nanosecondsPerSecond = 1'000'000'000;

/* Half a second in all: less than show() waits for a flip. */
constexpr int mostFailures = 50;
constexpr std::chrono::milliseconds failurePause{10};

/* Calls `handler` for each flip in a buffer of events (drm_mode.h: "struct drm_event"). */
void parseEvents(const char *data, size_t size, const std::function<void(const RawFlip &)> &handler)
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
			handler({event.user_data, event.crtc_id, event.sequence,
				 (int64_t{event.tv_sec} * 1'000'000 + event.tv_usec) * 1000,
				 arrival});
		}
		data += header.length;
		size -= header.length;
	}
}

void signal(int eventFd)
{
	const uint64_t count = 1;
	while (write(eventFd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

void clear(int counterFd)
{
	uint64_t count;
	while (read(counterFd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

} /* namespace */

int64_t monotonicNow()
{
	timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return int64_t{now.tv_sec} * nanosecondsPerSecond + now.tv_nsec;
}

Result<std::unique_ptr<EventLoop>> EventLoop::start(int drm, Hooks hooks)
{
	std::unique_ptr<EventLoop> self(new EventLoop(drm, std::move(hooks)));
	if (!self->stop_.valid() || !self->wake_.valid() || !self->timer_.valid() ||
	    !self->taken_.valid())
		return fail(errno, "cannot make the event descriptors of the display's thread");
	self->hotplug_ = HotplugMonitor::create();
	try {
		self->thread_ = std::thread(&EventLoop::run, self.get());
	} catch (const std::system_error &error) {
		return fail(error.code().value(), "cannot start the display's thread");
	}
	pthread_setname_np(self->thread_.native_handle(), "heapflow-flip");
	return self;
}

EventLoop::EventLoop(int drm, Hooks hooks)
	: drm_(drm),
	  hooks_(std::move(hooks)),
	  stop_(eventfd(0, EFD_CLOEXEC)),
	  wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
	  timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
	  taken_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
	  blocks_(!(fcntl(drm, F_GETFL) & O_NONBLOCK))
{
}

EventLoop::~EventLoop()
{
	if (!thread_.joinable())
		return;
	signal(stop_.get());
	thread_.join();
}

void EventLoop::setTimer(int64_t at)
{
	itimerspec when = {};
	when.it_value.tv_sec = at / nanosecondsPerSecond;
	when.it_value.tv_nsec = at % nanosecondsPerSecond;
	timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

void EventLoop::wake()
{
	signal(wake_.get());
}

void EventLoop::awaitFlips(bool wanted)
{
	if (!awaited_.exchange(wanted) && wanted)
		wake();
}

/* A descriptor that others share, as that of a lease, keeps its flags: then it is asked first. */
int EventLoop::takeFlips()
{
	const std::lock_guard lock(readMutex_);
	pollfd ready = {drm_, POLLIN, 0};
	if (blocks_ && (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLIN)))
		return EAGAIN;
	const int code = readFlips();
	/* The device's thread may be in a poll() from when the flips were its own: each one wakes
	 * it in the kernel, to find that it was read here. Told once, it leaves them out. */
	if (!code && watches_ && !awaited_)
		wake();
	return code;
}

/*
 * One thread polls, and tells the others when it has ended: if all did, each flip would wake them
 * all in the kernel, to find that one of them has read it.
 */
bool EventLoop::waitForFlips(std::chrono::milliseconds time, const std::function<bool()> &wanted)
{
	std::unique_lock lock(waitMutex_);
	if (somebodyPolls_)
		return !wanted() || pollEnded_.wait_for(lock, time) == std::cv_status::no_timeout;
	somebodyPolls_ = true;
	lock.unlock();
	const bool heard = pollForFlips(time, wanted);
	lock.lock();
	somebodyPolls_ = false;
	pollEnded_.notify_all();
	return heard;
}

bool EventLoop::pollForFlips(std::chrono::milliseconds time, const std::function<bool()> &wanted)
{
	pollfd fds[] = {{drm_, POLLIN, 0}, {taken_.get(), POLLIN, 0}};
	tellTaken_ = true;
	const bool wait = wanted();
	const int found = wait ? poll(fds, std::size(fds), static_cast<int>(time.count())) : 0;
	const int code = errno;
	tellTaken_ = false;
	if (!wait)
		return true;
	if (found <= 0)
		return found < 0 && code == EINTR;
	if (fds[1].revents)
		clear(taken_.get());
	/* What cannot be read the device's thread finds out about, when the flip is missed. */
	if (fds[0].revents & POLLIN) {
		if (const int failed = takeFlips(); failed && failed != EAGAIN && failed != EINTR)
			return false;
	}
	/* A device that is gone says POLLERR at once, and for ever. */
	return (fds[0].revents & ~POLLIN) == 0;
}

/* What poll() saw may have been taken since, and read() would wait. */
int EventLoop::readFlipsUnlessRead(uint64_t seen)
{
	const std::lock_guard lock(readMutex_);
	return reads_ == seen ? readFlips() : 0;
}

/* With readMutex_. \return 0, or errno */
int EventLoop::readFlips()
{
	/* Aligned for no one: events are copied out. One read takes all that are waiting. */
	char events[1024];
	const ssize_t size = read(drm_, events, sizeof(events));
	if (size < 0)
		return errno;
	readFailures_ = 0;
	reads_++;
	parseEvents(events, static_cast<size_t>(size), hooks_.flip);
	if (tellTaken_)
		signal(taken_.get());
	return 0;
}

/*
 * A lack of memory passes; what does not is told, for whoever waits for a flip would never hear
 * why none comes. `failures`: in a row. \return false when the thread is to end
 */
bool EventLoop::endures(int code, int failures)
{
	if (code == EINTR || code == EAGAIN)
		return true;
	if (failures < mostFailures) {
		std::this_thread::sleep_for(failurePause);
		return true;
	}
	if (hooks_.failed)
		hooks_.failed({code, "the events of the display cannot be read", {}});
	return false;
}

void EventLoop::run()
{
	enum { Drm, Stop, Wake, Timer, Hotplug, Other, Count };
	/* poll() skips negative descriptors. */
	pollfd fds[Count] = {
		{drm_, POLLIN, 0},
		{stop_.get(), POLLIN, 0},
		{wake_.get(), POLLIN, 0},
		{timer_.get(), POLLIN, 0},
		{hotplug_ ? hotplug_->fd() : -1, POLLIN, 0},
		{hooks_.otherFd, POLLIN, 0},
	};
	bool gone = false;
	int pollFailures = 0; /* in a row */
	while (true) {
		const uint64_t seen = reads_;
		watches_ = awaited_ && !gone;
		fds[Drm].fd = watches_ ? drm_ : -1;
		if (poll(fds, Count, -1) < 0) {
			if (!endures(errno, ++pollFailures))
				return;
			continue;
		}
		pollFailures = 0;
		if (fds[Stop].revents)
			return;
		if (fds[Drm].revents & POLLIN) {
			const int code = readFlipsUnlessRead(seen);
			if (code && !endures(code, ++readFailures_))
				return;
		} else if (fds[Drm].revents)
			gone = true; /* the device; commits will say so */
		if (fds[Wake].revents) {
			clear(wake_.get());
			hooks_.woken();
		}
		if (fds[Timer].revents) {
			clear(timer_.get());
			hooks_.timer();
		}
		if (fds[Hotplug].revents && hotplug_->changed())
			hooks_.hotplug();
		if (fds[Other].revents)
			hooks_.other();
	}
}

} /* namespace heapflow */
