/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long ago, without a system call at the beginning. */
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <time.h>

#if defined(__x86_64__) || defined(__i386__)
#include <x86intrin.h>
#endif

namespace heapflow
{

/**
 * \brief Ages from the counter of the processor
 *
 * clock_gettime() is no system call where the vDSO can answer it, but it is one under User Mode
 * Linux and where the clock source is not the processor's. The counter is cheap everywhere; its
 * rate follows from two looks at the clock, at construction and when an age is asked for. Good to a
 * percent, and wrong across a suspend: for people, not for deadlines.
 */
class TickClock
{
public:
	using Clock = std::chrono::steady_clock;

	TickClock() : start_(Clock::now()), startTicks_(ticks()) {}

	static uint64_t ticks()
	{
#if defined(__x86_64__) || defined(__i386__)
		return __rdtsc();
#elif defined(__aarch64__)
		uint64_t value;
		asm volatile("mrs %0, cntvct_el0" : "=r"(value));
		return value;
#else
		timespec now{};
		clock_gettime(CLOCK_MONOTONIC, &now);
		return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 +
		       static_cast<uint64_t>(now.tv_nsec);
#endif
	}

	/** \brief The time since ticks() was `then`, which was after the construction */
	std::chrono::nanoseconds since(uint64_t then) const
	{
		const uint64_t now = ticks();
		const std::chrono::nanoseconds all = Clock::now() - start_;
		/* Counters of two processors may differ by a little. */
		if (now <= startTicks_ || then >= now)
			return {};
		const double part =
			static_cast<double>(now - then) / static_cast<double>(now - startTicks_);
		return std::min(all, std::chrono::nanoseconds(static_cast<int64_t>(
					     part * static_cast<double>(all.count()))));
	}

private:
	Clock::time_point start_;
	uint64_t startTicks_;
};

} /* namespace heapflow */
