/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A device tree with many regions, good names and bad: board/variants/many-regions.dts. */
#include "many_regions.h"
#include "other_holder.h"

#include "heapflow/heap/heap_choice.h"

#include <cerrno>

#include <gmock/gmock.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

namespace
{

/* The heaps that an expression means, in the order in which they are tried. */
std::vector<std::string> turnsOf(const char *expression)
{
	std::vector<std::string> names;
	const auto choice = chooseHeap(expression);
	if (!choice)
		return {choice.error().text()};
	for (const HeapCandidate &candidate : choice->candidates) {
		if (candidate.matches)
			names.push_back(candidate.heap.name.text);
	}
	return names;
}

std::string reasonFor(const HeapChoice &choice, std::string_view name)
{
	for (const HeapCandidate &candidate : choice.candidates) {
		if (candidate.heap.name.text == name)
			return candidate.reason;
	}
	return "is no candidate";
}

class ManyRegions : public ManyRegionsBoard
{
};

class ManyRegionsFallback : public ManyRegionsBoard
{
};

} /* namespace */

TEST_F(ManyRegions, EveryHeapHasItsRegion)
{
	const auto heaps = listHeaps();
	ASSERT_TRUE(heaps) << heaps.error().text();
	ASSERT_THAT(*heaps, SizeIs(kManyRegions.size()));
	for (size_t i = 0; i < kManyRegions.size(); i++) {
		const PromisedRegion &promised = kManyRegions[i];
		const Heap &heap = (*heaps)[i];
		ASSERT_EQ(heap.name.text, promised.heap);
		EXPECT_EQ(heap.region.id, promised.region);
		EXPECT_EQ(heap.region.contiguous, promised.size != 0) << promised.heap;
		EXPECT_EQ(heap.region.isDefault,
			  promised.region == std::string_view("display@48000000"))
			<< promised.heap;
		if (!promised.size)
			continue;
		EXPECT_EQ(heap.region.total, promised.size) << promised.heap;
		EXPECT_EQ(heap.region.free, promised.size) << promised.heap;
		EXPECT_EQ(heap.region.largest, promised.size) << promised.heap;
		ASSERT_TRUE(heap.region.base) << promised.heap;
		EXPECT_EQ(*heap.region.base, promised.base ? promised.base : *heap.region.base);
	}
}

TEST_F(ManyRegions, RegionsDoNotOverlap)
{
	const auto heaps = listHeaps();
	ASSERT_TRUE(heaps);
	for (const Heap &one : *heaps) {
		for (const Heap &other : *heaps) {
			if (one.region.id == other.region.id || !one.region.base ||
			    !other.region.base)
				continue;
			EXPECT_TRUE(*one.region.base + *one.region.total <= *other.region.base ||
				    *other.region.base + *other.region.total <= *one.region.base)
				<< one.name.text << " and " << other.name.text;
		}
	}
}

TEST_F(ManyRegions, TheTwinIsCountedOnce)
{
	const RegionTotals totals = sumRegions(*listHeaps());
	EXPECT_EQ(totals.regions, 7u);
	EXPECT_EQ(totals.total, kManyRegionsTotal);
	EXPECT_EQ(totals.free, kManyRegionsTotal);
}

TEST_F(ManyRegions, ReservedMemoryThatTheKernelGivesNobodyIsNoHeap)
{
	for (const char *name : kNoHeaps) {
		/* It is in the device tree: its absence from the heaps means something. */
		EXPECT_TRUE(std::filesystem::exists(SystemPaths{}.deviceTree / "reserved-memory" /
						    name))
			<< name;
		EXPECT_FALSE(findHeap(name)) << name;
		EXPECT_THAT(turnsOf(name)[0], HasSubstr("ENOENT"));
	}
}

TEST_F(ManyRegions, APatternTakesTheFirstByNameAndKeepsTheOthers)
{
	EXPECT_THAT(turnsOf("video@*"), ElementsAre("video@42000000", "video@44000000"));
	EXPECT_THAT(turnsOf("video@44*:video@*"), ElementsAre("video@44000000", "video@42000000"));
	EXPECT_THAT(turnsOf("*video*"),
		    ElementsAre("cma-video", "video@42000000", "video@44000000"));
	EXPECT_THAT(turnsOf("camera@*:default"),
		    ElementsAre("camera@45000000", "default_cma_region"));
	EXPECT_THAT(turnsOf("*"), SizeIs(8)) << "a region stands once";
}

TEST_F(ManyRegions, ANameThatExistsWinsOverAnAlias)
{
	/* linux,cma was the default region's name; here it is a region beside it. */
	EXPECT_THAT(turnsOf("linux,cma"), ElementsAre("linux,cma"));
	EXPECT_THAT(turnsOf("default"), ElementsAre("default_cma_region"));
	/* Names of old kernels that nothing has here still mean the default region. */
	EXPECT_THAT(turnsOf("reserved"), ElementsAre("default_cma_region"));
	EXPECT_THAT(turnsOf("default-pool"), ElementsAre("default_cma_region"));
	EXPECT_THAT(turnsOf("display@48000000"), ElementsAre("display@48000000"));
}

TEST_F(ManyRegions, EveryHeapIsExplained)
{
	const auto expression = parseHeapExpression("video@*:default");
	ASSERT_TRUE(expression);
	const HeapChoice choice = explainChoice(*expression, *listHeaps());
	EXPECT_THAT(choice.candidates, SizeIs(kManyRegions.size()));
	for (const PromisedRegion &promised : kManyRegions)
		EXPECT_NE(reasonFor(choice, promised.heap), "") << promised.heap;
	EXPECT_THAT(reasonFor(choice, "display@48000000"), HasSubstr("default_cma_region"))
		<< "the twin says whose region it is";
}

TEST_F(ManyRegions, ConditionsAreHeldAgainstTheEvidence)
{
	EXPECT_THAT(turnsOf("usage=video"), ElementsAre("video@42000000", "video@44000000"));
	EXPECT_THAT(turnsOf("usage=video,min-free=20M"), ElementsAre("video@42000000"));
	EXPECT_THAT(turnsOf("usage=camera:usage=video"),
		    ElementsAre("camera@45000000", "video@42000000", "video@44000000"));
	EXPECT_THAT(turnsOf("not=contiguous"), ElementsAre("system"));
	/* Where a region lies is known of those that the kernel placed as well. */
	EXPECT_THAT(turnsOf("is=dedicated,below=1140850688"), ElementsAre("video@42000000"))
		<< "it ends at 0x44000000";
	EXPECT_THAT(turnsOf("is=dedicated,below=1140850687"), ElementsAre(HasSubstr("ENOENT")));
	for (const std::string &name : turnsOf("is=dedicated"))
		EXPECT_THAT(name, testing::Not(testing::AnyOf("system", "default_cma_region",
							      "display@48000000")));
	EXPECT_THAT(turnsOf("is=dedicated"), SizeIs(6));
	EXPECT_THAT(turnsOf("min-free=33M"),
		    ElementsAre(testing::AnyOf("system", HasSubstr("ENOENT"))));
}

TEST_F(ManyRegions, AConditionOnFreeMemorySeesWhatOthersHold)
{
	const auto held = openHeap("video@42000000").allocate(28 * kMiB);
	ASSERT_TRUE(held) << held.error().text();
	EXPECT_THAT(turnsOf("usage=video,min-free=8M"), ElementsAre("video@44000000"));
}

TEST_F(ManyRegions, AutoTakesRegionsForVideoThenTheCameras)
{
	auto turns = turnsOf("auto");
	ASSERT_GT(turns.size(), 4u) << turns[0];
	EXPECT_EQ(turns[3], "camera@45000000");
	turns.resize(3);
	EXPECT_THAT(turns, ElementsAre("video@42000000", "video@44000000", "cma-video"));
}

TEST_F(ManyRegionsFallback, FromOneRegionToTheNextByName)
{
	/* 20 MiB do not fit in 16. */
	const auto choice = chooseHeap("video@44*:camera@*:video@*:default");
	ASSERT_TRUE(choice);
	const auto got = allocateBuffers(*choice, 5, 4 * kMiB, "five");
	ASSERT_TRUE(got) << got.error().text();
	EXPECT_EQ(got->heap.name.text, "video@42000000");
	ASSERT_THAT(got->fallbacks, SizeIs(2));
	EXPECT_THAT(got->fallbacks[0].text(), HasSubstr("video@44000000"));
	EXPECT_THAT(got->fallbacks[0].text(), HasSubstr("buffer 5 of 5"));
	EXPECT_THAT(got->fallbacks[1].text(), HasSubstr("camera@45000000"));
	EXPECT_EQ(sumRegions(*listHeaps()).free, kManyRegionsTotal - 20 * kMiB)
		<< "what was taken on the way is given back";
}

TEST_F(ManyRegionsFallback, WhenAnotherProcessHasTheMemory)
{
	OtherHolder other("camera@45000000", "4M", 3);
	ASSERT_TRUE(other.held());
	EXPECT_EQ(freeBytes("camera@45000000"), 4 * kMiB);

	const auto choice = chooseHeap("camera@*:video@*");
	ASSERT_TRUE(choice);
	const auto second = allocateBuffers(*choice, 2, 4 * kMiB, "two");
	ASSERT_TRUE(second) << second.error().text();
	EXPECT_EQ(second->heap.name.text, "video@42000000");
	ASSERT_THAT(second->fallbacks, SizeIs(1));
	EXPECT_THAT(second->fallbacks[0].text(), HasSubstr("ENOMEM"));

	other.end();
	EXPECT_EQ(freeBytes("camera@45000000"), 16 * kMiB) << "the kernel took them back";
	const auto first = allocateBuffers(*choice, 2, 4 * kMiB, "two");
	ASSERT_TRUE(first);
	EXPECT_EQ(first->heap.name.text, "camera@45000000");
	EXPECT_THAT(first->fallbacks, IsEmpty());
}

TEST_F(ManyRegionsFallback, TheLastResortHasNoRegion)
{
	const auto choice = chooseHeap("frames:linux,cma:system");
	ASSERT_TRUE(choice);
	const auto got = allocateBuffers(*choice, 3, 4 * kMiB, "three");
	ASSERT_TRUE(got) << got.error().text();
	EXPECT_EQ(got->heap.name.text, "system");
	EXPECT_FALSE(got->heap.region.contiguous);
	EXPECT_THAT(got->fallbacks, SizeIs(2));
}
