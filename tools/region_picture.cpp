/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region_picture.h"

#include "table.h"

#include "heapflow/heap/size_text.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include <langinfo.h>
#include <locale.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace heapflow::tool
{

namespace
{

struct Signs {
	const char *free;
	const char *part;
	const char *used;
};

Signs signsOf(bool unicode)
{
	return unicode ? Signs{"·", "▒", "█"} : Signs{".", "+", "#"};
}

bool showsUtf8()
{
	const locale_t locale = newlocale(LC_CTYPE_MASK, "", nullptr);
	if (!locale)
		return false;
	const bool utf8 = std::string_view(nl_langinfo_l(CODESET, locale)) == "UTF-8";
	freelocale(locale);
	return utf8;
}

/* Bytes of [begin, end) that are used. */
uint64_t usedWithin(const std::vector<MemoryRun> &runs, uint64_t begin, uint64_t end)
{
	uint64_t used = 0;
	for (const MemoryRun &run : runs) {
		const uint64_t from = std::max(begin, run.begin);
		const uint64_t to = std::min(end, run.end());
		if (run.used && from < to)
			used += to - from;
	}
	return used;
}

/* Where the part `index` of `count` begins, without overflow for any size below 2^53. */
uint64_t partBegin(uint64_t size, size_t index, size_t count)
{
	return size / count * index + size % count * index / count;
}

std::string rangeBar(const std::vector<MemoryRun> &runs, size_t width, const Signs &signs)
{
	const uint64_t begin = runs.front().begin;
	const uint64_t size = runs.back().end() - begin;
	std::string bar;
	for (size_t i = 0; i < width; i++) {
		const uint64_t from = begin + partBegin(size, i, width);
		const uint64_t to = begin + partBegin(size, i + 1, width);
		const uint64_t used = usedWithin(runs, from, to);
		bar += used == 0 ? signs.free : used == to - from ? signs.used : signs.part;
	}
	return bar;
}

/* The first address to the left, the last to the right. */
std::string axis(uint64_t begin, uint64_t end, size_t width)
{
	const std::string left = addressText(begin);
	const std::string right = addressText(end);
	const size_t gap =
		left.size() + right.size() + 1 < width ? width - left.size() - right.size() : 1;
	return left + std::string(gap, ' ') + right;
}

std::string titleOf(const RegionView &view)
{
	std::string text = safeText(view.region.id);
	if (view.region.total)
		text += ": " + sizeText(view.region.total) + ", " + sizeText(view.region.free) +
			" free";
	if (view.map) {
		size_t runs = 0;
		for (const auto &range : view.map->ranges)
			runs += static_cast<size_t>(
				std::ranges::count(range, false, &MemoryRun::used));
		text += " in " + std::to_string(runs) + (runs == 1 ? " run" : " runs") +
			", the largest " + sizeText(view.region.largest);
	}
	return text;
}

/* How much each has; the letters are explained below it. */
std::string holderBar(const RegionView &view, size_t width, const Signs &signs)
{
	const uint64_t total = *view.region.total;
	std::string bar;
	uint64_t place = 0;
	size_t drawn = 0;
	auto draw = [&](const std::string &sign, uint64_t bytes) {
		place += bytes;
		/* At least one sign for whoever holds anything. */
		size_t end = static_cast<size_t>(static_cast<double>(place) /
						 static_cast<double>(total) *
						 static_cast<double>(width));
		end = std::min(width, bytes ? std::max(end, drawn + 1) : end);
		for (; drawn < end; drawn++)
			bar += sign;
	};
	for (size_t i = 0; i < view.holders.holders.size(); i++)
		draw(std::string(1, holderLetter(i)), view.holders.holders[i].bytes);
	draw("?", view.holders.unseen(view.region));
	while (drawn < width) {
		bar += signs.free;
		drawn++;
	}
	return bar;
}

std::string legendOf(const RegionView &view, const std::string &indent)
{
	std::string text;
	for (size_t i = 0; i < view.holders.holders.size(); i++) {
		const RegionHolder &holder = view.holders.holders[i];
		text += indent + holderLetter(i) + " = " + safeText(holder.process.text()) + "  " +
			sizeText(holder.bytes) + " in " + std::to_string(holder.inodes.size()) +
			(holder.inodes.size() == 1 ? " buffer  " : " buffers  ") +
			safeText(bufferNames(holder)) + "\n";
	}
	if (const uint64_t unseen = view.holders.unseen(view.region))
		text += indent + "? = held by no process that can be seen  " + sizeText(unseen) +
			"\n";
	return text;
}

std::string drawRegion(const RegionView &view, const PictureStyle &style)
{
	const Signs signs = signsOf(style.unicode);
	const size_t width = std::clamp<size_t>(style.width, 20, 400) - 2;
	const std::string indent = "  ";
	std::string text = titleOf(view) + "\n";
	if (view.map) {
		for (const auto &range : view.map->ranges) {
			if (range.empty())
				continue;
			text += indent + rangeBar(range, width, signs) + "\n" + indent +
				axis(range.front().begin, range.back().end(), width) + "\n";
		}
	} else if (view.used()) {
		text += indent + shareBar(*view.used(), *view.region.total, width, style.unicode) +
			"\n" + indent + "how much, not where: " + safeText(view.mapError) + "\n";
	} else {
		text += indent + "nobody says how it is occupied: " + safeText(view.mapError) +
			"\n";
	}
	/* Shared buffers are in several holders: then the bar would say more than there is. */
	if (view.region.total.value_or(0) && view.used().value_or(0) && view.holders.bytes)
		text += indent + holderBar(view, width, signs) + "\n";
	return text + legendOf(view, indent);
}

} /* namespace */

std::optional<size_t> outputWidth()
{
	winsize size{};
	if (const char *columns = std::getenv("COLUMNS")) {
		size_t width = 0;
		const std::string_view text(columns);
		const auto read = std::from_chars(text.data(), text.data() + text.size(), width);
		if (read.ec == std::errc() && width > 0)
			return width;
	}
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return std::nullopt;
}

PictureStyle styleOfOutput()
{
	const char *noColor = std::getenv("NO_COLOR");
	return {.width = outputWidth().value_or(80),
		.unicode = isatty(STDOUT_FILENO) && !(noColor && *noColor) && showsUtf8()};
}

char holderLetter(size_t index)
{
	return index < 26 ? static_cast<char>('A' + index) : '+';
}

std::string shareBar(uint64_t part, uint64_t whole, size_t width, bool unicode)
{
	const Signs signs = signsOf(unicode);
	const double share =
		whole ? static_cast<double>(std::min(part, whole)) / static_cast<double>(whole) : 0;
	const double exact = share * static_cast<double>(width);
	const auto full = static_cast<size_t>(exact);
	std::string bar;
	for (size_t i = 0; i < width; i++) {
		const bool partly = i == full && exact > static_cast<double>(full);
		bar += i < full ? signs.used : partly ? signs.part : signs.free;
	}
	return bar;
}

std::string drawRegions(const SystemView &view, const PictureStyle &style)
{
	const Signs signs = signsOf(style.unicode);
	std::string text;
	for (const RegionView &one : view.regions) {
		if (one.isRegion)
			text += (text.empty() ? "" : "\n") + drawRegion(one, style);
	}
	if (text.empty())
		return "there is no region\n";
	text += "\n" + std::string(signs.free) + " free   " + signs.part + " partly used   " +
		signs.used + " used   letters: how much each process holds, not where\n";
	if (const std::string unread = describeUnread(view.holders); !unread.empty())
		text += safeText(unread) + "\n";
	return text;
}

} /* namespace heapflow::tool */
