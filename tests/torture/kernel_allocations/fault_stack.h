/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where in the kernel the allocation was that fail-nth made to fail, from the kernel's log. */
#pragma once

#include "heapflow/heap/error.h"
#include "heapflow/heap/unique_fd.h"

#include <string>
#include <string_view>
#include <vector>

namespace heapflow::torture
{

/** \brief The kernel's log from now on. Not thread-safe. */
class KernelMessages
{
public:
	/** Errors: of /dev/kmsg, which root may read */
	static Result<KernelMessages> fromNow();

	/** \brief What was logged since, a line each, without time stamps */
	std::string read() const;

private:
	explicit KernelMessages(UniqueFd log) : log_(std::move(log)) {}

	UniqueFd log_;
};

/**
 * \brief The functions that wanted the allocation, innermost first; empty when none was made to
 * fail
 *
 * \param[in] log Lines of the kernel's log, with the stack of one injected fault
 * (failEveryKindOfAllocation()). Functions that are only left on the stack from former calls ("? ")
 * do not count.
 */
std::vector<std::string> functionsOfFault(std::string_view log);

/**
 * \brief Why the kernel itself keeps a dma-buf when the allocation of these functions fails
 *
 * Only what was found in the kernel's own source is known here. Empty: nothing known, and a
 * dma-buf that is left is a fault of ours.
 */
std::string_view keptByTheKernel(const std::vector<std::string> &functions);

} /* namespace heapflow::torture */
