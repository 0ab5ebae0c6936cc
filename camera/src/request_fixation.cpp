/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "request_fixation.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <format>
#include <string>

#include <drm/drm_fourcc.h>

namespace heapflow
{

namespace
{

/* Fewest bytes for the memory bus first, and formats that planes commonly take before the others.
 */
constexpr std::array preferred = {
	DRM_FORMAT_NV12,     DRM_FORMAT_NV21,     DRM_FORMAT_YUV420, DRM_FORMAT_YVU420,
	DRM_FORMAT_NV16,     DRM_FORMAT_NV61,     DRM_FORMAT_YUYV,   DRM_FORMAT_UYVY,
	DRM_FORMAT_XRGB8888, DRM_FORMAT_XBGR8888, DRM_FORMAT_BGR888, DRM_FORMAT_RGB888,
};

/* What no display shows comes last: MJPEG, which must be decoded, and the sensor's mosaic. */
size_t rank(const CaptureMode &mode, uint32_t first)
{
	if (mode.fourcc == fourccMjpeg)
		return preferred.size() + 2;
	if (!isPicture(mode.fourcc, mode.modifier))
		return preferred.size() + 3;
	if (first && mode.fourcc == first)
		return 0;
	const auto *place = std::ranges::find(preferred, mode.fourcc);
	return 1 + static_cast<size_t>(place - preferred.begin());
}

/* The nearest value of min, min + step, ... max. */
uint32_t nearest(uint32_t value, uint32_t min, uint32_t max, uint32_t step)
{
	if (value <= min || step == 0)
		return value <= min ? min : std::min(value, max);
	const uint32_t top = min + (max - min) / step * step;
	const uint64_t steps = (uint64_t{value} - min + step / 2) / step;
	return static_cast<uint32_t>(std::min<uint64_t>(min + steps * step, top));
}

struct Size {
	uint32_t width;
	uint32_t height;

	uint64_t distance(const Size &other) const
	{
		return static_cast<uint64_t>(std::llabs(int64_t{width} - other.width) +
					     std::llabs(int64_t{height} - other.height));
	}
};

Size wantedSize(const CaptureRequest &request, const CaptureRequest &defaults)
{
	Size size{request.width, request.height};
	if (!size.width && !size.height)
		return {defaults.width, defaults.height};
	if (!size.width)
		size.width = defaults.height
				     ? static_cast<uint32_t>(uint64_t{size.height} *
							     defaults.width / defaults.height)
				     : 0;
	if (!size.height)
		size.height = defaults.width
				      ? static_cast<uint32_t>(uint64_t{size.width} *
							      defaults.height / defaults.width)
				      : 0;
	return size;
}

std::string listFormats(const std::vector<CaptureMode> &modes)
{
	std::string list;
	uint32_t last = 0;
	for (const CaptureMode &mode : modes) {
		if (mode.fourcc == last)
			continue;
		list += (list.empty() ? "" : ", ") + fourccToString(mode.fourcc);
		last = mode.fourcc;
	}
	return list;
}

} /* namespace */

void sortByPreference(std::vector<CaptureMode> &modes, uint32_t first)
{
	std::ranges::stable_sort(modes, {},
				 [&](const CaptureMode &mode) { return rank(mode, first); });
}

Result<CaptureRequest> fixRequest(const std::vector<CaptureMode> &modes,
				  const CaptureRequest &request, const CaptureRequest &defaults)
{
	if (modes.empty())
		return fail(ENOTSUP, "the camera has no format that can be laid out in one dma-buf",
			    "Formats of several buffers a frame are not supported");

	CaptureRequest fixed = request;
	if (!fixed.fourcc) {
		fixed.fourcc = modes.front().fourcc;
		fixed.modifier = modes.front().modifier;
	}

	const Size wanted = wantedSize(request, defaults);
	bool found = false;
	Size best{};
	for (const CaptureMode &mode : modes) {
		if (mode.fourcc != fixed.fourcc || mode.modifier != fixed.modifier)
			continue;
		const Size size{
			nearest(wanted.width, mode.minWidth, mode.maxWidth, mode.stepWidth),
			nearest(wanted.height, mode.minHeight, mode.maxHeight, mode.stepHeight)};
		if (!found || size.distance(wanted) < best.distance(wanted))
			best = size;
		found = true;
	}
	if (!found)
		return fail(
			EINVAL,
			std::format("the camera has no format {}", fourccToString(fixed.fourcc)),
			std::format("It has {}", listFormats(modes)));

	fixed.width = best.width;
	fixed.height = best.height;
	return fixed;
}

} /* namespace heapflow */
