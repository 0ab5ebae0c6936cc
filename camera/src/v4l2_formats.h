/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* V4L2's formats in the words of DRM; pure. */
#pragma once

#include "heapflow/heap/error.h"
#include "heapflow/heap/frame_layout.h"

#include <cstdint>
#include <utility>
#include <vector>

#include <linux/videodev2.h>

namespace heapflow
{

/** \brief The same bytes in both worlds */
struct V4l2Format {
	uint32_t v4l2 = 0;     /**< V4L2_PIX_FMT_* */
	uint32_t drm = 0;      /**< DRM_FORMAT_*, libcamera's for Bayer, fourccMjpeg */
	uint64_t modifier = 0; /**< libcamera's, for packed samples */
};

/** \brief Every pair; where V4L2 has two names for the same, the better one first */
const std::vector<V4l2Format> &v4l2FormatTable();

/** \brief nullptr when no format of one buffer holds the same bytes */
const V4l2Format *v4l2Format(uint32_t pixelformat);

/** \brief DRM_FORMAT_* of a V4L2_PIX_FMT_*; 0 when there is none */
uint32_t drmFromV4l2(uint32_t v4l2);

/** \brief V4L2_PIX_FMT_* of a DRM_FORMAT_*; 0 when there is none */
uint32_t v4l2FromDrm(uint32_t drm, uint64_t modifier = 0);

/** \brief The color fields of v4l2_pix_format, defaults resolved by the rules of videodev2.h */
Colorimetry colorimetryFromV4l2(uint32_t drm, uint32_t height, uint32_t colorspace,
				uint32_t ycbcrEncoding, uint32_t quantization);

/** \brief Both variants of v4l2_format, in one */
struct V4l2Picture {
	uint32_t pixelformat = 0;
	uint32_t width = 0;
	uint32_t height = 0;
	uint32_t bytesperline = 0;
	uint32_t sizeimage = 0;
	uint32_t field = V4L2_FIELD_NONE;
	uint32_t colorspace = 0;
	uint32_t ycbcrEncoding = 0;
	uint32_t quantization = 0;
	uint32_t planes = 1; /**< V4L2 planes, which are buffers */
};

V4l2Picture pictureFromFormat(const v4l2_format &format);
v4l2_format formatFromPicture(uint32_t bufferType, const V4l2Picture &picture);

/**
 * \brief The layout that a driver fills
 *
 * V4L2 puts the planes of a single-buffer format one after the other, without gaps; only the end
 * may be padded (sizeimage), which becomes part of the last plane's length.
 *
 * Errors: ENOTSUP a format without a DRM name, several buffers, single fields; EINVAL a sizeimage
 * that does not hold the picture.
 */
Result<FrameLayout> layoutFromV4l2(const V4l2Picture &picture);

} /* namespace heapflow */
