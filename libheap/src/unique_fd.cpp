/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/unique_fd.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace heapflow
{

void UniqueFd::reset(int fd)
{
	/* close() is not repeated on EINTR: Linux has released the number by then (close(2)). */
	if (fd_ >= 0 && fd_ != fd) {
		const int saved = errno;
		::close(fd_);
		errno = saved;
	}
	fd_ = fd;
}

Result<UniqueFd> UniqueFd::duplicate() const
{
	const int copy = fcntl(fd_, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return fail(errno, "cannot duplicate file descriptor " + std::to_string(fd_),
			    errno == EMFILE ? "raise the limit of open files (ulimit -n)" : "");
	return UniqueFd(copy);
}

UniqueFd openRetried(const char *path, int flags)
{
	int fd;
	do {
		fd = ::open(path, flags);
	} while (fd < 0 && errno == EINTR);
	return UniqueFd(fd);
}

} /* namespace heapflow */
