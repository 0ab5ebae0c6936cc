/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/heap_probe.h"

#include <algorithm>

namespace heapflow
{

HeapProofs::Key HeapProofs::keyOf(const std::string &device, const Heap &heap)
{
	return {device, {heap.name.text, heap.device}};
}

ProbeAnswer HeapProofs::known(const std::string &device, const Heap &heap) const
{
	const std::lock_guard lock(mutex_);
	const auto found = answers_.find(keyOf(device, heap));
	return found == answers_.end() ? ProbeAnswer{} : found->second;
}

ProbeAnswer HeapProofs::ask(MemoryProbe &probe, const Heap &heap, const SystemPaths &paths)
{
	const std::string device = probe.device();
	if (ProbeAnswer kept = known(device, heap); kept.accepted != Demand::Unknown)
		return kept;

	const auto opened = HeapDevice::open(heap, paths);
	if (!opened)
		return {Demand::Unknown, opened.error().message};
	const auto buffer =
		opened->allocate(std::max(probe.smallestBuffer(), kScatteredSize), "probe");
	if (!buffer)
		return {Demand::Unknown, buffer.error().message};

	ProbeAnswer answer = probe.tryBuffer(*buffer);
	if (answer.accepted != Demand::Unknown) {
		const std::lock_guard lock(mutex_);
		answers_[keyOf(device, heap)] = answer;
	}
	return answer;
}

void HeapProofs::clear()
{
	const std::lock_guard lock(mutex_);
	answers_.clear();
}

HeapProofs &HeapProofs::ofProcess()
{
	static HeapProofs proofs;
	return proofs;
}

} /* namespace heapflow */
