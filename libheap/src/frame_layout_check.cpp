/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Is a frame layout what libcamera and KMS can take? And how it is told to people. */
#include "heapflow/heap/frame_layout.h"

#include "plane_geometry.h"

#include <cerrno>
#include <cinttypes>
#include <cstdio>

#include <drm/drm_fourcc.h>

namespace heapflow
{

namespace
{

std::string planeText(size_t index)
{
	return "plane " + std::to_string(index);
}

/* What holds for any format, known or not: invariant 2. */
Result<void> checkPlaneSums(const FrameLayout &layout)
{
	uint64_t expected = 0;
	for (size_t i = 0; i < layout.planes.size(); i++) {
		const PlaneLayout &plane = layout.planes[i];
		if (plane.offset != expected)
			return fail(EINVAL,
				    describe(layout) + ": " + planeText(i) + " is at offset " +
					    std::to_string(plane.offset) + ", not at " +
					    std::to_string(expected),
				    "Planes follow each other; padding belongs to the length of "
				    "the plane before it");
		const bool lines = !isCompressed(layout.fourcc);
		if ((lines && plane.stride == 0) || plane.length == 0 ||
		    plane.length < plane.stride / 2)
			return fail(EINVAL, describe(layout) + ": " + planeText(i) +
						    " has stride " + std::to_string(plane.stride) +
						    " and length " + std::to_string(plane.length));
		expected += plane.length;
	}
	return {};
}

/* Strides and lengths against the format, by the rule of drm_gem_fb_init_with_funcs(). */
Result<void> checkPlaneSizes(const FrameLayout &layout, const FormatInfo &info)
{
	for (unsigned i = 0; i < info.planes; i++) {
		const PlaneLayout &plane = layout.planes[i];
		const uint64_t line = smallestLine(info.plane[i], layout.width);
		if (plane.stride < line)
			return fail(EINVAL, describe(layout) + ": " + planeText(i) +
						    " has stride " + std::to_string(plane.stride) +
						    ", a line takes " + std::to_string(line));
		const uint64_t lines = linesOf(info.plane[i], layout.height);
		const uint64_t least = uint64_t{plane.stride} * (lines - 1) + line;
		if (plane.length < least)
			return fail(EINVAL, describe(layout) + ": " + planeText(i) + " has " +
						    std::to_string(plane.length) + " bytes, its " +
						    std::to_string(lines) + " lines take " +
						    std::to_string(least));
	}
	return {};
}

} /* namespace */

Result<void> checkFrameLayout(const FrameLayout &layout, uint64_t bufferSize)
{
	if (layout.width == 0 || layout.height == 0)
		return fail(EINVAL, describe(layout) + " has no pixels");
	if (layout.planes.empty())
		return fail(EINVAL, describe(layout) + " has no planes");

	/* Tiled and compressed frames have strides, lengths and further planes of their own. */
	const FormatInfo *info = formatInfo(layout.fourcc, layout.modifier);
	if (info && layout.planes.size() != info->planes)
		return fail(EINVAL, describe(layout) + ": the format has " +
					    std::to_string(info->planes) + ", also in one dma-buf");

	if (auto checked = checkPlaneSums(layout); !checked)
		return checked;
	if (info) {
		if (auto checked = checkPlaneSizes(layout, *info); !checked)
			return checked;
	}
	if (layout.size() > bufferSize)
		return fail(EINVAL, describe(layout) + " do not fit in a dma-buf of " +
					    std::to_string(bufferSize) + " bytes");
	return {};
}

std::string describe(const FrameLayout &layout)
{
	std::string text = frameSizeText(layout.fourcc, layout.width, layout.height);
	if (!layout.planes.empty())
		text += ", stride " + std::to_string(layout.planes.front().stride);
	if (layout.modifier != DRM_FORMAT_MOD_LINEAR) {
		char modifier[40];
		std::snprintf(modifier, sizeof(modifier), ", modifier 0x%" PRIx64, layout.modifier);
		text += modifier;
	}
	return text + ", " + std::to_string(layout.size()) + " bytes in " +
	       std::to_string(layout.planes.size()) +
	       (layout.planes.size() == 1 ? " plane" : " planes");
}

} /* namespace heapflow */
