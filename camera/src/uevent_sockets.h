/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sockets on which a process is told of devices that come and go. */
#pragma once

#include <set>

namespace heapflow
{

/** \brief Descriptors of this process that are netlink sockets of uevents (libudev's monitors) */
std::set<int> ueventSockets();

/**
 * \brief Nothing arrives on this socket any more
 *
 * Does nothing when the descriptor is another thing by now.
 */
void deafen(int socket);

} /* namespace heapflow */
