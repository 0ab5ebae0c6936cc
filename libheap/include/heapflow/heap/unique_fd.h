/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file descriptor that is closed when its owner goes. */
#pragma once

#include "heapflow/heap/error.h"

#include <utility>

namespace heapflow
{

/** \brief Sole owner of a file descriptor; -1 means none. Not thread-safe, as any value. */
class UniqueFd
{
public:
	UniqueFd() = default;
	explicit UniqueFd(int fd) : fd_(fd) {}
	UniqueFd(UniqueFd &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
	UniqueFd &operator=(UniqueFd &&other) noexcept
	{
		reset(std::exchange(other.fd_, -1));
		return *this;
	}
	~UniqueFd() { reset(); }

	UniqueFd(const UniqueFd &) = delete;
	UniqueFd &operator=(const UniqueFd &) = delete;

	int get() const { return fd_; }
	bool valid() const { return fd_ >= 0; }
	[[nodiscard]] int release() { return std::exchange(fd_, -1); }
	void reset(int fd = -1);

	/** \brief A second descriptor for the same open file, close-on-exec */
	Result<UniqueFd> duplicate() const;

private:
	int fd_ = -1;
};

/** \brief open(2), again when a signal interrupted it; none, and errno, when it fails */
UniqueFd openRetried(const char *path, int flags);

} /* namespace heapflow */
