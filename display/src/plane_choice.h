/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which planes may show a format, in the order in which they are tried. Pure. */
#pragma once

#include "heapflow/display/screen.h"
#include "topology.h"

#include <cstdint>
#include <string>
#include <vector>

namespace heapflow
{

struct PlaneCandidates {
	std::vector<const PlaneInfo *> planes;
	std::vector<std::string> reasons; /**< a sentence for each plane of the CRTC that fell */
};

/**
 * \brief The planes of a CRTC that take a format with a modifier, the best first
 *
 * Primary before overlay, then by object id: a primary plane is what every driver can show alone,
 * and some demand it. A cursor plane is taken only when `planeId` names it, and any other plane
 * only when `planeId` is it or 0. A plane that another CRTC uses is left alone.
 */
PlaneCandidates choosePlanes(const Topology &topology, const CrtcInfo &crtc, uint32_t fourcc,
			     uint64_t modifier, uint32_t planeId);

/** \brief What these planes take together, the formats of the first plane first */
std::vector<ScanoutFormat> planeFormats(const Topology &topology, const CrtcInfo &crtc,
					uint32_t planeId);

/** \brief "NV12, XR24", for messages */
std::string listFormats(const std::vector<ScanoutFormat> &formats);

} /* namespace heapflow */
