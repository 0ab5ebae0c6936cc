/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "foreign_claims.h"

#include <format>
#include <limits>

#include <drm_fourcc.h>

namespace heapflow::torture
{

namespace
{

constexpr uint64_t luma = uint64_t{frameWidth} * frameHeight;
constexpr uint64_t most32 = std::numeric_limits<uint32_t>::max();
constexpr uint64_t most64 = std::numeric_limits<uint64_t>::max();
constexpr int64_t mostStride = std::numeric_limits<int32_t>::max();

const Claim claims[] = {
	{.name = "no stride", .stride = {0, 0}, .says = "stride 0"},
	{.name = "lines shorter than their pixels", .stride = {320, 320}, .says = "stride 320"},
	{.name = "lines of colour shorter than their pixels",
	 .stride = {640, 160},
	 .says = "stride 160"},
	{.name = "lines longer than the memory", .stride = {704, 704}, .says = "348160|345600"},
	{.name = "a negative stride", .stride = {-640, -640}, .says = "stride -640"},
	{.name = "the longest stride", .stride = {mostStride, mostStride}, .says = "2147483647"},
	/* 2^31 bytes times 360 lines is a multiple of 2^32. */
	{.name = "a stride whose plane is 0 bytes in 32 bits",
	 .stride = {int64_t{1} << 30, int64_t{1} << 30},
	 .says = "1073741824"},
	{.name = "colour a page too late", .offset = {0, luma + 4096}, .says = "348160|345600"},
	{.name = "colour behind the end", .offset = {0, 400'000}, .says = "348160|345600"},
	{.name = "colour at the end of 32 bits",
	 .offset = {0, most32 - 10},
	 .says = "348160|345600|4294967285"},
	{.name = "colour at 4 GiB more",
	 .offset = {0, (most32 + 1) + luma},
	 .says = "348160|345600|4295197696"},
	{.name = "a frame at the end of 64 bits",
	 .offset = {most64 - 100, luma},
	 .says = "[0-9]{6}"},
	{.name = "a frame that begins behind the end",
	 .offset = {400'000, 400'000 + luma},
	 .says = "348160|345600"},
	{.name = "a picture higher than its memory", .height = 464, .says = "348160|345600|464"},
	{.name = "no lines", .height = 0, .says = "x0"},
	{.name = "no columns", .width = 0, .says = "0x"},
	{.name = "the highest picture", .height = uint32_t(most32), .says = "4294967295"},
	{.name = "the widest picture", .width = uint32_t(most32), .says = "4294967295"},
	{.name = "one plane", .planes = 1, .says = "planes?"},
	{.name = "no plane", .planes = 0, .says = "planes?"},
};

template<size_t N>
uint64_t oneOf(Random &random, const uint64_t (&values)[N])
{
	return values[random() % N];
}

/* Most of them right, so that a single wrong one is looked at. */
uint64_t perhaps(Random &random, uint64_t right)
{
	switch (random() % 8) {
	case 0:
		return oneOf(random, {0, 1, 2, 639, 641, 4095, 4096, bufferBytes, bufferBytes - 1,
				      most32, most32 - 1, most32 + 1, most32 / 2, most32 / 2 + 1});
	case 1:
		return right + random() % 64;
	case 2:
		return right - random() % 64;
	case 3:
		return random() >> (random() % 64);
	default:
		return right;
	}
}

} /* namespace */

bool Claim::holdsIn(uint64_t bytes) const
{
	if (planes != 2 || width == 0 || height == 0)
		return false;
	for (unsigned i = 0; i < 2; i++) {
		const uint64_t lines = i ? (uint64_t{height} + 1) / 2 : height;
		const uint64_t line = i ? (uint64_t{width} + 1) / 2 * 2 : width;
		if (stride[i] < 0 || uint64_t(stride[i]) < line)
			return false;
		if (offset[i] > bytes || line > bytes - offset[i])
			return false;
		/* All lines but the last end where the next begins. */
		const uint64_t room = bytes - offset[i] - line;
		if (lines > 1 && uint64_t(stride[i]) > room / (lines - 1))
			return false;
	}
	return true;
}

std::optional<FrameLayout> Claim::layout() const
{
	FrameLayout layout{.fourcc = DRM_FORMAT_NV12, .width = width, .height = height};
	for (unsigned i = 0; i < planes; i++) {
		const unsigned at = i % 2;
		if (offset[at] > most32 || stride[at] < 0 || uint64_t(stride[at]) > most32)
			return std::nullopt;
		const uint64_t lines = at ? (uint64_t{height} + 1) / 2 : height;
		/* As a caller reckons who does not think of an overflow. */
		layout.planes.push_back({.offset = uint32_t(offset[at]),
					 .stride = uint32_t(stride[at]),
					 .length = uint32_t(uint64_t(stride[at]) * lines)});
	}
	return layout;
}

std::string Claim::text() const
{
	return std::format("{}x{}, {} planes at {} and {}, strides {} and {}", width, height,
			   planes, offset[0], offset[1], stride[0], stride[1]);
}

std::span<const Claim> wrongClaims()
{
	return claims;
}

Claim randomClaim(Random &random)
{
	Claim claim;
	claim.name = "by lot";
	claim.width = uint32_t(perhaps(random, frameWidth));
	claim.height = uint32_t(perhaps(random, frameHeight));
	for (unsigned i = 0; i < 2; i++) {
		claim.offset[i] = perhaps(random, claim.offset[i]);
		claim.stride[i] = int32_t(perhaps(random, frameWidth));
	}
	if (random() % 16 == 0)
		claim.planes = unsigned(random() % 5);
	return claim;
}

} /* namespace heapflow::torture */
