/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device_tree.h"

#include "heapflow/heap/reserved_memory.h"
#include "small_file.h"

namespace heapflow
{

namespace
{

namespace fs = std::filesystem;

/* The files of a directory as properties. Directories are children, of `depth` levels. */
DeviceTreeNode readNode(const fs::path &directory, unsigned depth)
{
	DeviceTreeNode node{.name = directory.filename().string()};
	std::error_code error;
	for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
	     entry.increment(error)) {
		std::error_code ignored;
		const fs::path &file = entry->path();
		if (fs::is_directory(file, ignored)) {
			if (depth > 0)
				node.children.push_back(readNode(file, depth - 1));
		} else if (auto content = readSmallFile(file)) {
			node.properties.emplace(file.filename().string(), std::move(*content));
		}
	}
	return node;
}

} /* namespace */

DeviceTreeNode readDeviceTreeDirectory(const fs::path &directory)
{
	DeviceTreeNode root = readNode(directory, 0);
	root.name.clear();
	std::error_code ignored;
	if (fs::is_directory(directory / "chosen", ignored))
		root.children.push_back(readNode(directory / "chosen", 0));
	if (fs::is_directory(directory / "reserved-memory", ignored))
		root.children.push_back(readNode(directory / "reserved-memory", 1));
	return root;
}

std::vector<ReservedRegion> readReservedRegions(const fs::path &deviceTree)
{
	std::vector<ReservedRegion> regions;
	for (const ReservedNode &node :
	     readReservedMemory(readDeviceTreeDirectory(deviceTree)).nodes) {
		if (!node.becomesHeap())
			continue;
		regions.push_back({.name = node.name,
				   .base = node.base(),
				   .size = node.bytes(),
				   .isDefault = node.cmaDefault,
				   .node = deviceTree / "reserved-memory" / node.name});
	}
	return regions;
}

} /* namespace heapflow */
