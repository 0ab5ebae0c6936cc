/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame_fence.h"

#include "heapflow/heap/fence.h"

#include <optional>

#include <fcntl.h>
#include <poll.h>

namespace heapflow
{

UniqueFd fenceOfFrame(const Frame &frame)
{
	if (frame.fence >= 0)
		return UniqueFd(fcntl(frame.fence, F_DUPFD_CLOEXEC, 3));

	std::optional<Fence> pixels;
	for (const int dmabuf : frame.dmabufs()) {
		/* Readable: no write is pending (dma_buf_poll()). */
		pollfd readable = {dmabuf, POLLIN, 0};
		if (poll(&readable, 1, 0) != 0)
			continue;
		/*
		 * All or none: without a fence the driver waits for the writes of every plane, with
		 * one for that alone (drm_gem_plane_helper_prepare_fb()). Linux before 6.0 exports
		 * none.
		 */
		auto writes = Fence::exportFrom(dmabuf, Access::Read);
		if (!writes)
			return UniqueFd();
		auto both = pixels ? Fence::merge(*pixels, *writes) : std::move(writes);
		if (!both)
			return UniqueFd();
		pixels = std::move(*both);
	}
	return pixels ? pixels->takeFd() : UniqueFd();
}

} /* namespace heapflow */
