/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/size_text.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <limits>

namespace heapflow
{

namespace
{

constexpr std::string_view kLetters = "KMGT";

/* The power of two of a unit, or nothing: "" is 0, "M" and "MiB" are 20. */
std::optional<unsigned> unitShift(std::string_view unit)
{
	if (unit.empty())
		return 0;
	const char letter = unit[0] == 'k' ? 'K' : unit[0];
	const size_t index = kLetters.find(letter);
	if (index == std::string_view::npos || (unit.size() > 1 && unit.substr(1) != "iB"))
		return std::nullopt;
	return 10 * static_cast<unsigned>(index + 1);
}

} /* namespace */

Result<uint64_t> parseSize(std::string_view text)
{
	uint64_t number = 0;
	const char *const end = text.data() + text.size();
	const auto [stop, error] = std::from_chars(text.data(), end, number);
	const auto shift = unitShift({stop, static_cast<size_t>(end - stop)});

	if (error == std::errc::invalid_argument || !shift)
		return fail(EINVAL, "'" + std::string(text) + "' is no size",
			    "Write bytes, or K, M, G, T for powers of 1024: 4096, 8M, 8MiB");
	if (error == std::errc::result_out_of_range ||
	    number > std::numeric_limits<uint64_t>::max() >> *shift)
		return fail(EINVAL, "the size '" + std::string(text) + "' is beyond 64 bits");
	if (number == 0)
		return fail(EINVAL, "a size of 0 bytes is no buffer", "Ask for 1 byte at least");
	return number << *shift;
}

std::string sizeText(std::optional<uint64_t> bytes)
{
	static constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	if (!bytes)
		return "-";
	if (*bytes == 0)
		return "0";

	size_t unit = 0;
	while (unit + 1 < units.size() && *bytes >> (10 * (unit + 1)))
		unit++;
	const uint64_t one = uint64_t{1} << (10 * unit);
	std::string text = std::to_string(*bytes / one);
	const uint64_t tenth = *bytes % one / (unit ? one / 1024 : 1) * 10 / 1024;
	if (tenth)
		text += "." + std::to_string(tenth);
	return text + " " + units[unit];
}

} /* namespace heapflow */
