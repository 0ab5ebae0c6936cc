/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "buffer_check.h"

#include <cerrno>
#include <format>
#include <set>

#include <sys/stat.h>

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
		if (auto fits = checkFrameLayout(configuration.layout, buffer.size()); !fits)
			return fits;
		struct stat status{};
		if (fstat(buffer.fd(), &status) < 0)
			return fail(errno,
				    std::format("buffer {} for {} has no dma-buf", index, camera));
		if (!seen.emplace(status.st_dev, status.st_ino).second)
			return fail(EINVAL,
				    std::format("buffer {} for {} is the same dma-buf as one "
						"before it",
						index, camera));
	}
	return {};
}

} /* namespace heapflow */
