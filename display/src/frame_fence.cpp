/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame_fence.h"

#include "heapflow/heap/fence.h"

#include <cerrno>
#include <format>
#include <optional>

#include <fcntl.h>
#include <poll.h>

namespace heapflow
{

namespace
{

Result<UniqueFd> duplicateFence(const Frame &frame)
{
	UniqueFd fence(fcntl(frame.fence, F_DUPFD_CLOEXEC, 3));
	if (!fence.valid())
		return fail(errno,
			    std::format("cannot duplicate the fence of frame {}, file descriptor "
					"{}: the frame is not shown",
					frame.cookie, frame.fence),
			    errno == EMFILE ? "raise the limit of open files (ulimit -n)" : "");
	return fence;
}

} /* namespace */

Result<UniqueFd> fenceOfFrame(const Frame &frame)
{
	if (frame.fence >= 0)
		return duplicateFence(frame);

	std::optional<Fence> pixels;
	for (const int dmabuf : frame.dmabufs()) {
		/* Readable: no write is pending (dma_buf_poll()). */
		pollfd readable = {dmabuf, POLLIN, 0};
		if (poll(&readable, 1, 0) > 0)
			continue;
		auto writes = Fence::exportFrom(dmabuf, Access::Read);
		/*
		 * All or none: without a fence the driver waits for the writes of every plane, with
		 * one for that alone (drm_gem_plane_helper_prepare_fb()). Linux before 6.0 exports
		 * none.
		 */
		if (!writes && writes.error().code == ENOTTY)
			return UniqueFd();
		auto both = pixels && writes ? Fence::merge(*pixels, *writes) : std::move(writes);
		if (!both)
			return std::unexpected(both.error());
		pixels = std::move(*both);
	}
	return pixels ? pixels->takeFd() : UniqueFd();
}

} /* namespace heapflow */
