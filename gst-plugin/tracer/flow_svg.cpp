/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report as a picture. Elements stand in rows, a row below those that feed it, so that lines
 * go down and text has room beside them. The colours mean the same to those who cannot tell red
 * from green: a copy is also thick and says its bytes.
 */
#include "flow_report.h"

#include <algorithm>
#include <format>
#include <map>

namespace heapflow::gst
{

namespace
{

constexpr int boxWidth = 320;
constexpr int lineHeight = 17;
constexpr int linkHeight = 92;
constexpr int columnWidth = 620;
constexpr int margin = 24;
constexpr int titleHeight = 56;
constexpr int stubHeight = 64;

constexpr const char *style = R"(
text { font: 13px sans-serif; fill: #1c2330; }
.title { font-size: 18px; font-weight: bold; }
.name { font-size: 15px; font-weight: bold; }
.dim { fill: #5b6575; }
.copy { fill: #b3001b; font-weight: bold; }
.free { fill: #157347; }
.box { fill: #f4f6f9; stroke: #5b6575; stroke-width: 1.5; }
.box.copies { fill: #fff0f0; stroke: #b3001b; stroke-width: 2.5; }
.link { fill: none; stroke: #157347; stroke-width: 2; stroke-linejoin: round; marker-end: url(#free); }
.link.copies { stroke: #b3001b; stroke-width: 7; marker-end: url(#copy); }
)";

std::string escaped(const std::string &text)
{
	std::string result;
	for (const char byte : text) {
		switch (byte) {
		case '&':
			result += "&amp;";
			break;
		case '<':
			result += "&lt;";
			break;
		case '>':
			result += "&gt;";
			break;
		case '"':
			result += "&quot;";
			break;
		default:
			/* No other control character may stand in XML. */
			result += static_cast<unsigned char>(byte) < 0x20 ? ' ' : byte;
		}
	}
	return result;
}

std::string textAt(int x, int y, const char *kind, const std::string &text)
{
	return std::format("<text x=\"{}\" y=\"{}\" class=\"{}\">{}</text>\n", x, y, kind,
			   escaped(text));
}

/* Names and caps may be of any length. */
std::string shortened(const std::string &text, size_t most)
{
	return text.size() <= most ? text : text.substr(0, most - 3) + "...";
}

struct Line {
	const char *kind;
	std::string text;
};

std::string copyText(const ByteCount &copies, int64_t duration)
{
	std::string text = std::format("copied: {} a frame",
				       byteText(double(copies.bytes) / double(copies.count)));
	if (duration > 0)
		text += std::format(", {} a second",
				    byteText(double(copies.bytes) * 1e9 / double(duration)));
	return text;
}

std::string mapText(const char *what, const ByteCount &count)
{
	return std::format("{} {} times, {}", what, count.count, byteText(double(count.bytes)));
}

std::vector<Line> linesOf(const ElementReport &element)
{
	std::vector<Line> lines = {{"name", shortened(element.name, 36)}};
	lines.push_back({"dim", std::format("{}, {} frames", element.factory,
					    std::max(element.framesIn, element.framesOut))});
	if (element.reads.count)
		lines.push_back({"", mapText("mapped to read", element.reads)});
	if (element.writes.count)
		lines.push_back({"", mapText("mapped to write", element.writes)});
	if (element.drawn.count)
		lines.push_back({"", std::format("drew {} frames by CPU", element.drawn.count)});
	if (element.inside.count)
		lines.push_back({"copy", std::format("copies inside: {}, {}", element.inside.count,
						     byteText(double(element.inside.bytes)))});
	std::string times;
	if (element.busy.count)
		times = std::format("work {} a frame", timeText(element.busy.mean()));
	if (element.residence.count)
		times += std::format("{}in it for {}", times.empty() ? "" : ", ",
				     timeText(element.residence.mean()));
	if (!times.empty())
		lines.push_back({"dim", times});
	if (element.heldMost)
		lines.push_back({"dim", std::format("held {} frames at most, of {} memories",
						    element.heldMost, element.memories)});
	return lines;
}

struct Box {
	const ElementReport *element;
	std::vector<Line> lines;
	int row = 0;
	int x = 0;
	int y = 0;

	int height() const { return int(lines.size()) * lineHeight + 14; }
	int middle() const { return x + boxWidth / 2; }
};

class Drawing
{
public:
	explicit Drawing(const FlowReport &report) : report_(report)
	{
		/* Elements come in the order of the flow. */
		for (const ElementReport &element : report.elements) {
			Box box = {&element, linesOf(element)};
			for (const LinkReport &link : report.links)
				if (link.to == element.id && boxes_.contains(link.from))
					box.row = std::max(box.row, boxes_.at(link.from).row + 1);
			boxes_[element.id] = box;
			rows_.resize(std::max(rows_.size(), size_t(box.row) + 1));
			rows_[size_t(box.row)].push_back(element.id);
		}
		place();
	}

	std::string draw() const
	{
		std::string body;
		for (const LinkReport &link : report_.links)
			body += drawLink(link);
		for (const auto &[id, box] : boxes_)
			body += drawBox(box);
		const std::string name = report_.pipeline.empty() ? "frames" : report_.pipeline;
		const bool copies = report_.copies() > 0;
		const std::string sum =
			copies ? std::format("{} copies by the CPU, {}", report_.copies(),
					     byteText(double(report_.copiedBytes())))
			       : "no copy by the CPU was seen";
		return std::format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" "
				   "height=\"{1}\" viewBox=\"0 0 {0} {1}\">\n<style>{2}</style>\n"
				   "<defs>{3}{4}</defs>\n"
				   "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n",
				   width_, height_, style, marker("free", "#157347", 9),
				   marker("copy", "#b3001b", 3)) +
		       textAt(margin, margin + 12, "title", name) +
		       textAt(margin, margin + 34, copies ? "copy" : "free",
			      sum + ", " + timeText(report_.duration)) +
		       body + "</svg>\n";
	}

private:
	void place()
	{
		int y = margin + titleHeight;
		size_t columns = 1;
		for (const std::vector<uint32_t> &row : rows_) {
			int tallest = 0;
			columns = std::max(columns, row.size());
			for (size_t i = 0; i < row.size(); i++) {
				Box &box = boxes_.at(row[i]);
				box.x = margin + int(i) * columnWidth;
				box.y = y;
				tallest = std::max(tallest, box.height());
			}
			y += tallest + linkHeight;
		}
		width_ = margin + int(columns) * columnWidth;
		height_ = y - linkHeight + stubHeight + margin;
	}

	static std::string marker(const char *id, const char *colour, int size)
	{
		return std::format("<marker id=\"{}\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" "
				   "markerWidth=\"{}\" markerHeight=\"{}\" orient=\"auto\">"
				   "<path d=\"M0 0L10 5L0 10z\" fill=\"{}\"/></marker>",
				   id, size, size, colour);
	}

	std::string drawBox(const Box &box) const
	{
		const bool copies = box.element->copies.count > 0;
		std::string text =
			std::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"8\" "
				    "class=\"box{}\"/>\n",
				    box.x, box.y, boxWidth, box.height(), copies ? " copies" : "");
		int y = box.y + lineHeight + 2;
		for (const Line &line : box.lines) {
			text += textAt(box.x + 12, y, line.kind, line.text);
			y += lineHeight;
		}
		/* What a sink copies goes to no link, and yet somewhere. */
		if (box.element->kind == ElementKind::Sink && box.element->inside.count) {
			const int from = box.y + box.height();
			text += std::format("<path d=\"M{0} {1}V{2}\" class=\"link copies\"/>\n",
					    box.middle(), from, from + stubHeight - 14);
			text += textAt(box.middle() + 18, from + stubHeight / 2, "copy",
				       copyText(box.element->inside, report_.duration));
		}
		return text;
	}

	std::string drawLink(const LinkReport &link) const
	{
		const auto from = boxes_.find(link.from);
		const auto to = boxes_.find(link.to);
		if (from == boxes_.end() || to == boxes_.end())
			return "";
		const Box &a = from->second;
		const Box &b = to->second;
		const bool copies = link.copies.count > 0;
		/* Beside the part that goes down: there, branches are apart. */
		const int x = (a.x > b.x ? a : b).middle() + 18;
		int y = (a.x > b.x ? a.y + a.height() : b.y - linkHeight) + 30;
		std::string text = std::format("<path d=\"{}\" class=\"link{}\"/>\n", route(a, b),
					       copies ? " copies" : "");
		text += textAt(x, y, "", shortened(link.caps, 46));
		text += textAt(x, y += lineHeight, "dim", shortened(memoryText(link), 46));
		text += copies ? textAt(x, y + lineHeight, "copy",
					copyText(link.copies, report_.duration))
			       : textAt(x, y + lineHeight, "free", "0 bytes copied");
		return text;
	}

	/* Straight down; out to a branch at the side, or in from one. */
	static std::string route(const Box &a, const Box &b)
	{
		if (a.x < b.x)
			return std::format("M{} {}H{}V{}", a.x + boxWidth, a.y + a.height() / 2,
					   b.middle(), b.y);
		if (a.x > b.x)
			return std::format("M{} {}V{}H{}", a.middle(), a.y + a.height(),
					   b.y + b.height() / 2, b.x + boxWidth);
		return std::format("M{} {}V{}", a.middle(), a.y + a.height(), b.y);
	}

	static std::string memoryText(const LinkReport &link)
	{
		std::string text;
		for (const std::string &kind : link.memory)
			text += (text.empty() ? "" : ", ") + kind;
		return text;
	}

	const FlowReport &report_;
	std::map<uint32_t, Box> boxes_;
	std::vector<std::vector<uint32_t>> rows_;
	int width_ = 0;
	int height_ = 0;
};

} /* namespace */

std::string flowSvg(const FlowReport &report)
{
	return Drawing(report).draw();
}

} /* namespace heapflow::gst */
