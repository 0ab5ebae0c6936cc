/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `auto` with devices that can be asked: decide, ask about what was taken, decide again. */
#include "heapflow/heap/heap_choice.h"

#include "auto_choice.h"

#include <algorithm>

namespace heapflow
{

namespace
{

bool hasAuto(const HeapExpression &expression)
{
	return std::ranges::any_of(expression.alternatives, [](const HeapAlternative &one) {
		return one.kind == HeapAlternative::Kind::Auto;
	});
}

/* Asks about one heap; each device stands at most once for it among the proofs. */
class Inquiry
{
public:
	Inquiry(const std::vector<MemoryProbe *> &probes, HeapProofs &proofs,
		const SystemPaths &paths, DeviceDemands &demands)
		: probes_(probes), proofs_(proofs), paths_(paths), demands_(demands)
	{
	}

	/* True when something was learned: the decision is to be made again. */
	bool askAbout(const Heap &heap)
	{
		bool learned = false;
		for (MemoryProbe *probe : probes_) {
			if (isAsked(probe->device(), heap))
				continue;
			demands_.proofs.push_back({probe->device(), heap.name.text,
						   proofs_.ask(*probe, heap, paths_)});
			learned = true;
			/* Struck out already: the others need not be troubled. */
			if (demands_.proofs.back().answer.accepted == Demand::No)
				break;
		}
		return learned;
	}

private:
	bool isAsked(const std::string &device, const Heap &heap) const
	{
		return std::ranges::any_of(demands_.proofs, [&](const HeapProof &proof) {
			return proof.device == device && proof.heap == heap.name.text;
		});
	}

	const std::vector<MemoryProbe *> &probes_;
	HeapProofs &proofs_;
	const SystemPaths &paths_;
	DeviceDemands &demands_;
};

/* The system heap that would be taken if the devices took scattered memory, and nothing before it.
 */
const Heap *systemInQuestion(const HeapChoice &choice)
{
	for (const HeapCandidate &candidate : choice.candidates) {
		const Heap &heap = candidate.heap;
		if (!heap.region.contiguous && isSystemHeapName(heap.region.id) && heap.accessible)
			return &heap;
	}
	return nullptr;
}

/* A region dedicated to frames goes before `system`, whatever is proven. */
bool leavesSystemOpen(const HeapChoice &choice, const DeviceDemands &demands)
{
	const HeapCandidate &first = choice.taken();
	const auto kind = choice.expression.alternatives[first.alternative].kind;
	return kind == HeapAlternative::Kind::Auto && contiguityIsOpen(demands) &&
	       comesAfterProvenSystem(first.heap, demands);
}

} /* namespace */

Result<HeapChoice> chooseProvenHeap(const HeapExpression &expression,
				    const std::vector<Heap> &heaps, std::vector<MemoryNeeds> needs,
				    const std::vector<MemoryProbe *> &probes, HeapProofs &proofs,
				    const SystemPaths &paths)
{
	DeviceDemands demands{.needs = std::move(needs)};
	Inquiry inquiry(probes, proofs, paths, demands);

	for (;;) {
		auto choice = chooseHeap(expression, heaps, demands, &paths);
		if (!choice || !hasAuto(expression))
			return choice;

		bool learned = false;
		if (leavesSystemOpen(*choice, demands)) {
			if (const Heap *system = systemInQuestion(*choice))
				learned = inquiry.askAbout(*system);
		}
		/* Each round asks about one heap more, so that this ends. */
		if (!learned)
			learned = inquiry.askAbout(choice->taken().heap);
		if (!learned)
			return choice;
	}
}

} /* namespace heapflow */
