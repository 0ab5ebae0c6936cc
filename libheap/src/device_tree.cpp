/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device_tree.h"

#include "small_file.h"

#include <algorithm>
#include <span>

namespace heapflow
{

namespace
{

namespace fs = std::filesystem;

/* Cells are 32-bit and big-endian (Devicetree Specification, 2.2.4). */
constexpr size_t kCell = 4;

/* How many cells an address or a size takes here; absent ones have the defaults 2 and 1 (2.3.5). */
size_t readCellCount(const fs::path &file, size_t absent)
{
	const auto content = readSmallFile(file);
	if (!content)
		return absent;
	/* A damaged count makes every `reg` unreadable, which is what 0 leads to below. */
	if (content->size() != kCell)
		return 0;
	size_t count = 0;
	for (const char byte : *content)
		count = count << 8 | static_cast<unsigned char>(byte);
	return count;
}

/* Takes one number off the front; nothing when it is short, or wider than 64 bits. */
std::optional<uint64_t> takeNumber(std::string_view &property, size_t cells)
{
	if (cells < 1 || cells > 2 || property.size() < cells * kCell)
		return std::nullopt;
	uint64_t number = 0;
	for (const char byte : property.substr(0, cells * kCell))
		number = number << 8 | static_cast<unsigned char>(byte);
	property.remove_prefix(cells * kCell);
	return number;
}

bool fileExists(const fs::path &file)
{
	std::error_code ignored;
	return fs::exists(file, ignored);
}

/* A stringlist: strings one after the other, each with its NUL. */
bool listHas(std::string_view list, std::string_view word)
{
	while (!list.empty()) {
		const size_t end = std::min(list.find('\0'), list.size());
		if (list.substr(0, end) == word)
			return true;
		list.remove_prefix(std::min(end + 1, list.size()));
	}
	return false;
}

/* What the kernel asks before it makes a CMA area: __rmem_cma_verify_node(),
 * kernel/dma/contiguous.c. */
bool becomesCmaArea(const fs::path &node)
{
	const auto compatible = readSmallFile(node / "compatible");
	if (!compatible || !listHas(*compatible, "shared-dma-pool"))
		return false;
	if (!fileExists(node / "reusable") || fileExists(node / "no-map"))
		return false;
	const auto status = readSmallFile(node / "status");
	return !status || listHas(*status, "okay") || listHas(*status, "ok");
}

} /* namespace */

std::vector<ReservedRegion> readReservedRegions(const fs::path &deviceTree)
{
	const fs::path parent = deviceTree / "reserved-memory";
	const size_t addressCells = readCellCount(parent / "#address-cells", 2);
	const size_t sizeCells = readCellCount(parent / "#size-cells", 1);

	std::vector<ReservedRegion> regions;
	std::error_code error;
	for (fs::directory_iterator entry(parent, error), end; !error && entry != end;
	     entry.increment(error)) {
		std::error_code ignored;
		const fs::path node = entry->path();
		if (!fs::is_directory(node, ignored) || !becomesCmaArea(node))
			continue;

		ReservedRegion region{.name = node.filename().string(), .node = node};
		region.isDefault = fileExists(node / "linux,cma-default");
		if (const auto reg = readSmallFile(node / "reg")) {
			std::string_view rest = *reg;
			const auto base = takeNumber(rest, addressCells);
			const auto size = takeNumber(rest, sizeCells);
			/* Half a `reg` is a damaged one: believe neither number. */
			if (base && size) {
				region.base = base;
				region.size = size;
			}
		} else if (const auto size = readSmallFile(node / "size")) {
			std::string_view rest = *size;
			region.size = takeNumber(rest, sizeCells);
		}
		regions.push_back(std::move(region));
	}
	std::ranges::sort(regions, {}, &ReservedRegion::name);
	return regions;
}

} /* namespace heapflow */
