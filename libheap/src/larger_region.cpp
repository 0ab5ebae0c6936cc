/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "larger_region.h"

#include "device_tree.h"
#include "heap_access.h"
#include "small_file.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include <unistd.h>

namespace heapflow
{

namespace
{

namespace fs = std::filesystem;

/*
 * Regions begin and end at page blocks (CMA_MIN_ALIGNMENT_BYTES, include/linux/cma.h): 4 MiB with
 * pages of 4 KiB is enough for every architecture that has them.
 */
uint64_t regionGranule()
{
	return static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) << 10;
}

/* 0 when the sum is beyond 64 bits. */
uint64_t largerSize(const Region &region, uint64_t rounded, uint64_t alignment)
{
	const uint64_t granule = regionGranule();
	/* A buffer that the region never holds needs its own size, any other one more place. */
	const uint64_t start = rounded > *region.total ? 0 : *region.total;
	const uint64_t place = rounded > UINT64_MAX - alignment
				       ? UINT64_MAX
				       : (rounded + alignment - 1) / alignment * alignment;
	if (place > UINT64_MAX - start || start + place > UINT64_MAX - granule)
		return 0;
	return (start + place + granule - 1) / granule * granule;
}

unsigned cellCount(const fs::path &file, unsigned absent)
{
	const auto content = readSmallFile(file);
	return content && content->size() == 4 ? static_cast<unsigned char>((*content)[3]) : absent;
}

std::string cellsText(uint64_t number, unsigned cells)
{
	char text[32];
	if (cells >= 2)
		std::snprintf(text, sizeof(text), "0x%" PRIx64 " 0x%" PRIx64, number >> 32,
			      number & 0xffffffff);
	else
		std::snprintf(text, sizeof(text), "0x%" PRIx64, number);
	return text;
}

} /* namespace */

std::string largerRegionText(const Region &region, uint64_t rounded, uint64_t alignment,
			     const SystemPaths &paths)
{
	const uint64_t size = region.total ? largerSize(region, rounded, alignment) : 0;
	if (size == 0)
		return {};

	const auto reserved = readReservedRegions(paths.deviceTree);
	const auto node = std::ranges::find(reserved, region.id, &ReservedRegion::name);
	if (node == reserved.end()) {
		if (region.isDefault)
			return "boot with cma=" + std::to_string((size + 0xfffff) >> 20) + "M";
		return "give it " + std::to_string(size) + " bytes";
	}
	const fs::path parent = paths.deviceTree / "reserved-memory";
	const unsigned addressCells = cellCount(parent / "#address-cells", 2);
	const unsigned sizeCells = cellCount(parent / "#size-cells", 1);
	if (sizeCells == 1 && size > UINT32_MAX)
		return {};
	std::string property = "in the node " + printable(region.id) + " of the device tree, ";
	if (node->base)
		return property + "reg = <" + cellsText(*node->base, addressCells) + " " +
		       cellsText(size, sizeCells) + ">, if no other region begins before it ends";
	return property + "size = <" + cellsText(size, sizeCells) + ">";
}

} /* namespace heapflow */
