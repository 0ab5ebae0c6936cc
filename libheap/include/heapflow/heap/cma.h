/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the kernel's contiguous memory allocator places buffers in a region. */
#pragma once

#include <cstdint>

namespace heapflow
{

/** \brief What decides where a buffer can begin */
struct CmaRules {
	uint64_t pageSize = 4096;    /**< bytes */
	unsigned alignmentOrder = 8; /**< CONFIG_CMA_ALIGNMENT; 8 is the kernel's default */
};

/**
 * \brief The physical address of a buffer is a multiple of this, in bytes
 *
 * The power of two that holds the buffer, but no more than 2^alignmentOrder pages (1 MiB with the
 * defaults): cma_heap_allocate() in drivers/dma-buf/heaps/cma_heap.c.
 */
uint64_t cmaAlignment(uint64_t bytes, const CmaRules &rules = {});

/**
 * \brief Bytes that `count` buffers take in a region that is empty and begins aligned
 *
 * Each but the last takes its size rounded up to its alignment. UINT64_MAX when that is beyond
 * 64 bits, 0 for no buffer.
 */
uint64_t cmaSpace(uint64_t bytes, uint64_t count, const CmaRules &rules = {});

} /* namespace heapflow */
