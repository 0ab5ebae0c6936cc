/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which processes hold dma-bufs of which heap, told by /proc. */
#pragma once

#include "heapflow/heap/heap.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace heapflow
{

/** \brief What /proc/PID/fdinfo/N says of a dma-buf (dma_buf_show_fdinfo(), dma-buf.c) */
struct BufferInfo {
	std::optional<uint64_t> inode;      /**< `ino:`, since Linux 5.14 */
	uint64_t size = 0;                  /**< bytes */
	std::optional<uint64_t> references; /**< `count:` of the open file: descriptors, mappings
					     and importers in the kernel */
	std::string exporter;               /**< `exp_name:`, the heap for system and CMA heaps */
	std::string name;                   /**< as DMA_BUF_SET_NAME left it: any bytes */
};

/** \brief Reads one fdinfo; nothing when it is not that of a dma-buf. Pure. */
std::optional<BufferInfo> parseBufferInfo(std::string_view fdinfo);

/** \brief One line of /proc/PID/maps that maps a dma-buf */
struct BufferMapping {
	uint64_t begin = 0; /**< address in the process */
	uint64_t end = 0;
	uint64_t inode = 0;
	std::string name;
};

/** \brief The lines of a maps file that are dma-bufs; damaged lines are passed over. Pure. */
std::vector<BufferMapping> parseBufferMappings(std::string_view maps);

/** \brief How one process holds one buffer */
struct BufferUse {
	pid_t process = 0;
	size_t descriptors = 0;
	size_t mappings = 0;
};

/** \brief One dma-buf, however many processes share it */
struct HeldBuffer {
	uint64_t inode = 0; /**< its identity */
	/** Bytes; of a buffer that is only mapped it is the true size when map_files may be read,
	 * else what is mapped at least */
	uint64_t size = 0;
	std::optional<uint64_t> references;
	std::string exporter; /**< the heap; empty for a buffer that is only mapped: no file says */
	std::string name;
	std::vector<BufferUse> uses; /**< sorted by process */
};

/** \brief A process, by its number and the name in /proc/PID/comm */
struct ProcessName {
	pid_t id = 0;
	std::string name;

	/** \brief "heapctl[123]"; unprintable bytes become '?' */
	std::string text() const;
};

/** \brief All dma-bufs that processes hold by a descriptor or a mapping */
struct BufferHolders {
	std::vector<HeldBuffer> buffers;    /**< sorted by inode */
	std::vector<ProcessName> processes; /**< those that hold one, sorted by number */
	std::vector<ProcessName> unread;    /**< those whose descriptors this user may not see */
	bool complete = true;               /**< false: something of /proc could not be read */

	/** \brief Of a process that holds a buffer */
	const ProcessName *process(pid_t id) const;
};

/**
 * \brief Reads /proc; only dma-bufs cost more than one readlink
 *
 * Processes that end meanwhile are left out. Not visible at all: buffers that only the kernel
 * holds (imported by a device, in flight in a socket), descriptors of a thread that has a table
 * of its own (CLONE_FILES unset), processes of other PID namespaces. They show as the part of a
 * region that is used and held by nobody.
 */
BufferHolders readBufferHolders(const SystemPaths &paths = {});

/** \brief What one process holds of a region */
struct RegionHolder {
	ProcessName process;
	uint64_t bytes = 0;             /**< each buffer once */
	std::vector<uint64_t> inodes;   /**< its buffers, sorted */
	std::vector<std::string> names; /**< of its buffers, each once, sorted; without "" */
};

/** \brief What processes hold of a region; a shared buffer is in several holders, once in `bytes`
 */
struct RegionHolders {
	uint64_t bytes = 0;
	size_t buffers = 0;
	std::vector<RegionHolder> holders; /**< the largest first */

	/** \brief Bytes of a region that no visible process holds; 0 when numbers do not agree */
	uint64_t unseen(const Region &region) const;
};

/** \brief Those of the buffers that came from one of the heaps called `names` */
RegionHolders holdersOf(const BufferHolders &holders, const std::vector<std::string> &names);

/** \brief The names of all of `heaps` whose region is that of `region`: twins share it */
std::vector<std::string> heapsOfRegion(const std::vector<Heap> &heaps, std::string_view region);

/** \brief "cam[77] 8388608 bytes in 1 buffer (frame), 2 more"; empty when nobody holds any */
std::string describeHolders(const RegionHolders &holders, size_t most = 3);

/** \brief "2 processes could not be read for lack of permission (init[1], udevd[80])"; or empty */
std::string describeUnread(const BufferHolders &holders, size_t most = 3);

} /* namespace heapflow */
