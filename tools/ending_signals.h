/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The signals that end a command which waits. */
#pragma once

#include "heapflow/heap/error.h"
#include "heapflow/heap/unique_fd.h"

#include <optional>

namespace heapflow::tool
{

/**
 * \brief SIGHUP, SIGINT and SIGTERM as a readable descriptor: nothing happens in a handler
 *
 * Blocks them in this thread and in those it starts later; call it before there are others.
 */
Result<UniqueFd> watchSignals();

/** \brief 128 and the number of the signal that came; nothing when none did */
std::optional<int> endedBySignal(const UniqueFd &signals);

} /* namespace heapflow::tool */
