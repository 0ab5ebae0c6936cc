/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "memory_guard.h"

namespace heapflow
{

std::optional<uint64_t> MemoryGuard::refuse(uint64_t bytes)
{
	uint64_t credit = credit_.load(std::memory_order_relaxed);
	while (bytes <= credit) {
		if (credit_.compare_exchange_weak(credit, credit - bytes,
						  std::memory_order_relaxed))
			return std::nullopt;
	}

	const auto available = look_();
	if (!available)
		return std::nullopt;
	if (bytes > *available) {
		credit_.store(0, std::memory_order_relaxed);
		return available;
	}
	credit_.store((*available - bytes) / kShare, std::memory_order_relaxed);
	return std::nullopt;
}

} /* namespace heapflow */
