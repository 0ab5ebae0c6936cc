/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A system of the test's own making: /dev/dma_heap, sysfs, debugfs and the device tree below a
 * directory. */
#pragma once

#include "temporary_directory.h"

#include "heapflow/heap/heap.h"

#include <optional>
#include <string>
#include <string_view>

namespace heapflow::test
{

/** \brief `cells` cells of a device-tree number, most significant byte first */
inline std::string cells(uint64_t number, unsigned cells)
{
	std::string bytes(4 * size_t{cells}, '\0');
	for (size_t i = bytes.size(); i > 0 && number; i--, number >>= 8)
		bytes[i - 1] = static_cast<char>(number & 0xff);
	return bytes;
}

class SystemDirectory
{
public:
	/** \brief Empty, with /dev/dma_heap and with /sys/kernel/mm/cma unless told */
	explicit SystemDirectory(bool withSysfs = true)
	{
		std::filesystem::create_directories(path() / "dev/dma_heap");
		if (withSysfs)
			std::filesystem::create_directories(path() / "sys/kernel/mm/cma");
	}

	const std::filesystem::path &path() const { return directory_.path(); }

	SystemPaths paths() const { return SystemPaths::below(path()); }

	std::filesystem::path write(const std::filesystem::path &name,
				    std::string_view content) const
	{
		return directory_.write(name, content);
	}

	/** \brief A node of /dev/dma_heap, as a plain file */
	void addHeap(const std::string &name) const { write("dev/dma_heap/" + name, ""); }

	/** \brief A CMA area in sysfs, numbers in pages */
	void addArea(const std::string &name, uint64_t total, uint64_t free) const
	{
		const std::string area = "sys/kernel/mm/cma/" + name;
		write(area + "/total_pages", std::to_string(total) + "\n");
		write(area + "/available_pages", std::to_string(free) + "\n");
	}

	/** \brief What debugfs says of an area, in pages */
	void addDebug(const std::string &name, uint64_t largest, uint64_t basePage) const
	{
		const std::string area = "sys/kernel/debug/cma/" + name;
		write(area + "/maxchunk", std::to_string(largest) + "\n");
		write(area + "/base_pfn", std::to_string(basePage) + "\n");
	}

	static std::string reservedNode(const std::string &name)
	{
		return "proc/device-tree/reserved-memory/" + name;
	}

	/** \brief The cell counts of reserved-memory */
	void setCells(unsigned address, unsigned size) const
	{
		write(reservedNode("#address-cells"), cells(address, 1));
		write(reservedNode("#size-cells"), cells(size, 1));
	}

	/** \brief A reusable shared-dma-pool; `reg` as its bytes, empty for none */
	void addReserved(const std::string &name, std::string_view reg,
			 bool isDefault = false) const
	{
		const std::string node = reservedNode(name);
		write(node + "/compatible", std::string_view("shared-dma-pool\0", 16));
		write(node + "/reusable", "");
		if (!reg.empty())
			write(node + "/reg", reg);
		if (isDefault)
			write(node + "/linux,cma-default", "");
	}

	/** \brief The virtual board: twin heaps of the default region, two regions of the device
	 * tree */
	void makeBoard() const
	{
		for (const char *name : {"system", "default_cma_region", "linux,cma",
					 "video@42000000", "memory@48000000-contiguous"})
			addHeap(name);
		addArea("linux,cma", 16384, 16384);
		addArea("video@42000000", 16384, 12288);
		addArea("memory@48000000-contiguous", 8192, 8192);
		setCells(2, 2);
		addReserved("linux,cma", "", true);
		write(reservedNode("linux,cma") + "/size", cells(0x4000000, 2));
		addReserved("video@42000000", cells(0x42000000, 2) + cells(0x4000000, 2));
		addReserved("memory@48000000-contiguous",
			    cells(0x48000000, 2) + cells(0x2000000, 2));
	}

	/** \brief The heap of that name; nothing when it is not listed */
	std::optional<Heap> find(std::string_view name) const
	{
		const auto heaps = listHeaps(paths());
		if (!heaps)
			return std::nullopt;
		for (const Heap &heap : *heaps) {
			if (heap.name.text == name)
				return heap;
		}
		return std::nullopt;
	}

private:
	TemporaryDirectory directory_;
};

} /* namespace heapflow::test */
