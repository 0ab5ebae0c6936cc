/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "look.h"

#include "../output.h"

#include "heapflow/heap/size_text.h"

#include <algorithm>

namespace heapflow::tool
{

namespace
{

/* The region of the heap that made a buffer; empty for any other exporter. */
std::string regionOfExporter(const SystemView &view, const std::string &exporter)
{
	for (const RegionView &one : view.regions) {
		if (std::ranges::find(one.heaps, exporter) != one.heaps.end())
			return one.region.id;
	}
	return {};
}

/* Per second; nothing when a counter is missing, or went back: then it is another region's. */
std::optional<double> rateOf(std::optional<uint64_t> before, std::optional<uint64_t> after,
			     double seconds)
{
	if (!before || !after || *after < *before)
		return std::nullopt;
	return static_cast<double>(*after - *before) / seconds;
}

/* Bytes of the buffers of `region` that `one` has and `other` has not. */
uint64_t bytesOnlyIn(const Look &one, const Look &other, const std::string &region)
{
	uint64_t bytes = 0;
	for (const HeldBuffer &buffer : one.view.holders.buffers) {
		if (regionOfExporter(one.view, buffer.exporter) == region &&
		    !std::ranges::binary_search(other.view.holders.buffers, buffer.inode, {},
						&HeldBuffer::inode))
			bytes += buffer.size;
	}
	return bytes;
}

Flow flowOf(const std::string &region, const Look &before, const Look &after, double seconds)
{
	const RegionActivity was = before.activity.at(region);
	const RegionActivity is = after.activity.at(region);
	Flow flow{.allocated = rateOf(was.allocated, is.allocated, seconds),
		  .released = rateOf(was.released, is.released, seconds)};
	if (was.refused && is.refused && *is.refused >= *was.refused)
		flow.refused = *is.refused - *was.refused;
	flow.exact = flow.allocated && flow.released;
	if (!flow.allocated)
		flow.allocated = static_cast<double>(bytesOnlyIn(after, before, region)) / seconds;
	if (!flow.released)
		flow.released = static_cast<double>(bytesOnlyIn(before, after, region)) / seconds;
	return flow;
}

bool isShown(const HeldBuffer &buffer, const std::string &region, const TopFilter &filter)
{
	if (!filter.region.empty() && region != filter.region)
		return false;
	return !filter.process || std::ranges::find(buffer.uses, *filter.process,
						    &BufferUse::process) != buffer.uses.end();
}

uint64_t bytesOfProcess(const Look &look, pid_t process, const TopFilter &filter)
{
	uint64_t bytes = 0;
	const TopFilter own{.region = filter.region, .process = process};
	for (const HeldBuffer &buffer : look.view.holders.buffers) {
		if (isShown(buffer, regionOfExporter(look.view, buffer.exporter), own))
			bytes += buffer.size;
	}
	return bytes;
}

} /* namespace */

Result<Look> takeLook(const SystemPaths &paths)
{
	auto view = readSystemView(paths);
	if (!view)
		return std::unexpected(view.error());
	Look look{.time = std::chrono::steady_clock::now(),
		  .utc = utcNow(),
		  .view = std::move(*view)};
	for (const RegionView &one : look.view.regions)
		look.activity[one.region.id] = readRegionActivity(one.region.id, paths);
	return look;
}

std::map<std::string, Flow> flowsBetween(const Look &before, const Look &after)
{
	std::map<std::string, Flow> flows;
	const double seconds = std::chrono::duration<double>(after.time - before.time).count();
	if (seconds <= 0)
		return flows;
	for (const RegionView &one : after.view.regions) {
		if (before.activity.contains(one.region.id))
			flows[one.region.id] = flowOf(one.region.id, before, after, seconds);
	}
	return flows;
}

std::vector<ProcessRow> processRows(const Look &look, const Look *before, const TopFilter &filter)
{
	std::vector<ProcessRow> rows;
	for (const ProcessName &process : look.view.holders.processes) {
		if (filter.process && *filter.process != process.id)
			continue;
		ProcessRow row{.process = process};
		std::map<std::string, uint64_t> regions;
		const TopFilter own{.region = filter.region, .process = process.id};
		for (const HeldBuffer &buffer : look.view.holders.buffers) {
			const std::string region = regionOfExporter(look.view, buffer.exporter);
			if (!isShown(buffer, region, own))
				continue;
			row.bytes += buffer.size;
			row.buffers++;
			regions[region.empty() ? buffer.exporter : region] += buffer.size;
		}
		if (!row.buffers)
			continue;
		for (const auto &[region, bytes] : regions)
			row.regions += (row.regions.empty() ? "" : ", ") +
				       (region.empty() ? "unknown" : region) + " " +
				       sizeText(bytes);
		if (before)
			row.change =
				static_cast<int64_t>(row.bytes) -
				static_cast<int64_t>(bytesOfProcess(*before, process.id, filter));
		rows.push_back(std::move(row));
	}
	return rows;
}

std::vector<BufferRow> bufferRows(const Look &look, const TopFilter &filter)
{
	std::vector<BufferRow> rows;
	for (const HeldBuffer &buffer : look.view.holders.buffers) {
		const std::string region = regionOfExporter(look.view, buffer.exporter);
		if (!isShown(buffer, region, filter))
			continue;
		BufferRow row{.inode = buffer.inode,
			      .name = buffer.name,
			      .heap = buffer.exporter,
			      .region = region,
			      .size = buffer.size,
			      .references = buffer.references};
		for (const BufferUse &use : buffer.uses) {
			const ProcessName *process = look.view.holders.process(use.process);
			row.holders += (row.holders.empty() ? "" : ", ") +
				       (process ? process->text() : std::to_string(use.process));
		}
		rows.push_back(std::move(row));
	}
	return rows;
}

} /* namespace heapflow::tool */
