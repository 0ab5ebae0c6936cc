/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How often a process looks at a clock: a system call where no vDSO answers it. */
#pragma once

namespace heapflow::test
{

/** \brief Calls of clock_gettime() so far, of all threads and libraries of this process */
unsigned long clockLooks();

} /* namespace heapflow::test */
