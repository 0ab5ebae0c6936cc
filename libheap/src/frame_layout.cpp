/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pixel formats and how a frame of one lies in one dma-buf. */
#include "heapflow/heap/frame_layout.h"

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <limits>
#include <numeric>

#include <drm/drm_fourcc.h>

namespace heapflow
{

namespace
{

/* Sample groups as {bytes, pixels across, lines down}, in the words of drm_fourcc.h. */
constexpr FormatInfo::Plane kLuma8{1, 1, 1};
constexpr FormatInfo::Plane kLuma16{2, 1, 1};

FormatInfo packed(uint32_t fourcc, unsigned bytes)
{
	return {fourcc, 1, false, {{bytes, 1, 1}, {}, {}}};
}

/* Two pixels share one sample of each chroma: Y0 Cb Y1 Cr. */
FormatInfo packedYuv422(uint32_t fourcc)
{
	return {fourcc, 1, true, {{4, 2, 1}, {}, {}}};
}

/* Chroma samples interleaved in a second plane. */
FormatInfo semiPlanar(uint32_t fourcc, unsigned horizontal, unsigned vertical)
{
	return {fourcc, 2, true, {kLuma8, {2, horizontal, vertical}, {}}};
}

FormatInfo planar(uint32_t fourcc, unsigned horizontal, unsigned vertical)
{
	const FormatInfo::Plane chroma{1, horizontal, vertical};
	return {fourcc, 3, true, {kLuma8, chroma, chroma}};
}

uint64_t divideUp(uint64_t value, uint64_t by)
{
	return (value + by - 1) / by;
}

uint64_t smallestStride(const FormatInfo::Plane &plane, uint32_t width)
{
	return divideUp(width, plane.horizontalSubsampling) * plane.bytesPerUnit;
}

uint64_t linesOf(const FormatInfo::Plane &plane, uint32_t height)
{
	return divideUp(height, plane.verticalSubsampling);
}

/*
 * The stride of a further plane is that of the first times numerator / denominator, so that both
 * planes have room for the same number of pixels.
 */
struct Ratio {
	uint64_t numerator;
	uint64_t denominator;
};

Ratio strideRatio(const FormatInfo &info, unsigned plane)
{
	const uint64_t numerator =
		uint64_t{info.plane[plane].bytesPerUnit} * info.plane[0].horizontalSubsampling;
	const uint64_t denominator =
		uint64_t{info.plane[0].bytesPerUnit} * info.plane[plane].horizontalSubsampling;
	const uint64_t divisor = std::gcd(numerator, denominator);
	return {numerator / divisor, denominator / divisor};
}

/* What the first stride must be a multiple of, so that every further stride is whole. */
uint64_t strideStep(const FormatInfo &info)
{
	uint64_t step = 1;
	for (unsigned i = 1; i < info.planes; i++)
		step = std::lcm(step, strideRatio(info, i).denominator);
	return step;
}

std::string sizeText(uint32_t fourcc, uint32_t width, uint32_t height)
{
	return fourccToString(fourcc) + " " + std::to_string(width) + "x" + std::to_string(height);
}

Result<void> checkDimensions(const FormatInfo &info, uint32_t width, uint32_t height)
{
	const std::string text = sizeText(info.fourcc, width, height);
	if (width == 0 || height == 0)
		return fail(EINVAL, text + " has no pixels");

	for (unsigned i = 0; i < info.planes; i++) {
		const auto &plane = info.plane[i];
		if (width % plane.horizontalSubsampling || height % plane.verticalSubsampling)
			return fail(EINVAL,
				    text + ": the format shares colour between " +
					    std::to_string(plane.horizontalSubsampling) + "x" +
					    std::to_string(plane.verticalSubsampling) + " pixels",
				    "Choose a width and a height that are multiples of these");
	}
	return {};
}

Result<uint64_t> firstStride(const FormatInfo &info, uint32_t width, uint32_t stride,
			     uint32_t alignment)
{
	const uint64_t smallest = smallestStride(info.plane[0], width);
	const uint64_t step = strideStep(info);

	if (stride == 0) {
		if (alignment == 0)
			return fail(EINVAL, "a stride alignment of 0 bytes means nothing",
				    "Use 1 for none");
		const uint64_t whole = std::lcm(step, uint64_t{alignment});
		return divideUp(smallest, whole) * whole;
	}

	const std::string text = fourccToString(info.fourcc) + " of width " + std::to_string(width);
	if (stride < smallest)
		return fail(EINVAL, text + " needs a stride of " + std::to_string(smallest) +
					    " bytes, not " + std::to_string(stride));
	if (stride % step)
		return fail(EINVAL, text + ": a stride of " + std::to_string(stride) +
					    " bytes is not a multiple of " + std::to_string(step) +
					    ", so the further planes have none");
	return stride;
}

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
		if (plane.stride == 0 || plane.length < plane.stride / 2)
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
		const uint64_t line = smallestStride(info.plane[i], layout.width);
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

uint64_t FrameLayout::size() const
{
	uint64_t sum = 0;
	for (const PlaneLayout &plane : planes)
		sum += plane.length;
	return sum;
}

const std::vector<FormatInfo> &knownFormats()
{
	static const std::vector<FormatInfo> formats{
		semiPlanar(DRM_FORMAT_NV12, 2, 2),
		semiPlanar(DRM_FORMAT_NV21, 2, 2),
		semiPlanar(DRM_FORMAT_NV16, 2, 1),
		semiPlanar(DRM_FORMAT_NV61, 2, 1),
		semiPlanar(DRM_FORMAT_NV24, 1, 1),
		semiPlanar(DRM_FORMAT_NV42, 1, 1),
		planar(DRM_FORMAT_YUV420, 2, 2),
		planar(DRM_FORMAT_YVU420, 2, 2),
		planar(DRM_FORMAT_YUV422, 2, 1),
		planar(DRM_FORMAT_YVU422, 2, 1),
		planar(DRM_FORMAT_YUV444, 1, 1),
		planar(DRM_FORMAT_YVU444, 1, 1),
		packedYuv422(DRM_FORMAT_YUYV),
		packedYuv422(DRM_FORMAT_YVYU),
		packedYuv422(DRM_FORMAT_UYVY),
		packedYuv422(DRM_FORMAT_VYUY),
		{DRM_FORMAT_P010, 2, true, {kLuma16, {4, 2, 2}, {}}},
		packed(DRM_FORMAT_RGB888, 3),
		packed(DRM_FORMAT_BGR888, 3),
		packed(DRM_FORMAT_XRGB8888, 4),
		packed(DRM_FORMAT_ARGB8888, 4),
		packed(DRM_FORMAT_XBGR8888, 4),
		packed(DRM_FORMAT_ABGR8888, 4),
		packed(DRM_FORMAT_RGBX8888, 4),
		packed(DRM_FORMAT_RGBA8888, 4),
		packed(DRM_FORMAT_BGRX8888, 4),
		packed(DRM_FORMAT_BGRA8888, 4),
		packed(DRM_FORMAT_RGB565, 2),
		packed(DRM_FORMAT_BGR565, 2),
		packed(DRM_FORMAT_R8, 1),
	};
	return formats;
}

const FormatInfo *formatInfo(uint32_t fourcc)
{
	const auto &formats = knownFormats();
	const auto found = std::ranges::find(formats, fourcc, &FormatInfo::fourcc);
	return found == formats.end() ? nullptr : &*found;
}

std::string fourccToString(uint32_t fourcc)
{
	std::string text;
	for (unsigned shift = 0; shift < 32; shift += 8) {
		const auto byte = static_cast<unsigned char>(fourcc >> shift);
		text += byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '?';
	}
	return text;
}

Result<uint32_t> fourccFromString(std::string_view text)
{
	const bool printable =
		std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
	if (text.size() != 4 || !printable)
		return fail(EINVAL,
			    "a pixel format is four printable characters, not " +
				    std::to_string(text.size()) +
				    (printable ? " characters" : " bytes of something else"),
			    "Write it as in <drm/drm_fourcc.h>, such as NV12 or XR24");
	uint32_t fourcc = 0;
	for (size_t i = 0; i < 4; i++)
		fourcc |= static_cast<uint32_t>(static_cast<unsigned char>(text[i])) << (8 * i);
	return fourcc;
}

Result<FrameLayout> makeFrameLayout(uint32_t fourcc, uint32_t width, uint32_t height,
				    uint32_t stride, uint32_t strideAlignment)
{
	const FormatInfo *info = formatInfo(fourcc);
	if (!info)
		return fail(EINVAL,
			    "the pixel format '" + fourccToString(fourcc) + "' is not known");
	if (auto checked = checkDimensions(*info, width, height); !checked)
		return std::unexpected(checked.error());
	const auto first = firstStride(*info, width, stride, strideAlignment);
	if (!first)
		return std::unexpected(first.error());

	FrameLayout layout{.fourcc = fourcc, .width = width, .height = height};
	uint64_t offset = 0;
	for (unsigned i = 0; i < info->planes; i++) {
		const Ratio ratio = i ? strideRatio(*info, i) : Ratio{1, 1};
		const uint64_t planeStride = *first / ratio.denominator * ratio.numerator;
		const uint64_t lines = linesOf(info->plane[i], height);
		constexpr uint64_t limit = std::numeric_limits<uint32_t>::max();

		/* Each factor is below 2^36 and 2^32: the check before it keeps the product in
		 * range. */
		if (planeStride > limit || planeStride * lines > limit - offset)
			return fail(EOVERFLOW,
				    sizeText(fourcc, width, height) + " with a stride of " +
					    std::to_string(*first) + " bytes is beyond 4 GiB");
		const uint64_t length = planeStride * lines;
		layout.planes.push_back({static_cast<uint32_t>(offset),
					 static_cast<uint32_t>(planeStride),
					 static_cast<uint32_t>(length)});
		offset += length;
	}
	return layout;
}

Result<void> checkFrameLayout(const FrameLayout &layout, uint64_t bufferSize)
{
	if (layout.width == 0 || layout.height == 0)
		return fail(EINVAL, describe(layout) + " has no pixels");
	if (layout.planes.empty())
		return fail(EINVAL, describe(layout) + " has no planes");

	/* Tiled and compressed frames have strides, lengths and further planes of their own. */
	const FormatInfo *info =
		layout.modifier == DRM_FORMAT_MOD_LINEAR ? formatInfo(layout.fourcc) : nullptr;
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
	std::string text = sizeText(layout.fourcc, layout.width, layout.height);
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
