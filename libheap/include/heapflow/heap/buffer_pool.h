/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers of one layout, handed out and taken back. */
#pragma once

#include "heapflow/heap/buffer.h"
#include "heapflow/heap/cpu_access.h"
#include "heapflow/heap/error.h"
#include "heapflow/heap/frame_layout.h"
#include "heapflow/heap/heap.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace heapflow
{

class BufferPoolCore;
struct PoolSlot;

struct PoolOptions {
	std::string name; /**< of the buffers, in /proc/PID/fdinfo and in errors */
	size_t count = 0; /**< allocated by create(), all at once, and kept by shrink() */
	size_t limit = 0; /**< buffers at most; the pool grows from `count` up to it. 0: `count` */
};

struct AcquireOptions {
	std::string_view holder; /**< who has it, for the error when the pool starves */
	/** How long to wait for a buffer; nanoseconds::max() waits without limit */
	std::chrono::nanoseconds timeout{};
	/** All bytes 0: for a buffer that crosses a trust boundary. Costs the time of a memset(),
	 * unless the buffer comes fresh from the kernel */
	bool zeroed = false;
};

/** \brief The buffers that one holder has */
struct HeldBuffers {
	std::string holder;
	size_t count = 0;
	std::chrono::nanoseconds shortest{}; /**< since the last of them was taken, about */
	std::chrono::nanoseconds longest{};  /**< since the first of them was taken, about */
};

struct PoolState {
	size_t total = 0; /**< buffers there are, held or idle */
	size_t idle = 0;
	size_t limit = 0;
	size_t waiting = 0;               /**< threads inside acquire() */
	std::vector<HeldBuffers> holders; /**< who holds most comes first, then by name */
};

/** \brief "4 of 4 buffers are held: 3 by 'encoder' for 2.1 s to 5.3 s, 1 by 'display' for 20 ms" */
std::string describe(const PoolState &state);

/**
 * \brief A buffer of a pool, in the hands of its holder
 *
 * Goes back when it is destroyed or giveBack() is called, from any thread, also after the pool was
 * destroyed; then the buffer is freed. Between its hand-out and then it is used by one thread at a
 * time. Fences are the holder's business: a buffer goes back when no device uses it any more, or
 * its next holder waits for Fence::exportFrom().
 */
class BufferLease
{
public:
	BufferLease() = default;
	BufferLease(BufferLease &&other) noexcept;
	BufferLease &operator=(BufferLease &&other) noexcept;
	~BufferLease() { giveBack(); }

	/** \brief False after giveBack() and after being moved from; then only giveBack(), access()
	 * and the assignment may be called */
	explicit operator bool() const { return slot_ != nullptr; }

	const Buffer &buffer() const;
	int fd() const { return buffer().fd(); }

	/**
	 * \brief Which buffer of the pool: below its limit, the same for as long as the buffer is
	 *
	 * Importers keep what they made of a buffer in an array by index. A buffer that takes the
	 * place of one freed by shrink() has the same index and another serial.
	 */
	size_t index() const;
	/** \brief Never the same for two buffers of this process */
	uint64_t serial() const;

	/**
	 * \brief CPU access inside a bracket, through a mapping that the pool keeps
	 *
	 * The first access to each buffer maps it, all others are two ioctls. The scope must end
	 * before the lease does. Errors: EACCES protected memory, EBADF an empty lease, those of
	 * CpuView.
	 */
	Result<AccessScope> access(Access access);

	void giveBack();

private:
	friend class BufferPoolCore;
	BufferLease(std::shared_ptr<BufferPoolCore> core, PoolSlot *slot);

	std::shared_ptr<BufferPoolCore> core_;
	PoolSlot *slot_ = nullptr;
};

/**
 * \brief A recycling pool: buffers of one size from one heap
 *
 * A buffer that is idle is handed out, and taken back, without a system call, as long as no two
 * threads meet at the pool and nobody waits for a buffer. The last one given back goes out first:
 * its memory is warm in caches, and those at the other end are what shrink() frees.
 *
 * Threads: every function of a pool may be called from any thread, apart from moving and destroying
 * it. Allocation, mapping and zeroing are done by the thread that calls acquire(), without the
 * pool's lock. Threads that wait are served in the order of their coming.
 *
 * Destroying a pool is stop(), and frees what is idle; what is held lives until it is given back.
 */
class BufferPool
{
public:
	/**
	 * \brief With `options.count` buffers of `size` bytes, or none
	 *
	 * Errors: EINVAL size 0, no buffers at all, or a limit below the count; those of
	 * HeapDevice::allocate(), with how many did fit, and all of them given back.
	 */
	static Result<BufferPool> create(HeapDevice device, uint64_t size, PoolOptions options);
	/** \brief The same for frames; errors of checkFrameLayout() as well */
	static Result<BufferPool> create(HeapDevice device, FrameLayout layout,
					 PoolOptions options);

	BufferPool(BufferPool &&other) noexcept = default;
	BufferPool &operator=(BufferPool &&other) noexcept;
	~BufferPool();

	/**
	 * \brief An idle buffer, else a new one, else the next that is given back
	 *
	 * Errors: EAGAIN without a timeout and ETIMEDOUT with one: all are held, by whom stands in
	 * the message, with why the pool could not grow; ENOMEM and others when it could not and
	 * nobody holds any; ECANCELED after stop(); EACCES `zeroed` from a protected heap: no CPU
	 * can clear it, and the kernel does not clear it either (drivers/tee/tee_heap.c).
	 */
	Result<BufferLease> acquire(const AcquireOptions &options = {});

	/**
	 * \brief Free idle buffers until `keep` or `options.count` are left, whichever is more
	 *
	 * \return How many were freed. What is held counts as left and stays.
	 */
	size_t shrink(size_t keep = 0);

	/** \brief Whoever waits gets ECANCELED, as does everybody who asks later */
	void stop();

	PoolState state() const;
	uint64_t bufferSize() const;       /**< bytes that were asked for, not rounded to pages */
	const FrameLayout *layout() const; /**< nullptr for a pool of bytes */
	const Heap &heap() const;

private:
	explicit BufferPool(std::shared_ptr<BufferPoolCore> core) : core_(std::move(core)) {}

	std::shared_ptr<BufferPoolCore> core_;
};

} /* namespace heapflow */
