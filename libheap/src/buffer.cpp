/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/buffer.h"

#include "heapflow/heap/heap_name.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace heapflow
{

namespace
{

uint64_t syncFlags(Access access)
{
	switch (access) {
	case Access::Read:
		return DMA_BUF_SYNC_READ;
	case Access::Write:
		return DMA_BUF_SYNC_WRITE;
	case Access::ReadWrite:
		break;
	}
	return DMA_BUF_SYNC_RW;
}

Result<void> sync(int dmabuf, uint64_t flags, const char *what)
{
	dma_buf_sync request{flags};

	/*
	 * Documentation/driver-api/dma-buf.rst: "user space must always restart the ioctl when it
	 * returns -EAGAIN or -EINTR". A bracket that was not ended leaves stale cache lines.
	 */
	while (ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &request) != 0) {
		if (errno != EINTR && errno != EAGAIN)
			return fail(errno,
				    std::string("cannot ") + what +
					    " CPU access to the dma-buf on file descriptor " +
					    std::to_string(dmabuf));
	}
	return {};
}

} /* namespace */

Result<void> syncBegin(int dmabuf, Access access)
{
	return sync(dmabuf, syncFlags(access) | DMA_BUF_SYNC_START, "begin");
}

Result<void> syncEnd(int dmabuf, Access access)
{
	return sync(dmabuf, syncFlags(access) | DMA_BUF_SYNC_END, "end");
}

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

Result<Mapping> Mapping::create(int dmabuf, uint64_t size, Access access)
{
	if (size == 0 || size > std::numeric_limits<size_t>::max() / 2)
		return fail(EINVAL, "cannot map " + std::to_string(size) + " bytes of a dma-buf");

	Mapping mapping;
	mapping.dmabuf_ = UniqueFd(fcntl(dmabuf, F_DUPFD_CLOEXEC, 0));
	if (!mapping.dmabuf_.valid())
		return fail(errno, "cannot hold the dma-buf on file descriptor " +
					   std::to_string(dmabuf) + " for mapping");

	/* MAP_SHARED: CMA heaps refuse MAP_PRIVATE, and a private copy would be no access at all.
	 */
	const int protection = access == Access::Read ? PROT_READ : PROT_READ | PROT_WRITE;
	void *data = mmap(nullptr, static_cast<size_t>(size), protection, MAP_SHARED,
			  mapping.dmabuf_.get(), 0);
	if (data == MAP_FAILED) {
		const int code = errno;
		return fail(code,
			    "cannot map " + std::to_string(size) +
				    " bytes of the dma-buf on "
				    "file descriptor " +
				    std::to_string(dmabuf),
			    code == EINVAL ? "The buffer is smaller, or its heap is protected and "
					     "gives the CPU no view of it"
					   : "");
	}
	mapping.data_ = static_cast<std::byte *>(data);
	mapping.size_ = static_cast<size_t>(size);
	mapping.access_ = access;

	if (auto begun = syncBegin(mapping.dmabuf_.get(), access); !begun) {
		/* No bracket to end: only undo the mmap(). */
		munmap(data, mapping.size_);
		mapping.data_ = nullptr;
		return std::unexpected(begun.error());
	}
	return mapping;
}

Mapping::Mapping(Mapping &&other) noexcept
	: dmabuf_(std::move(other.dmabuf_)),
	  data_(std::exchange(other.data_, nullptr)),
	  size_(std::exchange(other.size_, 0)),
	  access_(other.access_)
{
}

Mapping &Mapping::operator=(Mapping &&other) noexcept
{
	if (this != &other) {
		close();
		dmabuf_ = std::move(other.dmabuf_);
		data_ = std::exchange(other.data_, nullptr);
		size_ = std::exchange(other.size_, 0);
		access_ = other.access_;
	}
	return *this;
}

Mapping::~Mapping()
{
	close();
}

void Mapping::close()
{
	if (!data_)
		return;
	/* A destructor has nobody to tell; the exporter ends the bracket when the buffer dies. */
	static_cast<void>(syncEnd(dmabuf_.get(), access_));
	munmap(data_, size_);
	data_ = nullptr;
	size_ = 0;
	dmabuf_.reset();
}

Buffer::Buffer(UniqueFd fd, uint64_t size, std::string heap)
	: fd_(std::move(fd)), size_(size), heap_(std::move(heap))
{
}

Result<Mapping> Buffer::map(Access access) const
{
	if (parseHeapName(heap_).isProtected)
		return fail(EACCES,
			    "the heap " + heap_ + " is protected: its buffers are never mapped",
			    "Only devices may read and write them");
	return Mapping::create(fd(), size_, access);
}

} /* namespace heapflow */
