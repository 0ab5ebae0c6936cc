/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thread that reads flip events of a DRM file. */
#pragma once

#include "flip_tracker.h"
#include "heapflow/heap/error.h"
#include "heapflow/heap/unique_fd.h"

#include <functional>
#include <memory>
#include <thread>

namespace heapflow
{

/** \brief Sole reader of a DRM descriptor; stops and joins when destroyed */
class FlipThread
{
public:
	using Handler = std::function<void(const RawFlip &)>;

	/** \brief `drm` is borrowed. Errors: EMFILE, EAGAIN no thread */
	static Result<std::unique_ptr<FlipThread>> start(int drm, Handler handler);

	~FlipThread();

	FlipThread(const FlipThread &) = delete;
	FlipThread &operator=(const FlipThread &) = delete;

private:
	FlipThread(int drm, UniqueFd stop, Handler handler);
	void run();

	int drm_;
	UniqueFd stop_; /* eventfd: readable when the thread is to end */
	Handler handler_;
	std::thread thread_;
};

/** \brief CLOCK_MONOTONIC, ns */
int64_t monotonicNow();

} /* namespace heapflow */
