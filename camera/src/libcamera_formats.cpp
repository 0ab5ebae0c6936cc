/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcamera_formats.h"

#include "padding.h"

#include <algorithm>
#include <cerrno>
#include <format>

namespace heapflow
{

Colorimetry colorimetryFromLibcamera(uint32_t fourcc,
				     const std::optional<libcamera::ColorSpace> &colorSpace)
{
	using libcamera::ColorSpace;
	if (!colorSpace)
		return {};

	Colorimetry colorimetry;
	colorimetry.range = colorSpace->range == ColorSpace::Range::Full ? ColorRange::Full
									 : ColorRange::Limited;
	const FormatInfo *info = formatInfo(fourcc);
	if (!info || !info->yuv)
		return colorimetry;
	switch (colorSpace->ycbcrEncoding) {
	case ColorSpace::YcbcrEncoding::None:
		break;
	case ColorSpace::YcbcrEncoding::Rec601:
		colorimetry.encoding = ColorEncoding::BT601;
		break;
	case ColorSpace::YcbcrEncoding::Rec709:
		colorimetry.encoding = ColorEncoding::BT709;
		break;
	case ColorSpace::YcbcrEncoding::Rec2020:
		colorimetry.encoding = ColorEncoding::BT2020;
		break;
	}
	return colorimetry;
}

Result<FrameLayout> layoutFromLibcamera(const libcamera::StreamConfiguration &stream)
{
	const uint32_t fourcc = stream.pixelFormat.fourcc();
	const uint64_t modifier = stream.pixelFormat.modifier();
	if (fourcc == fourccMjpeg) {
		FrameLayout frame =
			compressedLayout(stream.size.width, stream.size.height, stream.frameSize);
		frame.colorimetry = {ColorEncoding::BT601, ColorRange::Full}; /* JFIF */
		return frame;
	}
	if (!formatInfo(fourcc, modifier))
		return fail(ENOTSUP, std::format("the camera's format {} cannot be laid out in one "
						 "dma-buf",
						 stream.pixelFormat.toString()));

	LayoutRules rules;
	rules.stride = stream.stride;
	rules.modifier = modifier;
	auto layout = makeFrameLayout(fourcc, stream.size.width, stream.size.height, rules);
	if (!layout)
		return layout;
	if (auto padded = padFrameLayout(*layout, stream.frameSize); !padded)
		return std::unexpected(padded.error());
	layout->colorimetry = colorimetryFromLibcamera(layout->fourcc, stream.colorSpace);
	return layout;
}

namespace
{

CaptureMode discrete(const libcamera::PixelFormat &format, const libcamera::Size &size)
{
	return {format.fourcc(),  size.width, size.width, 1, size.height, size.height, 1, {},
		format.modifier()};
}

bool canBeLaidOut(const libcamera::PixelFormat &format)
{
	return format.fourcc() == fourccMjpeg || formatInfo(format.fourcc(), format.modifier());
}

/* The smallest step that the camera keeps in the middle of the range, or 0: no range at all. */
unsigned findStep(const libcamera::PixelFormat &format, const libcamera::SizeRange &range,
		  const SizeTest &accepts)
{
	constexpr unsigned coarsest = 16;
	const libcamera::Size middle((range.min.width + range.max.width) / 2,
				     (range.min.height + range.max.height) / 2);
	const libcamera::Size base = middle.alignedDownTo(coarsest, coarsest);
	if (!accepts(format, base))
		return 0;
	for (unsigned step = 1; step < coarsest; step *= 2)
		if (accepts(format, {base.width + step, base.height + step}))
			return step;
	return coarsest;
}

void appendModes(const libcamera::StreamFormats &formats, const libcamera::PixelFormat &format,
		 const SizeTest &accepts, std::vector<CaptureMode> &modes)
{
	const libcamera::SizeRange range = formats.range(format);
	/* Steps of 0 are libcamera's sign that it made the range of single sizes. */
	const bool isRange = range.hStep && range.vStep && range.min != range.max;
	if (isRange) {
		if (const unsigned step = findStep(format, range, accepts)) {
			modes.push_back({format.fourcc(),
					 range.min.width,
					 range.max.width,
					 std::max(step, range.hStep),
					 range.min.height,
					 range.max.height,
					 std::max(step, range.vStep),
					 {},
					 format.modifier()});
			return;
		}
	}

	std::vector<libcamera::Size> sizes = formats.sizes(format);
	sizes.push_back(range.min);
	sizes.push_back(range.max);
	std::ranges::sort(sizes);
	const auto repeated = std::ranges::unique(sizes);
	sizes.erase(repeated.begin(), repeated.end());
	for (const libcamera::Size &size : sizes)
		if (!isRange || accepts(format, size))
			modes.push_back(discrete(format, size));
}

} /* namespace */

std::vector<CaptureMode> modesFromLibcamera(const libcamera::StreamFormats &formats,
					    const SizeTest &accepts)
{
	std::vector<CaptureMode> modes;
	for (const libcamera::PixelFormat &format : formats.pixelformats())
		if (canBeLaidOut(format))
			appendModes(formats, format, accepts, modes);
	return modes;
}

} /* namespace heapflow */
