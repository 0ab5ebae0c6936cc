/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One test for each thing a plan decides and each way it can clash. */
#include "heapflow/heap/plan.h"
#include "plan_parts.h"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::ElementsAre;
using testing::HasSubstr;

namespace
{

Plan planOf(const PlanRequest &request)
{
	auto plan = solvePlan(request);
	EXPECT_TRUE(plan) << describe(plan.error());
	return plan ? *plan : Plan{};
}

/* The clashes of the nearest miss. */
std::vector<Clash> clashesOf(const PlanRequest &request)
{
	const auto plan = solvePlan(request);
	EXPECT_FALSE(plan) << describe(*plan);
	return plan || plan.error().misses.empty() ? std::vector<Clash>{}
						   : plan.error().misses.front().clashes;
}

std::vector<ClashKind> kindsOf(const PlanRequest &request)
{
	std::vector<ClashKind> kinds;
	for (const Clash &clash : clashesOf(request))
		kinds.push_back(clash.kind);
	return kinds;
}

Clash theClash(const PlanRequest &request, ClashKind kind)
{
	const auto clashes = clashesOf(request);
	EXPECT_EQ(clashes.size(), 1u);
	EXPECT_TRUE(!clashes.empty() && clashes[0].kind == kind)
		<< (clashes.empty() ? "none" : describe(clashes[0]));
	return clashes.empty() ? Clash{} : clashes[0];
}

} /* namespace */

TEST(Plan, TakesWhatFits)
{
	const Plan plan = planOf(anything());
	EXPECT_EQ(plan.layout.width, 1280u);
	EXPECT_EQ(plan.layout.size(), 1382400u);
	EXPECT_EQ(plan.bufferBytes, 1384448u);
	EXPECT_EQ(plan.buffers, 4u);
	EXPECT_EQ(plan.space, 4u * 1384448);
	EXPECT_EQ(plan.heapName, "system");
	EXPECT_TRUE(plan.probes.empty());
	EXPECT_THAT(describe(plan), HasSubstr("NV12 1280x720, stride 1280"));
}

TEST(PlanClash, NothingOffered)
{
	const auto plan = solvePlan({});
	ASSERT_FALSE(plan);
	ASSERT_EQ(plan.error().misses.size(), 1u);
	EXPECT_EQ(plan.error().misses[0].clashes.size(), 3u);
	EXPECT_THAT(describe(plan.error()), HasSubstr("does not offer a heap"));

	PlanRequest request = anything();
	request.planes.clear();
	EXPECT_EQ(theClash(request, ClashKind::Nothing).second, "the display");
}

TEST(PlanClash, Format)
{
	PlanRequest request = anything();
	request.planes = {plane({DRM_FORMAT_XRGB8888})};
	const Clash clash = theClash(request, ClashKind::Format);
	EXPECT_EQ(clash.first, "plane");
	EXPECT_EQ(clash.second, "camera");
	EXPECT_EQ(describe(clash), "camera fills NV12; plane takes XR24");
}

TEST(PlanClash, BayerIsShownByNoPlane)
{
	PlanRequest request = anything();
	const uint32_t sgrbg12 = fourcc_code('B', 'A', '1', '2');
	request.source.modes = {mode(sgrbg12, 1280, 720)};
	request.planes = {plane({DRM_FORMAT_BGRA4444})};
	EXPECT_EQ(kindsOf(request), std::vector{ClashKind::Format});
}

TEST(PlanClash, Modifier)
{
	PlanRequest request = anything();
	request.planes[0].formats = {{DRM_FORMAT_NV12, DRM_FORMAT_MOD_SAMSUNG_64_32_TILE}};
	const Clash clash = theClash(request, ClashKind::Modifier);
	EXPECT_EQ(describe(clash), "plane takes the format, but not as NV12");
}

TEST(PlanClash, ATiledFormatCannotBeLaidOutHere)
{
	PlanRequest request = anything();
	request.source.modes[0].modifier = DRM_FORMAT_MOD_SAMSUNG_64_32_TILE;
	request.planes[0].formats = {{DRM_FORMAT_NV12, DRM_FORMAT_MOD_SAMSUNG_64_32_TILE}};
	EXPECT_THAT(describe(theClash(request, ClashKind::Layout)), HasSubstr("tiled"));
}

TEST(PlanClash, SizeBeyondThePlane)
{
	PlanRequest request = anything();
	request.planes[0].maxWidth = 1024;
	const Clash clash = theClash(request, ClashKind::Size);
	EXPECT_EQ(clash.wanted, 1024u);
	EXPECT_EQ(clash.offered, 1280u);
	EXPECT_EQ(describe(clash),
		  "plane shows a width of at most 1024, the nearest of camera is 1280");
	request.planes[0].maxWidth = 4096;
	request.planes[0].minHeight = 1000;
	EXPECT_THAT(describe(theClash(request, ClashKind::Size)), HasSubstr("at least 1000"));
}

TEST(PlanClash, SizeLargerThanTheOutputOfAPlaneThatNeitherScalesNorCrops)
{
	PlanRequest request = anything();
	request.planes[0].outputWidth = 1024;
	request.planes[0].outputHeight = 768;
	EXPECT_TRUE(solvePlan(request));
	request.planes[0].crops = false;
	EXPECT_EQ(theClash(request, ClashKind::Size).wanted, 1024u);
	request.planes[0].scales = true;
	EXPECT_TRUE(solvePlan(request));
}

TEST(PlanClash, SizeThatIsRequired)
{
	PlanRequest request = anything();
	request.preference.width = 1920;
	request.preference.height = 1080;
	EXPECT_EQ(planOf(request).layout.width, 1280u);
	request.preference.exactSize = true;
	EXPECT_EQ(kindsOf(request), (std::vector{ClashKind::Size, ClashKind::Size}));
	EXPECT_EQ(clashesOf(request)[0].first, "the request");
	EXPECT_EQ(describe(clashesOf(request)[0]),
		  "the request is a width of 1920, the nearest of camera is 1280");
}

TEST(PlanClash, SizeThatTheFormatDoesNotDivide)
{
	PlanRequest request = anything();
	request.source.modes[0].size = SizeRange::of(641, 480);
	EXPECT_EQ(describe(theClash(request, ClashKind::Size)),
		  "the format needs a width that is a multiple of 2, camera has none from 641 on");
}

TEST(PlanClash, PitchAlignmentOfACameraThatDecides)
{
	PlanRequest request = anything();
	request.source.modes = {mode(DRM_FORMAT_RGB888, 641, 480)};
	request.source.modes[0].stride.kind = StrideRules::Kind::Least;
	request.planes = {plane({DRM_FORMAT_RGB888})};
	request.planes[0].pitchAlignment = 64;
	const Clash clash = theClash(request, ClashKind::PitchAlignment);
	EXPECT_EQ(clash.first, "plane");
	EXPECT_EQ(clash.second, "camera");
	EXPECT_EQ(clash.wanted, 64u);
	EXPECT_EQ(clash.offered, 1923u);
}

TEST(PlanClash, PitchAlignmentOfTheSecondPlane)
{
	PlanRequest request = anything();
	request.source.modes = {mode(DRM_FORMAT_YUV420, 192, 64)};
	request.source.modes[0].stride = {.kind = StrideRules::Kind::Fixed, .fixed = 192};
	request.planes = {plane({DRM_FORMAT_YUV420})};
	request.planes[0].pitchAlignment = 64;
	EXPECT_EQ(theClash(request, ClashKind::PitchAlignment).offered, 96u);
}

TEST(PlanClash, PitchLimit)
{
	PlanRequest request = anything();
	request.planes[0].maximumPitch = 1024;
	const Clash clash = theClash(request, ClashKind::PitchLimit);
	EXPECT_EQ(clash.wanted, 1024u);
	EXPECT_EQ(clash.offered, 1280u);

	request = anything();
	request.source.modes[0].stride.maximum = 1280;
	request.planes[0].pitchAlignment = 1024;
	EXPECT_EQ(theClash(request, ClashKind::PitchLimit).first, "camera");
}

TEST(PlanClash, OffsetAlignmentOfACameraThatDecides)
{
	PlanRequest request = anything();
	request.source.modes[0] = mode(DRM_FORMAT_NV12, 100, 50);
	request.planes[0].needs.offsetAlignment = 4096;
	EXPECT_EQ(planOf(request).layout.planes[1].offset % 4096, 0u);
	request.source.modes[0].stride.kind = StrideRules::Kind::Least;
	const Clash clash = theClash(request, ClashKind::OffsetAlignment);
	EXPECT_EQ(clash.wanted, 4096u);
	EXPECT_EQ(clash.offered, 5000u);
}

TEST(PlanClash, BufferCount)
{
	PlanRequest request = anything();
	request.source.minimumBuffers = request.source.maximumBuffers = 4; /* as vimc */
	EXPECT_EQ(planOf(request).buffers, 4u);
	request.preference.extraBuffers = 1;
	const Clash clash = theClash(request, ClashKind::BufferCount);
	EXPECT_EQ(clash.wanted, 5u);
	EXPECT_EQ(clash.offered, 4u);
	request.source.maximumBuffers = 32;
	EXPECT_EQ(planOf(request).buffers, 5u);
	request.source.minimumBuffers = 8;
	EXPECT_EQ(planOf(request).buffers, 8u);
}

TEST(PlanClash, Contiguity)
{
	PlanRequest request = anything();
	request.source.needs.contiguous = Demand::Yes;
	const Clash clash = theClash(request, ClashKind::Contiguity);
	EXPECT_EQ(clash.first, "camera");
	EXPECT_EQ(clash.second, "system");
	request.planes[0].needs.contiguous = Demand::Yes;
	EXPECT_EQ(kindsOf(request), (std::vector{ClashKind::Contiguity, ClashKind::Contiguity}));
	request.heaps.inOrder.push_back(cmaHeap("video@42000000", 0x42000000, 32 * kMiB));
	EXPECT_EQ(planOf(request).heapName, "video@42000000");
}

TEST(PlanClash, AddressLimit)
{
	PlanRequest request = anything();
	request.heaps.inOrder = {cmaHeap("high", 0x140000000, 64 * kMiB)};
	request.source.needs.addressLimit = uint64_t{1} << 32;
	const Clash clash = theClash(request, ClashKind::AddressLimit);
	EXPECT_EQ(clash.wanted, uint64_t{1} << 32);
	EXPECT_EQ(clash.offered, 0x144000000u);
	EXPECT_THAT(describe(clash), HasSubstr("below 0x100000000, high ends at 0x144000000"));

	/* One byte too high is too high, and the limit itself is not. */
	request.heaps.inOrder = {cmaHeap("edge", 0xfc000000, 64 * kMiB)};
	EXPECT_TRUE(solvePlan(request));
	request.source.needs.addressLimit = (uint64_t{1} << 32) - 1;
	EXPECT_EQ(kindsOf(request), std::vector{ClashKind::AddressLimit});
}

TEST(PlanClash, AddressLimitOfTheSystemHeapFollowsTheMemoryOfTheMachine)
{
	PlanRequest request = anything();
	request.source.needs.addressLimit = uint64_t{1} << 32;
	EXPECT_EQ(planOf(request).probes.size(), 1u);
	request.heaps.endOfMemory = uint64_t{1} << 31;
	EXPECT_TRUE(planOf(request).probes.empty());
	request.heaps.endOfMemory = uint64_t{1} << 33;
	EXPECT_EQ(kindsOf(request), std::vector{ClashKind::AddressLimit});
}

TEST(PlanClash, ProtectedMemoryAndTheCpu)
{
	PlanRequest request = anything();
	request.heaps.inOrder = {cmaHeap("protected,secure-video", 0x42000000, 64 * kMiB)};
	ASSERT_TRUE(request.heaps.inOrder[0].name.isProtected);
	EXPECT_TRUE(solvePlan(request));
	request.source.needs.cpuMappable = true; /* as libcamera's virtual camera */
	EXPECT_THAT(describe(theClash(request, ClashKind::Protected)), HasSubstr("never mapped"));
}

TEST(PlanClash, Permission)
{
	PlanRequest request = anything();
	request.heaps.inOrder[0].accessible = false;
	EXPECT_EQ(theClash(request, ClashKind::Permission).second, "system");
}

TEST(PlanClash, Space)
{
	PlanRequest request = anything();
	/* 1384448 bytes begin every 2 MiB with the default alignment: 1 MiB steps. */
	const uint64_t needed = cmaSpace(1384448, 4);
	request.heaps.inOrder = {cmaHeap("video", 0x42000000, needed)};
	EXPECT_EQ(planOf(request).space, needed);
	request.heaps.inOrder[0].region.free = needed - 1;
	const Clash clash = theClash(request, ClashKind::Space);
	EXPECT_EQ(clash.wanted, needed);
	EXPECT_EQ(clash.offered, needed - 1);

	request.heaps.inOrder[0].region.free = 64 * kMiB;
	request.heaps.inOrder[0].region.largest = kMiB;
	EXPECT_THAT(describe(theClash(request, ClashKind::Space)), HasSubstr("in one run"));

	request.heaps.inOrder = {systemHeap()};
	request.heaps.systemFree = kMiB;
	EXPECT_EQ(kindsOf(request), std::vector{ClashKind::Space});
}

TEST(PlanStride, IsTheLeastCommonMultiple)
{
	PlanRequest request = anything();
	request.source.modes[0] = mode(DRM_FORMAT_NV12, 1000, 720);
	request.source.modes[0].stride.alignment = 48;
	request.planes[0].pitchAlignment = 64;
	EXPECT_EQ(planOf(request).layout.planes[0].stride, 1152u); /* 6 * 192 */
	request.source.modes[0].stride.minimum = 1153;
	EXPECT_EQ(planOf(request).layout.planes[0].stride, 1344u);
	request.planes[0].needs.strideAlignment = 5;
	EXPECT_EQ(planOf(request).layout.planes[0].stride, 1920u); /* 2 * 960 */
}

TEST(PlanStride, CountsEveryPitchOfTheFrame)
{
	PlanRequest request = anything();
	request.source.modes = {mode(DRM_FORMAT_YUV420, 640, 480)};
	request.planes = {plane({DRM_FORMAT_YUV420})};
	request.planes[0].pitchAlignment = 256;
	const FrameLayout layout = planOf(request).layout;
	EXPECT_EQ(layout.planes[0].stride, 1024u);
	EXPECT_EQ(layout.planes[1].stride, 512u);
}

TEST(PlanStride, OfACameraThatDecidesIsKept)
{
	PlanRequest request = anything();
	request.source.modes[0].stride = {.kind = StrideRules::Kind::Fixed, .fixed = 2048};
	request.planes[0].pitchAlignment = 256;
	EXPECT_EQ(planOf(request).layout.planes[0].stride, 2048u);
}

TEST(PlanSize, IsTheNearestStepInsideThePlane)
{
	PlanRequest request = anything();
	request.source.modes[0].size = {17, 4096, 3, 16, 4096, 16};
	request.preference.width = 1000;
	request.preference.height = 700;
	const FrameLayout layout = planOf(request).layout;
	/* 17 + 3k that is even: 20, 26 …, 998, 1004. */
	EXPECT_EQ(layout.width, 998u);
	EXPECT_EQ(layout.height, 704u);
	request.planes[0].maxWidth = 500;
	EXPECT_EQ(planOf(request).layout.width, 500u);
	request.planes[0].maxHeight = 690;
	EXPECT_EQ(planOf(request).layout.height, 688u);
}

TEST(PlanOrder, SizeThenRateThenHeapThenFormat)
{
	PlanRequest request = anything();
	request.source.modes = {mode(DRM_FORMAT_NV12, 640, 480), mode(DRM_FORMAT_YUYV, 1280, 720),
				mode(DRM_FORMAT_NV12, 1280, 720)};
	request.source.modes[1].rate = 60000;
	request.source.modes[2].rate = 30000;
	request.planes = {plane({DRM_FORMAT_NV12, DRM_FORMAT_YUYV})};
	request.preference.width = 1280;
	request.preference.height = 720;
	EXPECT_EQ(planOf(request).mode.fourcc, DRM_FORMAT_NV12); /* fewer bytes */
	request.preference.formats = {DRM_FORMAT_YUYV};
	EXPECT_EQ(planOf(request).mode.fourcc, DRM_FORMAT_YUYV);
	request.preference.formats = {DRM_FORMAT_NV12};
	request.preference.rate = 60000;
	const Plan fast = planOf(request);
	EXPECT_EQ(fast.mode.fourcc, DRM_FORMAT_YUYV);
	ASSERT_FALSE(fast.others.empty());
	EXPECT_EQ(fast.others[0].why, "it is 30000 mHz slower");

	/* In the first heap only the smaller format fits: the heap comes before the format. */
	request.preference.rate = 0;
	request.preference.formats = {DRM_FORMAT_YUYV};
	request.heaps.inOrder = {cmaHeap("small", 0x42000000, cmaSpace(1384448, 4)), systemHeap()};
	EXPECT_EQ(planOf(request).heapName, "small");
	EXPECT_EQ(planOf(request).mode.fourcc, DRM_FORMAT_NV12);
}

TEST(PlanProbe, UnknownContiguityIsToBeProvedAndTheNextHeapIsNamed)
{
	PlanRequest request = anything();
	request.source.needs.contiguous = Demand::Unknown;
	request.heaps.inOrder = {systemHeap(), cmaHeap("linux,cma", 0x42000000, 64 * kMiB)};
	const Plan plan = planOf(request);
	EXPECT_EQ(plan.heapName, "system");
	ASSERT_EQ(plan.probes.size(), 1u);
	EXPECT_EQ(plan.probes[0].device, "camera");
	EXPECT_EQ(plan.nextHeap, 1u);

	/* After the probe said no: */
	request.source.needs.contiguous = Demand::Yes;
	EXPECT_EQ(planOf(request).heapName, "linux,cma");
	EXPECT_TRUE(planOf(request).probes.empty());
	/* and yes: */
	request.source.needs.contiguous = Demand::No;
	EXPECT_EQ(planOf(request).heapName, "system");
	EXPECT_FALSE(planOf(request).nextHeap);
}

TEST(PlanProbe, ANameIsNoProof)
{
	PlanRequest request = anything();
	request.planes[0].needs.contiguous = Demand::Yes;
	Heap named = cmaHeap("video-contiguous", 0x42000000, 64 * kMiB);
	named.region.contiguous = false;
	request.heaps.inOrder = {named};
	EXPECT_EQ(planOf(request).probes.size(), 1u);
}

TEST(PlanMisses, TheNearestComesFirst)
{
	PlanRequest request = anything();
	request.source.needs.contiguous = Demand::Yes;
	request.planes.push_back(plane({DRM_FORMAT_XRGB8888}));
	request.planes[1].name = "another";
	request.planes[1].maxWidth = 640;
	const auto plan = solvePlan(request);
	ASSERT_FALSE(plan);
	const auto &misses = plan.error().misses;
	ASSERT_EQ(misses.size(), 2u);
	EXPECT_EQ(misses[0].plane, "plane");
	EXPECT_EQ(misses[0].clashes.size(), 1u);
	EXPECT_EQ(misses[1].plane, "another");
	EXPECT_GE(misses[1].clashes.size(), 3u);
	EXPECT_EQ(plan.error().considered, 2u);
}

TEST(PlanMisses, OneOfAKindIsTold)
{
	PlanRequest request = anything();
	request.source.modes.clear();
	for (uint32_t width = 64; width <= 4096; width += 64)
		request.source.modes.push_back(mode(DRM_FORMAT_NV12, width, 64));
	request.planes = {plane({DRM_FORMAT_XRGB8888})};
	const auto plan = solvePlan(request);
	ASSERT_FALSE(plan);
	EXPECT_EQ(plan.error().misses.size(), 1u);
	EXPECT_EQ(plan.error().considered, 64u);
}

TEST(Plan, NamesOfTheClashesAreAllDifferent)
{
	std::vector<std::string> names;
	for (int kind = 0; kind <= static_cast<int>(ClashKind::Space); kind++)
		names.emplace_back(clashName(static_cast<ClashKind>(kind)));
	std::ranges::sort(names);
	EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
	EXPECT_FALSE(std::ranges::contains(names, "unknown"));
}
