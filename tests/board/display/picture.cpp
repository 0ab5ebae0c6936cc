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

/* Where R, G and B are in a pixel, in bytes of memory; and where alpha or nothing is. */
struct ByteOrder {
	uint32_t fourcc;
	unsigned bytes; /* of a pixel */
	unsigned width; /* of a component: 1 or 2 */
	std::array<int, 3> at;
	int filler; /* -1: none */
};

constexpr ByteOrder byteOrders[] = {
	{DRM_FORMAT_XRGB8888, 4, 1, {2, 1, 0}, 3},
	{DRM_FORMAT_ARGB8888, 4, 1, {2, 1, 0}, 3},
	{DRM_FORMAT_XBGR8888, 4, 1, {0, 1, 2}, 3},
	{DRM_FORMAT_ABGR8888, 4, 1, {0, 1, 2}, 3},
	{DRM_FORMAT_RGBA8888, 4, 1, {3, 2, 1}, 0},
	{DRM_FORMAT_BGRA8888, 4, 1, {1, 2, 3}, 0},
	{DRM_FORMAT_RGBX8888, 4, 1, {3, 2, 1}, 0},
	{DRM_FORMAT_BGRX8888, 4, 1, {1, 2, 3}, 0},
	{DRM_FORMAT_RGB888, 3, 1, {2, 1, 0}, -1},
	{DRM_FORMAT_BGR888, 3, 1, {0, 1, 2}, -1},
	{DRM_FORMAT_XRGB16161616, 8, 2, {4, 2, 0}, 6},
	{DRM_FORMAT_ARGB16161616, 8, 2, {4, 2, 0}, 6},
	{DRM_FORMAT_XBGR16161616, 8, 2, {0, 2, 4}, 6},
	{DRM_FORMAT_ABGR16161616, 8, 2, {0, 2, 4}, 6},
};

/* How many pixels share a colour sample, across and down; whether Cb and Cr are in one plane. */
struct ChromaOrder {
	uint32_t fourcc;
	unsigned across, down;
	bool together, crFirst, wide;
};

constexpr ChromaOrder chromaOrders[] = {
	{DRM_FORMAT_NV12, 2, 2, true, false, false},
	{DRM_FORMAT_NV21, 2, 2, true, true, false},
	{DRM_FORMAT_NV16, 2, 1, true, false, false},
	{DRM_FORMAT_NV61, 2, 1, true, true, false},
	{DRM_FORMAT_NV24, 1, 1, true, false, false},
	{DRM_FORMAT_NV42, 1, 1, true, true, false},
	{DRM_FORMAT_YUV420, 2, 2, false, false, false},
	{DRM_FORMAT_YVU420, 2, 2, false, true, false},
	{DRM_FORMAT_YUV422, 2, 1, false, false, false},
	{DRM_FORMAT_YVU422, 2, 1, false, true, false},
	{DRM_FORMAT_YUV444, 1, 1, false, false, false},
	{DRM_FORMAT_YVU444, 1, 1, false, true, false},
	{DRM_FORMAT_P010, 2, 2, true, false, true},
	{DRM_FORMAT_P012, 2, 2, true, false, true},
	{DRM_FORMAT_P016, 2, 2, true, false, true},
};

template<typename Table>
auto *find(const Table &table, uint32_t fourcc)
{
	const auto found = std::ranges::find_if(
		table, [&](const auto &entry) { return entry.fourcc == fourcc; });
	return found == std::end(table) ? nullptr : &*found;
}

void putPixel(const FrameLayout &layout, std::span<std::byte> memory, uint32_t x, uint32_t y,
	      Components c)
{
	const auto write = [&](size_t plane, uint32_t line, size_t byte, uint8_t value) {
		put(layout, memory, plane, line, byte, value);
	};
	if (const ByteOrder *order = find(byteOrders, layout.fourcc)) {
		const size_t start = size_t{x} * order->bytes;
		const bool alpha = formatInfo(layout.fourcc)->alpha;
		for (unsigned byte = 0; byte < order->width; byte++) {
			for (size_t i = 0; i < 3; i++)
				write(0, y, start + static_cast<size_t>(order->at[i]) + byte, c[i]);
			/* Opaque; where there is no alpha it must not matter. */
			if (order->filler >= 0)
				write(0, y, start + static_cast<size_t>(order->filler) + byte,
				      alpha ? 0xff : 0x5a);
		}
	} else if (layout.fourcc == DRM_FORMAT_RGB565 || layout.fourcc == DRM_FORMAT_BGR565) {
		const bool redHigh = layout.fourcc == DRM_FORMAT_RGB565;
		const unsigned packed = (c[redHigh ? 0 : 2] >> 3 << 11) | (c[1] >> 2 << 5) |
					(c[redHigh ? 2 : 0] >> 3);
		write(0, y, size_t{x} * 2, packed & 0xff);
		write(0, y, size_t{x} * 2 + 1, static_cast<uint8_t>(packed >> 8));
	} else if (layout.fourcc == DRM_FORMAT_R8) {
		write(0, y, x, c[0]);
	} else if (const ChromaOrder *chroma = find(chromaOrders, layout.fourcc)) {
		/* The wide ones have their bits at the top of 16; the low byte stays 0. */
		const size_t size = chroma->wide ? 2 : 1;
		const size_t high = size - 1;
		const uint8_t first = c[chroma->crFirst ? 2 : 1];
		const uint8_t second = c[chroma->crFirst ? 1 : 2];
		const uint32_t line = y / chroma->down;
		const size_t index = x / chroma->across;
		write(0, y, x * size + high, c[0]);
		if (chroma->together) {
			write(1, line, index * 2 * size + high, first);
			write(1, line, (index * 2 + 1) * size + high, second);
		} else {
			write(1, line, index * size + high, first);
			write(2, line, index * size + high, second);
		}
	} else {
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

bool canDraw(uint32_t fourcc)
{
	return find(byteOrders, fourcc) || find(chromaOrders, fourcc) ||
	       fourcc == DRM_FORMAT_RGB565 || fourcc == DRM_FORMAT_BGR565 ||
	       fourcc == DRM_FORMAT_R8;
}

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
	if (layout.fourcc == DRM_FORMAT_R8)
		return {c[0], c[0], c[0]};
	if (layout.fourcc != DRM_FORMAT_RGB565 && layout.fourcc != DRM_FORMAT_BGR565)
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
