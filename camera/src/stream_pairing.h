/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which streams the next request is for; pure. */
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

namespace heapflow
{

/** \brief What to do about the next request */
enum class Pairing {
	Wait,    /**< not yet: a stream without a buffer may get one in time */
	All,     /**< every stream has a buffer */
	Partial, /**< the camera is about to starve: go without the streams that have none */
};

/**
 * \brief One frame of the sensor serves all streams of a request, so they should go together;
 * but a branch that keeps its buffers must not stop the others
 *
 * With fewer requests than `requestsToKeep` on their way, the camera would soon have none, and
 * frames were lost for everybody.
 *
 * \param[in] waiting How many buffers of each stream wait for a request
 * \param[in] inFlight Requests that the camera has
 */
inline Pairing pairStreams(std::span<const size_t> waiting, size_t inFlight)
{
	constexpr size_t requestsToKeep = 2;
	const auto hasBuffer = [](size_t count) {
		return count > 0;
	};

	if (waiting.empty() || std::ranges::none_of(waiting, hasBuffer))
		return Pairing::Wait;
	if (std::ranges::all_of(waiting, hasBuffer))
		return Pairing::All;
	return inFlight < requestsToKeep ? Pairing::Partial : Pairing::Wait;
}

} /* namespace heapflow */
