/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks a camera whether it takes the memory of a heap. */
#pragma once

#include "heapflow/heap/heap_probe.h"

#include <memory>
#include <string>

namespace heapflow
{

/**
 * \brief A V4L2 capture node as a probe for chooseProvenHeap()
 *
 * It is asked with VIDIOC_PREPARE_BUF in the format it has; nothing is streamed and no format is
 * set. A camera that another program uses answers Unknown.
 *
 * Errors: those of opening the node: ENOENT, EACCES, EBUSY, ENODEV not a camera.
 */
Result<std::unique_ptr<MemoryProbe>> openCameraProbe(const std::string &node);

} /* namespace heapflow */
