/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/reserved_memory.h"

#include <algorithm>

namespace heapflow
{

namespace
{

/* Cells are 32-bit and big-endian (Devicetree Specification, 2.2.4). */
constexpr size_t kCell = 4;

/* Absent counts have these (2.3.5). */
constexpr uint64_t kAddressCells = 2;
constexpr uint64_t kSizeCells = 1;

uint64_t bigEndian(std::string_view bytes)
{
	uint64_t number = 0;
	for (const char byte : bytes)
		number = number << 8 | static_cast<unsigned char>(byte);
	return number;
}

/* A damaged count is 0, by which nothing can be read. */
std::optional<uint64_t> cellCount(const DeviceTreeNode &node, std::string_view key)
{
	const std::string *bytes = node.property(key);
	if (!bytes)
		return std::nullopt;
	return bytes->size() == kCell ? bigEndian(*bytes) : 0;
}

/* Strings one after the other, each with its NUL. */
std::vector<std::string> stringList(std::string_view list)
{
	std::vector<std::string> strings;
	while (!list.empty()) {
		const size_t end = std::min(list.find('\0'), list.size());
		strings.emplace_back(list.substr(0, end));
		list.remove_prefix(std::min(end + 1, list.size()));
	}
	return strings;
}

std::string firstString(const std::string *list)
{
	return list ? list->substr(0, list->find('\0')) : std::string();
}

/* Reads the numbers of one node, by the cell counts of its parent. */
class NumberReader
{
public:
	NumberReader(const DeviceTreeNode &node, const ReservedMemory &parent, ReservedNode &result)
		: node_(node),
		  addressCells_(parent.addressCells.value_or(kAddressCells)),
		  sizeCells_(parent.sizeCells.value_or(kSizeCells)),
		  result_(result)
	{
	}

	/* Like of_flat_dt_get_addr_size_prop(): all of it, or nothing. */
	std::vector<MemoryRange> ranges(std::string_view key)
	{
		const std::string *bytes = node_.property(key);
		if (!bytes)
			return {};
		if (!readable(addressCells_) || !readable(sizeCells_))
			return damaged(key), std::vector<MemoryRange>();

		const size_t address = addressCells_ * kCell;
		const size_t entry = address + sizeCells_ * kCell;
		if (bytes->empty() || bytes->size() % entry != 0)
			return damaged(key), std::vector<MemoryRange>();

		std::vector<MemoryRange> found;
		for (std::string_view rest = *bytes; !rest.empty(); rest.remove_prefix(entry))
			found.push_back({bigEndian(rest.substr(0, address)),
					 bigEndian(rest.substr(address, entry - address))});
		return found;
	}

	std::optional<uint64_t> size(std::string_view key) { return number(key, sizeCells_); }

	/* `alignment` is as wide as a size by the specification (3.5.2), and as an address by
	 * __reserved_mem_alloc_size(): the counts differ in no tree that works. */
	std::optional<uint64_t> alignment(std::string_view key)
	{
		return number(key, addressCells_);
	}

private:
	static bool readable(uint64_t cells) { return cells == 1 || cells == 2; }

	std::optional<uint64_t> number(std::string_view key, uint64_t cells)
	{
		const std::string *bytes = node_.property(key);
		if (!bytes)
			return std::nullopt;
		if (!readable(cells) || bytes->size() != cells * kCell)
			return damaged(key), std::nullopt;
		return bigEndian(*bytes);
	}

	void damaged(std::string_view key) { result_.damaged.emplace_back(key); }

	const DeviceTreeNode &node_;
	uint64_t addressCells_;
	uint64_t sizeCells_;
	ReservedNode &result_;
};

ReservedNode readNode(const DeviceTreeNode &node, const ReservedMemory &parent)
{
	ReservedNode result{.name = node.name};
	if (const std::string *compatible = node.property("compatible"))
		result.compatible = stringList(*compatible);
	if (const std::string *status = node.property("status")) {
		result.status = firstString(status);
		/* An empty status is no "okay" either: of_fdt_device_is_available(). */
		if (result.status.empty())
			result.status = "empty";
	}
	result.reusable = node.property("reusable");
	result.noMap = node.property("no-map");
	result.cmaDefault = node.property("linux,cma-default");
	result.hasReg = node.property("reg");

	NumberReader reader(node, parent, result);
	result.reg = reader.ranges("reg");
	result.size = reader.size("size");
	result.alignment = reader.alignment("alignment");
	result.allocRanges = reader.ranges("alloc-ranges");
	return result;
}

} /* namespace */

const std::string *DeviceTreeNode::property(std::string_view key) const
{
	const auto found = properties.find(key);
	return found == properties.end() ? nullptr : &found->second;
}

const DeviceTreeNode *DeviceTreeNode::child(std::string_view childName) const
{
	const auto found = std::ranges::find(children, childName, &DeviceTreeNode::name);
	return found == children.end() ? nullptr : &*found;
}

std::optional<uint64_t> MemoryRange::end() const
{
	uint64_t result = 0;
	if (__builtin_add_overflow(base, size, &result))
		return std::nullopt;
	return result;
}

bool MemoryRange::overlaps(const MemoryRange &other) const
{
	if (size == 0 || other.size == 0)
		return false;
	/* By differences: an end can be beyond 64 bits. */
	return base < other.base ? other.base - base < size : base - other.base < other.size;
}

bool ReservedNode::isSharedPool() const
{
	return std::ranges::find(compatible, "shared-dma-pool") != compatible.end();
}

bool ReservedNode::isEnabled() const
{
	return status.empty() || status == "okay" || status == "ok";
}

bool ReservedNode::becomesHeap() const
{
	return isSharedPool() && reusable && !noMap && isEnabled();
}

std::optional<uint64_t> ReservedNode::bytes() const
{
	if (!reg.empty())
		return reg.front().size;
	return hasReg ? std::nullopt : size;
}

std::optional<uint64_t> ReservedNode::base() const
{
	return reg.empty() ? std::nullopt : std::optional(reg.front().base);
}

ReservedMemory readReservedMemory(const DeviceTreeNode &root)
{
	ReservedMemory memory;
	memory.rootAddressCells = cellCount(root, "#address-cells");
	memory.rootSizeCells = cellCount(root, "#size-cells");
	if (const DeviceTreeNode *chosen = root.child("chosen"))
		memory.bootArguments = firstString(chosen->property("bootargs"));

	const DeviceTreeNode *parent = root.child("reserved-memory");
	if (!parent)
		return memory;
	memory.present = true;
	memory.addressCells = cellCount(*parent, "#address-cells");
	memory.sizeCells = cellCount(*parent, "#size-cells");
	memory.hasRanges = parent->property("ranges");
	for (const DeviceTreeNode &child : parent->children)
		memory.nodes.push_back(readNode(child, memory));
	std::ranges::stable_sort(memory.nodes, {}, &ReservedNode::name);
	return memory;
}

bool hasCmaArgument(std::string_view commandLine)
{
	while (!commandLine.empty()) {
		const size_t end = std::min(commandLine.find_first_of(" \t\n"), commandLine.size());
		const std::string_view word = commandLine.substr(0, end);
		/* What follows is for init, not for the kernel. */
		if (word == "--")
			return false;
		if (word.starts_with("cma="))
			return true;
		commandLine.remove_prefix(std::min(end + 1, commandLine.size()));
	}
	return false;
}

} /* namespace heapflow */
