/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a device tree says below /reserved-memory, whether it is a directory or a blob. */
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heapflow
{

/** \brief A node as it stands in a tree: properties are their bytes, not yet understood */
struct DeviceTreeNode {
	std::string name;
	std::map<std::string, std::string, std::less<>> properties;
	std::vector<DeviceTreeNode> children;

	/** \return nullptr when there is none */
	const std::string *property(std::string_view key) const;
	const DeviceTreeNode *child(std::string_view childName) const;
};

/** \brief One base and size, in bytes */
struct MemoryRange {
	uint64_t base = 0;
	uint64_t size = 0;

	/** \brief The first byte behind it; nothing when that is beyond 64 bits */
	std::optional<uint64_t> end() const;
	bool overlaps(const MemoryRange &other) const;

	bool operator==(const MemoryRange &) const = default;
};

/**
 * \brief A node of /reserved-memory, understood as far as it can be
 *
 * A number that is damaged, or wider than 64 bits, is absent; `damaged` then names its property.
 */
struct ReservedNode {
	std::string name; /**< full node name, unit address included: the heap's */
	std::vector<std::string> compatible;
	std::string status; /**< empty when there is none, which means "okay" */
	bool reusable = false;
	bool noMap = false;
	bool cmaDefault = false; /**< has `linux,cma-default` */
	bool hasReg = false;
	std::vector<MemoryRange> reg;         /**< the kernel takes the first */
	std::optional<uint64_t> size;         /**< of a region that the kernel places */
	std::optional<uint64_t> alignment;    /**< the same */
	std::vector<MemoryRange> allocRanges; /**< the same */
	std::vector<std::string> damaged;     /**< properties that cannot be read */

	bool isSharedPool() const;
	bool isEnabled() const;

	/** \brief What the kernel asks before it makes a CMA area, and so a heap, of a node
	 *
	 * __rmem_cma_verify_node() in kernel/dma/contiguous.c, without the command line.
	 */
	bool becomesHeap() const;

	/** \brief Bytes of the region: of `reg`, else of `size` */
	std::optional<uint64_t> bytes() const;
	/** \brief Where it begins; nothing when the kernel chooses */
	std::optional<uint64_t> base() const;
};

/** \brief /reserved-memory of one tree */
struct ReservedMemory {
	bool present = false;
	std::optional<uint64_t> rootAddressCells; /**< of the root; nothing when absent */
	std::optional<uint64_t> rootSizeCells;
	std::optional<uint64_t> addressCells; /**< of /reserved-memory itself */
	std::optional<uint64_t> sizeCells;
	bool hasRanges = false;
	std::vector<ReservedNode> nodes; /**< sorted by name */
	std::string bootArguments;       /**< /chosen/bootargs */
};

/** \brief Understand the reserved memory below `root`; never fails, says what is damaged */
ReservedMemory readReservedMemory(const DeviceTreeNode &root);

/**
 * \brief A tree that stands in a directory, as /proc/device-tree, as far as it is of use here
 *
 * The properties of the root, of /chosen, of /reserved-memory and its children. What is missing or
 * forbidden is left out.
 */
DeviceTreeNode readDeviceTreeDirectory(const std::filesystem::path &directory);

/**
 * \brief Does a kernel command line make a default CMA region of its own: `cma=64M`?
 *
 * It then passes over the node with `linux,cma-default` (kernel/dma/contiguous.c). `cma=0` does,
 * too.
 */
bool hasCmaArgument(std::string_view commandLine);

} /* namespace heapflow */
