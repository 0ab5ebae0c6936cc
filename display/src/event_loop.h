/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thread of a display device: flip events, a timer, hotplug. */
#pragma once

#include "heapflow/heap/error.h"
#include "heapflow/heap/unique_fd.h"
#include "hotplug_monitor.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

namespace heapflow
{

/** \brief A page-flip event as it was read */
struct RawFlip {
	uint64_t serial = 0; /**< user_data of the commit */
	uint32_t crtc = 0;   /**< KMS object id */
	uint32_t sequence = 0;
	int64_t timestamp = 0; /**< ns */
	int64_t arrival = 0;   /**< ns */
};

/**
 * \brief Sole reader of a DRM descriptor; stops and joins when destroyed
 *
 * The hooks are called in its thread, one at a time. setTimer() and wake() may be called from any.
 */
class EventLoop
{
public:
	struct Hooks {
		std::function<void(const RawFlip &)> flip;
		std::function<void()> timer;   /**< the time of setTimer() has come */
		std::function<void()> woken;   /**< after wake() */
		std::function<void()> hotplug; /**< some connector changed */
		/** A descriptor of somebody else's that is to be watched, -1: none */
		int otherFd = -1;
		std::function<void()> other; /**< it is readable */
		/** No event can be read any more, and no other hook is called after this one */
		std::function<void(const Error &)> failed;
	};

	/** \brief `drm` is borrowed. Errors: EMFILE, EAGAIN no thread */
	static Result<std::unique_ptr<EventLoop>> start(int drm, Hooks hooks);

	~EventLoop();

	EventLoop(const EventLoop &) = delete;
	EventLoop &operator=(const EventLoop &) = delete;

	/** \brief Call the timer hook at this time, ns of CLOCK_MONOTONIC; 0: never */
	void setTimer(int64_t at);

	/** \brief Call the hook `woken` soon */
	void wake();

private:
	EventLoop(int drm, Hooks hooks);
	void run();
	int readFlips();
	bool endures(int code);

	int drm_;
	Hooks hooks_;
	UniqueFd stop_;                           /* eventfd: readable when the thread is to end */
	UniqueFd wake_;                           /* eventfd */
	UniqueFd timer_;                          /* timerfd */
	std::unique_ptr<HotplugMonitor> hotplug_; /* null where there is no udev */
	int failures_ = 0;                        /* in a row, of poll() and of reading events */
	std::thread thread_;
};

/** \brief CLOCK_MONOTONIC, ns */
int64_t monotonicNow();

} /* namespace heapflow */
