/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caps, GstVideoFormat and GstVideoMeta on one side, DRM fourcc and FrameLayout on the other. */
#pragma once

#include "heapflow/heap/error.h"
#include "heapflow/heap/frame_layout.h"

#include <cstdint>
#include <string>

#include <gst/allocators/gstdmabuf.h>
#include <gst/gst.h>
#include <gst/video/video.h>

namespace heapflow::gst
{

/** \brief What fixed caps say of a frame */
struct FrameFormat {
	uint32_t fourcc = 0;      /**< DRM_FORMAT_* */
	uint64_t modifier = 0;    /**< 0 is linear */
	bool dmabuf = false;      /**< the caps have the feature memory:DMABuf */
	GstVideoInfo info = {};   /**< size, rate and colorimetry; planes when `planesKnown` */
	bool planesKnown = false; /**< GStreamer has a name for the format, and it is linear */
};

/** \brief Errors: EINVAL not fixed, not video/x-raw, a memory that is neither the CPU's nor a
 * dma-buf, or a format without a DRM fourcc */
Result<FrameFormat> frameFormatFromCaps(const GstCaps *caps);

/** \brief GST_VIDEO_FORMAT_UNKNOWN when GStreamer has no name for it */
GstVideoFormat videoFormatFromFourcc(uint32_t fourcc);

/** \brief 0 when DRM has none */
uint32_t fourccFromVideoFormat(GstVideoFormat format);

/** \brief The value of the caps field drm-format: "NV12", "NV12:0x0100000000000001" */
std::string drmFormatString(uint32_t fourcc, uint64_t modifier);

/** \brief "bt709" and the like for the caps field; empty when nothing is known */
std::string colorimetryString(const Colorimetry &colorimetry);
Colorimetry colorimetryFromVideo(const GstVideoColorimetry &colorimetry);

/**
 * \brief Can the meta be of a frame of this format? Whoever has caps with DMA_DRM may write that,
 * or ENCODED, as its format
 *
 * Errors: EINVAL another format, or another number of planes.
 */
Result<void> checkVideoMeta(const FrameFormat &format, const GstVideoMeta *meta);

/**
 * \brief Where the planes of a buffer are, from its GstVideoMeta or, without one, the caps
 *
 * Offsets count from the start of the dma-buf. Errors: EINVAL the frame is not in one memory,
 * a stride is negative, or nothing says where the planes are.
 */
Result<FrameLayout> layoutOfBuffer(const FrameFormat &format, GstBuffer *buffer);

/** \brief Describe the planes of `layout` to whoever maps or imports the buffer */
GstVideoMeta *addVideoMeta(GstBuffer *buffer, const FrameLayout &layout);

/** \brief Is this how GStreamer lays the format out when there is no GstVideoMeta? */
bool isDefaultLayout(const FrameLayout &layout);

/** \brief Raw caps of heapflow's formats, with and without memory:DMABuf, for pad templates */
GstCaps *templateCaps();

} /* namespace heapflow::gst */
