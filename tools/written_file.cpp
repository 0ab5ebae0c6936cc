/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "written_file.h"

#include "heapflow/heap/unique_fd.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

namespace heapflow::tool
{

namespace
{

int writeAll(int fd, std::string_view content)
{
	while (!content.empty()) {
		const ssize_t count = write(fd, content.data(), content.size());
		if (count < 0 && errno != EINTR)
			return errno;
		if (count > 0)
			content.remove_prefix(static_cast<size_t>(count));
	}
	return 0;
}

int fillAndRename(int fd, const std::string &temporary, const std::filesystem::path &file,
		  std::string_view content)
{
	const mode_t mask = umask(0);
	umask(mask);
	if (fchmod(fd, 0666 & ~mask) != 0)
		return errno;
	if (const int code = writeAll(fd, content))
		return code;
	/* The name must not come to the disk before the content. */
	if (fsync(fd) != 0 && errno != EINVAL)
		return errno;
	return std::rename(temporary.c_str(), file.c_str()) == 0 ? 0 : errno;
}

} /* namespace */

Result<void> writeWholeFile(const std::filesystem::path &file, std::string_view content)
{
	std::string temporary = file.string() + ".XXXXXX";
	const UniqueFd fd(mkstemp(temporary.data()));
	if (!fd.valid())
		return fail(errno, "cannot write " + file.string(),
			    "The directory must exist and be writable: the file is made in it and "
			    "then put in place");
	if (const int code = fillAndRename(fd.get(), temporary, file, content)) {
		unlink(temporary.c_str());
		return fail(code, "cannot write " + file.string(),
			    code == ENOSPC ? "The disk is full" : "");
	}
	return {};
}

} /* namespace heapflow::tool */
