/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layouts by given alignments, and of formats whose blocks hold several pixels. */
#include "heapflow/heap/frame_layout.h"

#include <cerrno>
#include <random>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using testing::ElementsAre;
using testing::HasSubstr;

namespace
{

constexpr uint64_t kMipiPacked = (uint64_t{11} << 56) | 1;
constexpr uint32_t kSrggb10 = fourcc_code('R', 'G', '1', '0');

std::vector<PlaneLayout> planes(uint32_t fourcc, uint32_t width, uint32_t height,
				const LayoutRules &rules = {})
{
	const auto layout = makeFrameLayout(fourcc, width, height, rules);
	EXPECT_TRUE(layout) << fourccToString(fourcc) << ": " << layout.error().text();
	if (!layout)
		return {};
	EXPECT_TRUE(checkFrameLayout(*layout, layout->size()));
	return layout->planes;
}

Error refusal(uint32_t fourcc, const LayoutRules &rules, uint32_t width = 64, uint32_t height = 64)
{
	const auto layout = makeFrameLayout(fourcc, width, height, rules);
	EXPECT_FALSE(layout);
	return layout ? Error{} : layout.error();
}

using P = PlaneLayout;

/* Worked out by hand from the comments of drm_fourcc.h. */
TEST(LayoutBlocks, PackedTenBit)
{
	EXPECT_THAT(planes(DRM_FORMAT_NV15, 64, 32),
		    ElementsAre(P{0, 80, 2560}, P{2560, 80, 1280}));
	EXPECT_THAT(planes(DRM_FORMAT_NV20, 64, 32),
		    ElementsAre(P{0, 80, 2560}, P{2560, 80, 2560}));
	EXPECT_THAT(planes(DRM_FORMAT_NV30, 64, 32),
		    ElementsAre(P{0, 80, 2560}, P{2560, 160, 5120}));
	EXPECT_THAT(planes(DRM_FORMAT_P030, 96, 32),
		    ElementsAre(P{0, 128, 4096}, P{4096, 128, 2048}));
	EXPECT_THAT(planes(DRM_FORMAT_P012, 64, 32),
		    ElementsAre(P{0, 128, 4096}, P{4096, 128, 2048}));
	EXPECT_THAT(planes(DRM_FORMAT_Y210, 64, 32), ElementsAre(P{0, 256, 8192}));
	EXPECT_THAT(planes(DRM_FORMAT_YUV410, 64, 32),
		    ElementsAre(P{0, 64, 2048}, P{2048, 16, 128}, P{2176, 16, 128}));
	EXPECT_THAT(planes(DRM_FORMAT_RGB888_A8, 64, 32),
		    ElementsAre(P{0, 192, 6144}, P{6144, 64, 2048}));
}

/* 8 luma samples are three blocks of 4 bytes, 4 pairs of chroma two blocks of 8: chroma decides. */
TEST(LayoutBlocks, TheWidestPlaneDecidesOnTheStride)
{
	EXPECT_THAT(planes(DRM_FORMAT_P030, 8, 2), ElementsAre(P{0, 16, 32}, P{32, 16, 16}));
	EXPECT_EQ(refusal(DRM_FORMAT_P030, {.stride = 12}, 8, 2).code, EINVAL);
}

/* libcamera/formats.yaml and the V4L2 documentation of SRGGB10P, SRGGB12P, SRGGB14P. */
TEST(LayoutBlocks, RawAsOnTheCsi2Bus)
{
	EXPECT_THAT(planes(kSrggb10, 64, 32, {.modifier = kMipiPacked}),
		    ElementsAre(P{0, 80, 2560}));
	EXPECT_THAT(planes(kSrggb10, 65, 32, {.modifier = kMipiPacked}),
		    ElementsAre(P{0, 85, 2720}));
	EXPECT_THAT(planes(kSrggb10, 64, 32), ElementsAre(P{0, 128, 4096}));
	EXPECT_THAT(planes(fourcc_code('R', 'G', '1', '2'), 64, 32, {.modifier = kMipiPacked}),
		    ElementsAre(P{0, 96, 3072}));
	EXPECT_THAT(planes(fourcc_code('R', 'G', '1', '4'), 64, 32, {.modifier = kMipiPacked}),
		    ElementsAre(P{0, 112, 3584}));
	EXPECT_THAT(planes(kSrggb10, 3280, 2464, {.modifier = kMipiPacked, .strideAlignment = 32}),
		    ElementsAre(P{0, 4128, 4128 * 2464}));
	EXPECT_THAT(planes(kSrggb10, 1936, 2, {.modifier = (uint64_t{1} << 56) | 13}),
		    ElementsAre(P{0, 2496, 4992}));
}

TEST(LayoutRules, PaddingBelongsToThePlaneBefore)
{
	EXPECT_THAT(planes(DRM_FORMAT_NV12, 1920, 1080, {.heightAlignment = 16}),
		    ElementsAre(P{0, 1920, 1920 * 1088}, P{1920 * 1088, 1920, 1920 * 544}));
	EXPECT_THAT(planes(DRM_FORMAT_NV12, 100, 50, {.offsetAlignment = 4096}),
		    ElementsAre(P{0, 100, 8192}, P{8192, 100, 2500}));
	EXPECT_THAT(planes(DRM_FORMAT_NV12, 100, 50, {.sizeAlignment = 4096}),
		    ElementsAre(P{0, 100, 5000}, P{5000, 100, 3192}));
}

TEST(LayoutRules, WithoutPaddingTheStrideGrows)
{
	/* 50 lines: 2048 bytes a line are the first 50-fold of which 4096 divides. */
	EXPECT_THAT(planes(DRM_FORMAT_NV12, 100, 50, {.offsetAlignment = 4096, .padPlanes = false}),
		    ElementsAre(P{0, 2048, 102400}, P{102400, 2048, 51200}));
	EXPECT_THAT(planes(DRM_FORMAT_NV12, 100, 64, {.offsetAlignment = 4096, .padPlanes = false}),
		    ElementsAre(P{0, 128, 8192}, P{8192, 128, 4096}));
}

TEST(LayoutRules, StridesOfEveryPlane)
{
	EXPECT_EQ(planes(DRM_FORMAT_YUV420, 100, 50, {.planeStrideAlignment = 64})[1].stride, 64u);
	EXPECT_EQ(planes(DRM_FORMAT_YUV420, 100, 50, {.strideAlignment = 64})[1].stride, 64u);
	EXPECT_EQ(planes(DRM_FORMAT_YUV420, 130, 50, {.planeStrideAlignment = 64})[0].stride, 256u);
	EXPECT_EQ(planes(DRM_FORMAT_YUV420, 130, 50, {.strideAlignment = 64})[0].stride, 192u);
	EXPECT_EQ(planes(DRM_FORMAT_NV24, 100, 50, {.planeStrideAlignment = 64})[0].stride, 128u);
	EXPECT_EQ(planes(DRM_FORMAT_R8, 100, 50, {.minimumStride = 512})[0].stride, 512u);
}

TEST(LayoutRules, OddSizesAreRoundedUpWhenAskedFor)
{
	EXPECT_THAT(planes(DRM_FORMAT_NV12, 63, 31, {.oddSizes = true}),
		    ElementsAre(P{0, 64, 1984}, P{1984, 64, 1024}));
	EXPECT_EQ(refusal(DRM_FORMAT_NV12, {}, 63, 31).code, EINVAL);
}

TEST(LayoutRules, WhatHasNoLayoutIsRefusedClearly)
{
	const Error mjpeg = refusal(fourcc_code('M', 'J', 'P', 'G'), {});
	EXPECT_EQ(mjpeg.code, ENOTSUP);
	EXPECT_THAT(mjpeg.text(), HasSubstr("compressed"));
	const Error tiled =
		refusal(DRM_FORMAT_NV12, {.modifier = DRM_FORMAT_MOD_SAMSUNG_64_32_TILE});
	EXPECT_EQ(tiled.code, ENOTSUP);
	EXPECT_THAT(tiled.text(), HasSubstr("0x0400000000000001"));
	EXPECT_EQ(refusal(DRM_FORMAT_YUV420_10BIT, {}).code, EINVAL);
}

TEST(LayoutRules, ImpossibleAlignmentsAreErrors)
{
	EXPECT_EQ(refusal(DRM_FORMAT_NV12, {.offsetAlignment = 0}).code, EINVAL);
	EXPECT_EQ(refusal(DRM_FORMAT_NV12, {.sizeAlignment = 0}).code, EINVAL);
	EXPECT_EQ(refusal(DRM_FORMAT_NV12, {.heightAlignment = 0}).code, EINVAL);
	EXPECT_EQ(refusal(DRM_FORMAT_NV12, {.planeStrideAlignment = 0}).code, EINVAL);
	EXPECT_EQ(refusal(DRM_FORMAT_NV12,
			  {.strideAlignment = 0xfffffffb, .planeStrideAlignment = 0xffffffef})
			  .code,
		  EOVERFLOW);
	EXPECT_EQ(refusal(DRM_FORMAT_NV12, {.sizeAlignment = uint64_t{1} << 63}).code, EOVERFLOW);
	EXPECT_EQ(refusal(DRM_FORMAT_NV12, {.offsetAlignment = 0xffffffff}).code, EOVERFLOW);
	EXPECT_EQ(refusal(DRM_FORMAT_NV12, {.heightAlignment = 0xffffffff}).code, EOVERFLOW);
	EXPECT_EQ(refusal(DRM_FORMAT_NV12, {.stride = 96, .planeStrideAlignment = 64}).code,
		  EINVAL);
}

/* Any rules: an error, or a layout that keeps them and invariant 2. */
TEST(LayoutRules, HoldForRandomRules)
{
	std::mt19937 random(4711);
	const uint32_t alignments[] = {1, 2, 3, 16, 48, 64, 4096, 0x10000, 0x80000000, 0xffffffff};
	unsigned made = 0;
	for (unsigned i = 0; i < 20000; i++) {
		const FormatInfo &info = knownFormats()[random() % knownFormats().size()];
		const unsigned largest = random() % 16 ? 5000 : 0xffffffff;
		auto alignment = [&] {
			return alignments[random() % (random() % 8 ? 7 : 10)];
		};
		const LayoutRules rules{.modifier = info.modifier,
					.minimumStride = uint32_t(random() % 10000),
					.strideAlignment = alignment(),
					.planeStrideAlignment = alignment(),
					.heightAlignment = alignment(),
					.offsetAlignment = alignment(),
					.sizeAlignment = alignment(),
					.padPlanes = random() % 2 == 0,
					.oddSizes = random() % 2 == 0};
		const auto layout =
			makeFrameLayout(info.fourcc, random() % largest, random() % largest, rules);
		if (!layout)
			continue;
		made++;
		ASSERT_TRUE(checkFrameLayout(*layout, layout->size()));
		EXPECT_EQ(layout->size() % rules.sizeAlignment, 0u);
		EXPECT_EQ(layout->planes[0].stride % rules.strideAlignment, 0u);
		EXPECT_GE(layout->planes[0].stride, rules.minimumStride);
		for (const PlaneLayout &plane : layout->planes) {
			EXPECT_EQ(plane.offset % rules.offsetAlignment, 0u) << info.name;
			EXPECT_EQ(plane.stride % rules.planeStrideAlignment, 0u) << info.name;
		}
	}
	EXPECT_GT(made, 4000u);
}

} /* namespace */
