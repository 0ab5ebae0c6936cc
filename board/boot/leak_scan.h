/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory of the kernel's that nothing points to any more, at the end of a run on the debug kernel.
 */
#pragma once

#include <ctime>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace board
{

/**
 * \brief Have kmemleak look twice; what it finds it prints, with stacks (kmemleak.verbose=1)
 *
 * Objects younger than five seconds are not reported (MSECS_MIN_AGE in mm/kmemleak.c), and an
 * object whose content changed since the last scan is not, either. So: wait, scan, scan again.
 * What killed processes leave behind must be gone by then: RCU keeps it in a chain that kmemleak
 * cannot follow, and in simulated time RCU makes no progress while a scan keeps the processor
 * busy. So they are reaped before the wait. False, with errno, when kmemleak is not there or has
 * switched itself off.
 */
inline bool scanForLeaks()
{
	const timespec moment = {.tv_sec = 0, .tv_nsec = 20'000'000};
	for (int i = 0; i < 100; i++) {
		pid_t reaped;
		while ((reaped = waitpid(-1, nullptr, WNOHANG)) > 0)
			;
		if (reaped < 0)
			break;
		nanosleep(&moment, nullptr);
	}
	const timespec oldEnough = {.tv_sec = 5, .tv_nsec = 500'000'000};
	nanosleep(&oldEnough, nullptr);
	const int fd = open("/sys/kernel/debug/kmemleak", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	const bool scanned = write(fd, "scan", 4) == 4 && write(fd, "scan", 4) == 4;
	close(fd);
	return scanned;
}

} /* namespace board */
