/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scripted_ioctl.h"

#include <cerrno>
#include <cstdarg>
#include <cstring>

#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace
{

heapflow::test::ScriptedIoctl *script = nullptr;

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
	return static_cast<int>(syscall(SYS_ioctl, fd, request, argument));
}

namespace heapflow::test
{

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
