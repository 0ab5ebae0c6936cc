/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the CPU reaches dma-bufs in a command, counted by the kernel's eyes, from outside of it. */
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace heapflow::test
{

/**
 * \brief What a command and all that it started did with dma-bufs
 *
 * A dma-buf has no read() and no write(). User space reaches its bytes through mmap() only, and
 * brackets each access with DMA_BUF_IOCTL_SYNC. Both are system calls, so both are seen without a
 * line of code in the process. Bytes are those of whole dma-bufs, which are whole pages.
 *
 * What cannot be seen: copies within ordinary memory, and accesses through a mapping without a
 * bracket; `maps` tells whether there is any mapping to do that through.
 */
struct OutsideCount {
	uint64_t maps = 0; /**< mmap() of a dma-buf of a heap */
	uint64_t mappedBytes = 0;
	uint64_t otherMaps = 0; /**< of a dma-buf of another exporter */
	uint64_t reads = 0;     /**< brackets begun to read, in dma-bufs of whatever exporter */
	uint64_t readBytes = 0;
	uint64_t writes = 0; /**< to write; one to read and write counts in both */
	uint64_t writtenBytes = 0;
	uint64_t allocations = 0;  /**< DMA_HEAP_IOCTL_ALLOC */
	uint64_t imports = 0;      /**< DRM_IOCTL_PRIME_FD_TO_HANDLE */
	uint64_t framebuffers = 0; /**< DRM_IOCTL_MODE_ADDFB2 */
	int status = -1;           /**< the command's exit status, 128+N for a signal */
	std::string error;         /**< why nothing was counted, or empty */
};

/**
 * \brief Run a command and count
 *
 * The command inherits stdin, stdout, stderr and the environment. The counter stops it, by a
 * seccomp filter, at the system calls above and at no other, so timing is hardly disturbed.
 */
OutsideCount countOutside(const std::vector<std::string> &command);

/** \brief The same for a line of /bin/sh */
OutsideCount countOutside(const std::string &line);

/** \brief One line for each count: "reads 10\n" */
std::string describe(const OutsideCount &count);

} /* namespace heapflow::test */
