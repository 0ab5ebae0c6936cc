/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said of a frame of NV12 in a dma-buf, rightly or wrongly. */
#pragma once

#include "heapflow/heap/frame_layout.h"

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>

namespace heapflow::torture
{

using Random = std::mt19937_64;

constexpr uint32_t frameWidth = 640, frameHeight = 360;
constexpr uint64_t frameSize = uint64_t{frameWidth} * frameHeight * 3 / 2;
/* What the kernel makes of it. */
constexpr uint64_t bufferBytes = (frameSize + 4095) / 4096 * 4096;

/** \brief The numbers of a GstVideoMeta, which has wider ones than a FrameLayout */
struct Claim {
	std::string name;
	uint32_t width = frameWidth, height = frameHeight;
	unsigned planes = 2;
	std::array<uint64_t, 2> offset = {0, uint64_t{frameWidth} * frameHeight};
	std::array<int64_t, 2> stride = {frameWidth, frameWidth};
	const char *says = ""; /* what an error must say; "" anything but nothing */

	/**
	 * \brief Does all that it tells of lie inside `bytes`, and is it a frame at all?
	 *
	 * Reckoned here on its own, in numbers that cannot overflow.
	 */
	bool holdsIn(uint64_t bytes) const;

	/** \brief Nothing when a FrameLayout has no room for these numbers */
	std::optional<FrameLayout> layout() const;

	std::string text() const;
};

std::span<const Claim> wrongClaims();
Claim randomClaim(Random &random);

} /* namespace heapflow::torture */
