/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines and strides of the planes of a format, in bytes. Internal to libheap. */
#pragma once

#include "heapflow/heap/frame_layout.h"

#include <cstdint>
#include <optional>
#include <string>

namespace heapflow
{

constexpr uint64_t divideUp(uint64_t value, uint64_t by)
{
	return value / by + (value % by != 0);
}

/** \brief Bytes of a line: whole blocks */
inline uint64_t smallestLine(const FormatInfo::Plane &plane, uint32_t width)
{
	return divideUp(width, plane.pixelsPerBlock) * plane.bytesPerBlock;
}

/** \brief Lines of a plane of a picture of `height` lines */
inline uint64_t linesOf(const FormatInfo::Plane &plane, uint64_t height)
{
	return divideUp(height, plane.verticalSubsampling);
}

/**
 * \brief The stride of a further plane is that of the first times numerator / denominator
 *
 * So that both planes have room for the same number of pixels: V4L2 and libcamera tell only the
 * first stride of a frame in one buffer, and the others follow by this rule.
 */
struct StrideRatio {
	uint64_t numerator;
	uint64_t denominator;
};
StrideRatio strideRatio(const FormatInfo &info, unsigned plane);

/** \brief The stride of plane `plane` for a first stride that firstStrideStep() divides */
uint64_t strideOf(const FormatInfo &info, unsigned plane, uint64_t firstStride);

/** \brief The least first stride in which a line of every plane has room */
uint64_t smallestFirstStride(const FormatInfo &info, uint32_t width);

/**
 * \brief What the first stride must be a multiple of, by `rules` and for `height` lines
 *
 * So that every stride is whole and aligned and, where planes may not be padded, every offset.
 * Nothing when that is beyond 4 GiB. No alignment of `rules` may be 0.
 */
std::optional<uint64_t> firstStrideStep(const FormatInfo &info, uint32_t height,
					const LayoutRules &rules);

/** \brief "NV12 1920x1080" */
std::string frameSizeText(uint32_t fourcc, uint32_t width, uint32_t height);

} /* namespace heapflow */
