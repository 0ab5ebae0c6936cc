/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command_line.h"

#include "output.h"
#include "region_drawing.h"
#include "region_picture.h"
#include "system_view.h"
#include "table.h"
#include "written_file.h"

#include "heapflow/heap/size_text.h"

#include <algorithm>
#include <map>

namespace heapflow::tool
{

namespace
{

using Json = nlohmann::ordered_json;

constexpr const char *kListExamples =
	"Examples:\n"
	"  heapctl list\n"
	"  heapctl list --holders                  which process has how much of which region\n"
	"  heapctl list --map                      how each region is occupied\n"
	"  heapctl list --map=regions.svg          the same as a drawing\n"
	"  heapctl list --json | jq -r '.heaps[] | select(.accessible) | .name'";

struct ListOptions {
	bool json = false;
	bool wide = false;
	bool holders = false;
	bool map = false;
	std::string drawing; /* a file, or empty */
	SystemPaths paths;
};

/* For each region the first heap that is one: the others are "same region as" that one. */
class FirstOfRegion
{
public:
	explicit FirstOfRegion(const std::vector<Heap> &heaps)
	{
		for (const Heap &heap : heaps) {
			if (heap.linkTarget.empty())
				first_.try_emplace(heap.region.id, heap.name.text);
		}
	}

	/* Empty when `heap` is the first itself. */
	std::string of(const Heap &heap) const
	{
		const auto found = first_.find(heap.region.id);
		return found == first_.end() || found->second == heap.name.text ? ""
										: found->second;
	}

private:
	std::map<std::string, std::string> first_;
};

bool isNoRegion(const Heap &heap)
{
	return !heap.region.contiguous && isSystemHeapName(heap.region.id);
}

std::string noteText(const Heap &heap, const std::string &twin)
{
	std::string note;
	auto add = [&note](const std::string &text) {
		note += (note.empty() ? "" : "; ") + text;
	};

	if (!heap.linkTarget.empty())
		add("link to " + heap.linkTarget);
	else if (!twin.empty())
		add("same region as " + twin);
	if (heap.region.isDefault)
		add("default CMA region");
	if (isNoRegion(heap))
		add("no region: the machine has " + sizeText(heap.available) + " available");
	return note;
}

/* What the memory is, and what only the name says of it. */
std::string propertiesText(const Heap &heap)
{
	std::string text;
	auto add = [&text](const std::string &word) {
		text += (text.empty() ? "" : ", ") + word;
	};
	const std::string contiguous = contiguousText(heap);
	if (contiguous == "yes")
		add("contiguous");
	else if (contiguous == "by name")
		add("contiguous by name");
	else
		add(contiguous == "no" ? "scattered" : "contiguous unknown");
	if (heap.name.isProtected)
		add("protected by name");
	if (heap.name.ccShared)
		add("cc_shared by name");
	if (heap.name.cached)
		add(*heap.name.cached ? "cached by name" : "uncached by name");
	if (heap.name.addressLimit)
		add("below " + sizeText(heap.name.addressLimit) + " by name");
	return text;
}

std::string accessText(const Heap &heap)
{
	/* A node that could not be examined has no mode: even an unreadable file has its type in
	 * it. */
	if (heap.mode == 0)
		return "unknown";
	return (heap.accessible ? "yes, " : "no, ") + describeAccess(heap);
}

const RegionView *regionOf(const SystemView &view, const Heap &heap)
{
	const auto found = std::ranges::find_if(view.regions, [&heap](const RegionView &one) {
		return one.region.id == heap.region.id;
	});
	return found == view.regions.end() ? nullptr : &*found;
}

/* The largest holder, and what is beside it; once for each region. */
std::string heldText(const SystemView &view, const Heap &heap, bool first)
{
	const RegionView *region = regionOf(view, heap);
	if (!region || !first)
		return "";
	const auto &holders = region->holders.holders;
	const uint64_t unseen = region->holders.unseen(region->region);
	std::string text;
	if (!holders.empty())
		text = holders.front().process.text() + " " + sizeText(holders.front().bytes);
	if (holders.size() > 1)
		text += ", " + std::to_string(holders.size() - 1) + " more";
	if (unseen)
		text += (text.empty() ? "" : ", ") + std::string("not seen ") + sizeText(unseen);
	return text.empty() ? "-" : text;
}

enum Part { Name, RegionId, Usage, Base, Size, Free, Largest, Properties, Permission, Held, Note };

struct ListColumn {
	Part part;
	Table::Column column;
};

const std::vector<ListColumn> &listColumns()
{
	using enum Table::Align;
	static const std::vector<ListColumn> columns = {
		{Name, {"HEAP", Left}},         {RegionId, {"REGION", Left}},
		{Usage, {"USAGE", Left}},       {Base, {"BASE", Right}},
		{Size, {"SIZE", Right}},        {Free, {"FREE", Right}},
		{Largest, {"LARGEST", Right}},  {Properties, {"PROPERTIES", Left}},
		{Permission, {"ACCESS", Left}}, {Held, {"HELD BY", Left}},
		{Note, {"NOTE", Left}},
	};
	return columns;
}

std::string cellOf(Part part, const Heap &heap, const SystemView &view, const std::string &twin)
{
	const Region &region = heap.region;
	switch (part) {
	case Name:
		return heap.name.text;
	case RegionId:
		return isNoRegion(heap) ? "-" : region.id;
	case Usage:
		return heap.name.usage.empty() ? "-" : heap.name.usage;
	case Base:
		return addressText(region.base);
	case Size:
		return sizeText(region.total);
	case Free:
		return sizeText(region.free);
	case Largest:
		return sizeText(region.largest);
	case Properties:
		return propertiesText(heap);
	case Permission:
		return accessText(heap);
	case Held:
		return heldText(view, heap, twin.empty() && heap.linkTarget.empty());
	case Note:
		break;
	}
	return noteText(heap, twin);
}

std::string totalCell(Part part, const RegionTotals &totals)
{
	switch (part) {
	case Name:
		return "total";
	case RegionId:
		return std::to_string(totals.regions) +
		       (totals.regions == 1 ? " region" : " regions");
	case Size:
		return sizeText(totals.total);
	case Free:
		return sizeText(totals.free);
	case Note:
		return "each region counted once";
	default:
		return "";
	}
}

std::string tableText(const SystemView &view, const std::vector<Part> &left)
{
	std::vector<ListColumn> columns;
	for (const ListColumn &column : listColumns()) {
		if (std::ranges::find(left, column.part) == left.end())
			columns.push_back(column);
	}
	std::vector<Table::Column> titles;
	for (const ListColumn &column : columns)
		titles.push_back(column.column);
	Table table(titles);

	const FirstOfRegion first(view.heaps);
	for (const Heap &heap : view.heaps) {
		std::vector<std::string> cells;
		for (const ListColumn &column : columns)
			cells.push_back(cellOf(column.part, heap, view, first.of(heap)));
		table.addRow(std::move(cells));
	}
	const RegionTotals totals = sumRegions(view.heaps);
	std::vector<std::string> cells;
	for (const ListColumn &column : columns)
		cells.push_back(totalCell(column.part, totals));
	table.addRow(std::move(cells));
	return table.text();
}

size_t widthOf(const std::string &text)
{
	size_t width = 0;
	for (size_t place = 0; place < text.size();) {
		const size_t end = std::min(text.find('\n', place), text.size());
		width = std::max(width, end - place);
		place = end + 1;
	}
	return width;
}

/*
 * On a terminal that is too narrow the columns go that are most easily had elsewhere, and those
 * come back, the most telling first, that fit in the room of a wide one that went after them.
 */
std::string fittingTable(const SystemView &view, bool wide)
{
	const size_t width = wide ? SIZE_MAX : outputWidth().value_or(SIZE_MAX);
	const auto fits = [&](const std::vector<Part> &without) {
		return widthOf(tableText(view, without)) <= width;
	};
	std::vector<Part> left;
	for (const Part part :
	     {Usage, Base, RegionId, Held, Properties, Largest, Note, Permission}) {
		if (fits(left))
			break;
		left.push_back(part);
	}
	for (size_t i = left.size(); i > 0; i--) {
		std::vector<Part> fewer = left;
		fewer.erase(fewer.begin() + static_cast<ptrdiff_t>(i - 1));
		if (fits(fewer))
			left = std::move(fewer);
	}

	std::string names;
	for (const Part part : left)
		names += (names.empty() ? "" : ", ") + listColumns()[part].column.title;
	const std::string text = tableText(view, left);
	return names.empty() ? text : text + "not shown: " + names + " (--wide)\n";
}

std::string holdersTable(const SystemView &view)
{
	using enum Table::Align;
	Table table({{"REGION", Left},
		     {"PROCESS", Left},
		     {"PID", Right},
		     {"BUFFERS", Right},
		     {"SIZE", Right},
		     {"NAMES", Left}});
	for (const RegionView &one : view.regions) {
		for (const RegionHolder &holder : one.holders.holders)
			table.addRow({one.region.id, holder.process.name,
				      std::to_string(holder.process.id),
				      std::to_string(holder.inodes.size()), sizeText(holder.bytes),
				      bufferNames(holder)});
		if (const uint64_t unseen = one.holders.unseen(one.region))
			table.addRow({one.region.id, "not seen", "-", "-", sizeText(unseen),
				      "a device, the kernel, a buffer in flight, or other users"});
		if (one.holders.buffers)
			table.addRow({one.region.id, "total", "",
				      std::to_string(one.holders.buffers),
				      sizeText(one.holders.bytes), "each buffer counted once"});
	}
	const std::string unread = describeUnread(view.holders);
	return table.text() + (unread.empty() ? "" : safeText(unread) + "\n");
}

int printTable(const SystemView &view, const ListOptions &options)
{
	if (options.map)
		return print(drawRegions(view, styleOfOutput()));
	std::string text = fittingTable(view, options.wide);
	if (options.holders)
		text += "\n" + holdersTable(view);
	return print(text);
}

int printListJson(const SystemView &view)
{
	const FirstOfRegion first(view.heaps);
	Json list = Json::array();
	for (const Heap &heap : view.heaps) {
		Json json = toJson(heap);
		const std::string twin = first.of(heap);
		json["same_region_as"] = twin.empty() ? Json(nullptr) : Json(twin);
		json["cc_shared"] = heap.name.ccShared;
		json["cached"] = heap.name.cached ? Json(*heap.name.cached) : Json(nullptr);
		json["address_limit"] =
			heap.name.addressLimit ? Json(*heap.name.addressLimit) : Json(nullptr);
		list.push_back(std::move(json));
	}
	const RegionTotals totals = sumRegions(view.heaps);
	return printJson(
		{{"heaps", std::move(list)},
		 {"regions", regionsToJson(view)},
		 {"unread_processes", unreadToJson(view.holders)},
		 {"totals",
		  {{"regions", totals.regions}, {"total", totals.total}, {"free", totals.free}}}});
}

int list(const ListOptions &options)
{
	const auto view = readSystemView(options.paths);
	if (!view)
		return report(view.error());
	if (!options.drawing.empty()) {
		const auto written = writeWholeFile(options.drawing, drawRegionsSvg(*view));
		if (!written)
			return report(written.error());
	}
	if (options.json)
		return printListJson(*view);
	/* A drawing was wanted, and nothing else. */
	if (!options.drawing.empty() && !options.holders && !options.map)
		return kSuccess;
	return printTable(*view, options);
}

} /* namespace */

void addListCommand(CLI::App &app, Run &run)
{
	auto *command = app.add_subcommand("list", "List the heaps and the regions behind them");
	const auto options = std::make_shared<ListOptions>();
	command->footer(kListExamples);
	command->add_flag("--holders", options->holders, "Who holds how much of each region");
	command->add_option_function<std::string>(
		       "--map",
		       [options](const std::string &file) {
			       options->map = file.empty();
			       options->drawing = file;
		       },
		       "A picture of how each region is occupied; with =FILE as SVG")
		->type_name("FILE.svg")
		->expected(0, 1);
	command->add_option("--svg", options->drawing, "Write that picture as SVG")
		->type_name("FILE");
	command->add_flag("--wide", options->wide, "All columns, however narrow the terminal");
	addJson(command, options->json);
	addSysroot(command, options->paths);
	command->callback([&run, options] {
		run = [options] {
			return list(*options);
		};
	});
}

} /* namespace heapflow::tool */
