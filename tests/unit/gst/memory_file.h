/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A descriptor with a size, where no heap is needed to see what is done with it. */
#pragma once

#include "heapflow/heap/buffer.h"
#include "heapflow/heap/heap.h"

#include <sys/mman.h>
#include <unistd.h>

namespace heapflow::test
{

inline UniqueFd memoryFile(uint64_t size)
{
	UniqueFd fd(memfd_create("unit-gst", MFD_CLOEXEC));
	if (!fd.valid() || ftruncate(fd.get(), off_t(size)) != 0)
		return {};
	return fd;
}

inline Heap heapNamed(const std::string &name, bool contiguous)
{
	Heap heap;
	heap.name = parseHeapName(name);
	heap.region.contiguous = contiguous;
	return heap;
}

} /* namespace heapflow::test */
