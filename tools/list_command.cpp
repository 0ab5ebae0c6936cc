/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command_line.h"

#include "heapflow/heap/size_text.h"
#include "output.h"
#include "table.h"

#include <cinttypes>
#include <cstdio>
#include <map>

namespace heapflow::tool
{

namespace
{

using Json = nlohmann::ordered_json;

constexpr const char *kListExamples =
	"Examples:\n"
	"  heapctl list\n"
	"  heapctl list --json | jq -r '.heaps[] | select(.accessible) | .name'";

struct ListOptions {
	bool json = false;
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

std::string baseText(const Region &region)
{
	if (!region.base)
		return "-";
	char text[24];
	std::snprintf(text, sizeof(text), "0x%08" PRIx64, *region.base);
	return text;
}

bool isNoRegion(const Heap &heap)
{
	return !heap.region.contiguous && isSystemHeapName(heap.region.id);
}

std::string noteText(const Heap &heap, const std::string &twin, const SystemPaths &paths)
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
	if (heap.name.isProtected)
		add("protected, by its name");
	if (isNoRegion(heap))
		add("no region: the machine has " + sizeText(availableMemory(paths)) +
		    " available");
	return note;
}

std::string accessText(const Heap &heap)
{
	/* A node that could not be examined has no mode: even an unreadable file has its type in
	 * it. */
	if (heap.mode == 0)
		return "unknown";
	return (heap.accessible ? "yes, " : "no, ") + describeAccess(heap);
}

int printTable(const std::vector<Heap> &heaps, const SystemPaths &paths)
{
	using enum Table::Align;
	Table table({{"HEAP", Left},
		     {"REGION", Left},
		     {"BASE", Right},
		     {"SIZE", Right},
		     {"FREE", Right},
		     {"LARGEST", Right},
		     {"CONTIGUOUS", Left},
		     {"ACCESS", Left},
		     {"NOTE", Left}});
	const FirstOfRegion first(heaps);

	for (const Heap &heap : heaps) {
		const Region &region = heap.region;
		table.addRow({heap.name.text, isNoRegion(heap) ? "-" : region.id, baseText(region),
			      sizeText(region.total), sizeText(region.free),
			      sizeText(region.largest), contiguousText(heap), accessText(heap),
			      noteText(heap, first.of(heap), paths)});
	}
	const RegionTotals totals = sumRegions(heaps);
	table.addRow(
		{"total",
		 std::to_string(totals.regions) + (totals.regions == 1 ? " region" : " regions"),
		 "", sizeText(totals.total), sizeText(totals.free), "", "", "",
		 "each region counted once"});
	return print(table.text());
}

int printListJson(const std::vector<Heap> &heaps)
{
	const FirstOfRegion first(heaps);
	Json list = Json::array();
	for (const Heap &heap : heaps) {
		Json json = toJson(heap);
		const std::string twin = first.of(heap);
		json["same_region_as"] = twin.empty() ? Json(nullptr) : Json(twin);
		list.push_back(std::move(json));
	}
	const RegionTotals totals = sumRegions(heaps);
	return printJson(
		{{"heaps", std::move(list)},
		 {"totals",
		  {{"regions", totals.regions}, {"total", totals.total}, {"free", totals.free}}}});
}

int list(const ListOptions &options)
{
	const auto heaps = listHeaps(options.paths);
	if (!heaps)
		return report(heaps.error());
	return options.json ? printListJson(*heaps) : printTable(*heaps, options.paths);
}

} /* namespace */

void addListCommand(CLI::App &app, Run &run)
{
	auto *command = app.add_subcommand("list", "List the heaps and the regions behind them");
	const auto options = std::make_shared<ListOptions>();
	command->footer(kListExamples);
	addJson(command, options->json);
	addSysroot(command, options->paths);
	command->callback([&run, options] {
		run = [options] {
			return list(*options);
		};
	});
}

} /* namespace heapflow::tool */
