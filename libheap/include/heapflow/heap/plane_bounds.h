/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Is what is said of a frame inside the memory that it is in? */
#pragma once

#include "heapflow/heap/frame_layout.h"

#include <cstdint>
#include <span>

namespace heapflow
{

/**
 * \brief Do the lines of every plane lie inside memory of these sizes, in bytes?
 *
 * One size for all planes, or one for each, whose offset then counts in its own. Where planes lie,
 * and in which order, is free, unlike in checkFrameLayout(); offsets and lengths of formats whose
 * lines are not known (tiled, compressed) are taken for the truth.
 *
 * Errors: EINVAL, with the numbers: a line does not fit in its stride, or lies behind the end.
 */
Result<void> checkPlanesFit(const FrameLayout &layout, std::span<const uint64_t> sizes);

} /* namespace heapflow */
