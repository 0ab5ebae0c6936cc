/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CLOCK_REALTIME, set by lot while this lives. */
#pragma once

#include "random_draw.h"

#include <atomic>
#include <thread>

namespace heapflow::torture
{

/** \brief Several times a second another time of day; right again at the end. Needs root */
class JumpingClock
{
public:
	explicit JumpingClock(uint64_t seed);
	~JumpingClock() { stop(); }
	JumpingClock(const JumpingClock &) = delete;
	JumpingClock &operator=(const JumpingClock &) = delete;

	/** \brief Ends it; how often it was set */
	unsigned stop();

private:
	void jump(uint64_t seed);

	const int64_t offset_; /* of the right time from CLOCK_MONOTONIC, ns */
	std::atomic<bool> end_ = false;
	unsigned jumps_ = 0;
	std::thread thread_;
};

} /* namespace heapflow::torture */
