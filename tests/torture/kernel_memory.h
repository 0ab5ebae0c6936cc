/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers and memory of heaps that exist on the whole system. */
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace heapflow::torture
{

struct KernelMemory {
	uint64_t dmabufs = 0;
	uint64_t freeCmaPages = 0;

	bool operator==(const KernelMemory &) const = default;

	static KernelMemory now()
	{
		KernelMemory memory;
		for (const auto &area : std::filesystem::directory_iterator("/sys/kernel/mm/cma")) {
			uint64_t pages = 0;
			std::ifstream(area.path() / "available_pages") >> pages;
			memory.freeCmaPages += pages;
		}
		/* The last line: "Total 4 objects, 3686400 bytes" */
		std::ifstream list("/sys/kernel/debug/dma_buf/bufinfo");
		for (std::string line; std::getline(list, line);) {
			if (line.starts_with("Total ") && line.contains(" objects"))
				memory.dmabufs = std::stoull(line.substr(6));
		}
		return memory;
	}

	std::string text() const
	{
		return std::to_string(dmabufs) + " dma-bufs, " + std::to_string(freeCmaPages) +
		       " free CMA pages";
	}
};

} /* namespace heapflow::torture */
