/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device-tree blobs, read with libfdt. */
#pragma once

#include "heapflow/heap/error.h"
#include "heapflow/heap/reserved_memory.h"

#include <string_view>

namespace heapflow::tool
{

/** \brief Does it begin as a flattened device tree does (0xd00dfeed)? */
bool isDeviceTreeBlob(std::string_view bytes);

/**
 * \brief The parts of a blob that readReservedMemory() looks at
 *
 * Errors: EINVAL a blob that libfdt finds damaged, anywhere (fdt_check_full()).
 */
Result<DeviceTreeNode> readDeviceTreeBlob(std::string_view bytes);

} /* namespace heapflow::tool */
