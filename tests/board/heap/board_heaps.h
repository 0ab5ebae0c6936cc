/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The heaps that board/board.dts and the board's kernel promise. */
#pragma once

#include "heapflow/heap/heap.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <unistd.h>

namespace heapflow::test
{

constexpr uint64_t kMiB = uint64_t{1} << 20;

constexpr std::array kBoardHeaps{"default_cma_region", "linux,cma", "memory@48000000-contiguous",
				 "system", "video@42000000"};
constexpr std::array kRegionHeaps{"default_cma_region", "linux,cma", "memory@48000000-contiguous",
				  "video@42000000"};

inline std::optional<Heap> findHeap(std::string_view name)
{
	const auto heaps = listHeaps();
	if (!heaps)
		return std::nullopt;
	for (const Heap &heap : *heaps) {
		if (heap.name.text == name)
			return heap;
	}
	return std::nullopt;
}

/** \brief An open heap that must be there */
inline HeapDevice openHeap(std::string_view name)
{
	const auto heap = findHeap(name);
	if (!heap) {
		ADD_FAILURE() << "the board has no heap " << name;
		std::exit(1);
	}
	auto device = HeapDevice::open(*heap);
	if (!device) {
		ADD_FAILURE() << device.error().text();
		std::exit(1);
	}
	return std::move(*device);
}

inline uint64_t inPages(uint64_t size)
{
	const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
	return (size + page - 1) / page * page;
}

/** \brief Bytes free in the region behind a heap; 0 with a failure when unknown */
inline uint64_t freeBytes(std::string_view name)
{
	const auto heap = findHeap(name);
	if (heap && heap->region.free)
		return *heap->region.free;
	ADD_FAILURE() << "free bytes of " << name << " are unknown";
	return 0;
}

/** \brief Name of a parameter in a test's name, which may hold only letters, digits and '_' */
inline std::string parameterName(const testing::TestParamInfo<const char *> &info)
{
	std::string name = info.param;
	for (char &character : name) {
		if (!isalnum(static_cast<unsigned char>(character)))
			character = '_';
	}
	return name;
}

} /* namespace heapflow::test */
