/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region_drawing.h"

#include "table.h"

#include "heapflow/heap/size_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace heapflow::tool
{

namespace
{

/* In units of the drawing, which a viewer shows as pixels. */
constexpr double kMargin = 24;
constexpr double kBarWidth = 912;
constexpr double kBarHeight = 36;
constexpr double kHolderHeight = 18;
constexpr double kLine = 20;
constexpr double kWidth = kBarWidth + 2 * kMargin;
constexpr size_t kLineLetters = 118; /* of 12 units in a monospaced face */

/* Told apart also by those who do not see red and green as two (Okabe and Ito). */
constexpr std::array kColours = {"#0072b2", "#e69f00", "#009e73", "#cc79a7",
				 "#56b4e9", "#d55e00", "#f0e442", "#6a51a3"};
constexpr const char *kUsed = "#44546a";
constexpr const char *kFree = "#e8edf3";
constexpr const char *kUnseen = "#9aa3ad";

std::string number(double value)
{
	char text[32];
	std::snprintf(text, sizeof(text), "%.2f", value);
	return text;
}

std::string escaped(std::string_view raw)
{
	std::string text = safeText(raw);
	if (text.size() > kLineLetters)
		text = text.substr(0, kLineLetters - 3) + "...";
	std::string safe;
	for (const char character : text) {
		switch (character) {
		case '&':
			safe += "&amp;";
			break;
		case '<':
			safe += "&lt;";
			break;
		case '>':
			safe += "&gt;";
			break;
		case '"':
			safe += "&quot;";
			break;
		default:
			safe += character;
		}
	}
	return safe;
}

class Drawing
{
public:
	double y = kMargin;

	void rectangle(double x, double top, double width, double height, const char *colour,
		       std::string_view tip = {})
	{
		body_ += "<rect x=\"" + number(x) + "\" y=\"" + number(top) + "\" width=\"" +
			 number(width) + "\" height=\"" + number(height) + "\" fill=\"" + colour +
			 "\"";
		body_ += tip.empty() ? "/>\n" : "><title>" + escaped(tip) + "</title></rect>\n";
	}

	void text(double x, double base, std::string_view content, const char *attributes = "")
	{
		body_ += "<text x=\"" + number(x) + "\" y=\"" + number(base) + "\" " + attributes +
			 ">" + escaped(content) + "</text>\n";
	}

	void tick(double x, double top)
	{
		body_ += "<path d=\"M" + number(x) + " " + number(top) +
			 "v5\" stroke=\"#666\" stroke-width=\"1\"/>\n";
	}

	std::string document() const
	{
		return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		       "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" +
		       number(kWidth) + "\" height=\"" + number(y + kMargin) + "\" viewBox=\"0 0 " +
		       number(kWidth) + " " + number(y + kMargin) +
		       "\" font-family=\"DejaVu Sans Mono, monospace\" font-size=\"12\">\n"
		       "<title>Regions of dma-buf heaps</title>\n"
		       "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n" +
		       body_ + "</svg>\n";
	}

private:
	std::string body_;
};

/* Used runs, joined where less than half a unit would lie between them. */
void drawRuns(Drawing &drawing, const std::vector<MemoryRun> &runs)
{
	const uint64_t base = runs.front().begin;
	const auto size = static_cast<double>(runs.back().end() - base);
	auto place = [&](uint64_t address) {
		return kMargin + static_cast<double>(address - base) / size * kBarWidth;
	};
	drawing.rectangle(kMargin, drawing.y, kBarWidth, kBarHeight, kFree);
	constexpr double least = 0.5;
	for (size_t i = 0; i < runs.size(); i++) {
		if (!runs[i].used)
			continue;
		const uint64_t begin = runs[i].begin;
		uint64_t end = runs[i].end();
		uint64_t used = runs[i].size;
		while (i + 2 < runs.size() && place(runs[i + 2].begin) - place(end) < least) {
			i += 2;
			end = runs[i].end();
			used += runs[i].size;
		}
		drawing.rectangle(place(begin), drawing.y,
				  std::max(place(end) - place(begin), least), kBarHeight, kUsed,
				  addressText(begin) + " to " + addressText(end) + ", " +
					  sizeText(used) + " used");
	}
	drawing.y += kBarHeight;
}

void drawAxis(Drawing &drawing, uint64_t begin, uint64_t end)
{
	constexpr unsigned parts = 4;
	for (unsigned i = 0; i <= parts; i++) {
		const double x = kMargin + kBarWidth * i / parts;
		drawing.tick(x, drawing.y);
		drawing.text(x, drawing.y + 17, addressText(begin + (end - begin) / parts * i),
			     i == 0 ? "font-size=\"11\" fill=\"#444\""
			     : i == parts
				     ? "font-size=\"11\" fill=\"#444\" text-anchor=\"end\""
				     : "font-size=\"11\" fill=\"#444\" text-anchor=\"middle\"");
	}
	drawing.y += 28;
}

void drawOccupancy(Drawing &drawing, const RegionView &view)
{
	if (view.map) {
		for (const auto &range : view.map->ranges) {
			if (range.empty())
				continue;
			drawRuns(drawing, range);
			drawAxis(drawing, range.front().begin, range.back().end());
		}
		return;
	}
	if (view.used() && *view.region.total) {
		drawing.rectangle(kMargin, drawing.y, kBarWidth, kBarHeight, kFree);
		drawing.rectangle(kMargin, drawing.y,
				  kBarWidth * static_cast<double>(*view.used()) /
					  static_cast<double>(*view.region.total),
				  kBarHeight, kUsed);
		drawing.y += kBarHeight;
	}
	drawing.text(kMargin, drawing.y + 15, "how much, not where: " + view.mapError,
		     "fill=\"#a04000\"");
	drawing.y += 28;
}

/* One line of the legend: a box of the colour, and what it stands for. */
void drawLegendLine(Drawing &drawing, const char *colour, std::string_view text)
{
	drawing.rectangle(kMargin, drawing.y, 12, 12, colour);
	drawing.text(kMargin + 20, drawing.y + 10.5, text);
	drawing.y += kLine;
}

void drawHolders(Drawing &drawing, const RegionView &view)
{
	const uint64_t unseen = view.holders.unseen(view.region);
	if (view.holders.holders.empty() && unseen == 0)
		return;
	const auto total = static_cast<double>(view.region.total.value_or(0));
	double x = kMargin;
	auto part = [&](uint64_t bytes, const char *colour, std::string_view tip) {
		if (total == 0)
			return;
		/* A buffer that several share counts for each of them: end with the bar. */
		const double width = std::min(kBarWidth * static_cast<double>(bytes) / total,
					      kMargin + kBarWidth - x);
		drawing.rectangle(x, drawing.y, width, kHolderHeight, colour, tip);
		x += width;
	};
	if (total > 0)
		drawing.rectangle(kMargin, drawing.y, kBarWidth, kHolderHeight, kFree);
	const auto &holders = view.holders.holders;
	for (size_t i = 0; i < holders.size(); i++)
		part(holders[i].bytes, kColours[i % kColours.size()], holders[i].process.text());
	part(unseen, kUnseen, "held by no process that can be seen");
	drawing.y += kHolderHeight + 10;

	for (size_t i = 0; i < holders.size(); i++)
		drawLegendLine(
			drawing, kColours[i % kColours.size()],
			holders[i].process.text() + "  " + sizeText(holders[i].bytes) + " in " +
				std::to_string(holders[i].inodes.size()) +
				(holders[i].inodes.size() == 1 ? " buffer  " : " buffers  ") +
				bufferNames(holders[i]));
	if (unseen)
		drawLegendLine(drawing, kUnseen,
			       "held by no process that can be seen  " + sizeText(unseen));
}

void drawRegion(Drawing &drawing, const RegionView &view)
{
	std::string title = view.region.id;
	if (view.region.total)
		title += "   " + sizeText(view.region.total) + ", " + sizeText(view.region.free) +
			 " free";
	if (view.region.largest)
		title += ", the largest run " + sizeText(view.region.largest);
	drawing.text(kMargin, drawing.y + 12, title, "font-size=\"14\" font-weight=\"bold\"");
	drawing.y += 22;
	drawOccupancy(drawing, view);
	drawHolders(drawing, view);
	drawing.y += kMargin;
}

} /* namespace */

std::string drawRegionsSvg(const SystemView &view)
{
	Drawing drawing;
	for (const RegionView &one : view.regions) {
		if (one.isRegion)
			drawRegion(drawing, one);
	}
	drawLegendLine(drawing, kUsed, "used, by its address");
	drawLegendLine(drawing, kFree,
		       "free. The lower bar shows how much each process holds, not where: the "
		       "kernel tells nobody");
	if (const std::string unread = describeUnread(view.holders); !unread.empty()) {
		drawing.text(kMargin, drawing.y + 12, unread, "fill=\"#a04000\"");
		drawing.y += kLine;
	}
	return drawing.document();
}

} /* namespace heapflow::tool */
