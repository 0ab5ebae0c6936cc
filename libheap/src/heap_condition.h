/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One condition of a heap expression, held against one heap. */
#pragma once

#include "heapflow/heap/heap_choice.h"

#include <optional>

namespace heapflow
{

/** \brief A property of a heap: true, false or unknown, and what says so */
struct PropertyFact {
	std::optional<bool> value;
	std::string reason;
};

/** \brief Evidence (sysfs, the device tree) first, then what the name says */
PropertyFact propertyOf(const Heap &heap, HeapProperty property);

/** \brief Does all of the heap lie below this physical address, in bytes? */
PropertyFact liesBelow(const Heap &heap, uint64_t limit);

ConditionReport checkCondition(const HeapCondition &condition, const Heap &heap);

} /* namespace heapflow */
