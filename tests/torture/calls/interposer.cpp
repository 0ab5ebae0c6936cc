/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions of libc that our libraries call the kernel with, before libc's own in the order of
 * symbols: exported by torture-calls, and preloaded into heapctl. Each asks whether it is to fail.
 *
 * What libc calls by itself (malloc(), the loader) does not come here. Not interposed are calls
 * that cannot fail as we use them: munmap() of a whole mapping, clock_gettime(), fstat() flags.
 */
#include "fault_plan.h"

#include <cerrno>
#include <cstdarg>

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define EXPORTED extern "C" __attribute__((visibility("default")))
/* Inline, so that it is the return address of the interposed function. */
#define CALLER __builtin_return_address(0)

namespace
{

using namespace heapflow::torture;

/* libc's function. */
template<typename Signature>
Signature *next(const char *name)
{
	return reinterpret_cast<Signature *>(dlsym(RTLD_NEXT, name));
}

/* Sets errno when the call is to fail. */
bool fails(Function function, uint32_t detail, const void *caller)
{
	const int code = faultOf({function, detail}, caller);
	if (code)
		errno = code;
	return code != 0;
}

bool failsOn(Function function, const char *path, const void *caller)
{
	if (!planIsActive())
		return false;
	return fails(function, uint32_t(subjectOf(std::string_view(path ? path : ""))), caller);
}

bool failsOn(Function function, int descriptor, const void *caller)
{
	if (!planIsActive())
		return false;
	return fails(function, uint32_t(subjectOf(descriptor)), caller);
}

bool failsAtAll(Function function, const void *caller)
{
	return planIsActive() && fails(function, 0, caller);
}

int openAt(int directory, const char *path, int flags, mode_t mode, const void *caller)
{
	/* Of a directory no signal interrupts it: the errnos are those of opendir(). */
	if (failsOn(flags & O_DIRECTORY ? Function::Opendir : Function::Open, path, caller))
		return -1;
	return int(syscall(SYS_openat, directory, path, flags, mode));
}

} /* namespace */

EXPORTED int open64(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	const mode_t mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return openAt(AT_FDCWD, path, flags, mode, CALLER);
}

EXPORTED int open(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	const mode_t mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return openAt(AT_FDCWD, path, flags, mode, CALLER);
}

EXPORTED int openat(int directory, const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	const mode_t mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return openAt(directory, path, flags, mode, CALLER);
}

EXPORTED int openat64(int directory, const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	const mode_t mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return openAt(directory, path, flags, mode, CALLER);
}

EXPORTED FILE *fopen64(const char *path, const char *mode)
{
	if (failsOn(Function::Open, path, CALLER))
		return nullptr;
	static auto *const real = next<FILE *(const char *, const char *)>("fopen64");
	return real(path, mode);
}

/* The descriptor is gone whatever close() says (close(2), "Dealing with error returns"). */
EXPORTED int close(int fd)
{
	const bool failing = failsOn(Function::Close, fd, CALLER);
	const int code = errno;
	const long result = syscall(SYS_close, fd);
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
	return int(syscall(SYS_ioctl, fd, request, argument));
}

EXPORTED void *mmap64(void *address, size_t size, int protection, int flags, int fd,
		      off_t offset) noexcept
{
	if (failsOn(Function::Mmap, fd, CALLER))
		return MAP_FAILED;
	return reinterpret_cast<void *>(
		syscall(SYS_mmap, address, size, protection, flags, fd, offset));
}

EXPORTED void *mmap(void *address, size_t size, int protection, int flags, int fd,
		    off_t offset) noexcept
{
	if (failsOn(Function::Mmap, fd, CALLER))
		return MAP_FAILED;
	return reinterpret_cast<void *>(
		syscall(SYS_mmap, address, size, protection, flags, fd, offset));
}

EXPORTED int mprotect(void *address, size_t size, int protection) noexcept
{
	if (failsAtAll(Function::Mprotect, CALLER))
		return -1;
	return int(syscall(SYS_mprotect, address, size, protection));
}

EXPORTED int poll(pollfd *descriptors, nfds_t count, int timeout)
{
	if (failsOn(Function::Poll, count ? descriptors[0].fd : -1, CALLER))
		return -1;
	return int(syscall(SYS_poll, descriptors, count, timeout));
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
	return syscall(SYS_read, fd, buffer, size);
}

EXPORTED ssize_t write(int fd, const void *buffer, size_t size)
{
	if (failsOn(Function::Write, fd, CALLER))
		return -1;
	return syscall(SYS_write, fd, buffer, size);
}

EXPORTED int eventfd(unsigned value, int flags) noexcept
{
	if (failsAtAll(Function::Eventfd, CALLER))
		return -1;
	return int(syscall(SYS_eventfd2, value, flags));
}

EXPORTED int eventfd_read(int fd, eventfd_t *value)
{
	if (failsOn(Function::Read, fd, CALLER))
		return -1;
	return syscall(SYS_read, fd, value, sizeof(*value)) == sizeof(*value) ? 0 : -1;
}

EXPORTED int eventfd_write(int fd, eventfd_t value)
{
	if (failsOn(Function::Write, fd, CALLER))
		return -1;
	return syscall(SYS_write, fd, &value, sizeof(value)) == sizeof(value) ? 0 : -1;
}

EXPORTED int timerfd_create(clockid_t clock, int flags) noexcept
{
	if (failsAtAll(Function::TimerfdCreate, CALLER))
		return -1;
	return int(syscall(SYS_timerfd_create, clock, flags));
}

EXPORTED int timerfd_settime(int fd, int flags, const itimerspec *when, itimerspec *old) noexcept
{
	if (failsAtAll(Function::TimerfdSettime, CALLER))
		return -1;
	return int(syscall(SYS_timerfd_settime, fd, flags, when, old));
}

EXPORTED int inotify_init1(int flags) noexcept
{
	if (failsAtAll(Function::InotifyInit, CALLER))
		return -1;
	return int(syscall(SYS_inotify_init1, flags));
}

EXPORTED int inotify_add_watch(int fd, const char *path, uint32_t mask) noexcept
{
	if (failsAtAll(Function::InotifyAddWatch, CALLER))
		return -1;
	return int(syscall(SYS_inotify_add_watch, fd, path, mask));
}

EXPORTED int dup(int fd) noexcept
{
	if (failsOn(Function::Dup, fd, CALLER))
		return -1;
	return int(syscall(SYS_dup, fd));
}

/* Other commands of fcntl() cannot fail for a descriptor that is open. */
static int control(int fd, int command, long argument, const void *caller)
{
	if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) &&
	    failsOn(Function::Dup, fd, caller))
		return -1;
	return int(syscall(SYS_fcntl, fd, command, argument));
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

EXPORTED int stat64(const char *path, struct stat64 *status) noexcept
{
	if (failsOn(Function::Stat, path, CALLER))
		return -1;
	return int(syscall(SYS_newfstatat, AT_FDCWD, path, status, 0));
}

EXPORTED int stat(const char *path, struct stat *status) noexcept
{
	if (failsOn(Function::Stat, path, CALLER))
		return -1;
	return int(syscall(SYS_newfstatat, AT_FDCWD, path, status, 0));
}

EXPORTED int lstat64(const char *path, struct stat64 *status) noexcept
{
	if (failsOn(Function::Stat, path, CALLER))
		return -1;
	return int(syscall(SYS_newfstatat, AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW));
}

EXPORTED int lstat(const char *path, struct stat *status) noexcept
{
	if (failsOn(Function::Stat, path, CALLER))
		return -1;
	return int(syscall(SYS_newfstatat, AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW));
}

EXPORTED int fstat64(int fd, struct stat64 *status) noexcept
{
	if (failsOn(Function::Stat, fd, CALLER))
		return -1;
	return int(syscall(SYS_fstat, fd, status));
}

EXPORTED int fstat(int fd, struct stat *status) noexcept
{
	if (failsOn(Function::Stat, fd, CALLER))
		return -1;
	return int(syscall(SYS_fstat, fd, status));
}

EXPORTED int access(const char *path, int mode) noexcept
{
	if (failsOn(Function::Access, path, CALLER))
		return -1;
	return int(syscall(SYS_faccessat, AT_FDCWD, path, mode));
}

EXPORTED int faccessat(int directory, const char *path, int mode, int flags) noexcept
{
	if (failsOn(Function::Access, path, CALLER))
		return -1;
	return int(syscall(SYS_faccessat2, directory, path, mode, flags));
}

EXPORTED DIR *opendir(const char *path)
{
	if (failsOn(Function::Opendir, path, CALLER))
		return nullptr;
	static auto *const real = next<DIR *(const char *)>("opendir");
	return real(path);
}

EXPORTED DIR *fdopendir(int fd)
{
	if (failsOn(Function::Opendir, fd, CALLER))
		return nullptr;
	static auto *const real = next<DIR *(int)>("fdopendir");
	return real(fd);
}

EXPORTED dirent64 *readdir64(DIR *directory)
{
	if (failsOn(Function::Readdir, dirfd(directory), CALLER))
		return nullptr;
	static auto *const real = next<dirent64 *(DIR *)>("readdir64");
	return real(directory);
}

EXPORTED dirent *readdir(DIR *directory)
{
	if (failsOn(Function::Readdir, dirfd(directory), CALLER))
		return nullptr;
	static auto *const real = next<dirent *(DIR *)>("readdir");
	return real(directory);
}

EXPORTED ssize_t readlink(const char *path, char *target, size_t size) noexcept
{
	if (failsOn(Function::Readlink, path, CALLER))
		return -1;
	return syscall(SYS_readlinkat, AT_FDCWD, path, target, size);
}

EXPORTED ssize_t readlinkat(int directory, const char *path, char *target, size_t size) noexcept
{
	if (failsOn(Function::Readlink, directory, CALLER))
		return -1;
	return syscall(SYS_readlinkat, directory, path, target, size);
}

EXPORTED off64_t lseek64(int fd, off64_t offset, int from) noexcept
{
	if (failsOn(Function::Seek, fd, CALLER))
		return -1;
	return syscall(SYS_lseek, fd, offset, from);
}

EXPORTED int socket(int domain, int type, int protocol) noexcept
{
	if (failsAtAll(Function::Socket, CALLER))
		return -1;
	return int(syscall(SYS_socket, domain, type, protocol));
}

EXPORTED int bind(int fd, const sockaddr *address, socklen_t size) noexcept
{
	if (failsAtAll(Function::Bind, CALLER))
		return -1;
	return int(syscall(SYS_bind, fd, address, size));
}

EXPORTED int setsockopt(int fd, int level, int option, const void *value, socklen_t size) noexcept
{
	if (failsAtAll(Function::SetSockopt, CALLER))
		return -1;
	return int(syscall(SYS_setsockopt, fd, level, option, value, size));
}

EXPORTED int getsockopt(int fd, int level, int option, void *value, socklen_t *size) noexcept
{
	if (failsAtAll(Function::GetSockopt, CALLER))
		return -1;
	return int(syscall(SYS_getsockopt, fd, level, option, value, size));
}

EXPORTED ssize_t recvmsg(int fd, msghdr *message, int flags)
{
	if (failsAtAll(Function::Receive, CALLER))
		return -1;
	return syscall(SYS_recvmsg, fd, message, flags);
}

EXPORTED int memfd_create(const char *name, unsigned flags) noexcept
{
	if (failsAtAll(Function::MemfdCreate, CALLER))
		return -1;
	return int(syscall(SYS_memfd_create, name, flags));
}

EXPORTED int pipe2(int *ends, int flags) noexcept
{
	if (failsAtAll(Function::Pipe, CALLER))
		return -1;
	return int(syscall(SYS_pipe2, ends, flags));
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
