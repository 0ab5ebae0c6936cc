/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a device demands of the memory of a buffer. */
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace heapflow
{

/** \brief True, false, or nobody can say before a buffer was tried */
enum class Demand { No, Yes, Unknown };

/**
 * \brief What one device (camera or display) needs of a buffer
 *
 * Neither V4L2 nor libcamera has a call to ask for this, so `contiguous` is Unknown until the
 * device has accepted or refused a buffer: "proof beats names".
 */
struct MemoryNeeds {
	Demand contiguous = Demand::Unknown;
	bool cpuMappable = false; /**< the device writes by CPU, as libcamera's virtual camera */
	/** Bytes: the whole buffer lies below this physical address; 1 << 32 for a 32-bit DMA mask
	 */
	std::optional<uint64_t> addressLimit;
	uint32_t strideAlignment = 1; /**< bytes */
	uint32_t offsetAlignment = 1; /**< bytes, of the start of each plane in its buffer */
	uint64_t sizeAlignment = 1;   /**< bytes, of a buffer's size */
	std::string who; /**< the device, for messages: "vivid"; MemoryProbe::device() if there is
			    one */
};

} /* namespace heapflow */
