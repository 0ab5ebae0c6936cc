/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which parts of a region are used, told by the kernel's bitmap of it. */
#pragma once

#include "heapflow/heap/heap.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heapflow
{

/** \brief Neighbouring memory that is all used or all free */
struct MemoryRun {
	uint64_t begin = 0; /**< physical address, bytes */
	uint64_t size = 0;  /**< bytes */
	bool used = false;

	uint64_t end() const { return begin + size; }
	bool operator==(const MemoryRun &) const = default;
};

/**
 * \brief Reads the `bitmap` of a range in debugfs: 32-bit words in decimal, lowest pages first
 *
 * \param[in] base Physical address of the range, bytes.
 * \param[in] granule Bytes that one bit stands for: the page size << order_per_bit.
 * \param[in] size Bytes of the range; 0 takes all words. The last word may be longer than it.
 * \return Runs in the order of addresses, used and free in turn, without a gap.
 *
 * Pure. Errors: EINVAL something else than numbers of 32 bits, too few words for `size`, a granule
 * of 0; EOVERFLOW addresses beyond 64 bits.
 *
 * The kernel casts its array of long to words (cma_debugfs_add_one(), mm/cma_debug.c): on a 64-bit
 * big-endian machine each pair of words is swapped; say so with `swappedPairs`.
 */
Result<std::vector<MemoryRun>> parseCmaBitmap(std::string_view text, uint64_t base,
					      uint64_t granule, uint64_t size = 0,
					      bool swappedPairs = false);

/** \brief How all of a region is occupied, at one moment */
struct RegionMap {
	uint64_t granule = 4096; /**< bytes of the smallest part that is used or free */
	/** Sorted within a range; the ranges of the region in the kernel's order, which is that in
	 * which it fills them. Runs of two ranges are never joined. */
	std::vector<std::vector<MemoryRun>> ranges;
	std::vector<std::string> sources; /**< files it was read from */

	uint64_t used() const;
	uint64_t free() const;
	uint64_t largestFree() const;
};

/**
 * \brief Reads debugfs cma/NAME for a region
 *
 * Areas of several ranges (ranges/N, since Linux 6.15) and of one (before). Errors: those of
 * reading: ENOENT no debugfs (CONFIG_CMA_DEBUGFS, or not mounted), EACCES not root; EINVAL text
 * that is no bitmap. Without the map, Region has the totals of sysfs; where the free memory lies,
 * and so what fits, is then unknown.
 */
Result<RegionMap> readRegionMap(std::string_view region, const SystemPaths &paths = {});

} /* namespace heapflow */
