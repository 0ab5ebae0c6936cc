/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making a framebuffer, and finding out why the driver makes none. */
#pragma once

#include "heapflow/heap/error.h"
#include "heapflow/heap/frame_layout.h"

#include <array>
#include <cstdint>
#include <string>

namespace heapflow
{

/** \brief The GEM object of each plane; it may be the same for all */
using GemHandles = std::array<uint32_t, 4>;

/** \brief AddFB2. Errors: the driver's */
Result<uint32_t> addFramebuffer(int drm, const GemHandles &handles, const FrameLayout &layout,
				bool withModifiers);

/**
 * \brief What the driver would need of a frame that it refused, and what the frame has
 *
 * The kernel says EINVAL and nothing else. So the numbers that it may dislike are changed one at a
 * time until a framebuffer is made: the number of planes, the size, the pitch, the offsets, the
 * modifier. All that is made is removed again.
 *
 * \return a sentence, for a hint
 */
std::string framebufferNeeds(int drm, const GemHandles &handles, const FrameLayout &layout,
			     bool withModifiers);

} /* namespace heapflow */
