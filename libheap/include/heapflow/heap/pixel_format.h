/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of each pixel format; docs/formats.md shows the same table. */
#pragma once

#include "heapflow/heap/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heapflow
{

/** \brief What the samples of a format are */
enum class FormatKind {
	Yuv,
	Rgb,
	Grey,  /**< one channel: luma for a camera, red for DRM */
	Bayer, /**< the raw mosaic of a sensor; no display shows it */
};

/**
 * \brief Static facts of a pixel format that heapflow can lay out
 *
 * A line is made of blocks, the smallest run of bytes that holds whole pixels: 2 bytes a pixel for
 * RGB565, 4 bytes for two pixels of YUYV, 5 bytes for four luma samples of NV15. A plane that is
 * subsampled has blocks that span more of the picture: 2 bytes for two pixels in NV12's second.
 */
struct FormatInfo {
	uint32_t fourcc;   /**< DRM_FORMAT_*, or libcamera's own for Bayer */
	uint64_t modifier; /**< 0, or libcamera's modifier for samples packed as on the CSI-2 bus */
	const char *name;  /**< "YUV420": what follows DRM_FORMAT_ or libcamera::formats:: */
	FormatKind kind;
	unsigned planes;
	bool yuv;                       /**< kind is Yuv: it has a matrix and a range */
	bool alpha;                     /**< has an alpha channel */
	unsigned depth;                 /**< significant bits of the widest sample */
	unsigned horizontalSubsampling; /**< pixels across that share one colour sample */
	unsigned verticalSubsampling;   /**< lines that share one colour sample */
	struct Plane {
		unsigned bytesPerBlock;
		unsigned pixelsPerBlock;      /**< pixels of the picture, across */
		unsigned verticalSubsampling; /**< lines that one line of this plane spans */
	} plane[3];
};

/** \return nullptr for a format that heapflow does not know, or not with this modifier */
const FormatInfo *formatInfo(uint32_t fourcc, uint64_t modifier = 0);

/** \brief All formats of formatInfo(), in a fixed order; the linear ones have modifier 0 */
const std::vector<FormatInfo> &knownFormats();

/** \brief Could a display show it? True for linear YUV, RGB and grey that heapflow knows */
bool isPicture(uint32_t fourcc, uint64_t modifier = 0);

/** \brief JPEG: a frame has neither lines nor a length that follows from its size */
bool isCompressed(uint32_t fourcc);

/** \brief "yuv", "rgb", "grey" or "bayer" */
const char *kindName(FormatKind kind);

/** \brief "NV12"; unprintable characters become '?' */
std::string fourccToString(uint32_t fourcc);

/** \brief Accepts exactly four printable characters, and returns EINVAL for anything else */
Result<uint32_t> fourccFromString(std::string_view text);

} /* namespace heapflow */
