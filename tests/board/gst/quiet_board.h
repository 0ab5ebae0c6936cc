/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The board before a test, when what the test before it had is really gone. */
#pragma once

#include "board.h"

#include <chrono>
#include <thread>

namespace heapflow::test
{

/** \brief The kernel frees some things a moment later: what is there when nothing changes any more
 */
inline Resources quietBoard()
{
	Resources last = Resources::now();
	for (int same = 0; same < 4;) {
		std::this_thread::sleep_for(std::chrono::milliseconds(50));
		const Resources now = Resources::now();
		same = now == last ? same + 1 : 0;
		last = now;
	}
	return last;
}

} /* namespace heapflow::test */
