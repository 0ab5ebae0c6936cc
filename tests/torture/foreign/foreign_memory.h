/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors that are handed over as a dma-buf of a frame, and are not quite. */
#pragma once

#include "apart.h"

#include "heapflow/heap/error.h"
#include "heapflow/heap/unique_fd.h"

#include <cstdint>
#include <span>

namespace heapflow::torture
{

struct ForeignMemory {
	const char *name;
	/** For a frame of so many bytes */
	Result<UniqueFd> (*make)(uint64_t size);
	Promise promise;
	/** What an error must say, an ECMAScript regular expression; "" anything but nothing */
	const char *says;
	/** Nothing but a dma-buf of the right size that only the CPU may not write */
	bool readOnly = false;
};

std::span<const ForeignMemory> foreignMemories();

/** \brief An ordinary one, of the heap system */
Result<UniqueFd> goodMemory(uint64_t size);

} /* namespace heapflow::torture */
