/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the pixels of one frame lie in one dma-buf. */
#pragma once

#include "heapflow/heap/error.h"
#include "heapflow/heap/pixel_format.h"

#include <cstdint>
#include <string>
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

/**
 * \brief What a layout must satisfy
 *
 * Padding belongs to the length of the plane before it, so that lengths add up (invariant 2).
 * Alignments need not be powers of two; 1 asks for nothing, 0 is an error.
 */
struct LayoutRules {
	uint64_t modifier = 0;             /**< one of formatInfo(); no tiled layout is computed */
	uint32_t stride = 0;               /**< bytes of a line of the first plane; 0: the least */
	uint32_t minimumStride = 0;        /**< bytes; of the first plane, when `stride` is 0 */
	uint32_t strideAlignment = 1;      /**< bytes; of the first plane (V4L2's bytesperline) */
	uint32_t planeStrideAlignment = 1; /**< bytes; of every plane (KMS pitches) */
	uint32_t heightAlignment = 1;      /**< lines of the first plane; 16 makes 1080 to 1088 */
	uint32_t offsetAlignment = 1;      /**< bytes; where each plane begins */
	uint64_t sizeAlignment = 1;        /**< bytes; of the whole */
	/**
	 * May bytes stand between planes? V4L2 is never told an offset: a camera puts each plane
	 * right behind the one before it. Without padding the stride grows until the offsets are
	 * aligned.
	 */
	bool padPlanes = true;
	/**
	 * Take sizes that the colour samples do not divide, rounding colour up, as GStreamer and
	 * DRM framebuffers do. V4L2 drivers and libcamera do not agree on them, hence off.
	 */
	bool oddSizes = false;
};

/**
 * \brief The layout of a frame
 *
 * Errors: EINVAL unknown format, a size of 0, odd where the format is subsampled, a stride that is
 * too small or not aligned, an alignment of 0; ENOTSUP compressed frames (MJPG), whose length no
 * size gives, and tiled modifiers; EOVERFLOW a frame beyond 4 GiB.
 */
Result<FrameLayout> makeFrameLayout(uint32_t fourcc, uint32_t width, uint32_t height,
				    const LayoutRules &rules);

/** \brief The same for a linear frame, of which only the stride matters */
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
