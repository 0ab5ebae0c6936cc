/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Displays by the bus they sit on: the name that stays when card numbers change. */
#pragma once

#include <string>
#include <string_view>

namespace heapflow
{

/**
 * \brief "platform:fd4a0000.hdmi", "pci:0000:00:02.0", "faux:vkms"; empty when it is not told
 *
 * From sysfs and not from DRM_IOCTL_GET_UNIQUE: that needs a master, and libdrm knows neither
 * faux nor every other bus.
 */
std::string busIdOfNode(const std::string &node);

/**
 * \brief Does `wanted` name the device on `busId`? Pure.
 *
 * The bus may be left out ("vkms"), and the number that libdrm appends to platform devices may be
 * there ("platform:fd4a0000.hdmi:00", drm_platform in xf86drm.c).
 */
bool isBusId(std::string_view wanted, std::string_view busId);

} /* namespace heapflow */
