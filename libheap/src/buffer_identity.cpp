/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/buffer_identity.h"

#include "heap_access.h"

#include <cerrno>

#include <sys/stat.h>
#include <unistd.h>

namespace heapflow
{

Result<BufferIdentity> bufferIdentity(int dmabuf)
{
	struct stat status;
	if (fstat(dmabuf, &status))
		return fail(errno,
			    "cannot identify the dma-buf of descriptor " + std::to_string(dmabuf));
	return BufferIdentity{status.st_dev, status.st_ino, static_cast<uint64_t>(status.st_size)};
}

std::optional<std::string> otherThanDmabuf(int descriptor)
{
	/* "/dmabuf:NAME" for each dma-buf (dma_buf_getfile(), dmabuffs_dname()). */
	char target[256];
	const ssize_t length = readlink(("/proc/self/fd/" + std::to_string(descriptor)).c_str(),
					target, sizeof(target));
	if (length <= 0)
		return std::nullopt;
	std::string text(target, static_cast<size_t>(length));
	if (text.starts_with("/dmabuf:"))
		return std::nullopt;
	return text;
}

Error withForeignDescriptor(Error error, int descriptor)
{
	const auto other = otherThanDmabuf(descriptor);
	if (!other)
		return error;
	error.message += ": file descriptor " + std::to_string(descriptor) + " is no dma-buf but " +
			 printable(*other);
	error.hint = "Hand over the descriptor of a dma-buf";
	return error;
}

} /* namespace heapflow */
