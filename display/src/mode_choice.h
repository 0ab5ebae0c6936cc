/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which mode for a frame, and where in it the frame goes. Pure. */
#pragma once

#include "heapflow/display/screen.h"

#include <cstdint>
#include <optional>
#include <vector>

#include <xf86drmMode.h>

namespace heapflow
{

/** \brief Where a frame is on the screen, pixels */
struct Placement {
	uint32_t x = 0;
	uint32_t y = 0;
	uint32_t width = 0;
	uint32_t height = 0;

	bool operator==(const Placement &) const = default;
};

struct ModeCandidate {
	drmModeModeInfo mode = {};
	Placement placement;
	bool scaled = false; /**< the plane must scale the frame down */
};

/**
 * \brief Modes to be tried for a frame of this size, the best first
 *
 * 1. the current mode, if the frame is exactly its size: then nothing changes;
 * 2. the connector's first progressive mode of exactly that size;
 * 3. the frame centred in the current mode, else in the preferred one, else in the smallest that
 *    holds it: the fewest changes of what the user looks at;
 * 4. the frame scaled down into the current or the preferred mode, with its aspect ratio.
 */
std::vector<ModeCandidate> chooseModes(const std::vector<drmModeModeInfo> &modes,
				       const std::optional<drmModeModeInfo> &current,
				       uint32_t width, uint32_t height);

/** \brief In the middle, in whole chroma samples: on even coordinates */
Placement centre(const drmModeModeInfo &mode, uint32_t width, uint32_t height);

/** \brief The largest even size of the frame's aspect ratio that fits, in the middle */
Placement scaleToFit(const drmModeModeInfo &mode, uint32_t width, uint32_t height);

/** \brief The preferred mode, or the first; nullopt when there is none */
std::optional<drmModeModeInfo> preferredMode(const std::vector<drmModeModeInfo> &modes);

/** \brief The same timings; names and flags that do not reach the screen do not count */
bool sameTimings(const drmModeModeInfo &a, const drmModeModeInfo &b);

DisplayMode describeMode(const drmModeModeInfo &mode);

} /* namespace heapflow */
