/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Heap names, read by the kernel's convention (Documentation/userspace-api/dma-buf-heaps.rst). */
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heapflow
{

/**
 * \brief A heap name taken apart: `video@42000000-contiguous`
 *
 * Everything here is a hint. Evidence is in Region.
 */
struct HeapName {
	std::string text;                     /**< as found */
	std::string usage;                    /**< "video"; empty when the name says none */
	std::optional<uint64_t> unitAddress;  /**< 0x42000000 */
	bool contiguous = false;              /**< said by the name */
	bool isProtected = false;             /**< said by the name */
	bool ccShared = false;                /**< said by the name */
	std::optional<bool> cached;           /**< said by the name: vendors' "uncached" */
	std::optional<uint64_t> addressLimit; /**< bytes, said by the name: vendors' "dma32" */
};

HeapName parseHeapName(std::string_view text);

/** \brief `system` or a variant of it: memory of no region */
bool isSystemHeapName(std::string_view text);

/** \brief Every name the default CMA region has had, the present one first */
const std::vector<std::string> &defaultRegionNames();

/** \brief A name that can be a node: no '/', no control character, 1 to 63 bytes (CMA_MAX_NAME) */
bool isPlausibleHeapName(std::string_view text);

} /* namespace heapflow */
