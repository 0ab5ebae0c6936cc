/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Colour encoding and range of a frame, as the values that a plane's properties take. Pure. */
#pragma once

#include "heapflow/heap/frame_layout.h"

#include "kms_properties.h"

#include <cstdint>
#include <optional>

namespace heapflow
{

/**
 * \brief Fill in what the frame does not say
 *
 * Limited range, BT.601 up to 576 lines and BT.709 above: what GStreamer assumes of video without
 * colorimetry (gst_video_info_set_format), so both ends of a pipeline guess alike. The driver's
 * own default must not stand: that of vkms is full range.
 */
Colorimetry resolveColorimetry(const FrameLayout &layout);

/** \brief What a plane's COLOR_ENCODING and COLOR_RANGE are to be set to */
struct PlaneColour {
	std::optional<uint64_t> encoding;
	std::optional<uint64_t> range;
};

/**
 * \brief Values for a plane and a frame; none for RGB or where the plane has no such property
 *
 * Errors: EINVAL the plane has the property, but not this choice: the colours would be wrong.
 */
Result<PlaneColour> planeColour(const KmsObject &plane, const FrameLayout &layout);

} /* namespace heapflow */
