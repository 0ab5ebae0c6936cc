/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The heaps of this system, and the regions behind them. */
#pragma once

#include "heapflow/heap/buffer.h"
#include "heapflow/heap/error.h"
#include "heapflow/heap/heap_name.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace heapflow
{

/** \brief Where the kernel shows its heaps; tests point these at directories of their own */
struct SystemPaths {
	std::filesystem::path heapDirectory = "/dev/dma_heap";
	std::filesystem::path cmaDirectory = "/sys/kernel/mm/cma";
	std::filesystem::path cmaDebugDirectory = "/sys/kernel/debug/cma";
	std::filesystem::path deviceTree = "/proc/device-tree";
	std::filesystem::path memoryInfo = "/proc/meminfo"; /**< what is left for the system heap */
	std::filesystem::path processes = "/proc";          /**< who holds buffers: PID/fdinfo */
	std::filesystem::path modules = "/proc/modules";    /**< which heap drivers are loaded */
	std::filesystem::path kernelConfig = "/proc/config.gz"; /**< how the kernel was built */
	std::filesystem::path bootDirectory = "/boot"; /**< config-RELEASE, where that is missing */

	/** \brief The same paths in a copy of a system, as `heapctl --sysroot` reads them */
	static SystemPaths below(const std::filesystem::path &root);
};

/** \brief The memory behind a heap, and where each fact was read */
struct Region {
	std::string id;                   /**< CMA area name, or the heap's for `system` */
	std::optional<uint64_t> base;     /**< physical address, bytes (device tree or debugfs) */
	std::optional<uint64_t> total;    /**< bytes; none for `system`, which is no region */
	std::optional<uint64_t> free;     /**< bytes, at the time of the call */
	std::optional<uint64_t> largest;  /**< bytes of the largest free run (debugfs) */
	bool contiguous = false;          /**< evidence: the region is a CMA area */
	bool isDefault = false;           /**< the default CMA region */
	std::vector<std::string> sources; /**< files the facts came from */
};

/** \brief One node under /dev/dma_heap */
struct Heap {
	HeapName name;
	std::filesystem::path node;
	std::string linkTarget; /**< not empty: a symbolic link to another heap */
	dev_t device = 0;
	mode_t mode = 0;
	uid_t owner = 0;
	gid_t group = 0;
	bool accessible = false; /**< this process may open it */
	/** Bytes that can be had now: what is free of the region, or availableMemory() of `system`
	 */
	std::optional<uint64_t> available;
	Region region;
};

/**
 * \brief All heaps, sorted by name
 *
 * Errors: ENOENT when there is no heap directory, EACCES when it cannot be read. Nodes that cannot
 * be examined are listed without facts. Entries that are not character devices are skipped, unless
 * `SystemPaths::heapDirectory` is not /dev/dma_heap: a directory made by a test has plain files.
 */
Result<std::vector<Heap>> listHeaps(const SystemPaths &paths = {});

/**
 * \brief Bytes of all regions of `heaps`, each region counted once (invariant 15)
 *
 * The system heap is no region and is not counted: its memory is the rest of the machine's, and
 * the kernel lends CMA regions to it as well.
 */
struct RegionTotals {
	size_t regions = 0;
	uint64_t total = 0;
	uint64_t free = 0;
};
RegionTotals sumRegions(const std::vector<Heap> &heaps);

/** \brief Who may open the node: "root:video 0660" */
std::string describeAccess(const Heap &heap);

/**
 * \brief Bytes that `system` can give before the OOM killer acts, from /proc/meminfo
 *
 * MemAvailable without CmaFree, which the system heap cannot use, and without 1/64 of MemTotal,
 * which stays for everybody else. Nothing when the file does not say.
 */
std::optional<uint64_t> availableMemory(const SystemPaths &paths = {});

class MemoryGuard;

/** \brief An open heap. Movable; allocate() may be called from any thread. */
class HeapDevice
{
public:
	/**
	 * \brief Opens read-only: the ALLOC ioctl does not look at the mode (dma-heap.c)
	 *
	 * \param[in] paths Where the numbers of an error are read.
	 *
	 * Errors: ENOENT no such node, EACCES with owner, group and mode and the udev rule to add,
	 * ENODEV the heap behind the node is gone.
	 */
	static Result<HeapDevice> open(const Heap &heap, const SystemPaths &paths = {});

	const Heap &heap() const { return heap_; }
	/** \brief Its own name or that of the heap it is a link to says so: buffers are never
	 * mapped
	 */
	bool isProtected() const { return isProtected_; }

	/**
	 * \brief One zeroed dma-buf of at least `size` bytes, readable and writable
	 *
	 * \param[in] name What the buffer is called in /proc/PID/fdinfo; empty for none. A name
	 * that the kernel refuses never fails the allocation. A name costs one more ioctl.
	 *
	 * The size of the buffer is that in whole pages, as all heaps of the kernel give it; one
	 * that rounds further gives more, see bufferSize().
	 *
	 * Errors: EINVAL size 0, ENOMEM with the wanted, free and largest sizes of the region,
	 * and ENOMEM without asking the kernel when `system` is asked for more than the machine
	 * has left (availableMemory()): the system heap has no limit and the OOM killer would
	 * answer.
	 */
	Result<Buffer> allocate(uint64_t size, std::string_view name = {}) const;

private:
	HeapDevice(Heap heap, UniqueFd fd, SystemPaths paths);

	Heap heap_;
	UniqueFd fd_;
	SystemPaths paths_;
	bool isProtected_;
	std::shared_ptr<MemoryGuard> guard_; /**< null for a heap with a region */
};

} /* namespace heapflow */
