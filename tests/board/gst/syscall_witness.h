/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a process asks of the kernel concerning dma-bufs, seen from outside of it. */
#pragma once

#include <cstdint>
#include <string>

namespace heapflow::test
{

/** \brief System calls of a process and its threads */
struct SystemCalls {
	unsigned mappings = 0; /**< mmap() of a dma-buf: the only way for a CPU to its bytes */
	uint64_t mappedBytes = 0;
	unsigned brackets = 0;     /**< DMA_BUF_IOCTL_SYNC; two for each access of a CPU */
	unsigned allocations = 0;  /**< DMA_HEAP_IOCTL_ALLOC */
	unsigned imports = 0;      /**< DRM_IOCTL_PRIME_FD_TO_HANDLE */
	unsigned framebuffers = 0; /**< DRM_IOCTL_MODE_ADDFB2 */
	unsigned dumbBuffers = 0;  /**< DRM_IOCTL_MODE_CREATE_DUMB */
	unsigned all = 0;          /**< of those that were looked at: mmap and ioctl */
};

struct Witnessed {
	int status = -1;
	std::string output; /**< of the command */
	std::string errors; /**< of the command */
	SystemCalls whole;  /**< of the whole run */
	SystemCalls marked; /**< since the command called prctl(PR_SET_NAME, witnessMark) */
	bool sawMark = false;
};

/** \brief The name that a thread gives itself to tell the witness: from here on */
inline constexpr const char *witnessMark = "heapflow-mark";

/**
 * \brief Run `command` with /bin/sh under strace, and count
 *
 * \param[in] environment "NAME=VALUE NAME=VALUE", for the command
 */
Witnessed witness(const std::string &command, const std::string &environment = {});

} /* namespace heapflow::test */
