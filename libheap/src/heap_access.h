/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors about heaps that are missing or may not be opened, with the way out. */
#pragma once

#include "heapflow/heap/heap.h"

#include <string>
#include <string_view>
#include <vector>

namespace heapflow
{

/** \brief EACCES with owner, group and mode, and the udev rule that lets the group `video` in */
Error accessError(const Heap &heap);

/** \brief What to do when a heap is not there */
std::string missingHeapHint();

/** \brief "default_cma_region, system"; "none" when there are none */
std::string listNames(const std::vector<Heap> &heaps);

/** \brief For messages: what is not printable ASCII becomes '?' */
std::string printable(std::string_view text);

} /* namespace heapflow */
