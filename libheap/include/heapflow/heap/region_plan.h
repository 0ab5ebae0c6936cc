/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How large a reserved region must be for some frames, and the device-tree node that makes it. */
#pragma once

#include "heapflow/heap/cma.h"
#include "heapflow/heap/frame_layout.h"
#include "heapflow/heap/reserved_memory.h"

#include <cstdint>
#include <optional>
#include <string>

namespace heapflow
{

struct RegionRequest {
	FrameLayout frame;
	uint64_t frames = 0;
	std::string usage = "video";       /**< what the name says first */
	std::optional<uint64_t> base;      /**< bytes; none: the kernel chooses the place */
	std::optional<MemoryRange> within; /**< where the kernel may choose */
	std::optional<uint64_t> below;     /**< bytes; the region ends there at the latest */
	CmaRules rules;
	/** CMA_MIN_ALIGNMENT_BYTES; none: the largest of this page size, largestPageblock() */
	std::optional<uint64_t> minimumAlignment;
	std::string label;  /**< of the node, for `memory-region = <&label>`; empty for none */
	unsigned cells = 2; /**< #address-cells and #size-cells of the root: 1 or 2 */
};

/** \brief A region that holds the frames, with each step of the calculation */
struct RegionPlan {
	RegionRequest request;
	uint64_t frameBytes = 0;       /**< one frame, exact */
	uint64_t bufferAlignment = 0;  /**< where CMA lets a buffer begin */
	uint64_t space = 0;            /**< cmaSpace() of all frames */
	uint64_t minimumAlignment = 0; /**< CMA_MIN_ALIGNMENT_BYTES */
	uint64_t size = 0;             /**< of the region: `space` in whole pageblocks */
	uint64_t regionAlignment = 0;  /**< where the region begins */
	std::string name;              /**< of the node, and so of the heap */

	/** \brief How the size came about, one step a line */
	std::string explanation() const;

	/**
	 * \brief Device-tree source: the node in /reserved-memory in a root node
	 *
	 * To be appended to a board's source: dtc merges nodes of one path.
	 */
	std::string source() const;
};

/**
 * \brief A pageblock of a kernel of this page size at its largest default, bytes
 *
 * 4 MiB with 4 KiB pages (MAX_PAGE_ORDER 10; 2 MiB is enough for a kernel with huge pages), 32 MiB
 * with 16 KiB, 512 MiB with 64 KiB (include/linux/pageblock-flags.h, arch/arm64/Kconfig).
 */
uint64_t largestPageblock(uint64_t pageSize);

/**
 * \brief Plan the region
 *
 * Errors: EINVAL no frame, a page size that is none of 4, 16 and 64 KiB, an alignment that is no
 * power of two, a base that is not aligned (with the next one that is), a usage or label that lint
 * or dtc would refuse; ERANGE a region that does not fit below `below`, into `within` or into the
 * cells; EOVERFLOW beyond 64 bits.
 */
Result<RegionPlan> planRegion(const RegionRequest &request);

} /* namespace heapflow */
