/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What to write so that a region becomes large enough. */
#pragma once

#include "heapflow/heap/heap.h"

#include <cstdint>
#include <string>

namespace heapflow
{

/**
 * \brief The device-tree property or kernel argument that makes room for one more buffer
 *
 * \param[in] rounded Bytes of the buffer in whole pages.
 * \param[in] alignment Bytes, at a multiple of which it begins.
 * \return Such as "in video@42000000 of the device tree, reg = <0x0 0x42000000 0x0 0x4400000>";
 * empty when the size of the region is not known or the new one has more than 64 bits.
 */
std::string largerRegionText(const Region &region, uint64_t rounded, uint64_t alignment,
			     const SystemPaths &paths);

} /* namespace heapflow */
