/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of a CMA bitmap in debugfs, made into runs. */
#include "heapflow/heap/region_map.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <limits>

namespace heapflow
{

namespace
{

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
constexpr unsigned kWordBits = 32;

/* "%u" with blanks between and a line end after the last: u32_array_open(), fs/debugfs/file.c. */
Result<std::vector<uint32_t>> parseWords(std::string_view text)
{
	std::vector<uint32_t> words;
	if (text.ends_with('\n'))
		text.remove_suffix(1);
	const char *place = text.data();
	const char *const end = place + text.size();
	while (place != end) {
		uint32_t word = 0;
		const auto [stop, error] = std::from_chars(place, end, word);
		if (error != std::errc() || (stop != end && *stop != ' '))
			return fail(EINVAL, "the bitmap is damaged at word " +
						    std::to_string(words.size()));
		words.push_back(word);
		place = stop == end ? end : stop + 1;
	}
	return words;
}

void append(std::vector<MemoryRun> &runs, uint64_t size, bool used)
{
	if (!runs.empty() && runs.back().used == used)
		runs.back().size += size;
	else
		runs.push_back({runs.empty() ? 0 : runs.back().end(), size, used});
}

/* Bits of one word from the lowest on, as many as there are. */
void appendWord(std::vector<MemoryRun> &runs, uint32_t word, unsigned bits, uint64_t granule)
{
	unsigned place = 0;
	while (place < bits) {
		const bool used = word >> place & 1;
		const auto rest = word >> place;
		const auto same = static_cast<unsigned>(used ? std::countr_one(rest)
							     : std::countr_zero(rest));
		const unsigned count = std::min(same, bits - place);
		append(runs, count * granule, used);
		place += count;
	}
}

} /* namespace */

Result<std::vector<MemoryRun>> parseCmaBitmap(std::string_view text, uint64_t base,
					      uint64_t granule, uint64_t size, bool swappedPairs)
{
	auto words = parseWords(text);
	if (!words)
		return std::unexpected(words.error());
	if (granule == 0)
		return fail(EINVAL, "a bit of the bitmap stands for 0 bytes");
	if (swappedPairs && words->size() % 2)
		words->push_back(0);
	const uint64_t most = uint64_t{words->size()} * kWordBits;
	if (most > (kMost - base) / granule)
		return fail(EOVERFLOW, "the bitmap has " + std::to_string(words->size()) +
					       " words, which end beyond 64 bits");
	const uint64_t bits = size == 0 ? most : size / granule + (size % granule ? 1 : 0);
	if (bits > most)
		return fail(EINVAL, "the bitmap has " + std::to_string(most) + " bits for " +
					    std::to_string(bits) + " pages");

	std::vector<MemoryRun> runs;
	for (uint64_t done = 0; done < bits; done += kWordBits) {
		const size_t index = done / kWordBits;
		appendWord(runs, (*words)[swappedPairs ? index ^ 1 : index],
			   static_cast<unsigned>(std::min<uint64_t>(kWordBits, bits - done)),
			   granule);
	}
	for (MemoryRun &run : runs)
		run.begin += base;
	return runs;
}

} /* namespace heapflow */
