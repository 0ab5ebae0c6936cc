/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/buffer.h"

#include "heap_access.h"
#include "heapflow/heap/heap_name.h"

#include <algorithm>
#include <cerrno>

#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace heapflow
{

Result<void> setBufferName(int dmabuf, std::string_view name)
{
	/* DMA_BUF_NAME_LEN is 32 with its NUL and not in the UAPI header; more is EINVAL. */
	size_t length = std::min<size_t>(name.size(), 31);
	/* Do not cut a UTF-8 character in two. */
	if (length < name.size()) {
		while (length > 0 && (static_cast<unsigned char>(name[length]) & 0xc0) == 0x80)
			length--;
	}
	const std::string cut(name.substr(0, length));

	if (ioctl(dmabuf, DMA_BUF_SET_NAME, cut.c_str()) != 0)
		return fail(errno, "cannot name the dma-buf on file descriptor " +
					   std::to_string(dmabuf) + " '" + cut + "'");
	return {};
}

Result<uint64_t> bufferSize(int dmabuf)
{
	const off_t end = lseek(dmabuf, 0, SEEK_END);
	if (end < 0)
		return fail(errno, "cannot find the size of the dma-buf on file descriptor " +
					   std::to_string(dmabuf));
	return static_cast<uint64_t>(end);
}

Error protectedError(std::string_view heap)
{
	return {EACCES,
		"the heap " + printable(heap) +
			" is protected: its buffers are never mapped, read or written by the CPU",
		"Only devices may read and write them"};
}

Buffer::Buffer(UniqueFd fd, uint64_t size, std::string heap)
	: fd_(std::move(fd)),
	  size_(size),
	  heap_(std::move(heap)),
	  isProtected_(parseHeapName(heap_).isProtected)
{
}

Buffer::Buffer(UniqueFd fd, uint64_t size, std::string heap, bool isProtected)
	: fd_(std::move(fd)), size_(size), heap_(std::move(heap)), isProtected_(isProtected)
{
}

Result<Mapping> Buffer::map(Access access) const
{
	if (isProtected_)
		return std::unexpected(protectedError(heap_));
	return Mapping::create(fd(), size_, access);
}

Result<CpuView> Buffer::view(Access most) const
{
	return view({0, size_}, most);
}

Result<CpuView> Buffer::view(ByteRange range, Access most) const
{
	if (isProtected_)
		return std::unexpected(protectedError(heap_));
	if (range.offset > size_ || range.size > size_ - range.offset)
		return fail(EINVAL, "bytes " + std::to_string(range.offset) + " to " +
					    std::to_string(range.offset) + " + " +
					    std::to_string(range.size) +
					    " are past the end of a buffer of " +
					    std::to_string(size_) + " bytes");
	return CpuView::create(fd(), range, most);
}

} /* namespace heapflow */
