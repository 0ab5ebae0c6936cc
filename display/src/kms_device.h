/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Display devices: which there are, and one that is open and ours. */
#pragma once

#include "heapflow/display/screen.h"
#include "heapflow/heap/unique_fd.h"
#include "topology.h"

#include <string>
#include <vector>

namespace heapflow
{

/** \brief An open device that can do atomic KMS and of which this process is master */
struct KmsDevice {
	UniqueFd fd;
	std::string path;       /**< "/dev/dri/card1" */
	std::string driver;     /**< "vkms" */
	bool modifiers = false; /**< AddFB2 takes modifiers */
	Topology topology;
};

/** \brief Nodes that may be displays, in the order of their paths */
std::vector<std::string> listCardNodes();

/** \brief "vkms"; empty when the node cannot be opened or is not a DRM device */
std::string driverOfNode(const std::string &path);

/**
 * \brief Open one device and become its master
 *
 * Errors: of open(); ENODEV not a display (no KMS resources); ENOTSUP no atomic KMS; EBUSY or
 * EACCES another process is master.
 */
Result<KmsDevice> openKmsDevice(const std::string &path);

} /* namespace heapflow */
