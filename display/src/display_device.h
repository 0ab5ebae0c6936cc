/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A display device of this process, shared by all its Screens. */
#pragma once

#include "event_loop.h"
#include "heapflow/display/screen.h"
#include "kms_device.h"

#include <memory>
#include <mutex>
#include <vector>

namespace heapflow
{

class Output;
class Seat;

/**
 * \brief One open DRM file, its thread, and the outputs that are in use
 *
 * A process can be master of a device once only, so Screens share what is open already.
 *
 * Threads: any may call; the thread of the loop calls the outputs, and whoever takes flips.
 */
class DisplayDevice : public std::enable_shared_from_this<DisplayDevice>
{
public:
	/** \brief The device of this path, opened when it is not open yet. Errors: openKmsDevice()
	 */
	static Result<std::shared_ptr<DisplayDevice>> open(const std::string &path, bool seat);

	/** \brief The device or lease of this descriptor, which is duplicated */
	static Result<std::shared_ptr<DisplayDevice>> adopt(int fd);

	~DisplayDevice();

	DisplayDevice(const DisplayDevice &) = delete;
	DisplayDevice &operator=(const DisplayDevice &) = delete;

	/**
	 * \brief The output that these options choose, shared with those that have it already
	 *
	 * Errors: as chooseConnector() and chooseCrtc(), ENOENT no such plane.
	 */
	Result<std::shared_ptr<Output>> output(const ScreenOptions &options);

	const KmsDevice &kms() const { return kms_; }
	int fd() const { return kms_.fd.get(); }

	/** \brief Does the seat manager, if there is one, let us use the display now? */
	bool seatActive() const;

	/** \brief Has its node been removed? Asked only when something was refused */
	bool vanished() const;

	/** \brief Call Output::timer() at this time, ns of CLOCK_MONOTONIC; 0: never */
	void setDeadline(const Output *output, int64_t at);

	/** \brief Must this output know of a flip at once? So it is at first */
	void awaitFlips(const Output *output, bool wanted);

	/** \brief Call Output::flipped() here for the flips that can be read; without its lock */
	void takeFlips() { loop_->takeFlips(); }

	/** \brief The same when one comes, see EventLoop */
	bool waitForFlips(std::chrono::milliseconds time, const std::function<bool()> &wanted)
	{
		return loop_->waitForFlips(time, wanted);
	}

	/** \brief Call Output::deliver() soon, in the loop's thread */
	void wake() { loop_->wake(); }

	/** \brief An output is being destroyed; waits until the loop is done with it */
	void remove(const Output *output);

private:
	explicit DisplayDevice(KmsDevice kms);

	static Result<std::shared_ptr<DisplayDevice>> start(KmsDevice kms,
							    std::unique_ptr<Seat> seat);
	template<typename Call>
	void forEachOutput(Call call);
	void timerFired();

	KmsDevice kms_;
	std::unique_ptr<Seat> seat_;

	struct Entry {
		Output *output;
		std::weak_ptr<Output> reference;
	};
	/* What an output wants to be woken for. */
	struct WakeUp {
		const Output *output;
		int64_t at = 0;
		bool flips = true;
	};
	std::mutex outputsMutex_; /* held while they are called; taken before an Output's */
	std::vector<Entry> outputs_;
	std::mutex wakeUpsMutex_; /* taken last */
	std::vector<WakeUp> wakeUps_;
	int64_t timer_ = 0; /* when the loop's timer fires; 0: it does not */

	/* Last: its thread uses the members above, and ends first. */
	std::unique_ptr<EventLoop> loop_;
};

} /* namespace heapflow */
