/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libcamera's stream descriptions in heapflow's words. */
#pragma once

#include "heapflow/camera/camera.h"

#include <functional>
#include <optional>
#include <vector>

#include <libcamera/color_space.h>
#include <libcamera/stream.h>

namespace heapflow
{

/** \brief Unknown where libcamera leaves the color space open */
Colorimetry colorimetryFromLibcamera(uint32_t fourcc,
				     const std::optional<libcamera::ColorSpace> &colorSpace);

/** \brief Errors: ENOTSUP a format heapflow cannot lay out, EINVAL numbers that do not fit */
Result<FrameLayout> layoutFromLibcamera(const libcamera::StreamConfiguration &stream);

/**
 * \brief The modes behind StreamFormats
 *
 * Some handlers publish a range of sizes of which they take only some (virtual), or with a step
 * smaller than the real one (vimc), so ranges are tried out.
 *
 * \param[in] accepts Does validate() leave this size as it is?
 */
using SizeTest = std::function<bool(libcamera::PixelFormat, libcamera::Size)>;
std::vector<CaptureMode> modesFromLibcamera(const libcamera::StreamFormats &formats,
					    const SizeTest &accepts);

} /* namespace heapflow */
