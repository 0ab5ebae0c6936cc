/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device_tree_blob.h"

#include <cerrno>
#include <string>

#include <libfdt.h>

namespace heapflow::tool
{

namespace
{

/* The node at `offset` with its properties, and children of `depth` levels. */
DeviceTreeNode readNode(const void *blob, int offset, unsigned depth)
{
	DeviceTreeNode node;
	int length = 0;
	if (const char *name = fdt_get_name(blob, offset, &length))
		node.name.assign(name, static_cast<size_t>(length));

	int property = 0;
	fdt_for_each_property_offset(property, blob, offset)
	{
		const char *name = nullptr;
		const void *value = fdt_getprop_by_offset(blob, property, &name, &length);
		if (value && name && length >= 0)
			node.properties.emplace(name, std::string(static_cast<const char *>(value),
								  static_cast<size_t>(length)));
	}
	if (depth == 0)
		return node;
	int child = 0;
	fdt_for_each_subnode(child, blob, offset)
		node.children.push_back(readNode(blob, child, depth - 1));
	return node;
}

} /* namespace */

bool isDeviceTreeBlob(std::string_view bytes)
{
	return bytes.starts_with("\xd0\x0d\xfe\xed");
}

Result<DeviceTreeNode> readDeviceTreeBlob(std::string_view bytes)
{
	/* libfdt reads words in place: the copy is aligned, as the heap's memory is. */
	const std::string blob(bytes);
	if (const int damage = fdt_check_full(blob.data(), blob.size()); damage != 0)
		return fail(EINVAL,
			    "the device-tree blob of " + std::to_string(blob.size()) +
				    " bytes is damaged: libfdt says " + fdt_strerror(damage),
			    "dtc -I dtb -O dts shows how far it can be read");

	DeviceTreeNode root = readNode(blob.data(), 0, 0);
	for (const auto &[path, depth] : {std::pair{"/chosen", 0u}, {"/reserved-memory", 1u}}) {
		const int offset = fdt_path_offset(blob.data(), path);
		if (offset < 0)
			continue;
		root.children.push_back(readNode(blob.data(), offset, depth));
		/* libfdt also finds `chosen@0` by this path. */
		root.children.back().name = path + 1;
	}
	return root;
}

} /* namespace heapflow::tool */
