/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pixel_reader.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <format>

#include <drm_fourcc.h>

namespace heapflow
{

namespace
{

struct Channel {
	unsigned shift, bits;
};

/* Little-endian words, as drm_fourcc.h describes them; alpha of 0 bits: none. */
struct RgbFormat {
	uint32_t fourcc;
	unsigned bytes;
	Channel red, green, blue, alpha;
};

constexpr RgbFormat rgbFormats[] = {
	{DRM_FORMAT_XRGB8888, 4, {16, 8}, {8, 8}, {0, 8}, {0, 0}},
	{DRM_FORMAT_ARGB8888, 4, {16, 8}, {8, 8}, {0, 8}, {24, 8}},
	{DRM_FORMAT_XBGR8888, 4, {0, 8}, {8, 8}, {16, 8}, {0, 0}},
	{DRM_FORMAT_ABGR8888, 4, {0, 8}, {8, 8}, {16, 8}, {24, 8}},
	{DRM_FORMAT_RGBX8888, 4, {24, 8}, {16, 8}, {8, 8}, {0, 0}},
	{DRM_FORMAT_RGBA8888, 4, {24, 8}, {16, 8}, {8, 8}, {0, 8}},
	{DRM_FORMAT_BGRX8888, 4, {8, 8}, {16, 8}, {24, 8}, {0, 0}},
	{DRM_FORMAT_BGRA8888, 4, {8, 8}, {16, 8}, {24, 8}, {0, 8}},
	{DRM_FORMAT_RGB888, 3, {16, 8}, {8, 8}, {0, 8}, {0, 0}},
	{DRM_FORMAT_BGR888, 3, {0, 8}, {8, 8}, {16, 8}, {0, 0}},
	{DRM_FORMAT_RGB565, 2, {11, 5}, {5, 6}, {0, 5}, {0, 0}},
	{DRM_FORMAT_BGR565, 2, {0, 5}, {5, 6}, {11, 5}, {0, 0}},
	{DRM_FORMAT_XRGB2101010, 4, {20, 10}, {10, 10}, {0, 10}, {0, 0}},
	{DRM_FORMAT_ARGB2101010, 4, {20, 10}, {10, 10}, {0, 10}, {30, 2}},
	{DRM_FORMAT_XBGR2101010, 4, {0, 10}, {10, 10}, {20, 10}, {0, 0}},
	{DRM_FORMAT_ABGR2101010, 4, {0, 10}, {10, 10}, {20, 10}, {30, 2}},
	{DRM_FORMAT_XRGB16161616, 8, {32, 16}, {16, 16}, {0, 16}, {0, 0}},
	{DRM_FORMAT_ARGB16161616, 8, {32, 16}, {16, 16}, {0, 16}, {48, 16}},
	{DRM_FORMAT_XBGR16161616, 8, {0, 16}, {16, 16}, {32, 16}, {0, 0}},
	{DRM_FORMAT_ABGR16161616, 8, {0, 16}, {16, 16}, {32, 16}, {48, 16}},
	{DRM_FORMAT_R8, 1, {0, 8}, {0, 8}, {0, 8}, {0, 0}},
};

/* Where the colour samples are: planes of their own, or pairs in the second plane. */
struct YuvFormat {
	uint32_t fourcc;
	unsigned bytes; /* of a sample */
	bool pairs;
	bool crFirst;
	unsigned acrossShift, downShift;
};

constexpr YuvFormat yuvFormats[] = {
	{DRM_FORMAT_NV12, 1, true, false, 1, 1},   {DRM_FORMAT_NV21, 1, true, true, 1, 1},
	{DRM_FORMAT_NV16, 1, true, false, 1, 0},   {DRM_FORMAT_NV61, 1, true, true, 1, 0},
	{DRM_FORMAT_NV24, 1, true, false, 0, 0},   {DRM_FORMAT_NV42, 1, true, true, 0, 0},
	{DRM_FORMAT_P010, 2, true, false, 1, 1},   {DRM_FORMAT_P012, 2, true, false, 1, 1},
	{DRM_FORMAT_P016, 2, true, false, 1, 1},   {DRM_FORMAT_YUV420, 1, false, false, 1, 1},
	{DRM_FORMAT_YVU420, 1, false, true, 1, 1}, {DRM_FORMAT_YUV422, 1, false, false, 1, 0},
	{DRM_FORMAT_YVU422, 1, false, true, 1, 0}, {DRM_FORMAT_YUV444, 1, false, false, 0, 0},
	{DRM_FORMAT_YVU444, 1, false, true, 0, 0},
};

/* Two pixels in four bytes: where the first Y, Cb and Cr are. */
struct MacropixelFormat {
	uint32_t fourcc;
	unsigned luma, cb, cr;
};

constexpr MacropixelFormat macropixelFormats[] = {
	{DRM_FORMAT_YUYV, 0, 1, 3},
	{DRM_FORMAT_YVYU, 0, 3, 1},
	{DRM_FORMAT_UYVY, 1, 0, 2},
	{DRM_FORMAT_VYUY, 1, 2, 0},
};

template<typename Table>
auto entryOf(const Table &table, uint32_t fourcc)
{
	const auto found = std::ranges::find_if(
		table, [&](const auto &entry) { return entry.fourcc == fourcc; });
	return found == std::end(table) ? nullptr : &*found;
}

uint8_t eightBits(uint64_t word, Channel channel)
{
	const uint64_t maximum = (uint64_t{1} << channel.bits) - 1;
	const uint64_t value = (word >> channel.shift) & maximum;
	return static_cast<uint8_t>((value * 255 + maximum / 2) / maximum);
}

uint8_t eightBits(double value)
{
	return static_cast<uint8_t>(std::lround(std::clamp(value, 0.0, 1.0) * 255));
}

} /* namespace */

Rgba rgbOf(const std::array<double, 3> &yuv, const Colorimetry &colorimetry)
{
	/* Weights of red and blue in luma (ITU-R BT.601, BT.709, BT.2020). */
	double kr = 0.2126, kb = 0.0722;
	if (colorimetry.encoding == ColorEncoding::BT601) {
		kr = 0.299;
		kb = 0.114;
	} else if (colorimetry.encoding == ColorEncoding::BT2020) {
		kr = 0.2627;
		kb = 0.0593;
	}
	double y = yuv[0], cb = yuv[1] - 128.0 / 255, cr = yuv[2] - 128.0 / 255;
	if (colorimetry.range == ColorRange::Limited) {
		y = (y - 16.0 / 255) * 255 / 219;
		cb = cb * 255 / 224;
		cr = cr * 255 / 224;
	}
	const double red = y + 2 * (1 - kr) * cr;
	const double blue = y + 2 * (1 - kb) * cb;
	const double green = (y - kr * red - kb * blue) / (1 - kr - kb);
	return {eightBits(red), eightBits(green), eightBits(blue), 255};
}

Result<PixelReader> PixelReader::create(const FrameLayout &layout,
					std::span<const std::byte> memory)
{
	if (layout.modifier != DRM_FORMAT_MOD_LINEAR || layout.planes.empty() ||
	    (!entryOf(rgbFormats, layout.fourcc) && !entryOf(yuvFormats, layout.fourcc) &&
	     !entryOf(macropixelFormats, layout.fourcc)))
		return fail(ENOTSUP, std::format("cannot read pixels of {}", describe(layout)));
	const FormatInfo *format = formatInfo(layout.fourcc);
	if (!format || layout.planes.size() != format->planes)
		return fail(EINVAL, std::format("not the planes of {}", describe(layout)));
	for (size_t i = 0; i < layout.planes.size(); i++) {
		const auto &geometry = format->plane[i];
		const uint64_t lines = (layout.height + geometry.verticalSubsampling - 1) /
				       geometry.verticalSubsampling;
		const uint64_t line = (uint64_t{layout.width} + geometry.pixelsPerBlock - 1) /
				      geometry.pixelsPerBlock * geometry.bytesPerBlock;
		const uint64_t end = layout.planes[i].offset +
				     uint64_t{layout.planes[i].stride} * (lines ? lines - 1 : 0) +
				     line;
		if (end > memory.size())
			return fail(EINVAL,
				    std::format("plane {} ends at byte {}, the memory at {}", i,
						end, memory.size()));
	}
	PixelReader reader(layout, memory);
	return reader;
}

uint64_t PixelReader::bits(size_t plane, uint32_t y, uint64_t byte, unsigned bytes) const
{
	const PlaneLayout &at = layout_.planes[plane];
	const uint64_t start = at.offset + uint64_t{y} * at.stride + byte;
	uint64_t value = 0;
	for (unsigned i = 0; i < bytes; i++)
		value |= std::to_integer<uint64_t>(memory_[start + i]) << (8 * i);
	return value;
}

Rgba PixelReader::packedRgb(uint32_t x, uint32_t y) const
{
	const RgbFormat &format = *entryOf(rgbFormats, layout_.fourcc);
	const uint64_t word = bits(0, y, uint64_t{x} * format.bytes, format.bytes);
	return {eightBits(word, format.red), eightBits(word, format.green),
		eightBits(word, format.blue),
		format.alpha.bits ? eightBits(word, format.alpha) : uint8_t{255}};
}

std::array<double, 3> PixelReader::yuv(uint32_t x, uint32_t y) const
{
	if (const MacropixelFormat *format = entryOf(macropixelFormats, layout_.fourcc)) {
		const uint64_t pair = uint64_t{x / 2} * 4;
		const auto sample = [&](uint64_t byte) {
			return static_cast<double>(bits(0, y, pair + byte, 1)) / 255;
		};
		return {sample(format->luma + x % 2 * 2), sample(format->cb), sample(format->cr)};
	}
	const YuvFormat &format = *entryOf(yuvFormats, layout_.fourcc);
	/* The wider samples stand in the upper bits of 16: 255 of 8 bits is 0xff00 there. */
	const double scale = format.bytes == 2 ? 256.0 * 255 : 255;
	const auto sample = [&](size_t plane, uint32_t line, uint64_t index) {
		return static_cast<double>(bits(plane, line, index * format.bytes, format.bytes)) /
		       scale;
	};
	const uint32_t across = x >> format.acrossShift;
	const uint32_t down = y >> format.downShift;
	const double luma = sample(0, y, x);
	double first, second;
	if (format.pairs) {
		first = sample(1, down, uint64_t{across} * 2);
		second = sample(1, down, uint64_t{across} * 2 + 1);
	} else {
		first = sample(1, down, across);
		second = sample(2, down, across);
	}
	if (format.crFirst)
		std::swap(first, second);
	return {luma, first, second};
}

Rgba PixelReader::at(uint32_t x, uint32_t y) const
{
	if (entryOf(rgbFormats, layout_.fourcc))
		return packedRgb(x, y);
	return rgbOf(yuv(x, y), layout_.colorimetry);
}

} /* namespace heapflow */
