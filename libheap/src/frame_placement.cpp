/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/frame_placement.h"

#include <cerrno>
#include <numeric>
#include <string>

namespace heapflow
{

namespace
{

std::string planeText(size_t index)
{
	return "plane " + std::to_string(index);
}

Result<void> checkPlane(const FrameLayout &layout, const FramePlacement &placement, size_t index)
{
	const FramePlacement::Plane &plane = placement.planes[index];
	if (plane.buffer >= placement.buffers.size())
		return fail(EINVAL, planeText(index) + " is placed in buffer " +
					    std::to_string(plane.buffer) + " of " +
					    std::to_string(placement.buffers.size()));
	const uint64_t end = uint64_t{plane.offset} + layout.planes[index].length;
	if (end > placement.buffers[plane.buffer])
		return fail(EINVAL, planeText(index) + " ends at byte " + std::to_string(end) +
					    " of a buffer of " +
					    std::to_string(placement.buffers[plane.buffer]));
	for (size_t other = 0; other < index; other++) {
		const FramePlacement::Plane &before = placement.planes[other];
		if (before.buffer == plane.buffer && before.offset < end &&
		    plane.offset < uint64_t{before.offset} + layout.planes[other].length)
			return fail(EINVAL, planeText(index) + " at offset " +
						    std::to_string(plane.offset) + " overlaps " +
						    planeText(other) + " at offset " +
						    std::to_string(before.offset));
	}
	return {};
}

} /* namespace */

uint64_t FramePlacement::size() const
{
	return std::accumulate(buffers.begin(), buffers.end(), uint64_t{0});
}

FramePlacement placeInOneBuffer(const FrameLayout &layout)
{
	FramePlacement placement{.buffers = {layout.size()}, .planes = {}};
	for (const PlaneLayout &plane : layout.planes)
		placement.planes.push_back({.buffer = 0, .offset = plane.offset});
	return placement;
}

FramePlacement placeEachPlane(const FrameLayout &layout)
{
	FramePlacement placement;
	for (const PlaneLayout &plane : layout.planes) {
		placement.planes.push_back({.buffer = placement.buffers.size(), .offset = 0});
		placement.buffers.push_back(plane.length);
	}
	return placement;
}

Result<void> checkPlacement(const FrameLayout &layout, const FramePlacement &placement)
{
	if (placement.planes.size() != layout.planes.size())
		return fail(EINVAL, describe(layout) + " are placed as " +
					    std::to_string(placement.planes.size()) + " planes");
	for (size_t i = 0; i < placement.planes.size(); i++)
		if (auto checked = checkPlane(layout, placement, i); !checked)
			return checked;
	return {};
}

} /* namespace heapflow */
