/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the virtual board has, and what a test must give back to it. */
#pragma once

#include "heapflow/camera/camera.h"
#include "heapflow/heap/heap.h"

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace heapflow::test
{

/** \brief Every heap of the board */
inline const std::vector<std::string> allHeaps = {
	"system", "default_cma_region", "linux,cma", "video@42000000", "memory@48000000-contiguous",
};
inline const std::vector<std::string> contiguousHeaps = {allHeaps.begin() + 1, allHeaps.end()};

/** \brief A parameter of a driver, as /sys/module shows it; empty when there is none */
std::string moduleParameter(const std::string &module, const std::string &parameter);

/** \brief `count` buffers of the heap with exactly this name; empty and a test failure otherwise */
std::vector<Buffer> allocate(const std::string &heap, unsigned count, uint64_t size);

/** \brief What a finished test may not have kept */
struct Resources {
	std::map<std::string, size_t>
		descriptors; /**< open ones by kind, as /proc/self/fd says it without numbers */
	std::map<std::string, uint64_t> freePages; /**< of each CMA area */

	static Resources now();
	size_t allDescriptors() const;
	/** \brief Leaves the sync files out of the account and says how many they were: a frame
	 *  under way may have one, and is none the less under way in steady state */
	size_t takeSyncFiles();
	bool operator==(const Resources &) const = default;
};
std::ostream &operator<<(std::ostream &out, const Resources &resources);

/** \brief `before`, or what is there after a second: the kernel frees some things a moment later */
Resources settled(const Resources &before);

/** \brief A heap name as a part of a test name */
std::string nameForTest(std::string text);

} /* namespace heapflow::test */
