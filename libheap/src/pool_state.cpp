/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a starving pool says. */
#include "heapflow/heap/buffer_pool.h"

#include "heap_access.h"

#include <format>

namespace heapflow
{

namespace
{

/* "850 us", "20 ms", "2.1 s": two figures are enough to see who is slow. */
std::string ageText(std::chrono::nanoseconds age)
{
	const auto microseconds = age.count() / 1000;
	if (microseconds < 1000)
		return std::format("{} us", microseconds);
	if (microseconds < 1'000'000)
		return std::format("{} ms", microseconds / 1000);
	return std::format("{}.{} s", microseconds / 1'000'000, microseconds / 100'000 % 10);
}

std::string holderText(const HeldBuffers &held)
{
	std::string text = std::to_string(held.count) + " by " +
			   (held.holder.empty() ? "somebody without a name"
						: "'" + printable(held.holder) + "'");
	text += " for " + ageText(held.shortest);
	if (const std::string longest = ageText(held.longest); longest != ageText(held.shortest))
		text += " to " + longest;
	return text;
}

} /* namespace */

std::string describe(const PoolState &state)
{
	size_t count = 0;
	std::string holders;
	for (const HeldBuffers &held : state.holders) {
		holders += (count == 0 ? ": " : ", ") + holderText(held);
		count += held.count;
	}
	std::string text = std::to_string(count) + " of " + std::to_string(state.total) +
			   (state.total == 1 ? " buffer is held" : " buffers are held") + holders;
	if (state.total < state.limit)
		text += ", the limit is " + std::to_string(state.limit);
	if (state.waiting > 0)
		text += ", " + std::to_string(state.waiting) + " waiting";
	return text;
}

} /* namespace heapflow */
