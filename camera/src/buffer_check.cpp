/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "buffer_check.h"

#include "heapflow/heap/buffer_identity.h"

#include <algorithm>
#include <cerrno>
#include <format>
#include <set>
#include <utility>

#include <fcntl.h>

namespace heapflow
{

Result<void> checkBuffers(std::span<const Buffer> buffers,
			  const CaptureConfiguration &configuration, std::string_view camera)
{
	if (buffers.size() != configuration.bufferCount)
		return fail(EINVAL, std::format("{} takes exactly {} buffers, not {}", camera,
						configuration.bufferCount, buffers.size()));

	/* A dma-buf has an inode of its own, whatever the number of its descriptors. */
	std::set<std::pair<dev_t, ino_t>> seen;
	for (size_t index = 0; index < buffers.size(); ++index) {
		const Buffer &buffer = buffers[index];
		const auto identity = bufferIdentity(buffer.fd());
		if (!identity)
			return fail(identity.error().code,
				    std::format("buffer {} for {} has no dma-buf", index, camera));
		/* Not what its owner says of it: libcamera ends the program when it maps a plane
		 * that is not there, and a driver that attaches one loses it (videobuf2-core.c). */
		if (auto fits = checkFrameLayout(configuration.layout,
						 std::min(buffer.size(), identity->size));
		    !fits)
			return std::unexpected(withForeignDescriptor(fits.error(), buffer.fd()));
		if (!seen.emplace(identity->device, identity->inode).second)
			return fail(EINVAL,
				    std::format("buffer {} for {} is the same dma-buf as one "
						"before it",
						index, camera));
	}
	return {};
}

Result<void> checkDescriptors(std::span<const Buffer> buffers, bool writtenByCpu,
			      std::string_view camera)
{
	for (size_t index = 0; index < buffers.size(); ++index) {
		const int fd = buffers[index].fd();
		if (otherThanDmabuf(fd))
			return std::unexpected(withForeignDescriptor(
				{EINVAL, std::format("buffer {} for {}", index, camera), ""}, fd));
		if (writtenByCpu && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
			return fail(EACCES,
				    std::format("buffer {} for {} is read-only: file descriptor {}",
						index, camera, fd),
				    "This camera writes with the CPU: export the dma-buf with "
				    "O_RDWR (DRM_RDWR)");
	}
	return {};
}

} /* namespace heapflow */
