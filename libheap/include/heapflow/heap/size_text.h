/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sizes as people write and read them. */
#pragma once

#include "heapflow/heap/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heapflow
{

/** \brief Bytes of "4096", "8M" or "8MiB" (powers of 1024); EINVAL for 0 and for anything else */
Result<uint64_t> parseSize(std::string_view text);

/** \brief "64 MiB", "1.3 MiB", "0"; "-" when unknown. Rounded down: free memory is never overstated
 */
std::string sizeText(std::optional<uint64_t> bytes);

} /* namespace heapflow */
