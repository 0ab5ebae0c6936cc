/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must have happened before a frame's pixels are there. */
#pragma once

#include "heapflow/display/screen.h"
#include "heapflow/heap/unique_fd.h"

namespace heapflow
{

/**
 * \brief A sync_file to be given to the commit, or none when the pixels are there
 *
 * The frame's own fence, duplicated; else the writes that are pending on the dma-buf. Most drivers
 * look for these themselves (drm_gem_plane_helper_prepare_fb()), but not all do. A dma-buf without
 * pending writes costs one poll() and no descriptor.
 *
 * Errors: EMFILE, ENOMEM. Without its fence the frame would be shown unfinished.
 */
Result<UniqueFd> fenceOfFrame(const Frame &frame);

} /* namespace heapflow */
