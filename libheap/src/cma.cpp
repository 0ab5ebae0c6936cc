/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/cma.h"

#include <bit>
#include <limits>

namespace heapflow
{

namespace
{

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

/* kMost when it does not fit; `step` is a power of two. */
uint64_t roundUp(uint64_t value, uint64_t step)
{
	return value > kMost - (step - 1) ? kMost : (value + step - 1) & ~(step - 1);
}

} /* namespace */

uint64_t cmaAlignment(uint64_t bytes, const CmaRules &rules)
{
	const uint64_t largest = rules.pageSize << rules.alignmentOrder;
	if (bytes >= largest)
		return largest;
	return bytes <= rules.pageSize ? rules.pageSize : std::bit_ceil(bytes);
}

uint64_t cmaSpace(uint64_t bytes, uint64_t count, const CmaRules &rules)
{
	if (count == 0 || bytes == 0)
		return 0;
	const uint64_t last = roundUp(bytes, rules.pageSize);
	const uint64_t each = roundUp(bytes, cmaAlignment(bytes, rules));
	if (each == kMost || last == kMost || (count - 1) > (kMost - last) / each)
		return kMost;
	return (count - 1) * each + last;
}

} /* namespace heapflow */
