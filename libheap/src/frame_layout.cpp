/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the planes of a frame lie in one dma-buf. */
#include "heapflow/heap/frame_layout.h"

#include "plane_geometry.h"

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <limits>

#include <drm/drm_fourcc.h>

namespace heapflow
{

namespace
{

constexpr uint64_t kMostBytes = std::numeric_limits<uint32_t>::max();

Result<const FormatInfo *> findFormat(uint32_t fourcc, uint64_t modifier)
{
	if (const FormatInfo *info = formatInfo(fourcc, modifier))
		return info;

	const std::string name = "'" + fourccToString(fourcc) + "'";
	if (isCompressed(fourcc))
		return fail(ENOTSUP,
			    "frames in the pixel format " + name +
				    " are compressed: no size in pixels gives their length",
			    "Let the camera deliver raw frames, such as YUYV or NV12");
	if (formatInfo(fourcc)) {
		char text[24];
		std::snprintf(text, sizeof(text), "0x%016" PRIx64, modifier);
		return fail(ENOTSUP,
			    "the layout of " + name + " with the modifier " + text +
				    " is not known: it is tiled or compressed",
			    "Only the driver that defines the modifier can lay it out; choose "
			    "linear");
	}
	return fail(EINVAL, "the pixel format " + name + " is not known",
		    "docs/formats.md lists those that are");
}

Result<void> checkDimensions(const FormatInfo &info, uint32_t width, uint32_t height, bool oddSizes)
{
	const std::string text = frameSizeText(info.fourcc, width, height);
	if (width == 0 || height == 0)
		return fail(EINVAL, text + " has no pixels");
	if (!oddSizes && (width % info.horizontalSubsampling || height % info.verticalSubsampling))
		return fail(EINVAL,
			    text + ": the format shares colour between " +
				    std::to_string(info.horizontalSubsampling) + "x" +
				    std::to_string(info.verticalSubsampling) + " pixels",
			    "Choose a width and a height that are multiples of these");
	return {};
}

Result<void> checkRules(const LayoutRules &rules)
{
	const std::pair<const char *, uint64_t> alignments[] = {
		{"stride", rules.strideAlignment}, {"stride", rules.planeStrideAlignment},
		{"height", rules.heightAlignment}, {"offset", rules.offsetAlignment},
		{"size", rules.sizeAlignment},
	};
	for (const auto &[what, alignment] : alignments)
		if (alignment == 0)
			return fail(EINVAL,
				    std::string("a ") + what +
					    " alignment of 0 bytes means nothing",
				    "Use 1 for none");
	return {};
}

std::unexpected<Error> tooLarge(const FormatInfo &info, uint32_t width, uint32_t height,
				uint64_t stride)
{
	return fail(EOVERFLOW, frameSizeText(info.fourcc, width, height) + " with a stride of " +
				       std::to_string(stride) + " bytes is beyond 4 GiB");
}

Result<uint64_t> firstStride(const FormatInfo &info, uint32_t width, uint32_t height,
			     const LayoutRules &rules)
{
	const uint64_t smallest = smallestFirstStride(info, width);
	const auto step = firstStrideStep(info, height, rules);
	const std::string text = fourccToString(info.fourcc) + " of width " + std::to_string(width);
	if (!step)
		return fail(EOVERFLOW,
			    text + ": the alignments have no common multiple below 4 GiB");

	if (rules.stride == 0)
		return divideUp(std::max<uint64_t>(smallest, rules.minimumStride), *step) * *step;
	if (rules.stride < smallest)
		return fail(EINVAL, text + " needs a stride of " + std::to_string(smallest) +
					    " bytes, not " + std::to_string(rules.stride));
	if (rules.stride % *step)
		return fail(EINVAL,
			    text + ": a stride of " + std::to_string(rules.stride) +
				    " bytes is not a multiple of " + std::to_string(*step) +
				    ", which the alignments and the further planes ask for");
	return rules.stride;
}

} /* namespace */

uint64_t FrameLayout::size() const
{
	uint64_t sum = 0;
	for (const PlaneLayout &plane : planes)
		sum += plane.length;
	return sum;
}

Result<FrameLayout> makeFrameLayout(uint32_t fourcc, uint32_t width, uint32_t height,
				    const LayoutRules &rules)
{
	const auto found = findFormat(fourcc, rules.modifier);
	if (!found)
		return std::unexpected(found.error());
	const FormatInfo &info = **found;
	if (auto checked = checkDimensions(info, width, height, rules.oddSizes); !checked)
		return std::unexpected(checked.error());
	if (auto checked = checkRules(rules); !checked)
		return std::unexpected(checked.error());
	const auto first = firstStride(info, width, height, rules);
	if (!first)
		return std::unexpected(first.error());

	FrameLayout layout{
		.fourcc = fourcc, .modifier = rules.modifier, .width = width, .height = height};
	const uint64_t lines = divideUp(height, rules.heightAlignment) * rules.heightAlignment;
	uint64_t offset = 0;
	for (unsigned i = 0; i < info.planes; i++) {
		const uint64_t stride = strideOf(info, i, *first);
		const uint64_t planeLines = linesOf(info.plane[i], lines);

		/* Strides are checked before the product: 2^32 times 2^33 at the most. */
		if (stride > kMostBytes || planeLines > kMostBytes ||
		    stride * planeLines > kMostBytes - offset)
			return tooLarge(info, width, height, *first);
		uint64_t end = offset + stride * planeLines;
		/* Bytes between planes belong to the length of the plane before them. */
		const bool last = i + 1 == info.planes;
		const uint64_t alignment = last ? rules.sizeAlignment : rules.offsetAlignment;
		if (alignment > kMostBytes)
			return tooLarge(info, width, height, *first);
		end = divideUp(end, alignment) * alignment;
		if (end > kMostBytes)
			return tooLarge(info, width, height, *first);
		layout.planes.push_back({static_cast<uint32_t>(offset),
					 static_cast<uint32_t>(stride),
					 static_cast<uint32_t>(end - offset)});
		offset = end;
	}
	return layout;
}

Result<FrameLayout> makeFrameLayout(uint32_t fourcc, uint32_t width, uint32_t height,
				    uint32_t stride, uint32_t strideAlignment)
{
	/* A stride that was given is taken as it is. */
	return makeFrameLayout(
		fourcc, width, height,
		{.stride = stride, .strideAlignment = stride == 0 ? strideAlignment : 1});
}

} /* namespace heapflow */
