/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"

#include "../output.h"
#include "../region_picture.h"
#include "heapflow/heap/size_text.h"
#include "top_state.h"

namespace heapflow::tool
{

namespace
{

using Json = nlohmann::ordered_json;

constexpr size_t kBarWidth = 16;

Flow flowOf(const Flows &flows, const std::string &region)
{
	const auto found = flows.find(region);
	return found == flows.end() ? Flow{} : found->second;
}

std::string changeText(std::optional<int64_t> change)
{
	if (!change)
		return "-";
	if (*change == 0)
		return "0";
	const auto size = static_cast<uint64_t>(*change < 0 ? -*change : *change);
	return (*change < 0 ? "-" : "+") + sizeText(size);
}

std::string usedText(const RegionView &one)
{
	/* The memory of the whole machine has no use of its own: what its buffers take. */
	return sizeText(one.isRegion ? one.used() : one.holders.bytes);
}

Json ratesToJson(const Flow &flow)
{
	if (!flow.allocated)
		return nullptr;
	return {{"allocated_bytes_per_second", *flow.allocated},
		{"released_bytes_per_second", orNull(flow.released)},
		{"refused_bytes", orNull(flow.refused)},
		{"exact", flow.exact}};
}

} /* namespace */

std::string rateText(std::optional<double> bytesPerSecond)
{
	if (!bytesPerSecond)
		return "-";
	const std::string text = sizeText(static_cast<uint64_t>(*bytesPerSecond));
	return text == "0" ? text : text + "/s";
}

Table regionTable(const Look &look, const Flows &flows)
{
	using enum Table::Align;
	Table table({{"REGION", Left},
		     {"OCCUPIED", Left},
		     {"USED", Right},
		     {"SIZE", Right},
		     {"LARGEST FREE", Right},
		     {"BUFFERS", Right},
		     {"GIVEN", Right},
		     {"BACK", Right},
		     {"REFUSED", Right}});
	for (const RegionView &one : look.view.regions) {
		const Flow flow = flowOf(flows, one.region.id);
		/* What only buffers tell is at least so much. */
		const std::string least = flow.exact || !flow.allocated ? "" : ">=";
		table.addRow(
			{one.region.id,
			 one.used() ? shareBar(*one.used(), *one.region.total, kBarWidth, false)
				    : "",
			 usedText(one), sizeText(one.region.total), sizeText(one.region.largest),
			 std::to_string(one.holders.buffers), least + rateText(flow.allocated),
			 least + rateText(flow.released), sizeText(flow.refused)});
	}
	return table;
}

Table processTable(const std::vector<ProcessRow> &rows)
{
	using enum Table::Align;
	Table table({{"PID", Right},
		     {"PROCESS", Left},
		     {"SIZE", Right},
		     {"CHANGE", Right},
		     {"BUFFERS", Right},
		     {"REGIONS", Left}});
	for (const ProcessRow &row : rows)
		table.addRow({std::to_string(row.process.id), row.process.name, sizeText(row.bytes),
			      changeText(row.change), std::to_string(row.buffers), row.regions});
	return table;
}

Table bufferTable(const std::vector<BufferRow> &rows)
{
	using enum Table::Align;
	Table table({{"INODE", Right},
		     {"NAME", Left},
		     {"SIZE", Right},
		     {"HEAP", Left},
		     {"REFS", Right},
		     {"HELD BY", Left}});
	for (const BufferRow &row : rows)
		table.addRow({std::to_string(row.inode), row.name.empty() ? "-" : row.name,
			      sizeText(row.size), row.heap.empty() ? "-" : row.heap,
			      row.references ? std::to_string(*row.references) : "-", row.holders});
	return table;
}

std::string lookText(const Look &look, const Look *before, const Flows &flows)
{
	auto processes = processRows(look, before, {});
	auto buffers = bufferRows(look, {});
	sortRows(processes, ProcessOrder::Size, false);
	sortRows(buffers, BufferOrder::Size, false);
	std::string text = look.utc + "\n\n" + regionTable(look, flows).text();
	if (processes.empty())
		text += "\nno process holds a buffer\n";
	else
		text += "\n" + processTable(processes).text() + "\n" + bufferTable(buffers).text();
	if (const std::string unread = describeUnread(look.view.holders); !unread.empty())
		text += safeText(unread) + "\n";
	return text;
}

Json lookToJson(const Look &look, const Look *before, const Flows &flows)
{
	Json regions = regionsToJson(look.view);
	for (Json &region : regions)
		region["rates"] = ratesToJson(flowOf(flows, region["id"].get<std::string>()));

	Json processes = Json::array();
	for (const ProcessRow &row : processRows(look, before, {}))
		processes.push_back({{"pid", row.process.id},
				     {"process", row.process.name},
				     {"bytes", row.bytes},
				     {"buffers", row.buffers},
				     {"change", orNull(row.change)}});
	Json buffers = Json::array();
	for (const BufferRow &row : bufferRows(look, {}))
		buffers.push_back(
			{{"inode", row.inode},
			 {"name", row.name},
			 {"size", row.size},
			 {"heap", row.heap},
			 {"region", row.region.empty() ? Json(nullptr) : Json(row.region)},
			 {"references", orNull(row.references)}});
	const double seconds =
		before ? std::chrono::duration<double>(look.time - before->time).count() : 0;
	return {{"time", look.utc},
		{"interval_seconds", before ? Json(seconds) : Json(nullptr)},
		{"regions", std::move(regions)},
		{"processes", std::move(processes)},
		{"buffers", std::move(buffers)},
		{"unread_processes", unreadToJson(look.view.holders)}};
}

} /* namespace heapflow::tool */
