/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `auto`: the order of the design, with needs, proofs and devices that can be asked. */
#include "heapflow/heap/heap_choice.h"

#include "made_up_heap.h"
#include "temporary_directory.h"

#include <algorithm>
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace
{

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t k4G = uint64_t{1} << 32;

Heap video()
{
	return cmaHeap("video@42000000", 0x42000000, 64 * kMiB, 64 * kMiB);
}
Heap general()
{
	return cmaHeap("default_cma_region", 0x5bc00000, 64 * kMiB, 64 * kMiB, true);
}
Heap other()
{
	return cmaHeap("memory@48000000-contiguous", 0x48000000, 32 * kMiB, 32 * kMiB);
}

std::vector<Heap> withoutVideo()
{
	return {systemHeap(900 * kMiB), general(), other()};
}

DeviceDemands demand(Demand contiguous, std::optional<uint64_t> limit = {})
{
	return {.needs = {{.contiguous = contiguous, .addressLimit = limit, .who = "camera"}}};
}

} /* namespace */

TEST(Auto, ARegionForVideoGoesFirst)
{
	std::vector<Heap> heaps = withoutVideo();
	heaps.push_back(video());
	for (const Demand contiguous : {Demand::No, Demand::Yes, Demand::Unknown})
		EXPECT_EQ(tried("auto", heaps, demand(contiguous)).front(), "video@42000000");
	EXPECT_EQ(tried("auto", heaps).front(), "video@42000000");
}

TEST(Auto, RegionsForFramesInTheOrderOfTheirUse)
{
	const std::vector<Heap> heaps{
		cmaHeap("isp@40000000", 0x40000000, kMiB, kMiB),
		cmaHeap("display@41000000", 0x41000000, kMiB, kMiB),
		cmaHeap("camera", 0x42000000, kMiB, kMiB),
		cmaHeap("video@44000000", 0x44000000, kMiB, kMiB),
		cmaHeap("video@43000000", 0x43000000, kMiB, kMiB),
		cmaHeap("cma-video", 0x45000000, kMiB, kMiB),
	};
	EXPECT_THAT(tried("auto", heaps),
		    ElementsAre("video@43000000", "video@44000000", "cma-video", "camera",
				"display@41000000", "isp@40000000"));
}

TEST(Auto, ScatteredMemoryWhenEveryDeviceTakesIt)
{
	EXPECT_THAT(tried("auto", withoutVideo(), demand(Demand::No)),
		    ElementsAre("system", "default_cma_region", "memory@48000000-contiguous"));

	DeviceDemands both = demand(Demand::No);
	both.needs.push_back({.contiguous = Demand::Yes, .who = "panel"});
	EXPECT_THAT(tried("auto", withoutVideo(), both),
		    ElementsAre("default_cma_region", "memory@48000000-contiguous"));
	EXPECT_THAT(reasonOf("auto", withoutVideo(), "system", both),
		    HasSubstr("panel needs contiguous memory"));
}

TEST(Auto, SystemIsTheLastResortWhileNothingIsProven)
{
	EXPECT_THAT(tried("auto", withoutVideo(), demand(Demand::Unknown)),
		    ElementsAre("default_cma_region", "memory@48000000-contiguous", "system"));
	EXPECT_THAT(tried("auto", withoutVideo()),
		    ElementsAre("default_cma_region", "memory@48000000-contiguous", "system"));
	EXPECT_THAT(tried("auto", {systemHeap(kMiB)}, demand(Demand::Unknown)),
		    ElementsAre("system"));
}

TEST(Auto, AProofCountsForItsDevice)
{
	DeviceDemands demands = demand(Demand::Unknown);
	demands.needs.push_back({.contiguous = Demand::Unknown, .who = "panel"});
	demands.proofs = {{"camera", "system", {Demand::Yes, ""}}};
	EXPECT_EQ(tried("auto", withoutVideo(), demands).front(), "default_cma_region");
	demands.proofs.push_back({"panel", "system", {Demand::Yes, ""}});
	EXPECT_EQ(tried("auto", withoutVideo(), demands).front(), "system");
}

TEST(Auto, ARefusalStrikesAHeapOutOfEveryAlternative)
{
	DeviceDemands demands = demand(Demand::Unknown);
	demands.proofs = {{"camera", "default_cma_region", {Demand::No, "QBUF said EFAULT"}}};
	EXPECT_THAT(tried("default:auto", withoutVideo(), demands),
		    ElementsAre("memory@48000000-contiguous", "system"));
	EXPECT_THAT(reasonOf("default", withoutVideo(), "default_cma_region", demands),
		    HasSubstr("was refused by camera: QBUF said EFAULT"));
}

TEST(Auto, WhatADeviceCannotReachIsLeftOut)
{
	std::vector<Heap> heaps = withoutVideo();
	heaps.push_back(cmaHeap("video@140000000", 0x140000000, 64 * kMiB, 64 * kMiB));
	const DeviceDemands demands = demand(Demand::No, k4G);
	EXPECT_THAT(tried("auto", heaps, demands),
		    ElementsAre("default_cma_region", "memory@48000000-contiguous"));
	EXPECT_THAT(reasonOf("auto", heaps, "video@140000000", demands),
		    HasSubstr("out of reach of camera"));
	EXPECT_THAT(reasonOf("auto", heaps, "system", demands), HasSubstr("only a part of memory"));
}

TEST(Auto, ProtectedAndForeignRegionsNever)
{
	const std::vector<Heap> heaps{vendorHeap("protected,secure-video"),
				      cmaHeap("npu@40000000", 0x40000000, kMiB, kMiB)};
	EXPECT_THAT(tried("auto", heaps), IsEmpty());
	EXPECT_THAT(reasonOf("auto", heaps, "npu@40000000"), HasSubstr("is a region for npu"));
	EXPECT_THAT(reasonOf("auto", heaps, "protected,secure-video"), HasSubstr("asked for"));
	EXPECT_THAT(tried("protected,secure-video", heaps), ElementsAre("protected,secure-video"));
}

TEST(Auto, WorksAmongOtherAlternatives)
{
	EXPECT_THAT(tried("memory@*:auto", withoutVideo(), demand(Demand::No)),
		    ElementsAre("memory@48000000-contiguous", "system", "default_cma_region"));
}

TEST(Auto, AnyOrderOfTheHeapsGivesTheSame)
{
	std::vector<Heap> heaps = withoutVideo();
	heaps.push_back(video());
	heaps.push_back(cmaHeap("camera@50000000", 0x50000000, kMiB, kMiB));
	const auto byName = [](const Heap &heap) {
		return heap.name.text;
	};
	std::ranges::sort(heaps, {}, byName);
	const auto first = tried("auto:is=contiguous", heaps);
	do {
		ASSERT_EQ(tried("auto:is=contiguous", heaps), first);
	} while (std::ranges::next_permutation(heaps, {}, byName).found);
}

namespace
{

/* A device that takes the heaps it is told to; buffers come from plain files that are no heaps. */
class ScriptedProbe : public MemoryProbe
{
public:
	explicit ScriptedProbe(std::string name) : name_(std::move(name)) {}

	std::string device() const override { return name_; }
	uint64_t smallestBuffer() const override { return 4096; }
	ProbeAnswer tryBuffer(const Buffer &) override
	{
		ADD_FAILURE() << "no buffer can come from a plain file";
		return {};
	}

private:
	std::string name_;
};

} /* namespace */

TEST(Proofs, WhatCannotBeAllocatedIsUnknownAndNotKept)
{
	const TemporaryDirectory directory;
	Heap heap = video();
	heap.node = directory.write("video@42000000", "");
	ScriptedProbe probe("camera");
	HeapProofs proofs;

	const ProbeAnswer answer = proofs.ask(probe, heap);
	EXPECT_EQ(answer.accepted, Demand::Unknown);
	EXPECT_THAT(answer.reason, HasSubstr("no dma-buf heap"));
	EXPECT_EQ(proofs.known("camera", heap).accepted, Demand::Unknown);
}

TEST(Proofs, AChoiceWithoutAutoAsksNobody)
{
	ScriptedProbe probe("camera");
	HeapProofs proofs;
	const auto expression = parseHeapExpression("default");
	const auto choice = chooseProvenHeap(*expression, withoutVideo(), {{.who = "camera"}},
					     {&probe}, proofs);
	ASSERT_TRUE(choice);
	EXPECT_EQ(choice->taken().heap.name.text, "default_cma_region");
}

TEST(Proofs, UnknownAnswersLeaveTheOrderOfTheDesign)
{
	const TemporaryDirectory directory;
	std::vector<Heap> heaps = withoutVideo();
	for (Heap &heap : heaps)
		heap.node = directory.write(heap.name.text, "");
	ScriptedProbe probe("camera");
	HeapProofs proofs;
	const auto expression = parseHeapExpression("auto");
	const auto choice =
		chooseProvenHeap(*expression, heaps, {{.who = "camera"}}, {&probe}, proofs);
	ASSERT_TRUE(choice);
	EXPECT_EQ(choice->taken().heap.name.text, "default_cma_region");
}
