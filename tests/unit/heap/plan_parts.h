/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cameras, planes and heaps from which tests of plans are made. */
#pragma once

#include "heapflow/heap/plan.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <drm/drm_fourcc.h>

namespace heapflow::test
{

inline constexpr uint64_t kMiB = 1 << 20;

inline Heap systemHeap()
{
	Heap heap{.name = parseHeapName("system"), .node = "/dev/dma_heap/system"};
	heap.accessible = true;
	heap.region.id = "system";
	return heap;
}

/** \brief A CMA region, all of it free */
inline Heap cmaHeap(std::string_view name, uint64_t base, uint64_t size)
{
	Heap heap{.name = parseHeapName(name)};
	heap.accessible = true;
	heap.region.id = name;
	heap.region.base = base;
	heap.region.total = size;
	heap.region.free = size;
	heap.region.largest = size;
	heap.region.contiguous = true;
	return heap;
}

inline SourceMode mode(uint32_t fourcc, uint32_t width, uint32_t height)
{
	return {.fourcc = fourcc, .size = SizeRange::of(width, height)};
}

/** \brief A camera that takes any stride and any memory */
inline PlanSource camera(std::vector<SourceMode> modes)
{
	PlanSource source{.name = "camera", .modes = std::move(modes)};
	source.needs.contiguous = Demand::No;
	return source;
}

/** \brief A plane that takes any stride and any memory */
inline PlanPlane plane(std::vector<uint32_t> fourccs)
{
	PlanPlane plane{.name = "plane"};
	for (const uint32_t fourcc : fourccs)
		plane.formats.push_back({fourcc, 0});
	plane.needs.contiguous = Demand::No;
	return plane;
}

/** \brief NV12 1280x720 from any camera to any plane in any heap */
inline PlanRequest anything()
{
	PlanRequest request{.source = camera({mode(DRM_FORMAT_NV12, 1280, 720)}),
			    .planes = {plane({DRM_FORMAT_NV12})}};
	request.heaps.inOrder = {systemHeap()};
	return request;
}

} /* namespace heapflow::test */
