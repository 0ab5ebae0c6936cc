/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's fault injection: the n-th allocation of a thread fails. Needs board/run --debug. */
#pragma once

#include "heapflow/heap/error.h"
#include "heapflow/heap/unique_fd.h"

#include <optional>

#include <sys/types.h>

namespace heapflow::torture
{

/**
 * \brief Let fail-nth reach every allocation that may fail, and log the stack of each that does
 *
 * By default those that may wait are spared, which is nearly all, and those of user memory, which
 * the pages of the system heap are. Only what the kernel's checks allocate for themselves is
 * left alone. Errors: ENOENT on a kernel without fault injection.
 */
Result<void> failEveryKindOfAllocation();

/** \brief /proc/self/task/TID/fail-nth of a thread of this process */
class FailNth
{
public:
	static Result<FailNth> of(pid_t thread);

	/** \brief From now on, count; the n-th allocation, from 1, fails */
	Result<void> arm(unsigned n);
	/** \brief Stop counting. True when an allocation was made to fail */
	Result<bool> disarm();

private:
	explicit FailNth(UniqueFd file) : file_(std::move(file)) {}

	UniqueFd file_; /* opened ahead: opening allocates, writing and reading do not */
};

} /* namespace heapflow::torture */
