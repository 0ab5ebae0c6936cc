/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mapped part of a dma-buf that a CpuView and its brackets share. */
#pragma once

#include "heapflow/heap/cpu_access.h"
#include "heapflow/heap/unique_fd.h"

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>

namespace heapflow
{

/**
 * \brief Mapped when made, unmapped when the last owner goes
 *
 * Without the checking mode nothing here changes after it was made, and begin() and end() are one
 * ioctl. With it the pages have the rights of the brackets that are open, and none otherwise.
 */
class CpuWindow
{
public:
	static Result<std::shared_ptr<CpuWindow>> create(int dmabuf, ByteRange range, Access most);

	CpuWindow() = default; /* for make_shared only: create() fills it in */
	~CpuWindow();
	CpuWindow(const CpuWindow &) = delete;
	CpuWindow &operator=(const CpuWindow &) = delete;

	int fd() const { return dmabuf_.get(); }
	std::span<std::byte> bytes() const { return bytes_; }

	Result<void> begin(Access access);
	Result<void> end(Access access);

	/** \brief The buffer went back to its pool: no rights, whatever bracket is open */
	void shut(const std::string &holder);

private:
	void guard();
	void setRights();

	UniqueFd dmabuf_;
	std::byte *base_ = nullptr; /* of the mapping: a whole page */
	size_t length_ = 0;
	std::span<std::byte> bytes_; /* what was asked for */
	Access most_ = Access::Read;

	/* Of the checking mode: */
	std::mutex mutex_;
	int slot_ = -1;
	unsigned readers_ = 0;
	unsigned writers_ = 0;
	bool shut_ = false;
};

} /* namespace heapflow */
