/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One plan for camera, heap and plane of the display, or what clashes. Pure data: no device. */
#pragma once

#include "heapflow/heap/cma.h"
#include "heapflow/heap/frame_layout.h"
#include "heapflow/heap/heap.h"
#include "heapflow/heap/heap_choice.h"
#include "heapflow/heap/memory_needs.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace heapflow
{

/** \brief Sizes a camera has: one when the minimum is the maximum, or a range in steps */
struct SizeRange {
	uint32_t minWidth = 1;
	uint32_t maxWidth = 1;
	uint32_t stepWidth = 1;
	uint32_t minHeight = 1;
	uint32_t maxHeight = 1;
	uint32_t stepHeight = 1;

	static SizeRange of(uint32_t width, uint32_t height)
	{
		return {width, width, 1, height, height, 1};
	}
	auto operator<=>(const SizeRange &) const = default;
};

/** \brief Who decides on the stride of the first plane; all in bytes */
struct StrideRules {
	enum class Kind {
		Free,  /**< the camera takes what it is asked for (vivid) */
		Least, /**< the camera takes the least multiple of `alignment` (vimc, virtual) */
		Fixed, /**< the camera has `fixed`, whatever is asked for */
	};

	Kind kind = Kind::Free;
	uint32_t alignment = 1;
	uint32_t minimum = 0;
	uint32_t maximum = std::numeric_limits<uint32_t>::max();
	uint32_t fixed = 0;

	auto operator<=>(const StrideRules &) const = default;
};

/** \brief One format that a camera fills, in one range of sizes */
struct SourceMode {
	uint32_t fourcc = 0;
	uint64_t modifier = 0;
	SizeRange size;
	uint32_t rate = 0; /**< the highest, in frames per 1000 seconds (mHz); 0 unknown */
	StrideRules stride;
	uint32_t heightAlignment = 1; /**< lines; 16 for many hardware codecs */

	auto operator<=>(const SourceMode &) const = default;
};

/** \brief What a camera can fill, and what it asks of buffers */
struct PlanSource {
	std::string name; /**< for messages: "vivid" */
	std::vector<SourceMode> modes;
	uint32_t minimumBuffers = 1;  /**< the camera takes no fewer; vimc: 4 */
	uint32_t maximumBuffers = 32; /**< and no more; vimc: 4 */
	uint32_t keeps = 2;           /**< buffers it must have queued to lose no frame */
	MemoryNeeds needs;
};

struct PlaneFormat {
	uint32_t fourcc = 0;
	uint64_t modifier = 0;

	auto operator<=>(const PlaneFormat &) const = default;
};

/** \brief What a plane of a display scans out */
struct PlanPlane {
	std::string name; /**< for messages: "vkms plane 33" */
	std::vector<PlaneFormat> formats;
	uint32_t pitchAlignment = 1; /**< bytes, of each plane of the frame */
	uint32_t maximumPitch = std::numeric_limits<uint32_t>::max(); /**< bytes, likewise */
	uint32_t minWidth = 1; /**< pixels, of the framebuffer; likewise below */
	uint32_t maxWidth = std::numeric_limits<uint32_t>::max();
	uint32_t minHeight = 1;
	uint32_t maxHeight = std::numeric_limits<uint32_t>::max();
	uint32_t outputWidth = 0; /**< pixels to be covered; 0: it does not matter */
	uint32_t outputHeight = 0;
	bool scales = false;      /**< shows a frame larger or smaller than it is */
	bool crops = true;        /**< shows a part of a frame */
	uint32_t buffersHeld = 2; /**< the one on the screen, and the one of the next flip */
	MemoryNeeds needs;
};

/** \brief The heaps that may be used, the first the best */
struct PlanHeaps {
	std::vector<Heap> inOrder; /**< as a HeapChoice has them: heapsInOrder() */
	CmaRules cma;
	std::optional<uint64_t> systemFree;  /**< bytes: availableMemory() */
	std::optional<uint64_t> endOfMemory; /**< physical address behind the last RAM, bytes */
};

/** \brief The matches of a choice, in the order in which they are to be tried */
std::vector<Heap> heapsInOrder(const HeapChoice &choice);

/** \brief What the user wants; each 0 or empty says nothing */
struct PlanPreference {
	uint32_t width = 0; /**< with `height`: the size nearest to it is taken */
	uint32_t height = 0;
	bool exactSize = false;        /**< another size is a clash */
	uint32_t rate = 0;             /**< mHz; slower modes come after faster ones */
	std::vector<uint32_t> formats; /**< fourccs, the first the best; others come after */
	uint32_t extraBuffers = 0;     /**< for whoever holds frames between camera and display */
};

struct PlanRequest {
	PlanSource source;
	std::vector<PlanPlane> planes;
	PlanHeaps heaps;
	PlanPreference preference;
};

enum class ClashKind {
	Nothing,         /**< a party offers nothing at all */
	Format,          /**< the plane does not take the format */
	Modifier,        /**< it takes the format, but not laid out like this */
	Layout,          /**< heapflow cannot lay the format out */
	Size,            /**< the camera's sizes and what the plane or the request wants */
	PitchAlignment,  /**< the stride is not a multiple of what the plane needs */
	PitchLimit,      /**< the stride is larger than somebody takes */
	OffsetAlignment, /**< a plane of the frame begins where a device cannot read it */
	BufferCount,     /**< the camera takes fewer buffers than camera and display hold */
	Contiguity,      /**< the device needs contiguous memory, the heap is scattered */
	AddressLimit,    /**< memory of the heap can lie above what the device reaches */
	Protected,       /**< the device works by CPU, protected memory is never mapped */
	Permission,      /**< this process may not open the heap */
	Space,           /**< the buffers do not fit */
};

/** \brief "pitch-alignment" */
const char *clashName(ClashKind kind);

/** \brief Two parties that want what cannot both be */
struct Clash {
	ClashKind kind = ClashKind::Nothing;
	std::string first;  /**< who wants: "vkms plane 33" */
	std::string second; /**< who cannot: "vimc" */
	std::string detail; /**< what the numbers are of */
	uint64_t wanted = 0;
	uint64_t offered = 0;

	bool operator==(const Clash &) const = default;
};

/** \brief A combination that was not taken; a near miss when it has clashes */
struct Alternative {
	uint32_t fourcc = 0;
	uint64_t modifier = 0;
	uint32_t width = 0;
	uint32_t height = 0;
	std::string plane;
	std::string heap;           /**< empty when the clash is the same with every heap */
	std::vector<Clash> clashes; /**< empty: it would have worked */
	std::string why;            /**< a sentence */

	bool operator==(const Alternative &) const = default;
};

/** \brief What nobody can say before a buffer was tried */
struct Probe {
	std::string device;
	std::string heap;
	std::string question; /**< "accepts memory that may be scattered" */

	bool operator==(const Probe &) const = default;
};

struct Plan {
	SourceMode mode;
	size_t plane = 0; /**< index in PlanRequest::planes */
	size_t heap = 0;  /**< index in PlanHeaps::inOrder */
	std::string sourceName;
	std::string planeName;
	std::string heapName;
	FrameLayout layout; /**< with the stride both sides take */
	uint32_t buffers = 0;
	uint64_t bufferBytes = 0; /**< of each allocation: aligned and in whole pages */
	uint64_t space = 0;       /**< bytes of the region for all, with the gaps CMA leaves */
	std::vector<std::string> reasons;
	std::vector<Probe> probes;       /**< to be proved with one buffer before allocating all */
	std::optional<size_t> nextHeap;  /**< to be taken when a probe says no */
	std::vector<Alternative> others; /**< at most kMostAlternatives, the best first */
};

/** \brief No combination works; the nearest misses first, at most kMostAlternatives */
struct NoPlan {
	std::vector<Alternative> misses;
	size_t considered = 0; /**< combinations that were looked at */
};

inline constexpr size_t kMostAlternatives = 8;

/**
 * \brief The best combination of mode, plane and heap, or why there is none
 *
 * Deterministic; the order of heaps and of preferred formats has a meaning, that of modes, planes
 * and plane formats has none. Touches no device. Time O(M log M + P (M log F + M H) + C log C) for
 * M modes, P planes of F formats, H heaps and C = M P H combinations, memory O(C).
 */
std::expected<Plan, NoPlan> solvePlan(const PlanRequest &request);

/** \brief "vkms plane 33 needs a pitch that is a multiple of 64 bytes; vimc gives 1923" */
std::string describe(const Clash &clash);

/** \brief A few lines for people: what is taken, why, what was not */
std::string describe(const Plan &plan);
std::string describe(const NoPlan &none);

} /* namespace heapflow */
