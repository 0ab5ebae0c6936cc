/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The choice of a heap, with the reasons. */
#pragma once

#include "heapflow/heap/error.h"
#include "heapflow/heap/heap.h"
#include "heapflow/heap/heap_expression.h"

#include <string>
#include <vector>

namespace heapflow
{

/** \brief One heap that was considered, taken or not, and why */
struct HeapCandidate {
	Heap heap;
	bool matches = false;   /**< some alternative names it and it is usable */
	size_t alternative = 0; /**< which one, when it matches */
	std::string reason;
};

/** \brief An alternative that found nothing, and why */
struct UnmetAlternative {
	size_t alternative = 0;
	std::string reason;
};

/**
 * \brief What an expression means on a system
 *
 * `candidates` holds every heap: first those that match, in the order in which they are to be
 * tried, then the others sorted by name. A region stands only once among the matches.
 */
struct HeapChoice {
	HeapExpression expression;
	std::vector<HeapCandidate> candidates;
	std::vector<UnmetAlternative> unmet;

	/** \brief The heap taken; never null in a HeapChoice that chooseHeap() returned */
	const HeapCandidate &taken() const { return candidates.front(); }
};

/**
 * \brief Decide; pure, the same for any order of `heaps`
 *
 * Errors: ENOENT nothing matches (the message lists what exists), EACCES something matches but
 * may not be opened.
 */
Result<HeapChoice> chooseHeap(const HeapExpression &expression, const std::vector<Heap> &heaps);

/** \brief parseHeapExpression(), listHeaps() and chooseHeap() in one */
Result<HeapChoice> chooseHeap(std::string_view expression, const SystemPaths &paths = {});

/** \brief Like chooseHeap(), but what did not match is a value too: for `heapctl explain` */
HeapChoice explainChoice(const HeapExpression &expression, const std::vector<Heap> &heaps);

/** \brief Buffers of one heap, and what happened on the way to them */
struct AllocatedBuffers {
	Heap heap;
	std::vector<Buffer> buffers;
	std::vector<std::string> fallbacks; /**< a sentence for each heap that did not serve */
};

/**
 * \brief All `count` buffers from one heap: the first match of the choice in which they fit
 *
 * A heap in which only some fit is given back whole before the next is tried. The error of the
 * first match is returned when none serves.
 */
Result<AllocatedBuffers> allocateBuffers(const HeapChoice &choice, size_t count, uint64_t size,
					 std::string_view name);

} /* namespace heapflow */
