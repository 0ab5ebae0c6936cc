/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "composed_screenshot.h"
#include "pixel_reader.h"

#include <cerrno>
#include <cstring>

#include <drm_fourcc.h>
#include <drm_mode.h>
#include <gtest/gtest.h>

using namespace heapflow;

namespace
{

/* A frame whose memory is the given bytes, repeated. */
Rgba pixel(uint32_t fourcc, std::vector<uint8_t> bytes, Colorimetry colorimetry = {},
	   uint32_t x = 0, uint32_t y = 0)
{
	auto layout = makeFrameLayout(fourcc, 2, 2).value();
	layout.colorimetry = colorimetry;
	std::vector<std::byte> memory(layout.size());
	for (size_t i = 0; i < memory.size(); i++)
		memory[i] = std::byte{bytes[i % bytes.size()]};
	const auto reader = PixelReader::create(layout, memory);
	EXPECT_TRUE(reader) << (reader ? "" : reader.error().text());
	return reader ? reader->at(x, y) : Rgba{};
}

} /* namespace */

TEST(PixelReader, PackedRgb)
{
	const Rgba colour{0x11, 0x22, 0x33, 255};
	EXPECT_EQ(pixel(DRM_FORMAT_XRGB8888, {0x33, 0x22, 0x11, 0x99}), colour);
	EXPECT_EQ(pixel(DRM_FORMAT_XBGR8888, {0x11, 0x22, 0x33, 0x99}), colour);
	EXPECT_EQ(pixel(DRM_FORMAT_RGB888, {0x33, 0x22, 0x11}), colour);
	EXPECT_EQ(pixel(DRM_FORMAT_ARGB8888, {0x33, 0x22, 0x11, 0x80}),
		  (Rgba{0x11, 0x22, 0x33, 0x80}));
	EXPECT_EQ(pixel(DRM_FORMAT_RGB565, {0x1f, 0xf8}), (Rgba{255, 0, 255, 255}));
}

TEST(PixelReader, YuvByEncodingAndRange)
{
	const Colorimetry full601{ColorEncoding::BT601, ColorRange::Full};
	EXPECT_EQ(pixel(DRM_FORMAT_YUV444, {128}, full601), (Rgba{128, 128, 128, 255}));
	const Colorimetry limited{ColorEncoding::BT709, ColorRange::Limited};
	/* Limited black and white. */
	EXPECT_EQ(rgbOf({16.0 / 255, 128.0 / 255, 128.0 / 255}, limited), (Rgba{0, 0, 0, 255}));
	EXPECT_EQ(rgbOf({235.0 / 255, 128.0 / 255, 128.0 / 255}, limited),
		  (Rgba{255, 255, 255, 255}));
	/* Red in BT.709, limited: 63, 102, 240. */
	const Rgba red = rgbOf({63.0 / 255, 102.0 / 255, 240.0 / 255}, limited);
	EXPECT_GE(red.red, 254);
	EXPECT_LE(red.green, 1);
	EXPECT_LE(red.blue, 1);
}

TEST(PixelReader, RefusesWhatItCannotRead)
{
	auto layout = makeFrameLayout(DRM_FORMAT_NV12, 2, 2).value();
	std::vector<std::byte> memory(layout.size() - 1);
	EXPECT_EQ(PixelReader::create(layout, memory).error().code, EINVAL) << "a byte short";
	layout.modifier = 1;
	EXPECT_EQ(PixelReader::create(layout, memory).error().code, ENOTSUP);
	layout.modifier = 0;
	layout.planes.pop_back();
	EXPECT_EQ(PixelReader::create(layout, memory).error().code, EINVAL);
	layout.fourcc = 0x47504a4d;
	EXPECT_EQ(PixelReader::create(layout, memory).error().code, ENOTSUP);
}

TEST(ComposedPixel, ComesFromTheTurnedPlaceInTheSource)
{
	ComposedLayer layer{.source = {10, 20, 4, 2}, .destination = {100, 200, 4, 2}};
	EXPECT_EQ(sourcePixel(layer, 100, 200), std::pair(10u, 20u));
	EXPECT_EQ(sourcePixel(layer, 103, 201), std::pair(13u, 21u));
	layer.rotation = DRM_MODE_ROTATE_180;
	EXPECT_EQ(sourcePixel(layer, 100, 200), std::pair(13u, 21u));
	layer.rotation = DRM_MODE_ROTATE_0 | DRM_MODE_REFLECT_X;
	EXPECT_EQ(sourcePixel(layer, 100, 200), std::pair(13u, 20u));
	/* Counter-clockwise: the upper right corner of the source comes to the upper left. */
	layer.destination = {0, 0, 2, 4};
	layer.rotation = DRM_MODE_ROTATE_90;
	EXPECT_EQ(sourcePixel(layer, 0, 0), std::pair(13u, 20u));
	layer.rotation = DRM_MODE_ROTATE_270;
	EXPECT_EQ(sourcePixel(layer, 0, 0), std::pair(10u, 21u));
	/* Twice as large. */
	layer = {.source = {0, 0, 2, 2}, .destination = {0, 0, 4, 4}};
	EXPECT_EQ(sourcePixel(layer, 1, 2), std::pair(0u, 1u));
}
