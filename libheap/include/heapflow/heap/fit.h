/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many buffers a heap can still give, told before any is allocated. */
#pragma once

#include "heapflow/heap/cma.h"
#include "heapflow/heap/heap.h"
#include "heapflow/heap/region_map.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace heapflow
{

/** \brief Frames that are to be allocated one after the other, each with all its buffers */
struct FitRequest {
	std::vector<uint64_t> buffers; /**< bytes of each buffer of one frame, in their order */
	uint64_t frames = 1;

	/** \brief Bytes of one frame in whole pages; UINT64_MAX when beyond 64 bits */
	uint64_t frameBytes(uint64_t pageSize = 4096) const;
};

/** \brief What is known of the memory of a heap */
struct FreeSpace {
	std::optional<uint64_t> base;    /**< physical address of the region, bytes */
	std::optional<uint64_t> total;   /**< bytes */
	std::optional<uint64_t> free;    /**< bytes */
	std::optional<uint64_t> largest; /**< bytes of the largest free run */
	std::optional<RegionMap> map;    /**< with it the answer is exact */
	bool contiguous = true;          /**< false: any free page will do, as for `system` */
};

/** \brief What a heap can give, at most and for certain, and why */
struct Fit {
	enum class Verdict { Fits, Fails, Unknown };

	Verdict verdict = Verdict::Unknown;
	uint64_t certain = 0;           /**< frames that can be had at least */
	std::optional<uint64_t> atMost; /**< frames that can be had at most; none: unknown */
	bool exact = false;             /**< both are the same, by the map of the region */
	std::optional<uint64_t> empty;  /**< frames that an empty region would hold */
	std::string reason;             /**< one sentence with the numbers */
};

/**
 * \brief Predicts what the kernel will answer; pure
 *
 * With the map the kernel's search is repeated: the lowest free run that holds the buffer at its
 * alignment, which is that of the physical address (cma_range_alloc(), mm/cma.c). Frames are
 * counted only when all their buffers fit. Pages that the kernel cannot move away in time (pinned
 * ones) are not known to anybody beforehand: the kernel may then say no to what fits.
 *
 * Counting stops at `frames` or 65536, whichever is more; a region that holds more says so by
 * `atMost` being that number.
 */
Fit predictFit(const FitRequest &request, const FreeSpace &space, const CmaRules &rules = {});

/** \brief The space of a heap as it is now: totals, and the map when debugfs may be read */
FreeSpace freeSpace(const Heap &heap, const SystemPaths &paths = {});

/** \brief The rules of this kernel: its page size, and CONFIG_CMA_ALIGNMENT where it says so */
CmaRules cmaRules(const SystemPaths &paths = {});

} /* namespace heapflow */
