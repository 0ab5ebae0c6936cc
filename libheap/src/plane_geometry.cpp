/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plane_geometry.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace heapflow
{

namespace
{

constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();

/* The least common multiple while it is within 4 GiB. */
std::optional<uint64_t> common(std::optional<uint64_t> a, uint64_t b)
{
	if (!a || b > kMost)
		return std::nullopt;
	const uint64_t both = *a / std::gcd(*a, b) * b;
	return both > kMost ? std::nullopt : std::optional(both);
}

/* first / denominator * factor is a multiple of `alignment` when this divides first. */
uint64_t stepFor(uint64_t denominator, uint64_t factor, uint64_t alignment)
{
	return denominator * (alignment / std::gcd(alignment, factor));
}

} /* namespace */

StrideRatio strideRatio(const FormatInfo &info, unsigned plane)
{
	const uint64_t numerator =
		uint64_t{info.plane[plane].bytesPerBlock} * info.plane[0].pixelsPerBlock;
	const uint64_t denominator =
		uint64_t{info.plane[0].bytesPerBlock} * info.plane[plane].pixelsPerBlock;
	const uint64_t divisor = std::gcd(numerator, denominator);
	return {numerator / divisor, denominator / divisor};
}

uint64_t strideOf(const FormatInfo &info, unsigned plane, uint64_t firstStride)
{
	const StrideRatio ratio = strideRatio(info, plane);
	return firstStride / ratio.denominator * ratio.numerator;
}

uint64_t smallestFirstStride(const FormatInfo &info, uint32_t width)
{
	uint64_t smallest = smallestLine(info.plane[0], width);
	for (unsigned i = 1; i < info.planes; i++) {
		const StrideRatio ratio = strideRatio(info, i);
		const uint64_t line = smallestLine(info.plane[i], width);
		smallest = std::max(smallest, divideUp(line, ratio.numerator) * ratio.denominator);
	}
	return smallest;
}

std::optional<uint64_t> firstStrideStep(const FormatInfo &info, uint32_t height,
					const LayoutRules &rules)
{
	const uint64_t alignedHeight =
		divideUp(height, rules.heightAlignment) * rules.heightAlignment;
	std::optional<uint64_t> step = common(1, rules.strideAlignment);
	for (unsigned i = 0; i < info.planes; i++) {
		const StrideRatio ratio = strideRatio(info, i);
		step = common(step, stepFor(ratio.denominator, ratio.numerator,
					    rules.planeStrideAlignment));
		/* Behind the last plane nothing begins. */
		if (!rules.padPlanes && i + 1 < info.planes)
			step = common(step, stepFor(ratio.denominator,
						    ratio.numerator *
							    linesOf(info.plane[i], alignedHeight),
						    rules.offsetAlignment));
	}
	return step;
}

std::string frameSizeText(uint32_t fourcc, uint32_t width, uint32_t height)
{
	return fourccToString(fourcc) + " " + std::to_string(width) + "x" + std::to_string(height);
}

} /* namespace heapflow */
