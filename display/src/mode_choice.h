/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which modes for a frame, in which order. Pure. */
#pragma once

#include "heapflow/display/screen.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <xf86drmMode.h>

namespace heapflow
{

/** \brief A mode with what may be done in it */
struct ModeCandidate {
	drmModeModeInfo mode = {};
	bool crop = false; /**< only with a part of the frame; the last resort */
};

/** \brief What a mode is chosen for */
struct ModeWish {
	std::string mode;   /**< ScreenOptions::mode */
	uint32_t width = 0; /**< of the picture, as it lies on the panel, pixels */
	uint32_t height = 0;
	uint64_t frameRateMilliHz = 0; /**< 0: unknown */
};

/**
 * \brief Modes to be tried, the best first
 *
 * A mode that is asked for is the only one. Otherwise:
 *
 * 1. the mode that is set, if there is one and "best" was not asked for: nothing changes;
 * 2. of the picture's size, the one that suits its rate best (see isBetterRate());
 * 3. the preferred one, then the smallest that holds the picture;
 * 4. the first of these again, with a part of the frame.
 *
 * Interlaced and double-scanned modes are taken only when they are set or asked for.
 *
 * Errors: ENOENT the connector has no such mode (the hint lists those there are), EINVAL it is
 * written wrongly, ENOTCONN there is no mode at all.
 */
Result<std::vector<ModeCandidate>> chooseModes(const std::vector<drmModeModeInfo> &modes,
					       const std::optional<drmModeModeInfo> &current,
					       const ModeWish &wish);

/** \brief Is the text one that chooseModes() can read? EINVAL says how it is written */
Result<void> checkModeText(std::string_view text);

/**
 * \brief Does refresh rate `a` suit the frames better than `b`? Both in mHz
 *
 * A whole multiple of the frame rate shows each frame equally long; of these the lowest. Without
 * one, the higher rate is the smaller judder. 1 in 500 is taken as equal: 59.94 and 60.
 */
bool isBetterRate(uint64_t a, uint64_t b, uint64_t frameRate);

/** \brief The preferred mode, or the first; nullopt when there is none */
std::optional<drmModeModeInfo> preferredMode(const std::vector<drmModeModeInfo> &modes);

/** \brief The same timings; names and flags that do not reach the screen do not count */
bool sameTimings(const drmModeModeInfo &a, const drmModeModeInfo &b);

DisplayMode describeMode(const drmModeModeInfo &mode);

/** \brief "1920x1080 at 59.94 Hz" */
std::string modeText(const drmModeModeInfo &mode);

} /* namespace heapflow */
