/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time of frames, in CLOCK_MONOTONIC whatever clock the driver uses (invariant 13). */
#pragma once

#include <cstdint>

namespace heapflow
{

/** \brief CLOCK_MONOTONIC, ns */
int64_t monotonicNow();

/** \brief CLOCK_BOOTTIME - CLOCK_MONOTONIC, ns: how long this system has been suspended so far */
int64_t suspendedTime();

/**
 * \brief A libcamera timestamp in CLOCK_MONOTONIC
 *
 * libcamera documents SensorTimestamp as CLOCK_BOOTTIME, but the handlers built on V4L2 pass the
 * timestamps of vb2 through, which are CLOCK_MONOTONIC. The two clocks differ by the time spent
 * suspended, and a frame arrives moments after its exposure: the reading that lies nearer to the
 * arrival is the right one.
 *
 * \param[in] timestamp ns in either clock
 * \param[in] arrival ns in CLOCK_MONOTONIC
 * \param[in] suspended suspendedTime()
 */
int64_t monotonicFromSensor(int64_t timestamp, int64_t arrival, int64_t suspended);

} /* namespace heapflow */
