/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The report for a terminal. */
#include "flow_report.h"

#include <algorithm>
#include <format>

namespace heapflow::gst
{

namespace
{

using Row = std::vector<std::string>;

/* The width of what a terminal shows, not of its bytes: names may be in any language. */
size_t widthOf(const std::string &text)
{
	return size_t(std::ranges::count_if(text, [](char byte) { return (byte & 0xc0) != 0x80; }));
}

/* The first column to the left, numbers to the right. */
std::string alignedRows(const std::vector<Row> &rows, size_t leftColumns)
{
	std::vector<size_t> widths;
	for (const Row &row : rows) {
		widths.resize(std::max(widths.size(), row.size()));
		for (size_t i = 0; i < row.size(); i++)
			widths[i] = std::max(widths[i], widthOf(row[i]));
	}
	std::string text;
	for (const Row &row : rows) {
		std::string line = " ";
		for (size_t i = 0; i < row.size(); i++) {
			const std::string gap(widths[i] - widthOf(row[i]), ' ');
			line += ' ' + (i < leftColumns ? row[i] + gap : gap + row[i]) + ' ';
		}
		line.erase(line.find_last_not_of(' ') + 1);
		text += line + '\n';
	}
	return text;
}

std::string perFrame(const ByteCount &count)
{
	if (!count.count)
		return "-";
	return std::format("{} x {}", count.count,
			   byteText(double(count.bytes) / double(count.count)));
}

std::string touched(const ByteCount &count)
{
	return count.count ? std::format("{} / {}", count.count, byteText(double(count.bytes)))
			   : "-";
}

Row elementRow(const ElementReport &element)
{
	const auto mean = [](const Duration &time) {
		return time.count ? timeText(time.mean()) : std::string("-");
	};
	return {element.name,
		std::to_string(std::max(element.framesIn, element.framesOut)),
		touched(element.reads),
		touched(element.writes),
		perFrame(element.copies),
		perFrame(element.drawn),
		element.memories ? std::to_string(element.memories) : "-",
		mean(element.busy),
		mean(element.residence),
		std::format("{} ({})", element.heldNow, element.heldMost)};
}

std::string endName(const FlowReport &report, uint32_t id, const std::string &pad)
{
	const ElementReport *element = report.element(id);
	return element ? element->name + "." + pad : "(no element)";
}

std::string memoryText(const LinkReport &link)
{
	std::string text;
	for (const std::string &kind : link.memory)
		text += (text.empty() ? "" : ", ") + kind;
	return text;
}

} /* namespace */

std::string flowTable(const FlowReport &report)
{
	std::vector<Row> rows = {{"element", "frames", "maps to read", "to write", "copies",
				  "drawn", "memories", "work", "time in", "held (most)"}};
	for (const ElementReport &element : report.elements)
		rows.push_back(elementRow(element));
	std::string text = std::format("heapflow: {}, {} from the first frame to the last\n",
				       report.pipeline.empty() ? "no pipeline" : report.pipeline,
				       timeText(report.duration));
	text += alignedRows(rows, 1);

	rows = {{"link", "", "", "memory", "caps", "frames", "bytes copied"}};
	for (const LinkReport &link : report.links)
		rows.push_back({endName(report, link.from, link.fromPad), "->",
				endName(report, link.to, link.toPad), memoryText(link), link.caps,
				std::to_string(link.frames.count),
				link.copies.count ? byteText(double(link.copies.bytes)) : "0"});
	text += alignedRows(rows, 5);

	for (const ElementReport &element : report.elements) {
		for (const std::string &reason : element.reasons)
			text += std::format("  {} {}\n", element.name, reason);
		if (element.age.count)
			text += std::format(
				"  {}: a frame is {} old when it is through, at most {}\n",
				element.name, timeText(element.age.mean()),
				timeText(element.age.most));
		for (const std::string &note : element.notes)
			text += std::format("  {}: {}\n", element.name, note);
	}
	if (report.copies())
		text += std::format("  {} copies by the CPU, {}\n", report.copies(),
				    byteText(double(report.copiedBytes())));
	else
		text += "  no copy by the CPU was seen\n";
	return text;
}

} /* namespace heapflow::gst */
