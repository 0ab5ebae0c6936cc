/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow_report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <format>

namespace heapflow::gst
{

namespace
{

std::string threeDigits(double number, const char *unit)
{
	const int digits = number < 10 ? 2 : number < 100 ? 1 : 0;
	return std::format("{:.{}f} {}", number, digits, unit);
}

} /* namespace */

void Duration::add(int64_t time)
{
	count++;
	sum += time;
	most = std::max(most, time);
}

uint64_t FlowReport::copies() const
{
	uint64_t count = 0;
	for (const ElementReport &one : elements)
		count += one.copies.count;
	return count;
}

uint64_t FlowReport::copiedBytes() const
{
	uint64_t bytes = 0;
	for (const ElementReport &one : elements)
		bytes += one.copies.bytes;
	return bytes;
}

const ElementReport *FlowReport::element(uint32_t id) const
{
	const auto found = std::ranges::find(elements, id, &ElementReport::id);
	return found == elements.end() ? nullptr : &*found;
}

std::string byteText(double bytes)
{
	static constexpr std::array<const char *, 4> units = {"kB", "MB", "GB", "TB"};
	if (bytes < 1000)
		return std::format("{:.0f} B", bytes);
	size_t unit = 0;
	/* 999.5 would round to 1000. */
	for (bytes /= 1000; bytes >= 999.5 && unit + 1 < units.size(); unit++)
		bytes /= 1000;
	return threeDigits(bytes, units[unit]);
}

std::string timeText(int64_t nanoseconds)
{
	const double time = double(nanoseconds);
	if (time < 999.5e3)
		return threeDigits(time / 1e3, "us");
	if (time < 999.5e6)
		return threeDigits(time / 1e6, "ms");
	return threeDigits(time / 1e9, "s");
}

} /* namespace heapflow::gst */
