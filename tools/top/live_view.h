/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `heapctl top` on a terminal. */
#pragma once

#include "heapflow/heap/heap.h"
#include "heapflow/heap/unique_fd.h"

#include <chrono>

namespace heapflow::tool
{

/** \brief Whether this heapctl was built with FTXUI, which draws the live view */
bool haveLiveView();

/**
 * \brief Shows the system until `q` or one of `signals`; returns the exit status
 *
 * Everything of ours happens on the calling thread, looks included; FTXUI reads the keyboard on one
 * of its own, which only enqueues. The terminal is as before on return.
 */
int runLiveView(const SystemPaths &paths, std::chrono::milliseconds interval,
		const UniqueFd &signals);

} /* namespace heapflow::tool */
