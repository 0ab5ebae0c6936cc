/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sees every map and copy of GStreamer memories, whatever allocator they come from. */
#pragma once

#include "copy_ledger.h"

#include <string>

#include <gst/gst.h>

namespace heapflow::gst
{

/** \brief Who is told; all functions may be called in any thread, with any lock held */
class MemoryListener
{
public:
	virtual void memoryMapped(GstMemory *memory, GstMapFlags flags) = 0;
	virtual void memoryCopied(GstMemory *from, GstMemory *to) = 0;

protected:
	~MemoryListener() = default;
};

/**
 * \brief See what happens to the memories of an allocator from now on
 *
 * gst_memory_map() and gst_memory_copy() go through function pointers that each allocator instance
 * has. Those for mapping and copying are replaced, once, and never put back: a map may be going on
 * in another thread. The listener must live as long as the process.
 *
 * Not seen: who keeps a pointer from before, who maps the descriptor himself, and maps on behalf of
 * a device (GST_MAP_GL and such).
 */
void watchAllocator(GstAllocator *allocator, MemoryListener &listener);

/** \brief The memory that has the bytes: sub-memories share those of their parent */
GstMemory *rootMemory(GstMemory *memory);

/**
 * \brief What kind of memory this is, for people
 *
 * "heap video@42000000", "dma-buf of vivid" by what the kernel says of the descriptor, "system
 * memory", or the allocator's own name for it.
 */
std::string memoryKind(GstMemory *memory);

/** \brief Is this flag of a map for the CPU? */
bool isCpuMap(GstMapFlags flags);

} /* namespace heapflow::gst */
