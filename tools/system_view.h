/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Heaps, regions, occupancy and holders of one moment: what `list` prints and `top` repeats. */
#pragma once

#include "heapflow/heap/buffer_holders.h"
#include "heapflow/heap/region_map.h"

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace heapflow::tool
{

/** \brief One region, or the memory of a heap that has none, such as `system` */
struct RegionView {
	Region region;
	std::vector<std::string> heaps; /**< their names; links are left out */
	bool isRegion = true;           /**< false: memory of the whole machine */
	std::optional<uint64_t> available;
	std::optional<RegionMap> map;
	std::string mapError; /**< why there is no map */
	RegionHolders holders;

	/** \brief What is used; nothing when it is not known */
	std::optional<uint64_t> used() const;
};

struct SystemView {
	std::vector<Heap> heaps;
	std::vector<RegionView> regions; /**< sorted by name, those without a region last */
	BufferHolders holders;
};

/** \brief Reads all of it; the errors are those of listHeaps() */
Result<SystemView> readSystemView(const SystemPaths &paths);

/** \brief For JSON: regions with runs and holders, each region once */
nlohmann::ordered_json regionsToJson(const SystemView &view);
nlohmann::ordered_json unreadToJson(const BufferHolders &holders);

/** \brief "0x42000000", or "-" */
std::string addressText(std::optional<uint64_t> address);

/** \brief Names of the buffers that a process has in a region: "cam, probe", or "-" */
std::string bufferNames(const RegionHolder &holder, size_t most = 4);

} /* namespace heapflow::tool */
