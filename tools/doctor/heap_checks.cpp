/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nodes, permissions, and the regions behind them. */
#include "checks.h"

#include "heapflow/heap/cma.h"
#include "heapflow/heap/size_text.h"

#include <algorithm>
#include <cerrno>

namespace heapflow::tool::doctor
{

namespace
{

/* The frame by which room is measured: NV12 of 1920x1080, page by page. */
constexpr uint64_t kFrame = 3110400;
/* A camera and a screen with less than four of them lose frames. */
constexpr uint64_t kFrames = 4;

std::string joined(const std::vector<std::string> &names)
{
	std::string text;
	for (const std::string &name : names)
		text += (text.empty() ? "" : ", ") + name;
	return text;
}

Finding judgeNodes(const SystemFacts &facts)
{
	const HeapFacts &heap = facts.heap;
	Finding finding{
		"heaps.nodes", Status::Ok, {}, {}, {"/dev/dma_heap", "/sys/class/dma_heap"}};
	std::vector<std::string> missing;
	for (const std::string &name : heap.registered) {
		if (std::ranges::none_of(heap.heaps,
					 [&](const Heap &one) { return one.name.text == name; }))
			missing.push_back(name);
	}
	if (heap.heaps.empty()) {
		finding.status = Status::Fail;
		finding.seen = heap.error ? heap.error->text() : "/dev/dma_heap is empty";
		finding.advice = {
			missing.empty()
				? "load the drivers: modprobe system_heap cma_heap"
				: "the kernel has heaps (" + joined(missing) +
					  ") that /dev does not show: mount devtmpfs, or hand "
					  "/dev/dma_heap to the container"};
		return finding;
	}
	finding.seen = std::to_string(heap.heaps.size()) + " heaps have nodes";
	if (!missing.empty()) {
		finding.status = Status::Warn;
		finding.seen += ", but " + joined(missing) + " of the kernel's have none";
		finding.advice = {
			"hand /dev/dma_heap to the container as a whole; on the host, udev has a "
			"rule that removes them"};
	}
	return finding;
}

std::vector<std::string> permissionAdvice(const SystemFacts &facts, bool denied)
{
	if (denied) {
		/* devcgroup_check_permission() answers EPERM, the mode of a node EACCES. */
		std::vector<std::string> lines{"the device rules of this service or container "
					       "refuse them; for a systemd unit:"};
		const auto unit = serviceLines(facts);
		lines.insert(lines.end(), unit.begin(), unit.end());
		return lines;
	}
	std::vector<std::string> lines{
		"in /etc/udev/rules.d/70-dma-heap.rules:", udevRule(),
		"then: udevadm control --reload && udevadm trigger --action=add "
		"--subsystem-match=dma_heap"};
	if (!facts.heap.groups.contains("video"))
		lines.emplace_back(
			"and be in the group video: usermod -aG video USER, and log in anew");
	return lines;
}

Finding judgePermission(const SystemFacts &facts)
{
	Finding finding{"heaps.permission", Status::Ok, {}, {}, {"open(2) of each node"}};
	std::vector<std::string> closed;
	size_t open = 0;
	bool denied = false;
	for (const Heap &heap : facts.heap.heaps) {
		const auto found = facts.heap.openErrors.find(heap.name.text);
		if (found == facts.heap.openErrors.end())
			continue;
		if (found->second == 0) {
			open++;
			continue;
		}
		denied |= found->second == EPERM;
		closed.push_back(heap.name.text + " (" + errnoName(found->second) + ", " +
				 describeAccess(heap) + ")");
	}
	if (open + closed.size() == 0) {
		finding.status = Status::Unknown;
		finding.seen = facts.heap.heaps.empty() ? "there is no heap to open"
							: "the nodes of a copy are not opened";
		return finding;
	}
	finding.seen = "this user may open " + std::to_string(open) + " of " +
		       std::to_string(open + closed.size()) + " heaps";
	if (closed.empty())
		return finding;
	finding.status = open == 0 ? Status::Fail : Status::Warn;
	finding.seen += "; not " + joined(closed);
	finding.advice = permissionAdvice(facts, denied);
	return finding;
}

const Heap *defaultHeap(const HeapFacts &facts)
{
	const auto found = std::ranges::find_if(
		facts.heaps, [](const Heap &heap) { return heap.region.isDefault; });
	return found == facts.heaps.end() ? nullptr : &*found;
}

Finding judgeDefault(const SystemFacts &facts)
{
	Finding finding{"regions.default", Status::Ok, {}, {}, {}};
	if (const Heap *heap = defaultHeap(facts.heap)) {
		finding.seen = "the default CMA region is " + heap->region.id + ", " +
			       sizeText(heap->region.total) + ", by the heap " + heap->name.text;
		finding.sources = heap->region.sources;
		return finding;
	}
	finding.status = Status::Warn;
	finding.seen = "no heap leads to the default CMA region";
	finding.sources = {"/sys/kernel/mm/cma", "/proc/device-tree/reserved-memory"};
	finding.advice = {"boot with cma=64M, or give a reserved-memory node the property "
			  "linux,cma-default; drivers allocate from it as well"};
	return finding;
}

Finding judgeContiguous(const SystemFacts &facts)
{
	const RegionTotals totals = sumRegions(facts.heap.heaps);
	Finding finding{"regions.contiguous", Status::Ok, {}, {}, {"/sys/kernel/mm/cma"}};
	if (totals.regions > 0) {
		finding.seen = std::to_string(totals.regions) +
			       (totals.regions == 1 ? " region, " : " regions, ") +
			       sizeText(totals.total) + ", each counted once";
		return finding;
	}
	finding.status = Status::Warn;
	finding.seen = "no heap has contiguous memory; a device without an IOMMU takes no other";
	finding.advice = {
		"a reserved-memory node with compatible = \"shared-dma-pool\" and reusable: "
		"heapctl dt writes one"};
	return finding;
}

/* With what the kernel's alignment loses between frames. */
bool hasRoom(const Region &region, uint64_t pageSize)
{
	CmaRules rules;
	rules.pageSize = pageSize;
	return region.free.value_or(0) >= cmaSpace(kFrame, kFrames, rules) &&
	       region.largest.value_or(UINT64_MAX) >= kFrame;
}

Finding judgeRoom(const SystemFacts &facts)
{
	Finding finding{"regions.free", Status::Ok, {}, {}, {}};
	std::vector<std::string> tight;
	std::set<std::string> seen;
	bool anyRoom = false;
	for (const Heap &heap : facts.heap.heaps) {
		const Region &region = heap.region;
		if (!region.contiguous || !region.free || !seen.insert(region.id).second)
			continue;
		finding.sources.insert(finding.sources.end(), region.sources.begin(),
				       region.sources.end());
		const bool room = hasRoom(region, facts.pageSize);
		anyRoom |= room;
		if (!room)
			tight.push_back(region.id + " (" + sizeText(region.free) + " of " +
					sizeText(region.total) + " free, largest run " +
					sizeText(region.largest) + ")");
	}
	if (seen.empty()) {
		finding.status = Status::Unknown;
		finding.seen = "no region says how much of it is free";
		return finding;
	}
	finding.seen = std::to_string(seen.size() - tight.size()) + " of " +
		       std::to_string(seen.size()) +
		       " regions have room for 4 NV12 frames of 1920x1080 (12 MiB)";
	if (tight.empty())
		return finding;
	finding.status = Status::Warn;
	finding.seen += "; not " + joined(tight);
	finding.advice = {"heapctl top shows who holds memory; heapctl fit says how many frames of "
			  "your size fit"};
	if (!anyRoom)
		finding.advice.emplace_back(
			"or make a region larger: its size in the device tree, cma= "
			"for the default one");
	return finding;
}

Finding judgeDeviceTree(const SystemFacts &facts)
{
	Finding finding{"regions.device-tree", Status::Ok, {}, {}, {}};
	std::vector<std::string> lost;
	for (const ReservedNode &node : facts.heap.reserved) {
		finding.sources.push_back(node.path);
		const bool shown = std::ranges::any_of(facts.heap.heaps, [&](const Heap &heap) {
			return heap.name.text == node.name || heap.region.id == node.name;
		});
		if (!shown)
			lost.push_back(node.name);
	}
	if (facts.heap.reserved.empty()) {
		finding.seen =
			"the device tree reserves no shared pool, or there is no device tree";
		finding.sources = {"/proc/device-tree/reserved-memory"};
		return finding;
	}
	finding.seen = std::to_string(facts.heap.reserved.size() - lost.size()) + " of " +
		       std::to_string(facts.heap.reserved.size()) + " reserved pools have a heap";
	if (lost.empty())
		return finding;
	finding.status = Status::Warn;
	finding.seen += "; not " + joined(lost);
	finding.advice = {
		"a heap for each region came with Linux 6.18; on a newer kernel, 'dmesg | grep "
		"-i -e cma -e reserved' says why the region failed: an address outside of "
		"memory, an overlap, more than CONFIG_CMA_AREAS"};
	return finding;
}

} /* namespace */

std::vector<Finding> judgeHeaps(const SystemFacts &facts)
{
	return {judgeNodes(facts),      judgePermission(facts), judgeDefault(facts),
		judgeContiguous(facts), judgeRoom(facts),       judgeDeviceTree(facts)};
}

} /* namespace heapflow::tool::doctor */
