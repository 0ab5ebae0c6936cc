/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "small_file.h"

#include "heapflow/heap/unique_fd.h"

#include <cerrno>
#include <charconv>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace heapflow
{

Result<std::string> readFile(const std::filesystem::path &file, size_t limit)
{
	/* O_NONBLOCK: a FIFO in the place of a file must not hang the caller. */
	const UniqueFd fd = openRetried(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	if (!fd.valid() || fstat(fd.get(), &status) != 0)
		return fail(errno, "cannot read " + file.string());
	if (!S_ISREG(status.st_mode))
		return fail(EINVAL, file.string() + " is no regular file");

	std::string content;
	char part[16384];
	while (content.size() <= limit) {
		const ssize_t count = read(fd.get(), part, sizeof(part));
		if (count == 0)
			return content;
		if (count > 0)
			content.append(part, static_cast<size_t>(count));
		else if (errno != EINTR)
			return fail(errno, "cannot read " + file.string());
	}
	return fail(EFBIG, file.string() + " has more than " + std::to_string(limit) + " bytes");
}

std::optional<std::string> readSmallFile(const std::filesystem::path &file)
{
	constexpr size_t limit = 65536;
	auto content = readFile(file, limit);
	if (!content)
		return std::nullopt;
	return std::move(*content);
}

std::optional<uint64_t> readNumber(const std::filesystem::path &file)
{
	auto content = readSmallFile(file);
	if (!content)
		return std::nullopt;
	if (content->ends_with('\n'))
		content->pop_back();

	uint64_t number = 0;
	const char *const end = content->data() + content->size();
	const auto [stop, error] = std::from_chars(content->data(), end, number);
	if (error != std::errc() || stop != end)
		return std::nullopt;
	return number;
}

std::optional<uint64_t> readPages(const std::filesystem::path &file)
{
	const auto pages = readNumber(file);
	uint64_t bytes = 0;
	if (!pages ||
	    __builtin_mul_overflow(*pages, static_cast<uint64_t>(sysconf(_SC_PAGESIZE)), &bytes))
		return std::nullopt;
	return bytes;
}

} /* namespace heapflow */
