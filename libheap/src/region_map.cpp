/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/region_map.h"

#include "small_file.h"

#include <algorithm>
#include <bit>
#include <cerrno>

#include <unistd.h>

namespace heapflow
{

namespace
{

namespace fs = std::filesystem;

/* 11 characters for each 32 pages: enough for the bitmap of 64 GiB in pages of 4 KiB. */
constexpr size_t kLargestBitmap = 16 << 20;

/* The directories of the ranges; the area itself on kernels that know only one (before 6.15). */
std::vector<fs::path> rangeDirectories(const fs::path &area)
{
	std::vector<fs::path> directories;
	for (unsigned i = 0;; i++) {
		const fs::path range = area / "ranges" / std::to_string(i);
		std::error_code ignored;
		if (!fs::is_directory(range, ignored))
			break;
		directories.push_back(range);
	}
	if (directories.empty())
		directories.push_back(area);
	return directories;
}

Result<uint64_t> readPages(const fs::path &file, uint64_t pageSize)
{
	const auto text = readFile(file, 64);
	if (!text)
		return std::unexpected(text.error());
	const auto pages = readNumber(file);
	if (!pages || *pages > UINT64_MAX / pageSize)
		return fail(EINVAL, file.string() + " holds no number of pages");
	return *pages * pageSize;
}

/* Bytes of a range of which only the words are known, when another range precedes it. */
Result<std::vector<MemoryRun>> readRange(const fs::path &range, uint64_t pageSize, uint64_t granule,
					 uint64_t size)
{
	const auto base = readPages(range / "base_pfn", pageSize);
	if (!base)
		return std::unexpected(base.error());
	const auto text = readFile(range / "bitmap", kLargestBitmap);
	if (!text)
		return std::unexpected(text.error());
	const bool swapped = std::endian::native == std::endian::big && sizeof(long) == 8;
	return parseCmaBitmap(*text, *base, granule, size, swapped);
}

/*
 * debugfs says the size of the area, not of each range. Words beyond the end of a range read as
 * free: with several ranges what is too much is taken off the last one. Ranges begin and end at
 * page blocks, so a word is whole unless pages are counted by the thousand.
 */
void cutToSize(RegionMap &map, uint64_t size)
{
	uint64_t sum = map.used() + map.free();
	for (auto range = map.ranges.rbegin(); range != map.ranges.rend() && sum > size; ++range) {
		if (range->empty() || range->back().used)
			continue;
		const uint64_t cut = std::min(sum - size, range->back().size);
		range->back().size -= cut;
		sum -= cut;
		if (range->back().size == 0)
			range->pop_back();
	}
}

template<typename Visit>
void eachRun(const RegionMap &map, const Visit &visit)
{
	for (const auto &range : map.ranges) {
		for (const MemoryRun &run : range)
			visit(run);
	}
}

} /* namespace */

uint64_t RegionMap::used() const
{
	uint64_t sum = 0;
	eachRun(*this, [&sum](const MemoryRun &run) { sum += run.used ? run.size : 0; });
	return sum;
}

uint64_t RegionMap::free() const
{
	uint64_t sum = 0;
	eachRun(*this, [&sum](const MemoryRun &run) { sum += run.used ? 0 : run.size; });
	return sum;
}

uint64_t RegionMap::largestFree() const
{
	uint64_t largest = 0;
	eachRun(*this, [&largest](const MemoryRun &run) {
		largest = std::max(largest, run.used ? 0 : run.size);
	});
	return largest;
}

Result<RegionMap> readRegionMap(std::string_view region, const SystemPaths &paths)
{
	const auto pageSize = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
	const fs::path area = paths.cmaDebugDirectory / region;
	const auto size = readPages(area / "count", pageSize);
	if (!size)
		return std::unexpected(size.error());
	const uint64_t order = readNumber(area / "order_per_bit").value_or(0);
	if (order > 32)
		return fail(EINVAL, (area / "order_per_bit").string() + " holds no order");

	RegionMap map{.granule = pageSize << order};
	const std::vector<fs::path> directories = rangeDirectories(area);
	for (const fs::path &range : directories) {
		auto runs = readRange(range, pageSize, map.granule,
				      directories.size() == 1 ? *size : 0);
		if (!runs)
			return std::unexpected(runs.error());
		map.ranges.push_back(std::move(*runs));
		map.sources.push_back((range / "bitmap").string());
	}
	cutToSize(map, *size);
	return map;
}

} /* namespace heapflow */
