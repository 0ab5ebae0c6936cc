/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The eight vertical bars that test cameras paint, and a comparison with what arrived. */
#pragma once

#include "heapflow/heap/frame_layout.h"

#include <array>
#include <cstddef>
#include <span>

#include <gtest/gtest.h>

namespace heapflow::test
{

struct Rgb {
	double red;
	double green;
	double blue;
};

using Bars = std::array<Rgb, 8>;

/** \brief White, yellow, cyan, green, magenta, red, blue, black at full intensity */
extern const Bars fullBars;
/** \brief The same at 75 %, as the ITU pattern of the kernel's v4l2-tpg, whose white is 75 % as
 * well */
extern const Bars threeQuarterBars;

struct BarsExpectation {
	Bars bars;
	Colorimetry colorimetry; /**< of the pixels, when they are YCbCr */
	unsigned shift = 0;      /**< columns by which the pattern has moved to the left */
	unsigned firstLine = 0;  /**< above it there may be a text */
	unsigned margin = 4;     /**< columns at each edge of a bar that are not compared */
	int tolerance = 0;       /**< per sample, of 255 */
};

/**
 * \brief Do the pixels show the bars?
 *
 * Every 8th line is compared in every column outside the margins, all samples. Knows NV12, YUV420,
 * BGR888 and XRGB8888; any other format is a failure.
 */
testing::AssertionResult showsBars(const FrameLayout &layout, std::span<const std::byte> pixels,
				   const BarsExpectation &expected);

} /* namespace heapflow::test */
