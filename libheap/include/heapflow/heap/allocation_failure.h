/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why a heap could not give a buffer, with all the numbers. */
#pragma once

#include "heapflow/heap/buffer_holders.h"
#include "heapflow/heap/error.h"
#include "heapflow/heap/fit.h"
#include "heapflow/heap/heap.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace heapflow
{

/** \brief The kernel says ENOMEM for nearly all of these; the numbers tell them apart */
enum class AllocationCause {
	RegionTooSmall, /**< not even the empty region holds the buffer */
	Exhausted,      /**< less is free than the buffer takes */
	Fragmented,     /**< enough is free, but in no run that holds it at its alignment */
	Busy,           /**< a run holds it, yet the kernel could not empty it: pinned pages */
	FreeButUnknown, /**< enough is free; where it lies cannot be read: fragmented or busy */
	NothingKnown,   /**< the region has no numbers */
	MachineShort,   /**< a heap of no region: the machine has not that much left */
	NoDescriptor,   /**< EMFILE, ENFILE */
	Refused,        /**< EINVAL: the driver is gone, or takes no such request */
	NotAHeap,       /**< ENOTTY */
	Interrupted,    /**< EINTR: a signal is about to end this process */
	Other,
};

/** \brief "exhausted", "fragmented", ...: a stable word for programs */
const char *causeName(AllocationCause cause);

/** \brief One allocation that failed, and how the heap stood right after it */
struct AllocationFailure {
	int code = 0;         /**< errno as the kernel gave it */
	std::string heap;     /**< its name */
	uint64_t wanted = 0;  /**< bytes */
	uint64_t rounded = 0; /**< bytes, in whole pages */
	AllocationCause cause = AllocationCause::Other;

	Region region;                       /**< with the numbers after the failure */
	std::optional<uint64_t> alignment;   /**< bytes, that CMA imposes; none outside a region */
	std::optional<uint64_t> available;   /**< bytes of the machine, for a heap of no region */
	Fit fit;                             /**< of buffers of this size */
	RegionHolders holders;               /**< who has the region's memory */
	std::vector<ProcessName> unread;     /**< whose buffers this user may not see */
	std::string largerRegion;            /**< the property to write, or empty */
	std::vector<std::string> otherHeaps; /**< those in which it would fit now */

	/** \brief All of it in a sentence, and the next step */
	Error error() const;
};

/**
 * \brief Reads what is needed to tell why; costs milliseconds, so only after a failure
 *
 * Others allocate and free meanwhile: the numbers are those right after the failure, and a buffer
 * that fits by now has the cause Busy.
 */
AllocationFailure diagnoseAllocation(const Heap &heap, int code, uint64_t size,
				     const SystemPaths &paths = {});

/**
 * \brief ENOENT for a heap that is not there, with what this system knows of that name
 *
 * Looked at: the device tree (a node of that name that is disabled, no-map or not reusable), the
 * CMA areas, the kernel's configuration and modules, the names of the heaps that exist.
 */
Error missingHeapError(std::string_view name, const SystemPaths &paths = {});

} /* namespace heapflow */
