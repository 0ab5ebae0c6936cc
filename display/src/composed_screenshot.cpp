/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "composed_screenshot.h"

#include "drm_ptr.h"
#include "heapflow/heap/buffer.h"
#include "orientation.h"
#include "pixel_reader.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <format>
#include <tuple>

#include <fcntl.h>
#include <xf86drm.h>

namespace heapflow
{

namespace
{

struct MappedLayer {
	ComposedLayer layer;
	/* A copy: composing takes many frames' time, and a camera fills its buffers anew. */
	std::vector<std::byte> pixels;
	PixelReader reader;
};

void closeHandles(int drm, const drmModeFB2 &framebuffer)
{
	/* The same object may be in several planes, and has one handle (drm_prime.c). */
	for (size_t i = 0; i < 4; i++) {
		const uint32_t handle = framebuffer.handles[i];
		if (handle &&
		    !std::ranges::contains(framebuffer.handles, framebuffer.handles + i, handle))
			drmCloseBufferHandle(drm, handle);
	}
}

Colorimetry colorimetryOf(const KmsObject &plane)
{
	Colorimetry colorimetry{ColorEncoding::BT601, ColorRange::Limited};
	const auto is = [&](const char *property, const char *choice) {
		const KmsProperty *entry = plane.find(property);
		return entry && entry->choice(choice) == entry->value;
	};
	if (is("COLOR_ENCODING", "ITU-R BT.709 YCbCr"))
		colorimetry.encoding = ColorEncoding::BT709;
	else if (is("COLOR_ENCODING", "ITU-R BT.2020 YCbCr"))
		colorimetry.encoding = ColorEncoding::BT2020;
	if (is("COLOR_RANGE", "YCbCr full range"))
		colorimetry.range = ColorRange::Full;
	return colorimetry;
}

ComposedLayer geometryOf(const KmsObject &plane)
{
	const auto whole = [&](const char *name) {
		return static_cast<uint32_t>(plane.value(name) >> 16);
	};
	const auto pixels = [&](const char *name) {
		return static_cast<uint32_t>(plane.value(name));
	};
	ComposedLayer layer;
	layer.source = {static_cast<int32_t>(whole("SRC_X")), static_cast<int32_t>(whole("SRC_Y")),
			whole("SRC_W"), whole("SRC_H")};
	layer.destination = {static_cast<int32_t>(pixels("CRTC_X")),
			     static_cast<int32_t>(pixels("CRTC_Y")), pixels("CRTC_W"),
			     pixels("CRTC_H")};
	layer.rotation = plane.value("rotation");
	if (const KmsProperty *alpha = plane.find("alpha"); alpha && alpha->maximum)
		layer.alpha =
			static_cast<double>(alpha->value) / static_cast<double>(alpha->maximum);
	if (const KmsProperty *blend = plane.find("pixel blend mode"))
		layer.premultiplied = blend->choice("Coverage") != blend->value;
	return layer;
}

Result<MappedLayer> mapLayer(int drm, const KmsObject &plane, uint32_t id)
{
	const DrmPtr<drmModeFB2, drmModeFreeFB2> framebuffer(drmModeGetFB2(drm, id));
	if (!framebuffer)
		return fail(errno, std::format("cannot look at framebuffer {}", id));
	if (!framebuffer->handles[0])
		return fail(
			EACCES,
			std::format("the kernel does not show the memory of framebuffer {}", id),
			"Be root, or take the screenshot in the program that is master");

	FrameLayout layout{
		.fourcc = framebuffer->pixel_format,
		.modifier = framebuffer->flags & DRM_MODE_FB_MODIFIERS ? framebuffer->modifier : 0,
		.width = framebuffer->width,
		.height = framebuffer->height,
		.planes = {},
		.colorimetry = colorimetryOf(plane)};
	bool oneObject = true;
	for (size_t i = 0; i < 4 && framebuffer->handles[i]; i++) {
		oneObject &= framebuffer->handles[i] == framebuffer->handles[0];
		layout.planes.push_back({framebuffer->offsets[i], framebuffer->pitches[i], 0});
	}
	int exported = -1;
	const int failed = drmPrimeHandleToFD(drm, framebuffer->handles[0], O_CLOEXEC, &exported);
	const int code = errno;
	closeHandles(drm, *framebuffer);
	UniqueFd fd(exported);
	if (failed)
		return fail(code, std::format("cannot export framebuffer {}", id));
	if (!oneObject)
		return fail(ENOTSUP, std::format("framebuffer {} is in several dma-bufs", id));

	const auto size = bufferSize(fd.get());
	if (!size)
		return std::unexpected(size.error());
	const Buffer buffer(std::move(fd), *size, "", false);
	const auto mapping = buffer.map(Access::Read);
	if (!mapping)
		return fail(ENOTSUP, std::format("framebuffer {} cannot be mapped: {}", id,
						 mapping.error().message));
	const auto bytes = mapping->bytes();
	std::vector<std::byte> pixels(bytes.begin(), bytes.end());
	/* A vector that is moved keeps its memory. */
	auto reader = PixelReader::create(layout, pixels);
	if (!reader)
		return std::unexpected(reader.error());
	return MappedLayer{geometryOf(plane), std::move(pixels), std::move(*reader)};
}

uint8_t blend(double above, double below)
{
	return static_cast<uint8_t>(std::lround(std::clamp(above + below, 0.0, 255.0)));
}

void compose(Image &image, const MappedLayer &layer)
{
	const Rectangle &place = layer.layer.destination;
	const int32_t right = std::min<int64_t>(int64_t{place.x} + place.width, image.width);
	const int32_t bottom = std::min<int64_t>(int64_t{place.y} + place.height, image.height);
	for (int32_t y = std::max(place.y, 0); y < bottom; y++) {
		for (int32_t x = std::max(place.x, 0); x < right; x++) {
			const auto [fromX, fromY] = sourcePixel(layer.layer, x, y);
			const Rgba colour = layer.reader.at(fromX, fromY);
			const double alpha = layer.layer.alpha * colour.alpha / 255;
			const double weight = layer.layer.premultiplied ? layer.layer.alpha : alpha;
			uint8_t *pixel = &image.pixels[(size_t(y) * image.width + size_t(x)) * 4];
			pixel[0] = blend(weight * colour.blue, (1 - alpha) * pixel[0]);
			pixel[1] = blend(weight * colour.green, (1 - alpha) * pixel[1]);
			pixel[2] = blend(weight * colour.red, (1 - alpha) * pixel[2]);
		}
	}
}

/* From the bottom up. */
auto stackKey(const PlaneInfo &plane, const KmsObject &now)
{
	const KmsProperty *zpos = now.find("zpos");
	return std::tuple(zpos ? zpos->value : static_cast<uint64_t>(plane.type), plane.type,
			  plane.id);
}

} /* namespace */

std::pair<uint32_t, uint32_t> sourcePixel(const ComposedLayer &layer, int32_t x, int32_t y)
{
	const Rectangle &to = layer.destination;
	const Rectangle &from = layer.source;
	/* In the middle of the pixel, 0..1, then turned back. */
	double u = (x - to.x + 0.5) / to.width;
	double v = (y - to.y + 0.5) / to.height;
	switch (layer.rotation & DRM_MODE_ROTATE_MASK) {
	case DRM_MODE_ROTATE_90: /* counter-clockwise */
		std::tie(u, v) = std::pair(1 - v, u);
		break;
	case DRM_MODE_ROTATE_180:
		std::tie(u, v) = std::pair(1 - u, 1 - v);
		break;
	case DRM_MODE_ROTATE_270:
		std::tie(u, v) = std::pair(v, 1 - u);
		break;
	default:
		break;
	}
	if (layer.rotation & DRM_MODE_REFLECT_X)
		u = 1 - u;
	if (layer.rotation & DRM_MODE_REFLECT_Y)
		v = 1 - v;
	const auto inside = [](double part, uint32_t size) {
		return std::min(static_cast<uint32_t>(part * size), size - 1);
	};
	return {static_cast<uint32_t>(from.x) + inside(u, from.width),
		static_cast<uint32_t>(from.y) + inside(v, from.height)};
}

Result<Image> composeScreenshot(int drm, const Topology &topology, const CrtcInfo &crtc,
				const drmModeModeInfo &mode)
{
	std::vector<std::pair<const PlaneInfo *, KmsObject>> planes;
	KmsPropertyDefinitions definitions;
	for (const PlaneInfo &plane : topology.planes) {
		definitions.know(plane.object);
		auto now = readKmsObject(drm, plane.id, DRM_MODE_OBJECT_PLANE, definitions);
		if (now && now->value("CRTC_ID") == crtc.id && now->value("FB_ID"))
			planes.emplace_back(&plane, std::move(*now));
	}
	std::ranges::sort(planes, {},
			  [](const auto &entry) { return stackKey(*entry.first, entry.second); });

	Image image{mode.hdisplay, mode.vdisplay,
		    std::vector<uint8_t>(size_t{mode.hdisplay} * mode.vdisplay * 4)};
	for (const auto &[plane, now] : planes) {
		auto layer = mapLayer(drm, now, static_cast<uint32_t>(now.value("FB_ID")));
		if (!layer)
			return std::unexpected(layer.error());
		if (!layer->layer.destination.empty() && !layer->layer.source.empty())
			compose(image, *layer);
	}
	return image;
}

} /* namespace heapflow */
