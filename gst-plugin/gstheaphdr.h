/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* HDR metadata from caps. */
#pragma once

#include "heapflow/display/layer.h"

#include <optional>

#include <gst/gst.h>
#include <gst/video/video.h>

namespace heapflow::gst
{

/**
 * \brief What a display is to be told of a stream with these caps; nullopt when it is not HDR
 *
 * HDR is a transfer function of PQ (SMPTE 2084) or HLG (ARIB STD-B67) in the colorimetry. BT.2020
 * with 10 bits alone is a wide gamut, not HDR: its transfer is that of BT.709.
 */
std::optional<HdrMetadata> hdrFromCaps(const GstCaps *caps, const GstVideoInfo &info);

} /* namespace heapflow::gst */
