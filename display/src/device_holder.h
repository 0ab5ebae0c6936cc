/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who keeps us from being master of a display. */
#pragma once

#include <string>

namespace heapflow
{

/** \brief From debugfs dri/N/clients: "weston (pid 17)", or empty. Pure. */
std::string masterFromClients(const std::string &clients);

/**
 * \brief "weston (pid 17)", as far as it can be seen
 *
 * debugfs names the master, for root. /proc names the processes that have the node open, to their
 * own user. Empty when neither says anything.
 */
std::string describeHolder(const std::string &node);

} /* namespace heapflow */
