/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which connector, and which CRTC drives it. Pure. */
#pragma once

#include "heapflow/heap/error.h"
#include "topology.h"

#include <string>

namespace heapflow
{

/**
 * \brief The connector that is called `wanted`, or the best that has a screen
 *
 * Connected comes before "unknown", which some virtual devices say of a screen that is there; then
 * a panel, which is part of the machine, before a plug; then what is lit before what is dark; then
 * the driver's order. A writeback connector always says "connected" and is never a screen.
 *
 * \param[in] evenDark Take one without a screen too, when none has one
 *
 * Errors: ENOENT no connector is called that (the message lists those there are), ENOTCONN.
 */
Result<const ConnectorInfo *> chooseConnector(const Topology &topology, const std::string &wanted,
					      bool evenDark = false);

/**
 * \brief The CRTC that drives the connector already, else the first one that is free
 *
 * Errors: EBUSY all CRTCs that it can be on drive other connectors.
 */
Result<const CrtcInfo *> chooseCrtc(const Topology &topology, const ConnectorInfo &connector);

} /* namespace heapflow */
