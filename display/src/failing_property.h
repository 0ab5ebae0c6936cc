/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which property makes a driver refuse an atomic commit. Pure, apart from the test it is given. */
#pragma once

#include "atomic_request.h"

#include <functional>
#include <optional>

namespace heapflow
{

/**
 * \brief Find the property without which a request would pass
 *
 * The kernel says EINVAL of the whole request and not why. First each property is left out alone,
 * the last one first (what is put in front makes the rest possible: without a mode everything
 * passes): the one without which the rest passes is the culprit. When no single one is, because two
 * belong together, the request is cut in half again and again: the last property of the shortest
 * beginning that fails.
 *
 * \param[in] test A TEST_ONLY commit: 0 or an errno
 * \return the index in the request; nullopt when the request passes, or nothing can be blamed
 */
std::optional<size_t> findFailingProperty(const AtomicRequest &request,
					  const std::function<int(const AtomicRequest &)> &test);

} /* namespace heapflow */
