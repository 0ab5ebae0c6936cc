/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/plane_bounds.h"

#include "plane_geometry.h"

#include <algorithm>
#include <cerrno>

namespace heapflow
{

static std::string planeText(size_t index)
{
	return "plane " + std::to_string(index);
}

Result<void> checkPlanesFit(const FrameLayout &layout, std::span<const uint64_t> sizes)
{
	const FormatInfo *info = formatInfo(layout.fourcc, layout.modifier);
	if (info && layout.planes.size() != info->planes)
		info = nullptr;
	for (unsigned i = 0; i < layout.planes.size(); i++) {
		const PlaneLayout &bytes = layout.planes[i];
		uint64_t needed = uint64_t{bytes.offset} + bytes.length;
		if (info) {
			const uint64_t line = smallestLine(info->plane[i], layout.width);
			if (bytes.stride < line)
				return fail(EINVAL,
					    describe(layout) + ": " + planeText(i) +
						    " has stride " + std::to_string(bytes.stride) +
						    ", a line takes " + std::to_string(line));
			/* A length may be too short for its lines. No sum of these overflows 64
			 * bits: a line is no longer than its stride. */
			const uint64_t lines = linesOf(info->plane[i], layout.height);
			needed = std::max(needed, bytes.offset +
							  (lines ? bytes.stride * (lines - 1) : 0) +
							  line);
		}
		const uint64_t size = sizes[sizes.size() > 1 ? i : 0];
		if (needed > size)
			return fail(EINVAL,
				    "the dma-buf" +
					    (sizes.size() > 1 ? " of " + planeText(i) : "") +
					    " is too small: " + std::to_string(size) +
					    " bytes, the frame needs " + std::to_string(needed) +
					    " (" + describe(layout) + ")",
				    "Allocate at least the size of the frame's layout");
	}
	return {};
}

} /* namespace heapflow */
