/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks a display whether it takes the memory of a heap. */
#pragma once

#include "heapflow/heap/heap_probe.h"

#include <memory>
#include <string>

namespace heapflow
{

/**
 * \brief A DRM card as a probe for chooseProvenHeap()
 *
 * It is asked with a PRIME import and a framebuffer of XRGB8888, which no plane shows. Neither
 * needs to be master; a master that opening the node made of us is given up at once.
 *
 * Errors: those of opening the node, ENODEV not a display.
 */
Result<std::unique_ptr<MemoryProbe>> openDisplayProbe(const std::string &card);

} /* namespace heapflow */
