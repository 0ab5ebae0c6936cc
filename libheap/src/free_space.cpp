/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What this system says of the space in a heap, for predictFit(). */
#include "heapflow/heap/fit.h"

#include "kernel_config.h"
#include "region.h"

#include <charconv>

#include <unistd.h>

namespace heapflow
{

CmaRules cmaRules(const SystemPaths &paths)
{
	CmaRules rules{.pageSize = static_cast<uint64_t>(sysconf(_SC_PAGESIZE))};
	const auto option = KernelConfig::read(paths).option("CONFIG_CMA_ALIGNMENT");
	unsigned order = 0;
	if (option && std::from_chars(option->data(), option->data() + option->size(), order).ec ==
			      std::errc()) {
		/* Its range in kernel/dma/Kconfig. */
		if (order >= 2 && order <= 12)
			rules.alignmentOrder = order;
	}
	return rules;
}

FreeSpace freeSpace(const Heap &heap, const SystemPaths &paths)
{
	const std::string &source = heap.linkTarget.empty() ? heap.name.text : heap.linkTarget;
	FreeSpace space;
	if (!heap.region.contiguous && isSystemHeapName(source)) {
		space.contiguous = false;
		space.free = availableMemory(paths);
		return space;
	}
	const Region region = RegionTable(paths).find(source);
	space.base = region.base;
	space.total = region.total;
	space.free = region.free;
	space.largest = region.largest;
	if (auto map = readRegionMap(region.id, paths)) {
		/* One moment: that of the map. */
		space.free = map->free();
		space.largest = map->largestFree();
		space.map = std::move(*map);
	}
	return space;
}

} /* namespace heapflow */
