/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the pixels of one frame lie in one dma-buf. */
#pragma once

#include "heapflow/heap/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heapflow
{

/** \brief Matrix that turns YCbCr into RGB; the values of the KMS property COLOR_ENCODING */
enum class ColorEncoding { Unknown, BT601, BT709, BT2020 };
/** \brief Limited (16..235) or full (0..255) code range; the values of COLOR_RANGE */
enum class ColorRange { Unknown, Limited, Full };

struct Colorimetry {
	ColorEncoding encoding = ColorEncoding::Unknown;
	ColorRange range = ColorRange::Unknown;

	bool operator==(const Colorimetry &) const = default;
};

/** \brief One plane of a frame; all in bytes, offset from the start of the dma-buf */
struct PlaneLayout {
	uint32_t offset = 0;
	uint32_t stride = 0;
	uint32_t length = 0;

	bool operator==(const PlaneLayout &) const = default;
};

/**
 * \brief Format, modifier, size and planes of a frame in one dma-buf
 *
 * Invariant 2: the first plane is at offset 0, each following plane starts where the previous one
 * ends, and the lengths add up to size(). libcamera refuses anything else for V4L2 devices
 * (FrameBuffer constructor), and V4L2 is never told an offset.
 */
struct FrameLayout {
	uint32_t fourcc = 0;   /**< DRM_FORMAT_*, see <drm/drm_fourcc.h> */
	uint64_t modifier = 0; /**< DRM_FORMAT_MOD_*, 0 is linear */
	uint32_t width = 0;    /**< pixels */
	uint32_t height = 0;   /**< pixels */
	std::vector<PlaneLayout> planes;
	Colorimetry colorimetry;

	/** \brief Bytes of all planes; not rounded to pages (invariant 11) */
	uint64_t size() const;

	bool operator==(const FrameLayout &) const = default;
};

/** \brief Static facts of a pixel format that heapflow can lay out */
struct FormatInfo {
	uint32_t fourcc;
	unsigned planes;
	bool yuv;
	struct Plane {
		unsigned bytesPerUnit;          /**< bytes of one sample group */
		unsigned horizontalSubsampling; /**< pixels that one sample group spans */
		unsigned verticalSubsampling;   /**< lines that one line of this plane spans */
	} plane[3];
};

/** \return nullptr for a format that heapflow does not know */
const FormatInfo *formatInfo(uint32_t fourcc);

/** \brief All formats of formatInfo(), in a fixed order */
const std::vector<FormatInfo> &knownFormats();

/** \brief "NV12"; unprintable characters become '?' */
std::string fourccToString(uint32_t fourcc);

/** \brief Accepts exactly four printable characters, and returns EINVAL for anything else */
Result<uint32_t> fourccFromString(std::string_view text);

/**
 * \brief The layout of a linear frame
 *
 * \param[in] stride Bytes of a line of the first plane; 0 takes the smallest, rounded up to
 * `strideAlignment`. Strides of further planes follow from the format.
 *
 * Errors: EINVAL unknown format, a size of 0, odd where the format is subsampled, a stride that is
 * too small, EOVERFLOW a frame beyond 4 GiB.
 */
Result<FrameLayout> makeFrameLayout(uint32_t fourcc, uint32_t width, uint32_t height,
				    uint32_t stride = 0, uint32_t strideAlignment = 1);

/**
 * \brief Does the layout keep invariant 2 and fit in `bufferSize` bytes?
 *
 * To be asked before a layout reaches libcamera, which aborts the process on some mistakes
 * (mapped_framebuffer.cpp logs Fatal when a plane is larger than its dma-buf).
 */
Result<void> checkFrameLayout(const FrameLayout &layout, uint64_t bufferSize);

/** \brief "NV12 1280x720, stride 1280, 1382400 bytes in 2 planes" */
std::string describe(const FrameLayout &layout);

} /* namespace heapflow */
