/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lots that are the same for the same seed, everywhere. */
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace heapflow::torture
{

/** \brief No distribution of std: they differ from library to library */
class RandomDraw
{
public:
	explicit RandomDraw(uint64_t seed) : engine_(seed) {}

	/** \brief From 0 on */
	int64_t below(int64_t limit) { return int64_t(engine_() % uint64_t(limit)); }
	bool oneIn(int64_t chances) { return below(chances) == 0; }

	std::chrono::microseconds within(std::chrono::microseconds span)
	{
		return std::chrono::microseconds(below(span.count()));
	}

	/** \brief One of them; each has a `weight` */
	template<typename Range>
	auto &weighted(Range &range)
	{
		int64_t all = 0;
		for (const auto &item : range)
			all += item.weight;
		int64_t at = below(all);
		auto item = std::begin(range);
		while ((at -= item->weight) >= 0)
			++item;
		return *item;
	}

private:
	std::mt19937_64 engine_;
};

} /* namespace heapflow::torture */
