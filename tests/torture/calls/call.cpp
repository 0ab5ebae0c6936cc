/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#include "errnos.h"

#include <array>
#include <cstdio>
#include <format>
#include <utility>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace heapflow::torture
{

namespace
{

constexpr std::array<const char *, size_t(Function::Count)> functionNames = {
	"open",
	"close",
	"ioctl",
	"mmap",
	"mprotect",
	"poll",
	"read",
	"write",
	"eventfd",
	"timerfd_create",
	"timerfd_settime",
	"inotify_init1",
	"inotify_add_watch",
	"dup",
	"stat",
	"access",
	"opendir",
	"readdir",
	"readlink",
	"lseek",
	"socket",
	"bind",
	"setsockopt",
	"getsockopt",
	"recv",
	"memfd_create",
	"pipe",
	"pthread_create",
	"kcmp",
	"fwrite",
	"fsync",
	"rename",
	"mkstemp",
	"fchmod",
	"unlink",
	"signalfd",
	"posix_spawn",
	"waitpid",
	"getxattr",
};

constexpr std::array<const char *, size_t(Subject::Count)> subjectNames = {
	"",        "/dev/dma_heap", "/dev/video", "/dev/dri", "/dev", "dma-buf", "sync_file",
	"eventfd", "timerfd",       "inotify",    "socket",   "pipe", "/proc",   "/sys",
};

/* The first that begins the text decides. */
constexpr std::array<std::pair<std::string_view, Subject>, 17> beginnings = {{
	{"/dev/dma_heap", Subject::HeapNode},
	{"/dev/video", Subject::VideoNode},
	{"/dev/dri", Subject::CardNode},
	{"/dev", Subject::OtherNode},
	{"/dmabuf:", Subject::Dmabuf},
	{"anon_inode:sync_file", Subject::Fence},
	{"anon_inode:[sync_file]", Subject::Fence},
	{"anon_inode:[eventfd]", Subject::Event},
	{"anon_inode:[timerfd]", Subject::Timer},
	{"anon_inode:[inotify]", Subject::Inotify},
	{"anon_inode:inotify", Subject::Inotify},
	{"socket:", Subject::Socket},
	{"pipe:", Subject::Pipe},
	{"/proc", Subject::Proc},
	{"/sys/kernel/debug", Subject::Sys},
	{"/sys", Subject::Sys},
	{"/run/udev", Subject::Socket},
}};

} /* namespace */

Subject subjectOf(std::string_view path)
{
	for (const auto &[beginning, subject] : beginnings) {
		if (path.starts_with(beginning))
			return subject;
	}
	return Subject::Other;
}

Subject subjectOf(int descriptor)
{
	if (descriptor < 0)
		return Subject::Other;
	char link[40];
	char target[128];
	std::snprintf(link, sizeof(link), "/proc/self/fd/%d", descriptor);
	const int kept = errno;
	const long size = syscall(SYS_readlinkat, AT_FDCWD, link, target, sizeof(target));
	errno = kept;
	return size > 0 ? subjectOf(std::string_view(target, size_t(size))) : Subject::Other;
}

std::string nameOf(const CallKind &kind)
{
	const std::string function = functionNames[size_t(kind.function)];
	if (kind.function == Function::Ioctl) {
		const RequestErrnos *known = errnosOfRequest(kind.detail);
		return function + ' ' + (known ? known->name : std::format("{:#x}", kind.detail));
	}
	const std::string subject = subjectNames[kind.detail];
	return subject.empty() ? function : function + ' ' + subject;
}

} /* namespace heapflow::torture */
