/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "writeback.h"

#include "atomic_request.h"
#include "dumb_framebuffer.h"
#include "heapflow/heap/unique_fd.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <format>
#include <thread>

#include <drm_fourcc.h>
#include <poll.h>
#include <xf86drm.h>

namespace heapflow
{

namespace
{

/* A software display composes a large frame in more than a second. */
constexpr std::chrono::seconds readBackTimeout{10};
constexpr std::chrono::milliseconds retryInterval{10}; /* of a poll() that fails */

Result<bool> writesXrgb(int drm, const ConnectorInfo &connector)
{
	const auto blob = readBlob(drm, connector.object.value("WRITEBACK_PIXEL_FORMATS"));
	if (!blob)
		return std::unexpected(blob.error());
	for (size_t i = 0; i + sizeof(uint32_t) <= blob->size(); i += sizeof(uint32_t)) {
		uint32_t fourcc;
		std::memcpy(&fourcc, &(*blob)[i], sizeof(fourcc));
		if (fourcc == DRM_FORMAT_XRGB8888)
			return true;
	}
	return false;
}

Result<void> waitFence(int fence)
{
	const auto end = std::chrono::steady_clock::now() + readBackTimeout;
	while (true) {
		const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
			end - std::chrono::steady_clock::now());
		pollfd fd = {fence, POLLIN, 0};
		const int ready = poll(&fd, 1, static_cast<int>(std::max(left.count(), 0L)));
		if (ready > 0)
			return {};
		if (!ready)
			return fail(ETIMEDOUT,
				    std::format("the writeback connector wrote nothing in {} s",
						readBackTimeout.count()));
		if (errno == EINTR || errno == EAGAIN)
			continue;
		/* To take the connector away from a write that is not over stops vkms' for good. */
		if (left.count() <= 0)
			return fail(errno, "cannot wait for the writeback connector");
		std::this_thread::sleep_for(retryInterval);
	}
}

int detach(int drm, const ConnectorInfo &connector)
{
	AtomicRequest request;
	request.object(connector.id);
	request.set(connector.object.propertyId("CRTC_ID"), 0);
	return request.commit(drm, DRM_MODE_ATOMIC_ALLOW_MODESET);
}

Image copyImage(const DumbFramebuffer &buffer, uint32_t width, uint32_t height)
{
	Image image{width, height, std::vector<uint8_t>(size_t{width} * height * 4)};
	for (uint32_t y = 0; y < height; y++)
		std::memcpy(&image.pixels[size_t{y} * width * 4],
			    buffer.pixels() + size_t{y} * buffer.stride(), size_t{width} * 4);
	return image;
}

} /* namespace */

const ConnectorInfo *writebackConnector(const Topology &topology, const CrtcInfo &crtc)
{
	const auto found =
		std::ranges::find_if(topology.connectors, [&](const ConnectorInfo &connector) {
			return connector.writeback &&
			       (connector.possibleCrtcs & (1u << crtc.index));
		});
	return found == topology.connectors.end() ? nullptr : &*found;
}

Result<Image> readBack(int drm, const ConnectorInfo &connector, const CrtcInfo &crtc,
		       const drmModeModeInfo &mode)
{
	const auto writes = writesXrgb(drm, connector);
	if (!writes)
		return std::unexpected(writes.error());
	if (!*writes)
		return fail(ENOTSUP, std::format("{} does not write XR24", connector.name));
	auto buffer = DumbFramebuffer::create(drm, mode.hdisplay, mode.vdisplay);
	if (!buffer)
		return std::unexpected(buffer.error());

	/* The kernel writes 32 bits through this pointer (drm_atomic_uapi.c). */
	int32_t fence = -1;
	AtomicRequest request;
	request.object(connector.id);
	request.set(connector.object.propertyId("CRTC_ID"), crtc.id);
	request.set(connector.object.propertyId("WRITEBACK_FB_ID"), buffer->id());
	request.set(connector.object.propertyId("WRITEBACK_OUT_FENCE_PTR"),
		    reinterpret_cast<uintptr_t>(&fence));
	if (const int code = request.commit(drm, DRM_MODE_ATOMIC_ALLOW_MODESET))
		return fail(code, std::format("{} could not be attached to CRTC {}", connector.name,
					      crtc.id));

	const UniqueFd fenceFd(fence);
	const auto written = waitFence(fenceFd.get());
	const int code = detach(drm, connector);
	if (!written)
		return std::unexpected(written.error());
	if (code)
		return fail(code, std::format("{} could not be detached", connector.name));
	return copyImage(*buffer, mode.hdisplay, mode.vdisplay);
}

} /* namespace heapflow */
