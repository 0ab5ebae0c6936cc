/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/region_plan.h"

#include "heapflow/heap/heap_lint.h"
#include "result.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using heapflow::test::codeOf;
using heapflow::test::textOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace
{

constexpr uint64_t kMiB = 1 << 20;

RegionRequest request(uint64_t frames, uint32_t width = 1920, uint32_t height = 1080)
{
	return {.frame = *makeFrameLayout(*fourccFromString("NV12"), width, height),
		.frames = frames};
}

} /* namespace */

TEST(PlanRegion, EachStepOfTheCalculation)
{
	const auto plan = planRegion(request(6));
	ASSERT_TRUE(plan) << textOf(plan);
	EXPECT_EQ(plan->frameBytes, 3110400u);
	EXPECT_EQ(plan->bufferAlignment, kMiB);
	EXPECT_EQ(plan->space, 5 * 3 * kMiB + 3112960);
	EXPECT_EQ(plan->size, 20 * kMiB);
	EXPECT_EQ(plan->regionAlignment, 4 * kMiB);
	EXPECT_THAT(plan->explanation(), HasSubstr("5 * 3145728 + 3112960 = 18841600 bytes"));
}

TEST(PlanRegion, PagesDecide)
{
	RegionRequest large = request(2);
	large.rules.pageSize = 16384;
	EXPECT_EQ(planRegion(large)->size, 32 * kMiB);
	large.rules.pageSize = 65536;
	EXPECT_EQ(planRegion(large)->size, 512 * kMiB);
	large.minimumAlignment = 2 * kMiB;
	EXPECT_EQ(planRegion(large)->size % (2 * kMiB), 0u);
	/* A buffer that is aligned more strictly than the region must not find it shifted. */
	large.rules = {.pageSize = 4096, .alignmentOrder = 12};
	EXPECT_EQ(planRegion(large)->regionAlignment, 4 * kMiB);
	large.frame = *makeFrameLayout(*fourccFromString("NV12"), 3840, 2160);
	EXPECT_EQ(planRegion(large)->regionAlignment, 16 * kMiB);
}

TEST(PlanRegion, TheNamePassesLint)
{
	for (const char *usage : {"video", "camera", "display", "frames", "h264"}) {
		for (const bool placed : {false, true}) {
			RegionRequest one = request(3);
			one.usage = usage;
			if (placed)
				one.base = 0x42000000;
			const auto plan = planRegion(one);
			ASSERT_TRUE(plan) << textOf(plan);
			const std::vector<std::string> names{plan->name};
			EXPECT_THAT(lint(lintInput(names)), IsEmpty()) << plan->name;
		}
	}
}

TEST(PlanRegion, WhereItLies)
{
	RegionRequest one = request(6);
	one.base = 0x842000000 & ~(4 * kMiB - 1);
	one.label = "frames";
	EXPECT_THAT(planRegion(one)->source(), HasSubstr("frames: video@842000000 {"));
	EXPECT_THAT(planRegion(one)->source(), HasSubstr("reg = <0x8 0x42000000 0x0 0x01400000>;"));

	RegionRequest placed = request(6);
	EXPECT_THAT(planRegion(placed)->source(), Not(HasSubstr("alloc-ranges")));
	placed.below = uint64_t{1} << 32;
	EXPECT_THAT(planRegion(placed)->source(),
		    HasSubstr("alloc-ranges = <0x0 0x00000000 0x1 0x00000000>;"));
	placed.within = MemoryRange{0x40000000, 0x200000000};
	EXPECT_THAT(planRegion(placed)->source(),
		    HasSubstr("alloc-ranges = <0x0 0x40000000 0x0 0xc0000000>;"));
	placed.cells = 1;
	EXPECT_THAT(planRegion(placed)->source(), HasSubstr("alloc-ranges = <0x40000000 0x"));
	EXPECT_THAT(planRegion(placed)->source(), HasSubstr("#address-cells = <1>;"));
}

TEST(PlanRegion, WhatCannotBe)
{
	auto code = [](auto change) {
		RegionRequest one = request(6);
		change(one);
		return codeOf(planRegion(one));
	};
	EXPECT_EQ(code([](RegionRequest &) {}), 0);
	EXPECT_EQ(code([](RegionRequest &r) { r.frames = 0; }), EINVAL);
	EXPECT_EQ(code([](RegionRequest &r) { r.rules.pageSize = 8192; }), EINVAL);
	EXPECT_EQ(code([](RegionRequest &r) { r.rules.alignmentOrder = 13; }), EINVAL);
	EXPECT_EQ(code([](RegionRequest &r) { r.minimumAlignment = 3 * kMiB; }), EINVAL);
	EXPECT_EQ(code([](RegionRequest &r) { r.minimumAlignment = 1; }), EINVAL);
	EXPECT_EQ(code([](RegionRequest &r) { r.cells = 3; }), EINVAL);
	EXPECT_EQ(code([](RegionRequest &r) { r.base = 0x42100000; }), EINVAL);
	EXPECT_EQ(code([](RegionRequest &r) { r.usage = "cma"; }), EINVAL);
	EXPECT_EQ(code([](RegionRequest &r) { r.usage = ""; }), EINVAL);
	EXPECT_EQ(code([](RegionRequest &r) { r.usage = "a@1"; }), EINVAL);
	EXPECT_EQ(code([](RegionRequest &r) { r.usage = "a;b"; }), EINVAL);
	EXPECT_EQ(code([](RegionRequest &r) { r.label = "a-b"; }), EINVAL);
	EXPECT_EQ(code([](RegionRequest &r) { r.label = "1a"; }), EINVAL);
	EXPECT_EQ(code([](RegionRequest &r) {
			  r.base = 0;
			  r.within = MemoryRange{0, kMiB};
		  }),
		  EINVAL);
	EXPECT_EQ(code([](RegionRequest &r) { r.within = MemoryRange{0, 16 * kMiB}; }), ERANGE);
	EXPECT_EQ(code([](RegionRequest &r) { r.below = 16 * kMiB; }), ERANGE);
	EXPECT_EQ(code([](RegionRequest &r) {
			  r.base = 0xff000000;
			  r.below = uint64_t{1} << 32;
		  }),
		  ERANGE);
	EXPECT_EQ(code([](RegionRequest &r) { r.base = 0xffffffffffc00000; }), ERANGE);
	EXPECT_EQ(code([](RegionRequest &r) {
			  r.base = 0xff000000;
			  r.cells = 1;
		  }),
		  ERANGE);
	EXPECT_EQ(code([](RegionRequest &r) { r.frames = UINT64_MAX / 2; }), EOVERFLOW);
	EXPECT_THAT(
		textOf(planRegion({.frame = request(6).frame, .frames = 6, .base = 0x42100000})),
		HasSubstr("0x42400000"));
}
