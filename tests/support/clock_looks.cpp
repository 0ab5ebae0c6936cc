/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "clock_looks.h"

#include <atomic>

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace
{

std::atomic<unsigned long> looks;

} /* namespace */

/* In the program itself, so that it comes before libc's for all libraries. */
extern "C" [[gnu::visibility("default")]] int clock_gettime(clockid_t clock,
							    timespec *time) noexcept
{
	looks.fetch_add(1, std::memory_order_relaxed);
	return static_cast<int>(syscall(SYS_clock_gettime, clock, time));
}

namespace heapflow::test
{

unsigned long clockLooks()
{
	return looks;
}

} /* namespace heapflow::test */
