/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "color_bars.h"

#include <cmath>
#include <cstdlib>
#include <optional>

#include <drm/drm_fourcc.h>

namespace heapflow::test
{

namespace
{

constexpr Bars barsOf(double level)
{
	return {{{level, level, level},
		 {level, level, 0},
		 {0, level, level},
		 {0, level, 0},
		 {level, 0, level},
		 {level, 0, 0},
		 {0, 0, level},
		 {0, 0, 0}}};
}

using Sample = std::array<int, 3>; /* Y, Cb, Cr or R, G, B */

int value(std::span<const std::byte> pixels, size_t offset)
{
	return std::to_integer<int>(pixels[offset]);
}

std::optional<Sample> sampleAt(const FrameLayout &layout, std::span<const std::byte> pixels,
			       unsigned x, unsigned y)
{
	const auto at = [&](size_t plane, size_t column, size_t line) {
		const PlaneLayout &p = layout.planes[plane];
		return p.offset + line * p.stride + column;
	};
	switch (layout.fourcc) {
	case DRM_FORMAT_NV12: {
		const size_t chroma = at(1, x / 2 * 2, y / 2);
		return Sample{value(pixels, at(0, x, y)), value(pixels, chroma),
			      value(pixels, chroma + 1)};
	}
	case DRM_FORMAT_YUV420:
		return Sample{value(pixels, at(0, x, y)), value(pixels, at(1, x / 2, y / 2)),
			      value(pixels, at(2, x / 2, y / 2))};
	case DRM_FORMAT_BGR888: { /* in memory R, G, B */
		const size_t pixel = at(0, x * size_t{3}, y);
		return Sample{value(pixels, pixel), value(pixels, pixel + 1),
			      value(pixels, pixel + 2)};
	}
	case DRM_FORMAT_XRGB8888: { /* in memory B, G, R, X */
		const size_t pixel = at(0, x * size_t{4}, y);
		return Sample{value(pixels, pixel + 2), value(pixels, pixel + 1),
			      value(pixels, pixel)};
	}
	default:
		return std::nullopt;
	}
}

/* The defining equations of the recommendations, in floating point; 8 bits. */
Sample yccOf(const Rgb &color, const Colorimetry &colorimetry)
{
	double kr = 0.299;
	double kb = 0.114;
	if (colorimetry.encoding == ColorEncoding::BT709) {
		kr = 0.2126;
		kb = 0.0722;
	} else if (colorimetry.encoding == ColorEncoding::BT2020) {
		kr = 0.2627;
		kb = 0.0593;
	}
	const double luma = kr * color.red + (1 - kr - kb) * color.green + kb * color.blue;
	const double cb = (color.blue - luma) / (2 * (1 - kb));
	const double cr = (color.red - luma) / (2 * (1 - kr));
	const bool full = colorimetry.range == ColorRange::Full;
	const double lumaScale = full ? 255 : 219;
	const double chromaScale = full ? 255 : 224;
	return {static_cast<int>(std::lround((full ? 0 : 16) + lumaScale * luma)),
		static_cast<int>(std::lround(128 + chromaScale * cb)),
		static_cast<int>(std::lround(128 + chromaScale * cr))};
}

Sample rgbOf(const Rgb &color)
{
	return {static_cast<int>(std::lround(255 * color.red)),
		static_cast<int>(std::lround(255 * color.green)),
		static_cast<int>(std::lround(255 * color.blue))};
}

bool matches(const Sample &found, const Sample &wanted, int tolerance)
{
	for (size_t i = 0; i < found.size(); ++i)
		if (std::abs(found[i] - wanted[i]) > tolerance)
			return false;
	return true;
}

} /* namespace */

const Bars fullBars = barsOf(1);
/* v4l2-tpg-colors.c has 191 of 255. */
const Bars threeQuarterBars = barsOf(191.0 / 255);

testing::AssertionResult showsBars(const FrameLayout &layout, std::span<const std::byte> pixels,
				   const BarsExpectation &expected)
{
	if (pixels.size() < layout.size())
		return testing::AssertionFailure() << "only " << pixels.size() << " bytes mapped";
	const FormatInfo *info = formatInfo(layout.fourcc);
	std::array<Sample, 8> wanted;
	for (size_t bar = 0; bar < wanted.size(); ++bar)
		wanted[bar] = info && info->yuv ? yccOf(expected.bars[bar], expected.colorimetry)
						: rgbOf(expected.bars[bar]);

	size_t compared = 0;
	for (unsigned y = expected.firstLine; y < layout.height; y += 8) {
		for (unsigned x = 0; x < layout.width; ++x) {
			const unsigned column = (x + expected.shift) % layout.width;
			const unsigned bar = column * 8 / layout.width;
			const unsigned left = column - bar * layout.width / 8;
			const unsigned right = (bar + 1) * layout.width / 8 - column;
			if (left < expected.margin || right <= expected.margin)
				continue;
			const auto found = sampleAt(layout, pixels, x, y);
			if (!found)
				return testing::AssertionFailure()
				       << "the test cannot read " << fourccToString(layout.fourcc);
			if (!matches(*found, wanted[bar], expected.tolerance))
				return testing::AssertionFailure()
				       << "pixel " << x << "," << y << " in bar " << bar << " is "
				       << testing::PrintToString(*found) << " instead of "
				       << testing::PrintToString(wanted[bar]) << " +- "
				       << expected.tolerance;
			++compared;
		}
	}
	if (compared < size_t{layout.width} * 8)
		return testing::AssertionFailure() << "only " << compared << " pixels compared";
	return testing::AssertionSuccess();
}

} /* namespace heapflow::test */
