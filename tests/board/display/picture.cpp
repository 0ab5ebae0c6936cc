/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "picture.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <format>
#include <functional>

#include <drm_fourcc.h>

namespace heapflow::test
{

namespace
{

using Source = std::function<Components(uint32_t, uint32_t)>;

bool isYuv(const FrameLayout &layout)
{
	return formatInfo(layout.fourcc)->yuv;
}

void put(const FrameLayout &layout, std::span<std::byte> memory, size_t plane, uint32_t line,
	 size_t byte, uint8_t value)
{
	const PlaneLayout &at = layout.planes[plane];
	memory[at.offset + size_t{line} * at.stride + byte] = std::byte{value};
}

void putPixel(const FrameLayout &layout, std::span<std::byte> memory, uint32_t x, uint32_t y,
	      Components c)
{
	const auto write = [&](size_t plane, uint32_t line, size_t byte, uint8_t value) {
		put(layout, memory, plane, line, byte, value);
	};
	switch (layout.fourcc) {
	case DRM_FORMAT_XRGB8888: /* B G R X in memory */
		for (size_t i = 0; i < 3; i++)
			write(0, y, x * 4 + i, c[2 - i]);
		write(0, y, x * 4 + 3, 0x5a); /* X must not matter */
		break;
	case DRM_FORMAT_BGR888: /* R G B in memory */
		for (size_t i = 0; i < 3; i++)
			write(0, y, x * 3 + i, c[i]);
		break;
	case DRM_FORMAT_RGB565: {
		const unsigned packed = (c[0] >> 3 << 11) | (c[1] >> 2 << 5) | (c[2] >> 3);
		write(0, y, x * 2, packed & 0xff);
		write(0, y, x * 2 + 1, static_cast<uint8_t>(packed >> 8));
		break;
	}
	case DRM_FORMAT_NV12:
		write(0, y, x, c[0]);
		write(1, y / 2, x / 2 * 2, c[1]);
		write(1, y / 2, x / 2 * 2 + 1, c[2]);
		break;
	case DRM_FORMAT_YUV420:
		write(0, y, x, c[0]);
		write(1, y / 2, x / 2, c[1]);
		write(2, y / 2, x / 2, c[2]);
		break;
	case DRM_FORMAT_P010: /* 10 bits at the top of 16; the low byte stays 0 */
		write(0, y, x * 2 + 1, c[0]);
		write(1, y / 2, x / 2 * 4 + 1, c[1]);
		write(1, y / 2, x / 2 * 4 + 3, c[2]);
		break;
	default:
		std::abort();
	}
}

void draw(const FrameLayout &layout, std::span<std::byte> memory, const Source &source)
{
	for (uint32_t y = 0; y < layout.height; y++) {
		for (uint32_t x = 0; x < layout.width; x++)
			putPixel(layout, memory, x, y, source(x, y));
	}
}

} /* namespace */

Components pictureAt(uint32_t x, uint32_t y, bool yuv)
{
	/* Odd factors visit all 256 values; luma stays off the clipped ends of limited range. */
	if (!yuv)
		return {static_cast<uint8_t>(x * 7 + y), static_cast<uint8_t>(y * 5 + x * 3),
			static_cast<uint8_t>(x + y * 11)};
	return {static_cast<uint8_t>(16 + (x * 7 + y * 13) % 220),
		static_cast<uint8_t>(64 + (x / 8 * 17 + y / 8 * 3) % 128),
		static_cast<uint8_t>(64 + (x / 8 * 5 + y / 8 * 29) % 128)};
}

void drawPicture(const FrameLayout &layout, std::span<std::byte> memory)
{
	draw(layout, memory,
	     [yuv = isYuv(layout)](uint32_t x, uint32_t y) { return pictureAt(x, y, yuv); });
}

void drawFlat(const FrameLayout &layout, std::span<std::byte> memory, Components colour)
{
	draw(layout, memory, [colour](uint32_t, uint32_t) { return colour; });
}

Rgb toRgb(Components yuv, const Colorimetry &colorimetry)
{
	double kr = 0.2126, kb = 0.0722; /* BT.709 */
	if (colorimetry.encoding == ColorEncoding::BT601) {
		kr = 0.299;
		kb = 0.114;
	} else if (colorimetry.encoding == ColorEncoding::BT2020) {
		kr = 0.2627;
		kb = 0.0593;
	}
	const bool full = colorimetry.range == ColorRange::Full;
	const double luma = full ? yuv[0] / 255.0 : (yuv[0] - 16) / 219.0;
	const double cb = (yuv[1] - 128) / (full ? 255.0 : 224.0);
	const double cr = (yuv[2] - 128) / (full ? 255.0 : 224.0);

	const double red = luma + 2 * (1 - kr) * cr;
	const double blue = luma + 2 * (1 - kb) * cb;
	const double green = (luma - kr * red - kb * blue) / (1 - kr - kb);
	const auto code = [](double value) {
		return static_cast<uint8_t>(std::lround(std::clamp(value, 0.0, 1.0) * 255));
	};
	return {code(red), code(green), code(blue)};
}

Rgb expectedAt(const FrameLayout &layout, uint32_t x, uint32_t y)
{
	const Components c = pictureAt(x, y, isYuv(layout));
	if (isYuv(layout))
		return toRgb(c, layout.colorimetry);
	if (layout.fourcc != DRM_FORMAT_RGB565)
		return c;
	const auto widen = [](unsigned value, unsigned maximum) {
		return static_cast<uint8_t>(std::lround(value * 255.0 / maximum));
	};
	return {widen(c[0] >> 3, 31), widen(c[1] >> 2, 63), widen(c[2] >> 3, 31)};
}

Rgb pixelOf(const Image &image, uint32_t x, uint32_t y)
{
	const uint8_t *pixel = &image.pixels[(size_t{y} * image.width + x) * 4];
	return {pixel[2], pixel[1], pixel[0]};
}

Comparison comparePicture(const Image &image, const FrameLayout &layout, uint32_t left,
			  uint32_t top, int tolerance)
{
	Comparison result;
	for (uint32_t y = 0; y < layout.height; y++) {
		for (uint32_t x = 0; x < layout.width; x++) {
			const Rgb wanted = expectedAt(layout, x, y);
			const Rgb found = pixelOf(image, left + x, top + y);
			int difference = 0;
			for (size_t i = 0; i < 3; i++)
				difference = std::max(difference, std::abs(wanted[i] - found[i]));
			result.largest = std::max(result.largest, difference);
			if (difference > tolerance && !result.wrong++)
				result.firstWrong = std::format(
					"at {},{}: {} {} {} instead of {} {} {}", x, y, found[0],
					found[1], found[2], wanted[0], wanted[1], wanted[2]);
		}
	}
	return result;
}

} /* namespace heapflow::test */
