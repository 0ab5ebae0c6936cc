/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions of libc that our libraries call the kernel with, before libc's own in the order of
 * symbols: exported by torture-calls, and preloaded into heapctl. Each asks whether it is to fail.
 *
 * What libc calls by itself (malloc(), the loader) does not come here. Which functions are not
 * interposed, and why, stands in `not-interposed`. Those of paths, streams and processes are in
 * interposed_files.cpp.
 */
#include "interposing.h"

#include <cstdarg>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

using namespace heapflow::torture;

/* The descriptor is gone whatever close() says (close(2), "Dealing with error returns"). */
EXPORTED int close(int fd)
{
	const bool failing = failsOn(Function::Close, fd, CALLER);
	const int code = errno;
	const long result = kernel(SYS_close, fd);
	if (!failing)
		return int(result);
	errno = code;
	return -1;
}

EXPORTED int ioctl(int fd, unsigned long request, ...) noexcept
{
	va_list arguments;
	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	/* Callers pass the request as int at times, which is sign-extended. */
	if (fails(Function::Ioctl, uint32_t(request), CALLER))
		return -1;
	return int(kernel(SYS_ioctl, fd, request, argument));
}

EXPORTED void *mmap64(void *address, size_t size, int protection, int flags, int fd,
		      off_t offset) noexcept
{
	if (failsOn(Function::Mmap, fd, CALLER))
		return MAP_FAILED;
	return reinterpret_cast<void *>(
		kernel(SYS_mmap, address, size, protection, flags, fd, offset));
}

EXPORTED void *mmap(void *address, size_t size, int protection, int flags, int fd,
		    off_t offset) noexcept
{
	if (failsOn(Function::Mmap, fd, CALLER))
		return MAP_FAILED;
	return reinterpret_cast<void *>(
		kernel(SYS_mmap, address, size, protection, flags, fd, offset));
}

EXPORTED int mprotect(void *address, size_t size, int protection) noexcept
{
	if (failsAtAll(Function::Mprotect, CALLER))
		return -1;
	return int(kernel(SYS_mprotect, address, size, protection));
}

EXPORTED int poll(pollfd *descriptors, nfds_t count, int timeout)
{
	if (failsOn(Function::Poll, count ? descriptors[0].fd : -1, CALLER))
		return -1;
	return int(kernel(SYS_poll, descriptors, count, timeout));
}

EXPORTED int ppoll(pollfd *descriptors, nfds_t count, const timespec *timeout, const sigset_t *mask)
{
	if (failsOn(Function::Poll, count ? descriptors[0].fd : -1, CALLER))
		return -1;
	static auto *const real =
		next<int(pollfd *, nfds_t, const timespec *, const sigset_t *)>("ppoll");
	return real(descriptors, count, timeout, mask);
}

EXPORTED ssize_t read(int fd, void *buffer, size_t size)
{
	if (failsOn(Function::Read, fd, CALLER))
		return -1;
	return kernel(SYS_read, fd, buffer, size);
}

EXPORTED ssize_t write(int fd, const void *buffer, size_t size)
{
	if (failsOn(Function::Write, fd, CALLER))
		return -1;
	return kernel(SYS_write, fd, buffer, size);
}

EXPORTED int eventfd(unsigned value, int flags) noexcept
{
	if (failsAtAll(Function::Eventfd, CALLER))
		return -1;
	return int(kernel(SYS_eventfd2, value, flags));
}

EXPORTED int eventfd_read(int fd, eventfd_t *value)
{
	if (failsOn(Function::Read, fd, CALLER))
		return -1;
	return kernel(SYS_read, fd, value, sizeof(*value)) == sizeof(*value) ? 0 : -1;
}

EXPORTED int eventfd_write(int fd, eventfd_t value)
{
	if (failsOn(Function::Write, fd, CALLER))
		return -1;
	return kernel(SYS_write, fd, &value, sizeof(value)) == sizeof(value) ? 0 : -1;
}

EXPORTED int timerfd_create(clockid_t clock, int flags) noexcept
{
	if (failsAtAll(Function::TimerfdCreate, CALLER))
		return -1;
	return int(kernel(SYS_timerfd_create, clock, flags));
}

EXPORTED int timerfd_settime(int fd, int flags, const itimerspec *when, itimerspec *old) noexcept
{
	if (failsAtAll(Function::TimerfdSettime, CALLER))
		return -1;
	return int(kernel(SYS_timerfd_settime, fd, flags, when, old));
}

EXPORTED int inotify_init1(int flags) noexcept
{
	if (failsAtAll(Function::InotifyInit, CALLER))
		return -1;
	return int(kernel(SYS_inotify_init1, flags));
}

EXPORTED int inotify_add_watch(int fd, const char *path, uint32_t mask) noexcept
{
	if (failsAtAll(Function::InotifyAddWatch, CALLER))
		return -1;
	return int(kernel(SYS_inotify_add_watch, fd, path, mask));
}

EXPORTED int dup(int fd) noexcept
{
	if (failsOn(Function::Dup, fd, CALLER))
		return -1;
	return int(kernel(SYS_dup, fd));
}

/* Other commands of fcntl() cannot fail for a descriptor that is open. */
static int control(int fd, int command, long argument, const void *caller)
{
	if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) &&
	    failsOn(Function::Dup, fd, caller))
		return -1;
	return int(kernel(SYS_fcntl, fd, command, argument));
}

EXPORTED int fcntl64(int fd, int command, ...)
{
	va_list arguments;
	va_start(arguments, command);
	const long argument = va_arg(arguments, long);
	va_end(arguments);
	return control(fd, command, argument, CALLER);
}

EXPORTED int fcntl(int fd, int command, ...)
{
	va_list arguments;
	va_start(arguments, command);
	const long argument = va_arg(arguments, long);
	va_end(arguments);
	return control(fd, command, argument, CALLER);
}

EXPORTED off64_t lseek64(int fd, off64_t offset, int from) noexcept
{
	if (failsOn(Function::Seek, fd, CALLER))
		return -1;
	return kernel(SYS_lseek, fd, offset, from);
}

EXPORTED int socket(int domain, int type, int protocol) noexcept
{
	if (failsAtAll(Function::Socket, CALLER))
		return -1;
	return int(kernel(SYS_socket, domain, type, protocol));
}

EXPORTED int bind(int fd, const sockaddr *address, socklen_t size) noexcept
{
	if (failsAtAll(Function::Bind, CALLER))
		return -1;
	return int(kernel(SYS_bind, fd, address, size));
}

EXPORTED int setsockopt(int fd, int level, int option, const void *value, socklen_t size) noexcept
{
	if (failsAtAll(Function::SetSockopt, CALLER))
		return -1;
	return int(kernel(SYS_setsockopt, fd, level, option, value, size));
}

EXPORTED int getsockopt(int fd, int level, int option, void *value, socklen_t *size) noexcept
{
	if (failsAtAll(Function::GetSockopt, CALLER))
		return -1;
	return int(kernel(SYS_getsockopt, fd, level, option, value, size));
}

EXPORTED ssize_t recvmsg(int fd, msghdr *message, int flags)
{
	if (failsAtAll(Function::Receive, CALLER))
		return -1;
	return kernel(SYS_recvmsg, fd, message, flags);
}

EXPORTED int memfd_create(const char *name, unsigned flags) noexcept
{
	if (failsAtAll(Function::MemfdCreate, CALLER))
		return -1;
	return int(kernel(SYS_memfd_create, name, flags));
}

EXPORTED int pipe2(int *ends, int flags) noexcept
{
	if (failsAtAll(Function::Pipe, CALLER))
		return -1;
	return int(kernel(SYS_pipe2, ends, flags));
}

/* Gives the errno, and does not set it. */
EXPORTED int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			    void *(*start)(void *), void *argument) noexcept
{
	if (const int code = faultOf({Function::ThreadCreate, 0}, CALLER))
		return code;
	static auto *const real = next<decltype(pthread_create)>("pthread_create");
	return real(thread, attributes, start, argument);
}

/* Of the calls without a function in libc our libraries make kcmp() alone. */
EXPORTED long syscall(long number, ...) noexcept
{
	va_list arguments;
	va_start(arguments, number);
	long values[6];
	for (long &value : values)
		value = va_arg(arguments, long);
	va_end(arguments);
	if (number == SYS_kcmp && failsAtAll(Function::Kcmp, CALLER))
		return -1;
	return kernel(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}
