/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thread of a display device: flip events, a timer, hotplug. */
#pragma once

#include "heapflow/heap/error.h"
#include "heapflow/heap/unique_fd.h"
#include "hotplug_monitor.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
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
 * The hooks are called in its thread, one at a time; `flip` also in threads that call takeFlips().
 * The functions may be called from any thread, but not from `flip`.
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

	/**
	 * \brief Does a flip wake the thread? So it is at first
	 *
	 * No system call but for the change to true. Flips that came before are read then.
	 */
	void awaitFlips(bool wanted);

	/** \brief Call the hook `flip` for each flip that can be read now. \return 0, or errno */
	int takeFlips();

	/**
	 * \brief The same when one comes, unless another thread takes it
	 *
	 * \param[in] wanted Does the caller still wait? Asked once, when it is sure to be told of
	 * flips that others take from then on.
	 * \return false when none came in this time, or none can come or be read
	 */
	bool waitForFlips(std::chrono::milliseconds time, const std::function<bool()> &wanted);

private:
	EventLoop(int drm, Hooks hooks);
	void run();
	bool pollForFlips(std::chrono::milliseconds time, const std::function<bool()> &wanted);
	int readFlips();
	int readFlipsUnlessRead(uint64_t seen);
	bool endures(int code, int failures);

	int drm_;
	Hooks hooks_;
	UniqueFd stop_;                           /* eventfd: readable when the thread is to end */
	UniqueFd wake_;                           /* eventfd */
	UniqueFd timer_;                          /* timerfd */
	std::unique_ptr<HotplugMonitor> hotplug_; /* null where there is no udev */
	std::atomic<int> readFailures_ = 0;       /* in a row, in whichever thread reads */
	UniqueFd taken_; /* eventfd: readable when flips were taken while somebody polled */
	std::atomic<bool> tellTaken_ = false;
	bool blocks_; /* the descriptor: read() waits for an event */
	std::atomic<bool> awaited_ = true;
	std::atomic<bool> watches_ = true; /* the thread's poll() has the flips among the rest */
	std::mutex waitMutex_;
	bool somebodyPolls_ = false;        /* in waitForFlips() */
	std::condition_variable pollEnded_; /* that of this thread */
	std::mutex readMutex_;              /* held while `flip` is called */
	std::atomic<uint64_t> reads_ = 0;   /* changed with readMutex_ */
	std::thread thread_;
};

/** \brief CLOCK_MONOTONIC, ns */
int64_t monotonicNow();

} /* namespace heapflow */
