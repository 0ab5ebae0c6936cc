/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scripted_ioctl.h"

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstring>

#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace
{

heapflow::test::ScriptedIoctl *script = nullptr;
std::atomic<int> memoryLeft = -1; /* allocations that MemoryHeap gives; -1: there is none */
std::atomic<int> memoryGiven = 0;
std::atomic<bool> memoryBlocked = false;
std::atomic<int> memoryWaiters = 0;

int giveMemory(dma_heap_allocation_data &request)
{
	memoryWaiters++;
	memoryBlocked.wait(true);
	memoryWaiters--;
	if (memoryLeft.fetch_sub(1) <= 0) {
		memoryLeft++;
		errno = ENOMEM;
		return -1;
	}
	const int fd = memfd_create("heap", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, static_cast<off_t>((request.len + 4095) / 4096 * 4096)) != 0)
		return -1;
	memoryGiven++;
	request.fd = static_cast<uint32_t>(fd);
	return 0;
}

} /* namespace */

/* The program's own symbol comes before that of the C library, also for the shared libraries. */
extern "C" int ioctl(int fd, unsigned long request, ...) noexcept
{
	va_list arguments;
	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);

	if (script)
		return script->answer(fd, request, argument);
	if (memoryLeft >= 0 && request == DMA_HEAP_IOCTL_ALLOC)
		return giveMemory(*static_cast<dma_heap_allocation_data *>(argument));
	if (memoryLeft >= 0 && request == DMA_BUF_IOCTL_SYNC)
		return 0;
	return static_cast<int>(syscall(SYS_ioctl, fd, request, argument));
}

namespace heapflow::test
{

MemoryHeap::MemoryHeap(int limit)
{
	memoryGiven = 0;
	memoryLeft = limit;
}

MemoryHeap::~MemoryHeap()
{
	memoryLeft = -1;
}

int MemoryHeap::allocations()
{
	return memoryGiven;
}

void MemoryHeap::block(bool blocked)
{
	memoryBlocked = blocked;
	memoryBlocked.notify_all();
}

int MemoryHeap::blocked()
{
	return memoryWaiters;
}

ScriptedIoctl::ScriptedIoctl(std::vector<int> answers) : answers_(std::move(answers))
{
	script = this;
}

ScriptedIoctl::~ScriptedIoctl()
{
	script = nullptr;
}

int ScriptedIoctl::answer(int fd, unsigned long request, void *argument)
{
	uint64_t value = 0;
	if (request == DMA_BUF_IOCTL_SYNC)
		std::memcpy(&value, argument, sizeof(value));
	const int code = calls_.size() < answers_.size() ? answers_[calls_.size()] : 0;
	calls_.push_back({fd, request, value});
	errno = code;
	return code ? -1 : 0;
}

} /* namespace heapflow::test */
