/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One dma-buf from a heap, and bracketed CPU access to it. */
#pragma once

#include "heapflow/heap/error.h"
#include "heapflow/heap/unique_fd.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace heapflow
{

/** \brief What the CPU wants to do; the direction must match between begin and end (dma-buf.h) */
enum class Access { Read, Write, ReadWrite };

/**
 * \brief DMA_BUF_IOCTL_SYNC with begin or end, repeated on EINTR and EAGAIN (invariant 9)
 *
 * The kernel's dma-buf documentation asks user space to restart both.
 */
Result<void> syncBegin(int dmabuf, Access access);
Result<void> syncEnd(int dmabuf, Access access);

/** \brief Name a dma-buf for /proc/PID/fdinfo and debugfs; cut to the 31 bytes the kernel takes */
Result<void> setBufferName(int dmabuf, std::string_view name);

/** \brief True size in bytes, from lseek(SEEK_END); the ALLOC ioctl does not report its rounding */
Result<uint64_t> bufferSize(int dmabuf);

/**
 * \brief CPU view of a dma-buf inside one sync bracket
 *
 * Begins the bracket when made, ends it and unmaps when destroyed. Holds a descriptor of its own,
 * so that the bracket is ended on the right dma-buf even when the Buffer goes first. Move-only, one
 * thread.
 */
class Mapping
{
public:
	/**
	 * \brief Map the first `size` bytes: Read cannot be written through, the others are
	 * readable too
	 *
	 * Errors: EINVAL size 0, larger than the dma-buf, or memory that has no CPU view (a
	 * protected heap); EACCES writing a dma-buf that was allocated read-only.
	 */
	static Result<Mapping> create(int dmabuf, uint64_t size, Access access);

	Mapping(Mapping &&other) noexcept;
	Mapping &operator=(Mapping &&other) noexcept;
	~Mapping();

	std::span<std::byte> bytes() const { return {data_, size_}; }

private:
	Mapping() = default;
	void close();

	UniqueFd dmabuf_;
	std::byte *data_ = nullptr;
	size_t size_ = 0;
	Access access_ = Access::Read;
};

/** \brief Sole owner of one dma-buf that came from a heap. Move-only, one thread at a time. */
class Buffer
{
public:
	Buffer(UniqueFd fd, uint64_t size, std::string heap);

	int fd() const { return fd_.get(); }
	uint64_t size() const { return size_; } /**< bytes, a multiple of the page size */
	const std::string &heap() const { return heap_; }

	/** \brief All of the buffer; EACCES without a system call when its heap is protected
	 * (invariant 9) */
	Result<Mapping> map(Access access) const;
	UniqueFd takeFd() { return std::move(fd_); }

private:
	UniqueFd fd_;
	uint64_t size_;
	std::string heap_;
};

} /* namespace heapflow */
