/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A test picture: drawn into a frame of any format, and what a screen must make of it. */
#pragma once

#include "heapflow/display/screen.h"
#include "heapflow/heap/frame_layout.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace heapflow::test
{

/** \brief Components of a pixel as the frame stores them: R, G, B or Y, Cb, Cr; 8 bits each */
using Components = std::array<uint8_t, 3>;
/** \brief R, G, B */
using Rgb = std::array<uint8_t, 3>;

/**
 * \brief The picture's components at a pixel
 *
 * Each differs from its neighbours, so that a wrong offset, stride or order shows. Of a
 * YCbCr frame the chroma is constant in blocks of 8x8, so that it does not matter
 * where a display sites its chroma samples.
 */
Components pictureAt(uint32_t x, uint32_t y, bool yuv);

/** \brief Does drawPicture() know this format? */
bool canDraw(uint32_t fourcc);

/** \brief Draw the picture into a frame */
void drawPicture(const FrameLayout &layout, std::span<std::byte> memory);

/** \brief Fill a frame with one colour */
void drawFlat(const FrameLayout &layout, std::span<std::byte> memory, Components colour);

/** \brief What Y, Cb, Cr are in RGB, by ITU-R BT.601, BT.709 or BT.2020 */
Rgb toRgb(Components yuv, const Colorimetry &colorimetry);

/** \brief The picture at a pixel, as RGB */
Rgb expectedAt(const FrameLayout &layout, uint32_t x, uint32_t y);

/** \brief Of a screenshot */
Rgb pixelOf(const Image &image, uint32_t x, uint32_t y);

/** \brief How far the picture at x, y of a screenshot is from what it must be */
struct Comparison {
	int largest = 0;        /**< difference of a component */
	uint64_t wrong = 0;     /**< pixels with a difference beyond the tolerance */
	std::string firstWrong; /**< "at 3,4: 10 20 30 instead of 11 21 31" */
};
Comparison comparePicture(const Image &image, const FrameLayout &layout, uint32_t x, uint32_t y,
			  int tolerance);

} /* namespace heapflow::test */
