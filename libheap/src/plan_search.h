/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the search for a plan keeps of each combination. Internal to libheap. */
#pragma once

#include "heapflow/heap/plan.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace heapflow
{

enum class Party { Camera, Plane, Heap, Request, Format };

/** \brief A clash before anybody asked for its words */
struct RawClash {
	ClashKind kind;
	Party first;
	Party second;
	uint64_t wanted = 0;
	uint64_t offered = 0;
	const char *detail = "";
};

/** \brief One mode on one plane: everything that no heap changes */
struct PlanPair {
	size_t mode = 0;
	size_t plane = 0;
	uint32_t width = 0;
	uint32_t height = 0;
	std::optional<FrameLayout> layout;
	uint32_t buffers = 0;
	uint64_t bufferBytes = 0;
	std::vector<RawClash> clashes;
};

PlanPair checkPair(const PlanRequest &request, size_t mode, size_t plane);

enum class Question { Contiguous, Address };
struct RawProbe {
	Party device;
	Question question;
};

/** \brief One pair in one heap */
struct HeapVerdict {
	uint64_t space = 0; /**< bytes */
	std::vector<RawClash> clashes;
	std::vector<RawProbe> probes;
};

HeapVerdict checkHeap(const PlanRequest &request, const PlanPair &pair, const Heap &heap);

/* Smaller is better, the first difference decides. */
struct PlanKey {
	uint64_t size;   /* pixels away from what is wanted */
	uint64_t rate;   /* frames missing, mHz */
	uint64_t heap;   /* position in the order of heaps */
	uint64_t format; /* position among the preferred formats */
	uint64_t scaled; /* 1: the plane must scale or cut */
	uint64_t bytes;  /* of a buffer */
	uint64_t mode;
	uint64_t plane;

	auto operator<=>(const PlanKey &) const = default;
};

/* One pair in one heap, ranked. */
struct PlanCandidate {
	size_t pair;
	size_t heap;
	PlanKey key;
	size_t clashes;
	bool formatClash;
	size_t probes;
};

class PlanSearch
{
public:
	explicit PlanSearch(const PlanRequest &request);

	std::expected<Plan, NoPlan> solve();

private:
	void tidyRequest();
	void checkAll();
	PlanKey keyOf(const PlanPair &pair, size_t heap) const;
	void addCandidate(size_t pair, size_t heap);
	void finishBuffer(PlanPair &pair) const;

	const SourceMode &modeOf(const PlanPair &pair) const
	{
		return request_.source.modes[pair.mode];
	}
	const PlanPlane &planeOf(const PlanPair &pair) const { return request_.planes[pair.plane]; }
	const Heap &heapOf(const PlanCandidate &candidate) const
	{
		return request_.heaps.inOrder[candidate.heap];
	}

	std::string nameOf(Party party, const PlanPair &pair, const Heap *heap) const;
	Clash worded(const RawClash &raw, const PlanPair &pair, const Heap *heap) const;
	Alternative alternative(const PlanCandidate &candidate, bool withHeap) const;
	std::string formatLists(const PlanPair &pair) const;
	std::string whyLost(const PlanCandidate &winner, const PlanCandidate &loser) const;

	Plan makePlan() const;
	void addReasons(const PlanCandidate &best, const HeapVerdict &verdict, Plan &plan) const;
	std::optional<size_t> nextHeap(const PlanCandidate &best) const;
	std::vector<Alternative> losers(const PlanCandidate &winner) const;
	std::vector<Alternative> nearestMisses(size_t most) const;
	NoPlan nothingOffered() const;

	PlanRequest request_;
	std::vector<size_t> planePosition_; /* sorted plane -> the caller's */
	std::vector<PlanPair> pairs_;
	std::vector<PlanCandidate> candidates_;
};

/** \brief The least common multiple, or nothing above 4 GiB; neither is 0 */
std::optional<uint64_t> commonAlignment(uint64_t a, uint64_t b);

/** \brief "2.5 MiB": for sentences */
std::string planBytes(uint64_t bytes);

/** \brief "NV12" or "NV12 with modifier 0x…" */
std::string planFormat(uint32_t fourcc, uint64_t modifier);

} /* namespace heapflow */
