/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/heap.h"

#include "heap_access.h"
#include "region.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace heapflow
{

namespace
{

namespace fs = std::filesystem;

/*
 * The name of the heap that the link stands for, across several links; empty when it leads
 * nowhere or out of the directory, where there are no heaps.
 */
std::string resolveLink(const fs::path &link, const fs::path &directory)
{
	std::error_code error;
	const fs::path target = fs::canonical(link, error);
	if (error || target.parent_path() != fs::canonical(directory, error))
		return {};
	return target.filename().string();
}

/* By the effective identity, as open() will ask. When that cannot be told, open() will say. */
bool mayBeOpened(const fs::path &node)
{
	return faccessat(AT_FDCWD, node.c_str(), R_OK, AT_EACCESS) == 0 ||
	       (errno != EACCES && errno != EPERM);
}

/* Nothing for an entry that is no heap. */
std::optional<Heap> examine(const fs::path &node, const SystemPaths &paths,
			    const RegionTable &regions)
{
	Heap heap;
	heap.name = parseHeapName(node.filename().string());
	heap.node = node;
	heap.region.id = heap.name.text;

	heap.accessible = mayBeOpened(node);

	struct stat status;
	if (lstat(node.c_str(), &status) != 0)
		return heap;
	if (S_ISLNK(status.st_mode)) {
		heap.linkTarget = resolveLink(node, paths.heapDirectory);
		if (heap.linkTarget.empty() || stat(node.c_str(), &status) != 0)
			return std::nullopt;
	}

	const bool plainFilesCount = paths.heapDirectory != SystemPaths{}.heapDirectory;
	if (!S_ISCHR(status.st_mode) && !(plainFilesCount && S_ISREG(status.st_mode)))
		return std::nullopt;

	heap.device = status.st_rdev;
	heap.mode = status.st_mode;
	heap.owner = status.st_uid;
	heap.group = status.st_gid;
	heap.region = regions.find(heap.linkTarget.empty() ? heap.name.text : heap.linkTarget);
	return heap;
}

} /* namespace */

SystemPaths SystemPaths::below(const fs::path &root)
{
	SystemPaths paths;
	for (auto *path : {&paths.heapDirectory, &paths.cmaDirectory, &paths.cmaDebugDirectory,
			   &paths.deviceTree, &paths.memoryInfo, &paths.processes, &paths.modules,
			   &paths.kernelConfig, &paths.bootDirectory})
		*path = root / path->relative_path();
	return paths;
}

Result<std::vector<Heap>> listHeaps(const SystemPaths &paths)
{
	std::error_code error;
	fs::directory_iterator entry(paths.heapDirectory, error);
	if (error) {
		const std::string directory = paths.heapDirectory.string();
		if (error.value() == ENOENT)
			return fail(ENOENT,
				    "there are no dma-buf heaps: " + directory + " does not exist",
				    missingHeapHint());
		return fail(error.value(), "cannot read the heap directory " + directory);
	}

	const RegionTable regions(paths);
	const std::optional<uint64_t> systemMemory = availableMemory(paths);
	std::vector<Heap> heaps;
	for (; entry != fs::directory_iterator(); entry.increment(error)) {
		auto heap = examine(entry->path(), paths, regions);
		if (!heap)
			continue;
		const bool unlimited =
			!heap->region.contiguous && isSystemHeapName(heap->region.id);
		heap->available = unlimited ? systemMemory : heap->region.free;
		heaps.push_back(std::move(*heap));
	}
	if (error)
		return fail(error.value(),
			    "cannot read the heap directory " + paths.heapDirectory.string());
	std::ranges::sort(heaps, {}, [](const Heap &heap) { return heap.name.text; });
	return heaps;
}

RegionTotals sumRegions(const std::vector<Heap> &heaps)
{
	RegionTotals totals;
	std::set<std::string> counted;

	for (const Heap &heap : heaps) {
		const Region &region = heap.region;
		if (!region.contiguous && isSystemHeapName(region.id))
			continue;
		if (!counted.insert(region.id).second)
			continue;
		totals.regions++;
		totals.total += region.total.value_or(0);
		totals.free += region.free.value_or(0);
	}
	return totals;
}

} /* namespace heapflow */
