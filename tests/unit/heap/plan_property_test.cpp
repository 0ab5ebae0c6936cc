/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random systems: a plan keeps every rule, by a judge that shares no code with the solver. */
#include "heapflow/heap/plan.h"
#include "plan_parts.h"

#include <algorithm>
#include <map>
#include <random>

#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

class RandomSystem
{
public:
	explicit RandomSystem(unsigned seed) : random_(seed) {}

	PlanRequest make()
	{
		PlanRequest request{.source = source()};
		for (unsigned i = number(1, 3); i > 0; i--)
			request.planes.push_back(onePlane(i));
		for (unsigned i = number(1, 3); i > 0; i--)
			request.heaps.inOrder.push_back(heap(i));
		if (number(0, 2) == 0)
			request.heaps.systemFree = number(1, 64) * kMiB;
		if (number(0, 2) == 0)
			request.heaps.endOfMemory = uint64_t{number(1, 6)} << 30;
		if (number(0, 1)) {
			request.preference.width = number(1, 2000);
			request.preference.height = number(1, 2000);
			request.preference.exactSize = number(0, 9) == 0;
		}
		request.preference.extraBuffers = number(0, 2);
		return request;
	}

	std::mt19937 &engine() { return random_; }

private:
	unsigned number(unsigned low, unsigned high) { return low + random_() % (high - low + 1); }

	uint32_t fourcc()
	{
		const uint32_t formats[] = {DRM_FORMAT_NV12,   DRM_FORMAT_YUV420,   DRM_FORMAT_YUYV,
					    DRM_FORMAT_RGB888, DRM_FORMAT_XRGB8888, DRM_FORMAT_NV15,
					    DRM_FORMAT_NV24,   DRM_FORMAT_P030};
		return formats[number(0, 7)];
	}

	uint32_t alignment()
	{
		const uint32_t steps[] = {1, 1, 2, 3, 4, 16, 48, 64, 128, 256};
		return steps[number(0, 9)];
	}

	SourceMode oneMode()
	{
		const uint32_t width = number(1, 1500);
		const uint32_t height = number(1, 1500);
		const uint32_t more = number(0, 1) ? number(0, 1000) : 0;
		return {.fourcc = fourcc(),
			.modifier = number(0, 9) == 0 ? 1u : 0u,
			.size = {width, width + more, number(1, 20), height, height + more,
				 number(1, 20)},
			.rate = number(0, 3) * 10000,
			.stride = {.kind = static_cast<StrideRules::Kind>(number(0, 2)),
				   .alignment = alignment(),
				   .minimum = number(0, 1) ? number(0, 3000) : 0,
				   .maximum = number(0, 3) ? 0xffffffff : number(500, 8000),
				   .fixed = number(1, 8000)},
			.heightAlignment = number(0, 2) ? 1u : 16u};
	}

	MemoryNeeds needs()
	{
		MemoryNeeds result{.contiguous = static_cast<Demand>(number(0, 2))};
		result.cpuMappable = number(0, 3) == 0;
		if (number(0, 2) == 0)
			result.addressLimit = uint64_t{number(1, 5)} << 30;
		result.strideAlignment = alignment();
		result.offsetAlignment = number(0, 2) ? 1u : alignment();
		result.sizeAlignment = number(0, 2) ? 1u : 4096u * number(1, 20);
		return result;
	}

	PlanSource source()
	{
		PlanSource result{.name = "camera"};
		for (unsigned i = number(1, 5); i > 0; i--)
			result.modes.push_back(oneMode());
		result.minimumBuffers = number(1, 6);
		result.maximumBuffers = result.minimumBuffers + number(0, 6);
		result.keeps = number(1, 3);
		result.needs = needs();
		return result;
	}

	PlanPlane onePlane(unsigned index)
	{
		PlanPlane result{.name = "plane " + std::to_string(index)};
		for (unsigned i = number(1, 8); i > 0; i--)
			result.formats.push_back({fourcc(), number(0, 9) == 0 ? 1u : 0u});
		result.pitchAlignment = alignment();
		result.maximumPitch = number(0, 3) ? 0xffffffff : number(500, 16000);
		result.minWidth = number(0, 1) ? 1 : number(1, 600);
		result.maxWidth = number(0, 1) ? 8192 : number(300, 2000);
		result.maxHeight = number(0, 1) ? 8192 : number(300, 2000);
		if (number(0, 1)) {
			result.outputWidth = number(300, 2000);
			result.outputHeight = number(300, 2000);
		}
		result.scales = number(0, 1);
		result.crops = number(0, 1);
		result.buffersHeld = number(1, 3);
		result.needs = needs();
		return result;
	}

	Heap heap(unsigned index)
	{
		if (number(0, 2) == 0)
			return systemHeap();
		const std::string names[] = {"video", "protected,video", "camera-contiguous"};
		Heap result = cmaHeap(names[number(0, 2)] + std::to_string(index),
				      number(0, 20) * (uint64_t{1} << 28), number(1, 128) * kMiB);
		result.region.largest = number(1, 128) * kMiB;
		result.accessible = number(0, 9) != 0;
		result.region.contiguous = number(0, 4) != 0;
		if (number(0, 4) == 0)
			result.region.base.reset();
		return result;
	}

	std::mt19937 random_;
};

bool onStep(uint32_t value, uint32_t min, uint32_t max, uint32_t step)
{
	return value >= min && value <= max && (value - min) % step == 0;
}

bool probed(const Plan &plan, const std::string &device)
{
	return std::ranges::contains(plan.probes, device, &Probe::device);
}

void judgeMemory(const Plan &plan, const PlanRequest &request, const MemoryNeeds &needs,
		 const std::string &who)
{
	const Heap &heap = request.heaps.inOrder[plan.heap];
	const bool system = heap.name.text == "system";
	if (needs.contiguous == Demand::Yes) {
		EXPECT_FALSE(system);
		EXPECT_TRUE(heap.region.contiguous || probed(plan, who));
	}
	if (needs.contiguous == Demand::Unknown) {
		EXPECT_TRUE(heap.region.contiguous || probed(plan, who));
	}
	if (needs.addressLimit && heap.region.base) {
		EXPECT_LE(*heap.region.base + *heap.region.total, *needs.addressLimit);
	}
	if (needs.addressLimit && !heap.region.base && !probed(plan, who)) {
		EXPECT_LE(request.heaps.endOfMemory.value_or(~uint64_t{0}), *needs.addressLimit);
	}
	EXPECT_FALSE(needs.cpuMappable && heap.name.isProtected);
	EXPECT_EQ(plan.bufferBytes % needs.sizeAlignment, 0u);
	for (const PlaneLayout &part : plan.layout.planes)
		EXPECT_EQ(part.offset % needs.offsetAlignment, 0u);
}

void judgeSpace(const Plan &plan, const PlanRequest &request)
{
	const Heap &heap = request.heaps.inOrder[plan.heap];
	EXPECT_TRUE(heap.accessible);
	const uint64_t bytes = plan.bufferBytes * plan.buffers;
	EXPECT_GE(plan.space, bytes);
	EXPECT_EQ(plan.bufferBytes % 4096, 0u);
	EXPECT_GE(plan.bufferBytes, plan.layout.size());
	if (heap.region.free) {
		EXPECT_LE(plan.space, *heap.region.free);
		EXPECT_LE(plan.bufferBytes, *heap.region.largest);
	} else if (request.heaps.systemFree) {
		EXPECT_LE(bytes, *request.heaps.systemFree);
	}
}

void judgeStride(const Plan &plan, const PlanPlane &display, const MemoryNeeds &cameraNeeds)
{
	const StrideRules &rules = plan.mode.stride;
	const uint32_t stride = plan.layout.planes[0].stride;
	EXPECT_LE(stride, rules.maximum);
	if (rules.kind == StrideRules::Kind::Fixed) {
		EXPECT_EQ(stride, rules.fixed);
	} else {
		EXPECT_EQ(stride % rules.alignment, 0u);
		EXPECT_EQ(stride % cameraNeeds.strideAlignment, 0u);
		EXPECT_GE(stride, rules.minimum);
	}
	for (const PlaneLayout &part : plan.layout.planes) {
		EXPECT_EQ(part.stride % display.pitchAlignment, 0u);
		EXPECT_EQ(part.stride % display.needs.strideAlignment, 0u);
		EXPECT_LE(part.stride, display.maximumPitch);
	}
}

void judge(const Plan &plan, const PlanRequest &request)
{
	ASSERT_LT(plan.plane, request.planes.size());
	ASSERT_LT(plan.heap, request.heaps.inOrder.size());
	const PlanPlane &display = request.planes[plan.plane];
	const PlanSource &source = request.source;

	EXPECT_TRUE(std::ranges::contains(source.modes, plan.mode));
	EXPECT_TRUE(std::ranges::contains(display.formats,
					  PlaneFormat{plan.mode.fourcc, plan.mode.modifier}));
	EXPECT_EQ(plan.layout.fourcc, plan.mode.fourcc);
	EXPECT_TRUE(checkFrameLayout(plan.layout, plan.bufferBytes));

	const SizeRange &size = plan.mode.size;
	EXPECT_TRUE(onStep(plan.layout.width, size.minWidth, size.maxWidth, size.stepWidth));
	EXPECT_TRUE(onStep(plan.layout.height, size.minHeight, size.maxHeight, size.stepHeight));
	EXPECT_GE(plan.layout.width, display.minWidth);
	EXPECT_LE(plan.layout.width, display.maxWidth);
	EXPECT_LE(plan.layout.height, display.maxHeight);
	if (display.outputWidth && !display.scales && !display.crops) {
		EXPECT_LE(plan.layout.width, display.outputWidth);
		EXPECT_LE(plan.layout.height, display.outputHeight);
	}
	if (request.preference.exactSize) {
		EXPECT_EQ(plan.layout.width, request.preference.width);
	}

	EXPECT_GE(plan.buffers, source.minimumBuffers);
	EXPECT_LE(plan.buffers, source.maximumBuffers);
	EXPECT_GE(plan.buffers,
		  source.keeps + display.buffersHeld + request.preference.extraBuffers);

	judgeStride(plan, display, source.needs);
	judgeSpace(plan, request);
	judgeMemory(plan, request, source.needs, source.name);
	judgeMemory(plan, request, display.needs, display.name);
}

void judge(const NoPlan &none)
{
	ASSERT_FALSE(none.misses.empty());
	EXPECT_LE(none.misses.size(), kMostAlternatives);
	size_t before = 0;
	for (const Alternative &miss : none.misses) {
		ASSERT_FALSE(miss.clashes.empty());
		EXPECT_GE(miss.clashes.size(), before);
		before = miss.clashes.size();
		for (const Clash &clash : miss.clashes)
			EXPECT_FALSE(describe(clash).empty());
	}
}

TEST(PlanProperty, APlanKeepsEveryRuleAndAFailureNamesAClash)
{
	unsigned plans = 0;
	std::map<ClashKind, unsigned> kinds;
	constexpr unsigned systems = 3000;
	for (unsigned seed = 0; seed < systems; seed++) {
		SCOPED_TRACE(seed);
		const PlanRequest request = RandomSystem(seed).make();
		const auto plan = solvePlan(request);
		if (plan) {
			plans++;
			judge(*plan, request);
		} else {
			judge(plan.error());
			for (const Alternative &miss : plan.error().misses)
				for (const Clash &clash : miss.clashes)
					kinds[clash.kind]++;
		}
		if (HasFailure())
			return;
	}
	/* The systems are neither hopeless nor harmless, and every clash but "nothing" occurs. */
	EXPECT_GT(plans, systems / 20);
	EXPECT_LT(plans, systems * 9 / 10);
	EXPECT_EQ(kinds.size(), static_cast<size_t>(ClashKind::Space));
}

TEST(PlanProperty, TheOrderOfModesPlanesAndFormatsHasNoMeaning)
{
	for (unsigned seed = 0; seed < 500; seed++) {
		SCOPED_TRACE(seed);
		RandomSystem system(seed);
		PlanRequest request = system.make();
		const auto plan = solvePlan(request);
		std::ranges::shuffle(request.source.modes, system.engine());
		std::ranges::shuffle(request.planes, system.engine());
		for (PlanPlane &one : request.planes)
			std::ranges::shuffle(one.formats, system.engine());
		const auto again = solvePlan(request);
		ASSERT_EQ(plan.has_value(), again.has_value());
		EXPECT_EQ(plan ? describe(*plan) : describe(plan.error()),
			  again ? describe(*again) : describe(again.error()));
	}
}

/* What the solver refuses is impossible: the loosest party of each clash mends it. */
TEST(PlanProperty, WithoutDemandsThereIsAlwaysAPlan)
{
	for (unsigned seed = 0; seed < 300; seed++) {
		SCOPED_TRACE(seed);
		PlanRequest request = RandomSystem(seed).make();
		for (SourceMode &one : request.source.modes) {
			one.stride = {};
			one.modifier = 0;
			one.size = {4, 4096, 1, 4, 4096, 1};
		}
		request.source.needs = {.contiguous = Demand::No};
		request.source.maximumBuffers = 32;
		request.planes = {plane({})};
		for (const FormatInfo &info : knownFormats())
			request.planes[0].formats.push_back({info.fourcc, 0});
		request.heaps = {.inOrder = {systemHeap()}};
		request.preference.exactSize = false;
		const auto plan = solvePlan(request);
		ASSERT_TRUE(plan) << describe(plan.error());
		judge(*plan, request);
	}
}

} /* namespace */
