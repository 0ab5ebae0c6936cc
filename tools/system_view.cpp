/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system_view.h"

#include "output.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

namespace heapflow::tool
{

namespace
{

using Json = nlohmann::ordered_json;

RegionView viewOf(const Heap &heap, const std::vector<Heap> &heaps, const BufferHolders &holders,
		  const SystemPaths &paths)
{
	RegionView view{.region = heap.region};
	view.isRegion = heap.region.contiguous || !isSystemHeapName(heap.region.id);
	view.available = heap.available;
	view.heaps = heapsOfRegion(heaps, heap.region.id);
	view.holders = holdersOf(holders, view.heaps);
	if (!view.isRegion)
		return view;
	auto map = readRegionMap(heap.region.id, paths);
	if (map) {
		/* One moment: that of the map. */
		view.region.free = map->free();
		view.region.largest = map->largestFree();
		view.map = std::move(*map);
	} else {
		view.mapError = Error{map.error().code, map.error().message, {}}.text();
	}
	return view;
}

Json runsToJson(const RegionView &view)
{
	if (!view.map)
		return nullptr;
	Json runs = Json::array();
	for (const auto &range : view.map->ranges) {
		for (const MemoryRun &run : range)
			runs.push_back(
				{{"begin", run.begin}, {"size", run.size}, {"used", run.used}});
	}
	return runs;
}

const HeldBuffer *findBuffer(const BufferHolders &holders, uint64_t inode)
{
	const auto found = std::ranges::lower_bound(holders.buffers, inode, {}, &HeldBuffer::inode);
	return found == holders.buffers.end() || found->inode != inode ? nullptr : &*found;
}

Json holdersToJson(const RegionView &view, const BufferHolders &all)
{
	Json processes = Json::array();
	for (const RegionHolder &holder : view.holders.holders) {
		Json buffers = Json::array();
		for (const uint64_t inode : holder.inodes) {
			const HeldBuffer *buffer = findBuffer(all, inode);
			buffers.push_back({{"inode", inode},
					   {"size", buffer->size},
					   {"name", buffer->name},
					   {"heap", buffer->exporter},
					   {"references", orNull(buffer->references)}});
		}
		processes.push_back({{"pid", holder.process.id},
				     {"process", holder.process.name},
				     {"bytes", holder.bytes},
				     {"buffers", std::move(buffers)}});
	}
	return {{"bytes", view.holders.bytes},
		{"buffers", view.holders.buffers},
		{"not_seen", view.used() ? Json(view.holders.unseen(view.region)) : Json(nullptr)},
		{"processes", std::move(processes)}};
}

} /* namespace */

std::optional<uint64_t> RegionView::used() const
{
	if (!region.total || !region.free || *region.free > *region.total)
		return std::nullopt;
	return *region.total - *region.free;
}

Result<SystemView> readSystemView(const SystemPaths &paths)
{
	auto heaps = listHeaps(paths);
	if (!heaps)
		return std::unexpected(heaps.error());
	SystemView view{.heaps = std::move(*heaps), .holders = readBufferHolders(paths)};
	for (const Heap &heap : view.heaps) {
		const auto known = [&heap](const RegionView &one) {
			return one.region.id == heap.region.id;
		};
		if (std::ranges::none_of(view.regions, known))
			view.regions.push_back(viewOf(heap, view.heaps, view.holders, paths));
	}
	std::ranges::sort(view.regions, {}, [](const RegionView &one) {
		return std::pair(!one.isRegion, one.region.id);
	});
	/* The heaps of a region show the numbers of the same moment. */
	for (Heap &heap : view.heaps) {
		for (const RegionView &one : view.regions) {
			if (one.region.id == heap.region.id)
				heap.region = one.region;
		}
	}
	return view;
}

Json regionsToJson(const SystemView &view)
{
	Json regions = Json::array();
	for (const RegionView &one : view.regions)
		regions.push_back(
			{{"id", one.region.id},
			 {"heaps", one.heaps},
			 {"base", orNull(one.region.base)},
			 {"total", orNull(one.region.total)},
			 {"free", orNull(one.region.free)},
			 {"largest", orNull(one.region.largest)},
			 {"available", orNull(one.available)},
			 {"runs", runsToJson(one)},
			 {"runs_error", one.mapError.empty() ? Json(nullptr) : Json(one.mapError)},
			 {"holders", holdersToJson(one, view.holders)}});
	return regions;
}

Json unreadToJson(const BufferHolders &holders)
{
	Json unread = Json::array();
	for (const ProcessName &process : holders.unread)
		unread.push_back({{"pid", process.id}, {"process", process.name}});
	return unread;
}

std::string addressText(std::optional<uint64_t> address)
{
	if (!address)
		return "-";
	char text[24];
	std::snprintf(text, sizeof(text), "0x%08" PRIx64, *address);
	return text;
}

std::string bufferNames(const RegionHolder &holder, size_t most)
{
	std::string text;
	for (size_t i = 0; i < std::min(most, holder.names.size()); i++)
		text += (i ? ", " : "") + holder.names[i];
	if (holder.names.size() > most)
		text += ", ...";
	return text.empty() ? "-" : text;
}

} /* namespace heapflow::tool */
