/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heap_condition.h"

#include "heapflow/heap/size_text.h"

#include "heap_access.h"

#include <cstdio>

namespace heapflow
{

namespace
{

using Key = HeapCondition::Key;

constexpr const char *kByName = "its name says so";

bool isSystem(const Heap &heap)
{
	return !heap.region.contiguous &&
	       isSystemHeapName(heap.region.id.empty() ? heap.name.text : heap.region.id);
}

std::string addressText(uint64_t address)
{
	char text[24];
	std::snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(address));
	return text;
}

PropertyFact contiguous(const Heap &heap)
{
	if (heap.region.contiguous)
		return {true, "its region is a CMA area"};
	if (isSystem(heap))
		return {false, "the system heap takes single pages"};
	if (heap.name.contiguous)
		return {true, kByName};
	return {std::nullopt, "neither the kernel nor its name says whether it is contiguous"};
}

/*
 * The convention makes a protected or a shared heap say it in its name (dma-buf-heaps.rst), so that
 * silence is an answer.
 */
PropertyFact saidByName(bool said)
{
	return said ? PropertyFact{true, kByName} : PropertyFact{false, "its name would say so"};
}

PropertyFact cached(const Heap &heap)
{
	if (heap.name.cached)
		return {heap.name.cached, kByName};
	if (heap.name.isProtected)
		return {false, "no CPU can map protected memory"};
	/* cma_heap.c and system_heap.c map with the page protection of the process. */
	if (heap.region.contiguous || isSystem(heap))
		return {true, "the kernel's CMA and system heaps map cached"};
	return {std::nullopt, "neither the kernel nor its name says how it is mapped"};
}

PropertyFact dedicated(const Heap &heap)
{
	if (heap.region.isDefault)
		return {false, "it is the default CMA region"};
	if (isSystem(heap))
		return {false, "the system heap is no region"};
	if (heap.region.contiguous)
		return {true, "it is a CMA area of its own"};
	if (heap.name.unitAddress)
		return {true, "its name has an address"};
	return {std::nullopt, "nothing is known of its region"};
}

ConditionReport judge(const HeapCondition &condition, PropertyFact fact, bool wanted)
{
	Verdict verdict = Verdict::Unknown;
	if (fact.value)
		verdict = *fact.value == wanted ? Verdict::Met : Verdict::NotMet;
	return {condition.text, verdict, std::move(fact.reason)};
}

PropertyFact hasFree(const Heap &heap, uint64_t wanted)
{
	if (!heap.available)
		return {std::nullopt, "how much is free is unknown"};
	return {*heap.available >= wanted,
		sizeText(*heap.available) + (isSystem(heap) ? " available" : " free")};
}

PropertyFact hasUsage(const Heap &heap, const std::string &pattern)
{
	const std::string &usage = heap.name.usage;
	if (usage.empty())
		return {false, "its name states no usage"};
	return {matchGlob(pattern, usage), "its usage is " + printable(usage)};
}

} /* namespace */

PropertyFact propertyOf(const Heap &heap, HeapProperty property)
{
	switch (property) {
	case HeapProperty::Contiguous:
		return contiguous(heap);
	case HeapProperty::Protected:
		return saidByName(heap.name.isProtected);
	case HeapProperty::Cached:
		return cached(heap);
	case HeapProperty::CcShared:
		return saidByName(heap.name.ccShared);
	case HeapProperty::Dedicated:
		return dedicated(heap);
	}
	return {};
}

PropertyFact liesBelow(const Heap &heap, uint64_t limit)
{
	const Region &region = heap.region;
	const auto base = region.base ? region.base : heap.name.unitAddress;
	if (base && *base >= limit)
		return {false, "it begins at " + addressText(*base)};
	if (base && region.total) {
		const bool below = *region.total <= limit - *base;
		/* Beyond 64 bits there is no memory: the end is only for people. */
		return {below, "it ends at " + addressText(*base + *region.total)};
	}
	if (heap.name.addressLimit && *heap.name.addressLimit <= limit)
		return {true,
			"its name says that it ends below " + addressText(*heap.name.addressLimit)};
	if (isSystem(heap))
		return {std::nullopt, "the system heap takes pages at any address"};
	return {std::nullopt, "where it ends is unknown"};
}

ConditionReport checkCondition(const HeapCondition &condition, const Heap &heap)
{
	switch (condition.key) {
	case Key::Is:
		return judge(condition, propertyOf(heap, condition.property), true);
	case Key::Not:
		return judge(condition, propertyOf(heap, condition.property), false);
	case Key::Usage:
		return judge(condition, hasUsage(heap, condition.usage), true);
	case Key::MinFree:
		return judge(condition, hasFree(heap, condition.bytes), true);
	case Key::Below:
		return judge(condition, liesBelow(heap, condition.bytes), true);
	}
	return {};
}

} /* namespace heapflow */
