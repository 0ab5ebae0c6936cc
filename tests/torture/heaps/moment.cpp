/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "moment.h"

#include <atomic>
#include <cstdarg>
#include <utility>

#include <linux/dma-heap.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace heapflow::torture
{

namespace
{

std::atomic<unsigned> count, wanted;
std::function<void()> fault;

} /* namespace */

void beforeAllocation(unsigned nth, std::function<void()> what)
{
	wanted = 0;
	fault = std::move(what);
	count = 0;
	wanted = nth;
}

unsigned allocationsSince()
{
	return count;
}

static void allocating()
{
	if (++count == wanted)
		fault();
}

} /* namespace heapflow::torture */

/* In the place of libc's, for the libraries of this process too. */
extern "C" [[gnu::visibility("default")]] int ioctl(int fd, unsigned long request, ...) noexcept;

extern "C" int ioctl(int fd, unsigned long request, ...) noexcept
{
	va_list arguments;
	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request == DMA_HEAP_IOCTL_ALLOC)
		heapflow::torture::allocating();
	return static_cast<int>(syscall(SYS_ioctl, fd, request, argument));
}
