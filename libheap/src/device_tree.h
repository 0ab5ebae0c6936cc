/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reserved regions of a flattened device tree as /proc/device-tree shows it. */
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace heapflow
{

/** \brief A node of /reserved-memory that becomes a CMA area, and so a heap */
struct ReservedRegion {
	std::string name;             /**< full node name, unit address included */
	std::optional<uint64_t> base; /**< bytes; none when the kernel chose the place (`size`) */
	std::optional<uint64_t> size; /**< bytes */
	bool isDefault = false;       /**< has `linux,cma-default` */
	std::filesystem::path node;
};

/**
 * \brief The reusable shared-dma-pool nodes, sorted by name
 *
 * A tree that is missing or damaged gives fewer facts, never an error: it is one source of several.
 */
std::vector<ReservedRegion> readReservedRegions(const std::filesystem::path &deviceTree);

} /* namespace heapflow */
