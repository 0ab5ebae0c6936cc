/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Display devices: which there are, and one that is open and ours. */
#pragma once

#include "heapflow/display/screen.h"
#include "heapflow/heap/unique_fd.h"

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace heapflow
{

/** \brief An open device that can do atomic KMS and of which this process is master */
struct KmsDevice {
	UniqueFd fd;
	std::string path;        /**< "/dev/dri/card1" */
	std::string driver;      /**< "vkms" */
	dev_t node = 0;          /**< of the path */
	bool master = false;     /**< are we? */
	bool adopted = false;    /**< somebody else opened it */
	bool modifiers = false;  /**< AddFB2 takes modifiers */
	bool asyncFlips = false; /**< atomic commits may be with DRM_MODE_PAGE_FLIP_ASYNC */
	SizeLimits limits;
};

/**
 * \brief Nodes that may be displays, in the order of their paths; none without the directory
 *
 * Errors: of reading the directory. To take that for a system without a display would be wrong.
 */
Result<std::vector<std::string>> listCardNodes(const std::filesystem::path &directory = "/dev/dri");

/** \brief "vkms"; empty when the node cannot be opened or is not a DRM device */
std::string driverOfNode(const std::string &path);

/**
 * \brief Open one device and become its master
 *
 * \param[in] fd Of that path, when somebody else opens it for us; otherwise invalid
 *
 * Errors: of open(); ENODEV not a display (no KMS resources); ENOTSUP no atomic KMS; EBUSY or
 * EACCES another process is master.
 */
Result<KmsDevice> openKmsDevice(const std::string &path, UniqueFd fd = UniqueFd());

/** \brief The same, but as a mere onlooker where another process is master */
Result<KmsDevice> openKmsDeviceToLook(const std::string &path);

/** \brief The same with an open descriptor, of a device or a lease */
Result<KmsDevice> adoptKmsDevice(UniqueFd fd);

} /* namespace heapflow */
