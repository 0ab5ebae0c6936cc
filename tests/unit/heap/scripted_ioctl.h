/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ioctl() of this program, told what to answer. No kernel can be made to answer DMA_BUF_IOCTL_SYNC
 * with EINTR or EAGAIN on demand, and that is what is to be survived. Without a script the calls
 * reach the kernel.
 */
#pragma once

#include <cstdint>
#include <vector>

namespace heapflow::test
{

class ScriptedIoctl
{
public:
	/** \brief Each call takes one answer: 0, or an errno. When none is left the answer is 0. */
	explicit ScriptedIoctl(std::vector<int> answers);
	~ScriptedIoctl();
	ScriptedIoctl(const ScriptedIoctl &) = delete;
	ScriptedIoctl &operator=(const ScriptedIoctl &) = delete;

	struct Call {
		int fd;
		unsigned long request;
		uint64_t argument; /**< the first 8 bytes, for DMA_BUF_IOCTL_SYNC its flags */
	};
	const std::vector<Call> &calls() const { return calls_; }

	int answer(int fd, unsigned long request, void *argument);

private:
	std::vector<int> answers_;
	std::vector<Call> calls_;
};

/**
 * \brief While it lives, every DMA_HEAP_IOCTL_ALLOC gives ordinary memory, and brackets succeed
 *
 * For ThreadSanitizer and AddressSanitizer, which do not run on the board; the same pool is tested
 * on real heaps in tests/board/heap. Any thread.
 */
class MemoryHeap
{
public:
	/** \brief ENOMEM after `limit` allocations */
	explicit MemoryHeap(int limit = 1 << 30);
	~MemoryHeap();
	MemoryHeap(const MemoryHeap &) = delete;
	MemoryHeap &operator=(const MemoryHeap &) = delete;

	static int allocations(); /**< so far */

	/** \brief Allocations wait until this is called with false */
	static void block(bool blocked);
	static int blocked(); /**< that wait now */
};

} /* namespace heapflow::test */
