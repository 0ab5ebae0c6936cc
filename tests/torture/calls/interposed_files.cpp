/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interposer's functions of paths, directories, streams and processes. */
#include "interposing.h"

#include <cstdarg>
#include <cstdio>

#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

using namespace heapflow::torture;

namespace
{

int openAt(int directory, const char *path, int flags, mode_t mode, const void *caller)
{
	/* Of a directory no signal interrupts it: the errnos are those of opendir(). */
	if (failsOn(flags & O_DIRECTORY ? Function::Opendir : Function::Open, path, caller))
		return -1;
	return int(kernel(SYS_openat, directory, path, flags, mode));
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

EXPORTED int stat64(const char *path, struct stat64 *status) noexcept
{
	if (failsOn(Function::Stat, path, CALLER))
		return -1;
	return int(kernel(SYS_newfstatat, AT_FDCWD, path, status, 0));
}

EXPORTED int stat(const char *path, struct stat *status) noexcept
{
	if (failsOn(Function::Stat, path, CALLER))
		return -1;
	return int(kernel(SYS_newfstatat, AT_FDCWD, path, status, 0));
}

EXPORTED int lstat64(const char *path, struct stat64 *status) noexcept
{
	if (failsOn(Function::Stat, path, CALLER))
		return -1;
	return int(kernel(SYS_newfstatat, AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW));
}

EXPORTED int lstat(const char *path, struct stat *status) noexcept
{
	if (failsOn(Function::Stat, path, CALLER))
		return -1;
	return int(kernel(SYS_newfstatat, AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW));
}

EXPORTED int fstat64(int fd, struct stat64 *status) noexcept
{
	if (failsOn(Function::Stat, fd, CALLER))
		return -1;
	return int(kernel(SYS_fstat, fd, status));
}

EXPORTED int fstat(int fd, struct stat *status) noexcept
{
	if (failsOn(Function::Stat, fd, CALLER))
		return -1;
	return int(kernel(SYS_fstat, fd, status));
}

EXPORTED int fstatat64(int directory, const char *path, struct stat64 *status, int flags) noexcept
{
	if (failsBelow(Function::Stat, directory, path, CALLER))
		return -1;
	return int(kernel(SYS_newfstatat, directory, path, status, flags));
}

EXPORTED int access(const char *path, int mode) noexcept
{
	if (failsOn(Function::Access, path, CALLER))
		return -1;
	return int(kernel(SYS_faccessat, AT_FDCWD, path, mode));
}

EXPORTED int faccessat(int directory, const char *path, int mode, int flags) noexcept
{
	if (failsOn(Function::Access, path, CALLER))
		return -1;
	return int(kernel(SYS_faccessat2, directory, path, mode, flags));
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
	return kernel(SYS_readlinkat, AT_FDCWD, path, target, size);
}

EXPORTED ssize_t readlinkat(int directory, const char *path, char *target, size_t size) noexcept
{
	if (failsOn(Function::Readlink, directory, CALLER))
		return -1;
	return kernel(SYS_readlinkat, directory, path, target, size);
}

EXPORTED size_t fwrite(const void *data, size_t size, size_t count, FILE *file)
{
	if (failsAtAll(Function::Print, CALLER))
		return 0;
	static auto *const real = next<size_t(const void *, size_t, size_t, FILE *)>("fwrite");
	return real(data, size, count, file);
}

EXPORTED int fflush(FILE *file)
{
	if (failsAtAll(Function::Print, CALLER))
		return EOF;
	static auto *const real = next<int(FILE *)>("fflush");
	return real(file);
}

EXPORTED int fsync(int fd)
{
	if (failsAtAll(Function::Fsync, CALLER))
		return -1;
	return int(kernel(SYS_fsync, fd));
}

EXPORTED int rename(const char *from, const char *to) noexcept
{
	if (failsAtAll(Function::Rename, CALLER))
		return -1;
	return int(kernel(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to));
}

EXPORTED int mkstemp64(char *path)
{
	if (failsAtAll(Function::Mkstemp, CALLER))
		return -1;
	static auto *const real = next<int(char *)>("mkstemp64");
	return real(path);
}

EXPORTED int fchmod(int fd, mode_t mode) noexcept
{
	if (failsAtAll(Function::Fchmod, CALLER))
		return -1;
	return int(kernel(SYS_fchmod, fd, mode));
}

EXPORTED int unlink(const char *path) noexcept
{
	if (failsAtAll(Function::Unlink, CALLER))
		return -1;
	return int(kernel(SYS_unlinkat, AT_FDCWD, path, 0));
}

EXPORTED int remove(const char *path) noexcept
{
	if (failsAtAll(Function::Unlink, CALLER))
		return -1;
	static auto *const real = next<int(const char *)>("remove");
	return real(path);
}

EXPORTED int signalfd(int fd, const sigset_t *signals, int flags) noexcept
{
	if (failsAtAll(Function::Signalfd, CALLER))
		return -1;
	static auto *const real = next<int(int, const sigset_t *, int)>("signalfd");
	return real(fd, signals, flags);
}

/* Gives the errno, and does not set it. */
EXPORTED int posix_spawnp(pid_t *child, const char *file, const posix_spawn_file_actions_t *actions,
			  const posix_spawnattr_t *attributes, char *const arguments[],
			  char *const environment[]) noexcept
{
	if (const int code = faultOf({Function::Spawn, 0}, CALLER))
		return code;
	static auto *const real = next<decltype(posix_spawnp)>("posix_spawnp");
	return real(child, file, actions, attributes, arguments, environment);
}

EXPORTED pid_t waitpid(pid_t child, int *status, int options)
{
	if (failsAtAll(Function::Waitpid, CALLER))
		return -1;
	return pid_t(kernel(SYS_wait4, child, status, options, nullptr));
}

EXPORTED ssize_t getxattr(const char *path, const char *name, void *value, size_t size) noexcept
{
	if (failsOn(Function::Getxattr, path, CALLER))
		return -1;
	return kernel(SYS_getxattr, path, name, value, size);
}
