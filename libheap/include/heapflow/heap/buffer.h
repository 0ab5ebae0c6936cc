/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One dma-buf from a heap. */
#pragma once

#include "heapflow/heap/cpu_access.h"
#include "heapflow/heap/error.h"
#include "heapflow/heap/unique_fd.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace heapflow
{

/** \brief Name a dma-buf for /proc/PID/fdinfo and debugfs; cut to the 31 bytes the kernel takes */
Result<void> setBufferName(int dmabuf, std::string_view name);

/** \brief True size in bytes, from lseek(SEEK_END); the ALLOC ioctl does not report its rounding */
Result<uint64_t> bufferSize(int dmabuf);

/** \brief Sole owner of one dma-buf that came from a heap. Move-only, one thread at a time. */
class Buffer
{
public:
	/** \brief Protected when the name of the heap says so */
	Buffer(UniqueFd fd, uint64_t size, std::string heap);
	Buffer(UniqueFd fd, uint64_t size, std::string heap, bool isProtected);

	int fd() const { return fd_.get(); }
	uint64_t size() const { return size_; } /**< bytes, a multiple of the page size */
	const std::string &heap() const { return heap_; }
	/** \brief No CPU may look at it: map() and view() refuse without a system call (invariant
	 * 9)
	 */
	bool isProtected() const { return isProtected_; }

	/** \brief All of the buffer, once; EACCES when it is protected */
	Result<Mapping> map(Access access) const;

	/** \brief All of the buffer or a part of it, for many brackets; EACCES when it is protected
	 */
	Result<CpuView> view(Access most = Access::ReadWrite) const;
	Result<CpuView> view(ByteRange range, Access most = Access::ReadWrite) const;

	UniqueFd takeFd() { return std::move(fd_); }

private:
	UniqueFd fd_;
	uint64_t size_;
	std::string heap_;
	bool isProtected_;
};

/** \brief Why the CPU gets no view of a buffer of this heap: EACCES, and what can be done */
Error protectedError(std::string_view heap);

} /* namespace heapflow */
