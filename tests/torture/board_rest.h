/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the board and this process hold when nothing plays, and what they hold more of later. */
#pragma once

#include "kernel_memory.h"
#include "leftovers.h"

#include <string>

namespace heapflow::torture
{

class BoardRest
{
public:
	/** \brief Once there is no dma-buf any more: the kernel frees some things a moment later */
	static BoardRest settled();

	/** \brief What was not given back since, in words; empty: all was; up to two seconds later
	 */
	std::string lost() const;

private:
	Holdings holdings_ = holdings();
	KernelMemory memory_ = KernelMemory::now();
};

} /* namespace heapflow::torture */
