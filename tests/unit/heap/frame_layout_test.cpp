/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/frame_layout.h"

#include <cerrno>
#include <set>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using testing::HasSubstr;

namespace
{

/* A layout that must be there. */
FrameLayout make(uint32_t fourcc, uint32_t width, uint32_t height, uint32_t stride = 0,
		 uint32_t alignment = 1)
{
	const auto layout = makeFrameLayout(fourcc, width, height, stride, alignment);
	EXPECT_TRUE(layout) << fourccToString(fourcc) << ": " << layout.error().text();
	return layout.value_or(FrameLayout{});
}

int refused(uint32_t fourcc, uint32_t width, uint32_t height, uint32_t stride = 0,
	    uint32_t alignment = 1)
{
	const auto layout = makeFrameLayout(fourcc, width, height, stride, alignment);
	return layout ? 0 : layout.error().code;
}

} /* namespace */

TEST(FrameLayout, BytesOfAFrame)
{
	struct Case {
		uint32_t fourcc;
		std::vector<PlaneLayout> planes;
	};
	const Case cases[] = {
		{DRM_FORMAT_NV12, {{0, 64, 2048}, {2048, 64, 1024}}},
		{DRM_FORMAT_NV21, {{0, 64, 2048}, {2048, 64, 1024}}},
		{DRM_FORMAT_NV16, {{0, 64, 2048}, {2048, 64, 2048}}},
		{DRM_FORMAT_NV61, {{0, 64, 2048}, {2048, 64, 2048}}},
		{DRM_FORMAT_NV24, {{0, 64, 2048}, {2048, 128, 4096}}},
		{DRM_FORMAT_NV42, {{0, 64, 2048}, {2048, 128, 4096}}},
		{DRM_FORMAT_P010, {{0, 128, 4096}, {4096, 128, 2048}}},
		{DRM_FORMAT_YUV420, {{0, 64, 2048}, {2048, 32, 512}, {2560, 32, 512}}},
		{DRM_FORMAT_YVU420, {{0, 64, 2048}, {2048, 32, 512}, {2560, 32, 512}}},
		{DRM_FORMAT_YUV422, {{0, 64, 2048}, {2048, 32, 1024}, {3072, 32, 1024}}},
		{DRM_FORMAT_YUV444, {{0, 64, 2048}, {2048, 64, 2048}, {4096, 64, 2048}}},
		{DRM_FORMAT_YUYV, {{0, 128, 4096}}},
		{DRM_FORMAT_UYVY, {{0, 128, 4096}}},
		{DRM_FORMAT_RGB888, {{0, 192, 6144}}},
		{DRM_FORMAT_BGR888, {{0, 192, 6144}}},
		{DRM_FORMAT_XRGB8888, {{0, 256, 8192}}},
		{DRM_FORMAT_ARGB8888, {{0, 256, 8192}}},
		{DRM_FORMAT_XBGR8888, {{0, 256, 8192}}},
		{DRM_FORMAT_ABGR8888, {{0, 256, 8192}}},
		{DRM_FORMAT_RGB565, {{0, 128, 4096}}},
		{DRM_FORMAT_R8, {{0, 64, 2048}}},
	};
	for (const Case &one : cases)
		EXPECT_EQ(make(one.fourcc, 64, 32).planes, one.planes)
			<< fourccToString(one.fourcc);
}

TEST(FrameLayout, PlanesFollowEachOtherAndAddUp)
{
	for (const FormatInfo &info : knownFormats()) {
		for (const uint32_t alignment : {1u, 3u, 64u, 4096u}) {
			const auto made = makeFrameLayout(
				info.fourcc, 324, 244,
				{.modifier = info.modifier, .strideAlignment = alignment});
			ASSERT_TRUE(made) << info.name << ": " << made.error().text();
			const FrameLayout &layout = *made;
			ASSERT_EQ(layout.planes.size(), info.planes);
			uint64_t sum = 0;
			for (const PlaneLayout &plane : layout.planes) {
				EXPECT_EQ(plane.offset, sum) << fourccToString(info.fourcc);
				sum += plane.length;
			}
			EXPECT_EQ(layout.size(), sum);
			EXPECT_EQ(layout.planes[0].stride % alignment, 0u);
			EXPECT_TRUE(checkFrameLayout(layout, sum));
			EXPECT_FALSE(checkFrameLayout(layout, sum - 1));
		}
	}
}

TEST(FrameLayout, Nv12AlwaysHasTwoPlanes)
{
	FrameLayout layout = make(DRM_FORMAT_NV12, 1280, 720);
	ASSERT_EQ(layout.planes.size(), 2u);
	layout.planes = {{0, 1280, 1382400}};
	const auto checked = checkFrameLayout(layout, 1 << 24);
	ASSERT_FALSE(checked);
	EXPECT_THAT(checked.error().message, HasSubstr("the format has 2"));
}

TEST(FrameLayout, SizeIsNotRoundedToPages)
{
	EXPECT_EQ(make(DRM_FORMAT_NV12, 1280, 720).size(), 1382400u);
	EXPECT_EQ(make(DRM_FORMAT_NV12, 2, 2).size(), 6u);
	EXPECT_EQ(make(DRM_FORMAT_RGB888, 641, 1).size(), 1923u);
}

TEST(FrameLayout, StrideIsTakenOrAligned)
{
	EXPECT_EQ(make(DRM_FORMAT_NV12, 100, 2, 256).planes[1], (PlaneLayout{512, 256, 256}));
	EXPECT_EQ(make(DRM_FORMAT_XRGB8888, 100, 2, 0, 256).planes[0], (PlaneLayout{0, 512, 1024}));
	/* The chroma stride must be whole too, so an odd alignment is doubled. */
	EXPECT_EQ(make(DRM_FORMAT_YUV420, 2, 2, 0, 3).planes[0].stride, 6u);
	EXPECT_EQ(make(DRM_FORMAT_YUV420, 2, 2, 0, 3).planes[1].stride, 3u);
}

TEST(FrameLayout, BadInputIsEinval)
{
	EXPECT_EQ(refused(0, 64, 64), EINVAL);
	EXPECT_EQ(refused(0xffffffff, 64, 64), EINVAL);
	EXPECT_EQ(refused(DRM_FORMAT_NV12, 0, 64), EINVAL);
	EXPECT_EQ(refused(DRM_FORMAT_NV12, 64, 0), EINVAL);
	EXPECT_EQ(refused(DRM_FORMAT_NV12, 63, 64), EINVAL);
	EXPECT_EQ(refused(DRM_FORMAT_NV12, 64, 63), EINVAL);
	EXPECT_EQ(refused(DRM_FORMAT_NV16, 64, 63), 0);
	EXPECT_EQ(refused(DRM_FORMAT_NV16, 63, 64), EINVAL);
	EXPECT_EQ(refused(DRM_FORMAT_YUYV, 63, 64), EINVAL);
	EXPECT_EQ(refused(DRM_FORMAT_RGB888, 63, 63), 0);
	EXPECT_EQ(refused(DRM_FORMAT_NV12, 64, 64, 63), EINVAL);
	EXPECT_EQ(refused(DRM_FORMAT_YUV420, 64, 64, 65), EINVAL);
	EXPECT_EQ(refused(DRM_FORMAT_NV12, 64, 64, 0, 0), EINVAL);
}

TEST(FrameLayout, BeyondFourGibibytesIsEoverflow)
{
	EXPECT_EQ(refused(DRM_FORMAT_XRGB8888, 32768, 32768), EOVERFLOW);
	EXPECT_EQ(refused(DRM_FORMAT_XRGB8888, 0xffffffff, 0xffffffff), EOVERFLOW);
	EXPECT_EQ(refused(DRM_FORMAT_NV12, 65536, 65536 - 2), EOVERFLOW);
	EXPECT_EQ(refused(DRM_FORMAT_NV24, 0xfffffffe, 2), EOVERFLOW);
	EXPECT_EQ(refused(DRM_FORMAT_R8, 64, 64, 0, 0xffffffff), EOVERFLOW);
	EXPECT_EQ(make(DRM_FORMAT_R8, 65535, 65535).size(), 65535ull * 65535);
}

TEST(CheckFrameLayout, ABrokenLayoutIsRefused)
{
	const FrameLayout good = make(DRM_FORMAT_YUV420, 64, 32, 128);
	const uint64_t size = good.size();
	ASSERT_TRUE(checkFrameLayout(good, size));

	auto broken = [&](auto change) {
		FrameLayout layout = good;
		change(layout);
		const auto checked = checkFrameLayout(layout, uint64_t{1} << 33);
		return checked ? 0 : checked.error().code;
	};
	EXPECT_EQ(broken([](FrameLayout &) {}), 0);
	EXPECT_EQ(broken([](FrameLayout &l) { l.planes[0].offset = 4096; }), EINVAL);
	EXPECT_EQ(broken([](FrameLayout &l) { l.planes[1].offset += 1; }), EINVAL);
	EXPECT_EQ(broken([](FrameLayout &l) { l.planes[1].offset -= 1; }), EINVAL);
	EXPECT_EQ(broken([](FrameLayout &l) { std::swap(l.planes[1], l.planes[2]); }), EINVAL);
	EXPECT_EQ(broken([](FrameLayout &l) { l.planes[2].stride = 31; }), EINVAL);
	EXPECT_EQ(broken([](FrameLayout &l) { l.planes[2].stride = 0; }), EINVAL);
	EXPECT_EQ(broken([](FrameLayout &l) { l.planes[2].length = 0; }), EINVAL);
	EXPECT_EQ(broken([](FrameLayout &l) { l.planes[2].length = 15 * 64 + 31; }), EINVAL);
	EXPECT_EQ(broken([](FrameLayout &l) { l.planes[0].stride = 0xffffffff; }), EINVAL);
	EXPECT_EQ(broken([](FrameLayout &l) { l.planes.pop_back(); }), EINVAL);
	EXPECT_EQ(broken([](FrameLayout &l) { l.planes.clear(); }), EINVAL);
	EXPECT_EQ(broken([](FrameLayout &l) { l.width = 0; }), EINVAL);
	EXPECT_EQ(broken([](FrameLayout &l) { l.height = 0xffffffff; }), EINVAL);
	/* Padding after the last plane is allowed: it belongs to its length. */
	EXPECT_EQ(broken([](FrameLayout &l) { l.planes[2].length += 4096; }), 0);
}

TEST(CheckFrameLayout, PlanesLargerThanTheBufferAreRefusedInNumbers)
{
	const FrameLayout layout = make(DRM_FORMAT_NV12, 1280, 720);
	const auto checked = checkFrameLayout(layout, 1048576);
	ASSERT_FALSE(checked);
	EXPECT_EQ(checked.error().code, EINVAL);
	EXPECT_THAT(checked.error().message, HasSubstr("1382400"));
	EXPECT_THAT(checked.error().message, HasSubstr("1048576"));
}

TEST(CheckFrameLayout, LengthsThatWrapAroundAreRefused)
{
	FrameLayout layout = make(DRM_FORMAT_NV12, 64, 32);
	layout.planes[0].length = 0xffffffff;
	layout.planes[1].offset = 0xffffffff;
	layout.planes[1].length = 0xffffffff;
	EXPECT_FALSE(checkFrameLayout(layout, 0xffffffff));
}

TEST(CheckFrameLayout, UnknownAndTiledFormatsKeepThePlaneRule)
{
	FrameLayout layout{.fourcc = fourcc_code('p', 'R', 'A', 'A'), .width = 64, .height = 32};
	layout.planes = {{0, 80, 2560}};
	EXPECT_TRUE(checkFrameLayout(layout, 4096));
	layout.planes[0].offset = 16;
	EXPECT_FALSE(checkFrameLayout(layout, 4096));

	FrameLayout tiled = make(DRM_FORMAT_NV12, 64, 32);
	tiled.modifier = 1;
	tiled.planes.push_back({3072, 16, 512});
	EXPECT_TRUE(checkFrameLayout(tiled, 4096));
}

TEST(Fourcc, RoundTrip)
{
	for (const FormatInfo &info : knownFormats()) {
		const auto back = fourccFromString(fourccToString(info.fourcc));
		ASSERT_TRUE(back);
		EXPECT_EQ(*back, info.fourcc);
		EXPECT_EQ(formatInfo(info.fourcc, info.modifier), &info);
	}
	EXPECT_EQ(fourccToString(DRM_FORMAT_NV12), "NV12");
	EXPECT_EQ(fourccToString(DRM_FORMAT_NV12 | DRM_FORMAT_BIG_ENDIAN), "NV1?");
	EXPECT_EQ(fourccToString(0), "????");
}

TEST(Fourcc, BadText)
{
	for (const std::string_view text :
	     {std::string_view(""), std::string_view("NV1"), std::string_view("NV123"),
	      std::string_view("NV1\n"), std::string_view("NV1\xff"),
	      std::string_view("N\0V1", 4)}) {
		const auto fourcc = fourccFromString(text);
		ASSERT_FALSE(fourcc);
		EXPECT_EQ(fourcc.error().code, EINVAL);
	}
}

TEST(Fourcc, EachFormatOnce)
{
	std::set<std::pair<uint32_t, uint64_t>> seen;
	for (const FormatInfo &info : knownFormats())
		EXPECT_TRUE(seen.emplace(info.fourcc, info.modifier).second) << info.name;
	EXPECT_EQ(formatInfo(DRM_FORMAT_INVALID), nullptr);
}

TEST(FrameLayout, Description)
{
	EXPECT_EQ(describe(make(DRM_FORMAT_NV12, 1280, 720)),
		  "NV12 1280x720, stride 1280, 1382400 bytes in 2 planes");
	FrameLayout layout = make(DRM_FORMAT_XRGB8888, 64, 32);
	layout.modifier = 0x100000000000001;
	EXPECT_EQ(describe(layout),
		  "XR24 64x32, stride 256, modifier 0x100000000000001, 8192 bytes in 1 plane");
	EXPECT_EQ(describe({}), "???? 0x0, 0 bytes in 0 planes");
}
