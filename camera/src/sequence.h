/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frame numbers that do not wrap. */
#pragma once

#include <cstdint>

namespace heapflow
{

/** \brief Makes 64-bit frame numbers of the 32-bit ones of V4L2 and libcamera */
class SequenceExtender
{
public:
	/** \brief A stream begins; its first number may be any */
	void reset() { started_ = false; }

	uint64_t extend(uint32_t sequence)
	{
		if (!started_) {
			started_ = true;
			last_ = sequence;
			return last_;
		}
		/* The distance modulo 2^32 is right in both directions as long as it is under 2^31.
		 */
		const auto step = static_cast<int32_t>(sequence - static_cast<uint32_t>(last_));
		last_ += static_cast<int64_t>(step);
		return last_;
	}

private:
	bool started_ = false;
	uint64_t last_ = 0;
};

} /* namespace heapflow */
