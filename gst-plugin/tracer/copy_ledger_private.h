/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small things that the parts of the ledger share. */
#pragma once

#include "copy_ledger.h"

#include <algorithm>

namespace heapflow::gst
{

constexpr size_t mostDeferred = 64;
constexpr size_t mostSources = 64; /* as many as any mixer has inputs */

inline bool reads(MapAccess access)
{
	return access != MapAccess::Write;
}

inline bool writes(MapAccess access)
{
	return access != MapAccess::Read;
}

inline bool contains(std::span<const FrameMemory> memories, MemoryKey key)
{
	return std::ranges::find(memories, key, &FrameMemory::key) != memories.end();
}

inline uint64_t sizeOf(std::span<const FrameMemory> memories)
{
	uint64_t size = 0;
	for (const FrameMemory &memory : memories)
		size += memory.size;
	return size;
}

} /* namespace heapflow::gst */
