/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One pixel of a frame as RGB, for screenshots without a writeback connector. Pure. */
#pragma once

#include "heapflow/heap/frame_layout.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace heapflow
{

/** \brief 8 bits each; the alpha of a format that has none is 255 */
struct Rgba {
	uint8_t red = 0, green = 0, blue = 0, alpha = 255;
	bool operator==(const Rgba &) const = default;
};

/**
 * \brief Reads pixels of one frame in mapped memory
 *
 * Slow and exact: one pixel at a time, in floating point; colour samples are repeated, not
 * interpolated.
 */
class PixelReader
{
public:
	/** \brief Errors: ENOTSUP a format that it cannot read; EINVAL a plane is beyond the memory
	 */
	static Result<PixelReader> create(const FrameLayout &layout,
					  std::span<const std::byte> memory);

	/** \brief The pixel at x, y, which must be inside the frame */
	Rgba at(uint32_t x, uint32_t y) const;

private:
	PixelReader(const FrameLayout &layout, std::span<const std::byte> memory)
		: layout_(layout), memory_(memory)
	{
	}

	uint64_t bits(size_t plane, uint32_t y, uint64_t byte, unsigned bytes) const;
	Rgba packedRgb(uint32_t x, uint32_t y) const;
	std::array<double, 3> yuv(uint32_t x, uint32_t y) const;

	FrameLayout layout_;
	std::span<const std::byte> memory_;
};

/** \brief Y, Cb, Cr (each 0..1 of their code range) in RGB, by encoding and range */
Rgba rgbOf(const std::array<double, 3> &yuv, const Colorimetry &colorimetry);

} /* namespace heapflow */
