/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the CPU does with a dma-buf: always mapped, and always inside a sync bracket. */
#pragma once

#include "heapflow/heap/error.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace heapflow
{

/** \brief What the CPU wants to do; the direction must match between begin and end (dma-buf.h) */
enum class Access { Read, Write, ReadWrite };

/**
 * \brief DMA_BUF_IOCTL_SYNC with begin or end, repeated on EINTR and EAGAIN (invariant 9)
 *
 * The kernel's dma-buf documentation asks user space to restart both. The begin also waits for the
 * fences of the dma-buf, without a limit: Fence::exportFrom() and Fence::wait() have one.
 */
Result<void> syncBegin(int dmabuf, Access access);
Result<void> syncEnd(int dmabuf, Access access);

/** \brief A part of a dma-buf, in bytes; it need not begin at a page */
struct ByteRange {
	uint64_t offset = 0;
	uint64_t size = 0;
};

class CpuWindow;

/**
 * \brief One sync bracket on a CpuView, and the bytes in it
 *
 * Made by CpuView::begin(), ended by end() or by the destructor. The bytes may be touched only as
 * the direction says: with Access::Read they must not be written. It may outlive its view.
 * Move-only, one thread at a time.
 */
class AccessScope
{
public:
	AccessScope(AccessScope &&other) noexcept = default;
	AccessScope &operator=(AccessScope &&other) noexcept;
	~AccessScope();

	/** \brief Empty after end() and after being moved from */
	std::span<std::byte> bytes() const;

	/**
	 * \brief End the bracket, and hear whether that failed; nothing happens the second time
	 *
	 * A destructor has nobody to tell: who must know that the device sees what was written
	 * calls this. The bracket counts as ended, whatever the kernel answered.
	 */
	Result<void> end();

private:
	friend class CpuView;
	AccessScope(std::shared_ptr<CpuWindow> window, Access access);

	std::shared_ptr<CpuWindow> window_;
	Access access_;
};

/**
 * \brief A dma-buf mapped once, to be looked at many times
 *
 * Each look is a bracket of two ioctls without any mmap(). Holds a descriptor of its own, so that
 * brackets reach the right dma-buf when the Buffer goes first, and unmaps when the last of the view
 * and its brackets goes. begin() may be called from any thread.
 */
class CpuView
{
public:
	/**
	 * \brief Map `range`, for what `most` allows
	 *
	 * Errors: EINVAL size 0, past the end of the dma-buf, or memory that has no CPU view (a
	 * protected heap); EACCES writing a dma-buf that was allocated read-only; EBADF.
	 */
	static Result<CpuView> create(int dmabuf, ByteRange range, Access most = Access::ReadWrite);

	/** \brief Errors: EACCES writing a view that was made to read; those of the ioctl */
	Result<AccessScope> begin(Access access) const;

	uint64_t size() const; /**< bytes */

private:
	explicit CpuView(std::shared_ptr<CpuWindow> window) : window_(std::move(window)) {}

	std::shared_ptr<CpuWindow> window_;
};

/**
 * \brief CPU view of a dma-buf inside one sync bracket, for a single look
 *
 * Begins the bracket when made, ends it and unmaps when destroyed. Move-only, one thread.
 */
class Mapping
{
public:
	/**
	 * \brief Map the first `size` bytes: Read cannot be written through, the others are
	 * readable too
	 *
	 * Errors: those of CpuView.
	 */
	static Result<Mapping> create(int dmabuf, uint64_t size, Access access);
	static Result<Mapping> create(int dmabuf, ByteRange range, Access access);

	std::span<std::byte> bytes() const { return scope_.bytes(); }

	/** \brief AccessScope::end(), and unmap */
	Result<void> end() { return scope_.end(); }

private:
	explicit Mapping(AccessScope scope) : scope_(std::move(scope)) {}

	AccessScope scope_; /* holds the view's window alive */
};

} /* namespace heapflow */
