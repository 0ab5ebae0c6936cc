/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The choice of a heap, with the reasons. */
#pragma once

#include "heapflow/heap/error.h"
#include "heapflow/heap/heap.h"
#include "heapflow/heap/heap_expression.h"
#include "heapflow/heap/heap_probe.h"
#include "heapflow/heap/memory_needs.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heapflow
{

/** \brief Does a heap meet a condition? Unknown counts as not met, for `is=` and for `not=` */
enum class Verdict { Met, NotMet, Unknown };

/** \brief One condition held against one heap */
struct ConditionReport {
	std::string condition; /**< as written: "is=contiguous" */
	Verdict verdict = Verdict::Unknown;
	std::string reason; /**< with the evidence: "is a CMA area", "its name says so" */
};

/** \brief What one alternative says to one heap */
struct Consideration {
	size_t alternative = 0;
	bool named = false; /**< the alternative means this heap, whether it can be taken or not */
	std::string reason;
	std::vector<ConditionReport> conditions; /**< of an alternative made of conditions */
};

/** \brief One heap that was considered, taken or not, and why */
struct HeapCandidate {
	Heap heap;
	bool matches = false;                  /**< some alternative names it and it is usable */
	size_t alternative = 0;                /**< which one, when it matches */
	std::string reason;                    /**< the one that decided, in a sentence */
	std::vector<Consideration> considered; /**< every alternative that had something to say */
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
 * \brief What the devices demand, and what they have proven
 *
 * Needs decide what `auto` takes. A proof of refusal strikes a heap out of every alternative.
 */
struct DeviceDemands {
	std::vector<MemoryNeeds> needs;
	std::vector<HeapProof> proofs;
};

/**
 * \brief Decide; the same for any order of `heaps`
 *
 * Errors: ENOENT nothing matches (the message says why and lists what exists), EACCES something
 * matches but may not be opened. Pure without `diagnosed`; with it, the hint of ENOENT says what
 * that system lacks for a heap that was named (driver, kernel option, device-tree property).
 */
Result<HeapChoice> chooseHeap(const HeapExpression &expression, const std::vector<Heap> &heaps,
			      const DeviceDemands &demands = {},
			      const SystemPaths *diagnosed = nullptr);

/** \brief parseHeapExpression(), listHeaps() and chooseHeap() in one */
Result<HeapChoice> chooseHeap(std::string_view expression, const SystemPaths &paths = {});

/** \brief Like chooseHeap(), but what did not match is a value too: for `heapctl explain` */
HeapChoice explainChoice(const HeapExpression &expression, const std::vector<Heap> &heaps,
			 const DeviceDemands &demands = {});

/**
 * \brief Chooses as chooseHeap() does, and asks the devices before `auto` rests on a guess
 *
 * Asked are the heap that would be taken, until all probes have accepted one, and `system` when
 * some need leaves open whether it must be contiguous. Only an expression with `auto` in it costs
 * probes; answers that `proofs` keeps cost nothing.
 */
Result<HeapChoice> chooseProvenHeap(const HeapExpression &expression,
				    const std::vector<Heap> &heaps, std::vector<MemoryNeeds> needs,
				    const std::vector<MemoryProbe *> &probes,
				    HeapProofs &proofs = HeapProofs::ofProcess(),
				    const SystemPaths &paths = {});

/** \brief A heap that was chosen did not serve, and the next one is tried */
struct HeapFallback {
	std::string heap;
	Error error;      /**< why, with the numbers */
	std::string next; /**< the heap tried next */

	/** \brief "video@42000000 was passed over for system: ..." */
	std::string text() const;
};

/** \brief Buffers of one heap, and what happened on the way to them */
struct AllocatedBuffers {
	Heap heap;
	std::vector<Buffer> buffers;
	std::vector<HeapFallback> fallbacks; /**< one for each heap that did not serve, in order */
};

struct AllocationOptions {
	std::string name; /**< of the buffers, in /proc/PID/fdinfo */
	SystemPaths paths = {};
	/** Called in the thread that allocates, once for each heap that does not serve, as it
	 * happens */
	std::function<void(const HeapFallback &)> onFallback = {};
};

/**
 * \brief All `count` buffers from one heap: the first match of the choice in which they fit
 *
 * A heap in which only some fit is given back whole before the next is tried. When none
 * serves, the error is that of the first match, with what the others said in its message.
 */
Result<AllocatedBuffers> allocateBuffers(const HeapChoice &choice, size_t count, uint64_t size,
					 const AllocationOptions &options);
Result<AllocatedBuffers> allocateBuffers(const HeapChoice &choice, size_t count, uint64_t size,
					 std::string_view name);
/** \brief The same for buffers of different sizes, such as the planes of frames; in this order */
Result<AllocatedBuffers> allocateBuffers(const HeapChoice &choice, std::span<const uint64_t> sizes,
					 const AllocationOptions &options);

} /* namespace heapflow */
