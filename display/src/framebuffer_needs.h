/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making a framebuffer, and finding out why the driver makes none. */
#pragma once

#include "heapflow/heap/error.h"
#include "heapflow/heap/frame_layout.h"

#include <cstdint>
#include <string>

namespace heapflow
{

/** \brief AddFB2 of a frame whose planes are all in one GEM object. Errors: the driver's */
Result<uint32_t> addFramebuffer(int drm, uint32_t handle, const FrameLayout &layout,
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
std::string framebufferNeeds(int drm, uint32_t handle, const FrameLayout &layout,
			     bool withModifiers);

} /* namespace heapflow */
