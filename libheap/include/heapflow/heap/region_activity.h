/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much a CMA region has given and taken back since boot. */
#pragma once

#include "heapflow/heap/heap.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace heapflow
{

/**
 * \brief The kernel's counters of a region, in bytes since boot; each is nothing when not told
 *
 * They count what every user of the region did, devices included, and miss nothing between two
 * looks. Source: Documentation/ABI/testing/sysfs-kernel-mm-cma (alloc_pages_success since Linux
 * 5.13, release_pages_success since 6.9).
 */
struct RegionActivity {
	std::optional<uint64_t> allocated;
	std::optional<uint64_t> released;
	std::optional<uint64_t> refused; /**< bytes asked for in calls that failed */

	bool operator==(const RegionActivity &) const = default;
};

/** \brief Of the region with that identity (Region::id); empty for one that is no CMA area */
RegionActivity readRegionActivity(std::string_view region, const SystemPaths &paths = {});

} /* namespace heapflow */
