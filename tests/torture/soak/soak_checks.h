/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a soak promises of the frames that it counts and of what is held while it plays. */
#pragma once

#include "soak_viewer.h"

#include <string>

namespace heapflow::torture
{

/** \brief Frames that came in so many seconds without a screen, at 60 a second */
struct DarkFrames {
	uint64_t least = 0, most = 0;
};

/** \brief Of one camera's minute: what is not as promised, with the numbers; empty: all is */
std::string objectionTo(const SoakCounts &minute, const DarkFrames &dark);

/** \brief Of one camera from open to close: each frame that was not shown has a name */
std::string objectionTo(const SoakCounts &whole, const ScreenStatistics &ofDisplay);

/** \brief What exists while everything plays; the cameras' buffers come and go with the formats */
struct InPlay {
	SoakBuffers own;           /**< of the cameras, by their own account */
	uint64_t framebuffers = 0; /**< of the display, of any process */
	SoakBuffers dmabufs;       /**< of the whole board */
	uint64_t descriptors = 0;  /**< without fences, which a frame under way may have */
	size_t allocated = 0;      /**< bytes of malloc */

	/** \param[in] display Its directory in debugfs */
	static InPlay now(const SoakBuffers &own, const std::string &display);
};

/** \brief What there is more of than the buffers explain and than there was; empty: nothing */
std::string objectionTo(const InPlay &first, const InPlay &now);

} /* namespace heapflow::torture */
