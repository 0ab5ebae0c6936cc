/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region.h"

#include "small_file.h"

#include "heapflow/heap/known_heap_names.h"

#include <algorithm>
#include <charconv>

namespace heapflow
{

namespace
{

namespace fs = std::filesystem;

/* Pages as the kernel counts them, in bytes; nothing for a number that cannot be true. */
bool isDefaultRegionName(std::string_view name)
{
	return std::ranges::find(defaultRegionNames(), name) != defaultRegionNames().end();
}

/* A line of /proc/meminfo, "MemTotal:  1537764 kB"; nothing when it is not there or damaged. */
std::optional<uint64_t> memoryInfoBytes(std::string_view content, std::string_view key)
{
	while (!content.empty()) {
		const size_t end = std::min(content.find('\n'), content.size());
		std::string_view line = content.substr(0, end);
		content.remove_prefix(std::min(end + 1, content.size()));
		if (!line.starts_with(key) || !line.substr(key.size()).starts_with(':'))
			continue;

		line.remove_prefix(key.size() + 1);
		line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
		uint64_t kibibytes = 0;
		const auto [stop, error] =
			std::from_chars(line.data(), line.data() + line.size(), kibibytes);
		const std::string_view unit(stop, line.data() + line.size());
		if (error != std::errc() || unit != " kB" || kibibytes > UINT64_MAX / 1024)
			return std::nullopt;
		return kibibytes * 1024;
	}
	return std::nullopt;
}

} /* namespace */

RegionTable::RegionTable(SystemPaths paths)
	: paths_(std::move(paths)), reserved_(readReservedRegions(paths_.deviceTree))
{
	std::error_code error;
	fs::directory_iterator entry(paths_.cmaDirectory, error);
	haveSysfs_ = !error;
	for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
		std::error_code ignored;
		if (entry->is_directory(ignored))
			areas_.push_back(entry->path().filename().string());
	}
	std::ranges::sort(areas_);
	defaultArea_ = findDefaultArea();
}

bool RegionTable::isArea(std::string_view name) const
{
	/* Without sysfs the device tree is the best witness of which areas were made. */
	if (!haveSysfs_)
		return reservedRegion(name) != nullptr;
	return std::ranges::binary_search(areas_, name);
}

const ReservedRegion *RegionTable::reservedRegion(std::string_view name) const
{
	const auto found = std::ranges::find(reserved_, name, &ReservedRegion::name);
	return found == reserved_.end() ? nullptr : &*found;
}

/*
 * `cma=` on the command line overrules the node with linux,cma-default: the kernel then makes no
 * area of it (rmem_cma_setup() in kernel/dma/contiguous.c) and calls its own `reserved`. A node
 * therefore counts only when its area is there.
 */
std::string RegionTable::findDefaultArea() const
{
	for (const ReservedRegion &region : reserved_) {
		if (region.isDefault && isArea(region.name))
			return region.name;
	}
	for (const std::string &name : defaultRegionNames()) {
		if (isArea(name))
			return name;
	}
	return {};
}

void RegionTable::readSysfs(Region &region) const
{
	const fs::path area = paths_.cmaDirectory / region.id;
	const auto total = readPages(area / "total_pages");
	const auto free = readPages(area / "available_pages");

	if (total) {
		region.total = total;
		region.sources.push_back((area / "total_pages").string());
	}
	if (free && (!region.total || *free <= *region.total)) {
		region.free = free;
		region.sources.push_back((area / "available_pages").string());
	}
}

void RegionTable::readDeviceTree(Region &region) const
{
	const ReservedRegion *reserved = reservedRegion(region.id);
	if (!reserved)
		return;
	region.base = reserved->base;
	if (reserved->size)
		region.total = reserved->size;
	region.sources.push_back(reserved->node.string());
}

void RegionTable::readDebugfs(Region &region) const
{
	const fs::path area = paths_.cmaDebugDirectory / region.id;

	/* In pages, not in bits of the bitmap: cma_maxchunk_get(), mm/cma_debug.c. */
	const auto largest = readPages(area / "maxchunk");
	if (largest && (!region.total || *largest <= *region.total)) {
		region.largest = largest;
		region.sources.push_back((area / "maxchunk").string());
	}
	if (!region.base) {
		region.base = readPages(area / "base_pfn");
		if (region.base)
			region.sources.push_back((area / "base_pfn").string());
	}
}

Region RegionTable::find(std::string_view name) const
{
	Region region;
	region.id = name;
	if (!isArea(name)) {
		/* Vendors' kernels have a second heap on one region, for mappings without cache. */
		const KnownHeapName *known = knownHeapName(name);
		if (known && !known->sameRegionAs.empty())
			return find(known->sameRegionAs);
	}

	if (!isArea(name) && isDefaultRegionName(name)) {
		/*
		 * Without any evidence the convention remains: all these names have only ever meant
		 * the one default region, so they are counted as one.
		 */
		region.id = defaultArea_.empty() ? defaultRegionNames().front() : defaultArea_;
		region.isDefault = true;
	}
	if (!isArea(region.id))
		return region;

	region.contiguous = true;
	region.isDefault = region.id == defaultArea_;
	readDeviceTree(region);
	readSysfs(region);
	readDebugfs(region);
	return region;
}

std::optional<uint64_t> availableMemory(const SystemPaths &paths)
{
	const auto content = readSmallFile(paths.memoryInfo);
	if (!content)
		return std::nullopt;
	const auto total = memoryInfoBytes(*content, "MemTotal");
	const auto available = memoryInfoBytes(*content, "MemAvailable");
	if (!total || !available)
		return std::nullopt;

	/*
	 * MemAvailable counts free CMA pages, but the system heap cannot have them: its pages do
	 * not move (GFP_HIGHUSER in system_heap.c), and only movable ones are lent out of CMA.
	 */
	const uint64_t cma = memoryInfoBytes(*content, "CmaFree").value_or(0);
	const uint64_t kept = cma + *total / 64;
	return *available > kept ? *available - kept : 0;
}

} /* namespace heapflow */
