/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The moment of the n-th allocation from a heap: this program has an ioctl() of its own. */
#pragma once

#include <functional>

namespace heapflow::torture
{

/**
 * \brief Call `fault` before the n-th allocation of this process from now on; 0: never
 *
 * In the thread that allocates, once.
 */
void beforeAllocation(unsigned nth, std::function<void()> fault);

/** \brief How many there were since */
unsigned allocationsSince();

} /* namespace heapflow::torture */
