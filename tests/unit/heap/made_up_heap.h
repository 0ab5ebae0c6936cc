/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Heaps that exist only as facts, for decisions that need no system. */
#pragma once

#include "heapflow/heap/heap_choice.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace heapflow::test
{

/** \brief A heap of whose region nothing is known but its name */
inline Heap vendorHeap(const std::string &name)
{
	Heap heap;
	heap.name = parseHeapName(name);
	heap.node = "/dev/dma_heap/" + name;
	heap.mode = 020600;
	heap.accessible = true;
	heap.region.id = name;
	return heap;
}

inline Heap systemHeap(uint64_t available)
{
	Heap heap = vendorHeap("system");
	heap.available = available;
	return heap;
}

inline Heap cmaHeap(const std::string &name, uint64_t base, uint64_t total, uint64_t free,
		    bool isDefault = false)
{
	Heap heap = vendorHeap(name);
	heap.region.base = base;
	heap.region.total = total;
	heap.region.free = free;
	heap.available = free;
	heap.region.contiguous = true;
	heap.region.isDefault = isDefault;
	return heap;
}

inline HeapChoice explainText(std::string_view text, const std::vector<Heap> &heaps,
			      const DeviceDemands &demands = {})
{
	const auto expression = parseHeapExpression(text);
	EXPECT_TRUE(expression) << text;
	return explainChoice(expression.value_or(HeapExpression{}), heaps, demands);
}

/** \brief The names that are tried, in order */
inline std::vector<std::string> namesOf(const HeapChoice &choice)
{
	std::vector<std::string> names;
	for (const HeapCandidate &candidate : choice.candidates) {
		if (candidate.matches)
			names.push_back(candidate.heap.name.text);
	}
	return names;
}

inline std::vector<std::string> tried(std::string_view text, const std::vector<Heap> &heaps,
				      const DeviceDemands &demands = {})
{
	return namesOf(explainText(text, heaps, demands));
}

inline std::string reasonOf(std::string_view text, const std::vector<Heap> &heaps,
			    std::string_view name, const DeviceDemands &demands = {})
{
	for (const HeapCandidate &candidate : explainText(text, heaps, demands).candidates) {
		if (candidate.heap.name.text == name)
			return candidate.reason;
	}
	return "(not a candidate)";
}

} /* namespace heapflow::test */
