/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is left of a timeout, without a look at the clock where none is needed. */
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace heapflow
{

/**
 * \brief A timeout that may have to be waited out in several parts
 *
 * Nearly every wait for a frame ends with its first part, which needs no clock: it runs from the
 * second part on. So a wait that is interrupted, as by a fence, may last up to twice as long.
 * clock_gettime() is a system call where the vDSO cannot answer it. One thread's.
 */
class Countdown
{
public:
	explicit Countdown(std::chrono::milliseconds timeout) : timeout_(timeout) {}

	/** \brief For the next part; rounded up, as to wake before the end would spin */
	std::chrono::milliseconds left()
	{
		if (parts_++ == 0)
			return timeout_;
		const auto now = std::chrono::steady_clock::now();
		if (parts_ == 2)
			end_ = now + timeout_;
		return std::max(std::chrono::ceil<std::chrono::milliseconds>(end_ - now),
				std::chrono::milliseconds(0));
	}

private:
	std::chrono::milliseconds timeout_;
	uint64_t parts_ = 0; /* that were asked for */
	std::chrono::steady_clock::time_point end_{};
};

} /* namespace heapflow */
