/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/heap_choice.h"

#include "system_directory.h"

#include <algorithm>
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using heapflow::test::SystemDirectory;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace
{

Heap makeHeap(const std::string &name, const std::string &region = {})
{
	Heap heap;
	heap.name = parseHeapName(name);
	heap.node = "/dev/dma_heap/" + name;
	heap.mode = 020600;
	heap.accessible = true;
	heap.region.id = region.empty() ? name : region;
	heap.region.isDefault = heap.region.id == "linux,cma";
	return heap;
}

Heap makeForbidden(const std::string &name)
{
	Heap heap = makeHeap(name);
	heap.accessible = false;
	heap.mode = 020600;
	return heap;
}

/* The heaps of the virtual board. */
std::vector<Heap> board()
{
	return {makeHeap("system"), makeHeap("default_cma_region", "linux,cma"),
		makeHeap("linux,cma", "linux,cma"), makeHeap("video@42000000"),
		makeHeap("memory@48000000-contiguous")};
}

HeapChoice explain(const char *text, const std::vector<Heap> &heaps)
{
	const auto expression = parseHeapExpression(text);
	EXPECT_TRUE(expression) << expression.error().text();
	return explainChoice(expression.value_or(HeapExpression{}), heaps);
}

/* The names that are tried, in order. */
std::vector<std::string> tried(const char *text, const std::vector<Heap> &heaps)
{
	std::vector<std::string> names;
	for (const HeapCandidate &candidate : explain(text, heaps).candidates) {
		if (candidate.matches)
			names.push_back(candidate.heap.name.text);
	}
	return names;
}

std::string reasonOf(const HeapChoice &choice, std::string_view name)
{
	for (const HeapCandidate &candidate : choice.candidates) {
		if (candidate.heap.name.text == name)
			return candidate.reason;
	}
	return "(not a candidate)";
}

/* All of a choice as text, to compare. */
std::string write(const HeapChoice &choice)
{
	std::string text;
	for (const HeapCandidate &candidate : choice.candidates)
		text += candidate.heap.node.string() + (candidate.matches ? " + " : " - ") +
			std::to_string(candidate.alternative) + " " + candidate.reason + "\n";
	for (const UnmetAlternative &unmet : choice.unmet)
		text += std::to_string(unmet.alternative) + " " + unmet.reason + "\n";
	return text;
}

} /* namespace */

TEST(ChooseHeap, AlternativesInTheirOrder)
{
	EXPECT_THAT(tried("video@*:default", board()),
		    ElementsAre("video@42000000", "default_cma_region"));
	EXPECT_THAT(tried("default:video@*", board()),
		    ElementsAre("default_cma_region", "video@42000000"));
	EXPECT_THAT(tried("system", board()), ElementsAre("system"));
	EXPECT_THAT(tried("nothing:system", board()), ElementsAre("system"));
	EXPECT_THAT(tried("system:system:s*", board()), ElementsAre("system"));
}

TEST(ChooseHeap, SameAnswerForAnyOrderOfTheHeaps)
{
	std::vector<Heap> heaps = board();
	heaps.push_back(makeHeap("camera", "video@42000000"));
	heaps.back().linkTarget = "video@42000000";
	std::ranges::sort(heaps, {}, [](const Heap &heap) { return heap.name.text; });

	for (const char *text :
	     {"*", "default", "reserved", "*@*:*", "nothing:linux,cma:*", "c*:v*"}) {
		const std::string first = write(explain(text, heaps));
		do {
			ASSERT_EQ(write(explain(text, heaps)), first) << text;
		} while (std::ranges::next_permutation(heaps, {}, [](const Heap &heap) {
				 return heap.name.text;
			 }).found);
	}
}

TEST(ChooseHeap, ARegionStandsOnceAmongTheMatches)
{
	EXPECT_THAT(tried("*", board()),
		    ElementsAre("default_cma_region", "memory@48000000-contiguous", "system",
				"video@42000000"));
	EXPECT_THAT(tried("linux,cma:default", board()), ElementsAre("linux,cma"));
	const HeapChoice choice = explain("linux,cma:default", board());
	EXPECT_THAT(reasonOf(choice, "default_cma_region"), HasSubstr("same region as linux,cma"));
	ASSERT_EQ(choice.unmet.size(), 1u);
	EXPECT_EQ(choice.unmet[0].alternative, 1u);
}

TEST(ChooseHeap, EveryHeapHasAReason)
{
	const HeapChoice choice = explain("video@*:nothing", board());
	ASSERT_EQ(choice.candidates.size(), 5u);
	for (const HeapCandidate &candidate : choice.candidates)
		EXPECT_FALSE(candidate.reason.empty()) << candidate.heap.name.text;
	EXPECT_THAT(reasonOf(choice, "video@42000000"), HasSubstr("matches video@*"));
	ASSERT_EQ(choice.unmet.size(), 1u);
	EXPECT_EQ(choice.unmet[0].alternative, 1u);
	EXPECT_THAT(choice.unmet[0].reason, HasSubstr("there is no heap nothing"));
	/* The others are sorted by name. */
	std::vector<std::string> others;
	for (size_t i = 1; i < choice.candidates.size(); i++)
		others.push_back(choice.candidates[i].heap.name.text);
	EXPECT_THAT(others, ElementsAre("default_cma_region", "linux,cma",
					"memory@48000000-contiguous", "system"));
}

TEST(ChooseHeap, OldNamesFindTheDefaultRegionOfANewKernel)
{
	const std::vector<Heap> heaps{makeHeap("default_cma_region", "linux,cma"),
				      makeHeap("system")};
	for (const char *text : {"linux,cma", "reserved", "default-pool"}) {
		EXPECT_THAT(tried(text, heaps), ElementsAre("default_cma_region")) << text;
		EXPECT_THAT(reasonOf(explain(text, heaps), "default_cma_region"),
			    HasSubstr(std::string("there is no heap ") + text));
	}
}

TEST(ChooseHeap, TheNewNameFindsTheDefaultRegionOfAnOldKernel)
{
	for (const char *name : {"reserved", "linux,cma", "default-pool"}) {
		const std::vector<Heap> heaps{makeHeap("system"), makeHeap(name, "linux,cma")};
		EXPECT_THAT(tried("default_cma_region", heaps), ElementsAre(name));
		EXPECT_THAT(tried("default", heaps), ElementsAre(name));
	}
}

TEST(ChooseHeap, ANameThatExistsWinsOverAnAlias)
{
	EXPECT_THAT(tried("linux,cma", board()), ElementsAre("linux,cma"));
	EXPECT_THAT(reasonOf(explain("linux,cma", board()), "linux,cma"), HasSubstr("exactly"));

	/* A heap of this name that is not the default region is still the one that was asked for.
	 */
	std::vector<Heap> heaps = board();
	heaps.push_back(makeHeap("reserved", "another"));
	EXPECT_THAT(tried("reserved", heaps), ElementsAre("reserved"));

	heaps.push_back(makeHeap("default", "yet another"));
	EXPECT_THAT(tried("default", heaps), ElementsAre("default"));
}

TEST(ChooseHeap, AliasesAreForNamesOnly)
{
	const std::vector<Heap> heaps{makeHeap("default_cma_region", "linux,cma")};
	EXPECT_THAT(tried("linux*", heaps), IsEmpty());
	EXPECT_THAT(tried("video@42000000", heaps), IsEmpty());
}

TEST(ChooseHeap, NoDefaultRegion)
{
	const std::vector<Heap> heaps{makeHeap("system"), makeHeap("video@42000000")};
	EXPECT_THAT(tried("default:reserved", heaps), IsEmpty());
	EXPECT_EQ(explain("default:reserved", heaps).unmet.size(), 2u);
}

TEST(ChooseHeap, ProtectedMemoryOnlyByItsExactName)
{
	std::vector<Heap> heaps = board();
	heaps.push_back(makeHeap("protected,secure-video"));
	heaps.push_back(makeHeap("video@50000000-protected"));
	EXPECT_THAT(tried("*video*", heaps), ElementsAre("video@42000000"));
	EXPECT_THAT(tried("protected*", heaps), IsEmpty());
	EXPECT_THAT(tried("protected,secure-video", heaps), ElementsAre("protected,secure-video"));
	EXPECT_THAT(reasonOf(explain("*", heaps), "protected,secure-video"),
		    HasSubstr("exact name"));
}

TEST(ChooseHeap, ALinkIsItsOwnNameForTheRegionOfItsTarget)
{
	std::vector<Heap> heaps = board();
	heaps.push_back(makeHeap("camera", "video@42000000"));
	heaps.back().linkTarget = "video@42000000";
	EXPECT_THAT(tried("camera", heaps), ElementsAre("camera"));
	EXPECT_THAT(reasonOf(explain("camera", heaps), "camera"),
		    HasSubstr("a link to video@42000000"));
	/* Among the matches of a pattern the heap itself comes first, though "camera" sorts before
	 * it. */
	EXPECT_THAT(tried("[cv]*", heaps), ElementsAre("video@42000000"));
}

TEST(ChooseHeap, NamesThatCannotBeAreNotTaken)
{
	const std::vector<Heap> heaps{makeHeap("a\x1b[31m"), makeHeap(std::string(100, 'a'))};
	EXPECT_THAT(tried("a*", heaps), IsEmpty());
}

TEST(ChooseHeap, WhatMayNotBeOpenedIsPassedOver)
{
	const std::vector<Heap> heaps{makeForbidden("video@42000000"), makeHeap("system")};
	EXPECT_THAT(tried("video@*:system", heaps), ElementsAre("system"));
	const HeapChoice choice = explain("video@*:system", heaps);
	EXPECT_THAT(reasonOf(choice, "video@42000000"), HasSubstr("may not be opened"));
	ASSERT_EQ(choice.unmet.size(), 1u);
	EXPECT_THAT(choice.unmet[0].reason, HasSubstr("may not be opened"));
}

TEST(ChooseHeap, TheTwinThatMayBeOpenedServes)
{
	std::vector<Heap> heaps = board();
	heaps[1].accessible = false;
	EXPECT_THAT(tried("default", heaps), ElementsAre("linux,cma"));
}

TEST(ChooseHeap, NothingMatchesIsEnoentAndListsWhatExists)
{
	const auto choice = chooseHeap(*parseHeapExpression("nix:nope*"), board());
	ASSERT_FALSE(choice);
	EXPECT_EQ(choice.error().code, ENOENT);
	EXPECT_THAT(choice.error().message, HasSubstr("nix:nope*"));
	for (const Heap &heap : board())
		EXPECT_THAT(choice.error().message, HasSubstr(heap.name.text));
	EXPECT_FALSE(choice.error().hint.empty());

	const auto none = chooseHeap(*parseHeapExpression("system"), {});
	ASSERT_FALSE(none);
	EXPECT_THAT(none.error().message, HasSubstr("none"));
}

TEST(ChooseHeap, OnlyForbiddenMatchesIsEaccesWithTheRuleToAdd)
{
	for (const char *text : {"video@42000000", "video@*", "nix:v*"}) {
		const auto choice =
			chooseHeap(*parseHeapExpression(text),
				   {makeForbidden("video@42000000"), makeHeap("system")});
		ASSERT_FALSE(choice) << text;
		EXPECT_EQ(choice.error().code, EACCES) << text;
		EXPECT_THAT(choice.error().message, HasSubstr("0600"));
		EXPECT_THAT(choice.error().hint, HasSubstr("SUBSYSTEM==\"dma_heap\""));
		EXPECT_THAT(choice.error().hint, HasSubstr("KERNEL==\"video@42000000\""));
	}
}

TEST(ChooseHeap, FromTheTextOfASystem)
{
	const SystemDirectory system;
	system.makeBoard();
	const auto choice = chooseHeap("nothing:video@*", system.paths());
	ASSERT_TRUE(choice) << choice.error().text();
	EXPECT_EQ(choice->taken().heap.name.text, "video@42000000");
	EXPECT_EQ(choice->taken().alternative, 1u);
	EXPECT_EQ(chooseHeap("a=b", system.paths()).error().code, EINVAL);

	SystemPaths nowhere;
	nowhere.heapDirectory = "/nonexistent";
	EXPECT_EQ(chooseHeap("system", nowhere).error().code, ENOENT);
}

TEST(AllocateBuffers, NoneAtAllIsAnError)
{
	const HeapChoice choice = explain("system", {makeHeap("system")});
	EXPECT_EQ(allocateBuffers(choice, 0, 4096, "").error().code, EINVAL);
	EXPECT_EQ(allocateBuffers(explain("nix", board()), 1, 4096, "").error().code, ENOENT);
}

TEST(HeapDevice, ANodeThatIsNoHeap)
{
	const SystemDirectory system;
	system.addHeap("video@42000000");
	const auto device = HeapDevice::open(*system.find("video@42000000"), system.paths());
	ASSERT_TRUE(device);
	const auto buffer = device->allocate(4096);
	ASSERT_FALSE(buffer);
	EXPECT_EQ(buffer.error().code, ENOTTY);
	EXPECT_EQ(device->allocate(0).error().code, EINVAL);
	EXPECT_EQ(device->allocate(UINT64_MAX).error().code, EINVAL);
}

TEST(HeapDevice, ANodeThatIsGone)
{
	const SystemDirectory system;
	system.addHeap("video@42000000");
	const Heap heap = *system.find("video@42000000");
	std::filesystem::remove(heap.node);
	const auto device = HeapDevice::open(heap, system.paths());
	ASSERT_FALSE(device);
	EXPECT_EQ(device.error().code, ENOENT);
	EXPECT_THAT(device.error().hint, HasSubstr("modprobe"));
}

TEST(HeapDevice, SystemIsNotAskedForMoreThanTheMachineHas)
{
	/* The node is a plain file: a request that reached the kernel would be ENOTTY. */
	const SystemDirectory system;
	system.addHeap("system");
	system.write("proc/meminfo",
		     "MemTotal: 65536 kB\nMemAvailable: 33792 kB\nCmaFree: 16384 kB\n");
	const auto device = HeapDevice::open(*system.find("system"), system.paths());
	ASSERT_TRUE(device);

	const uint64_t left = (33792 - 16384 - 1024) * 1024;
	EXPECT_EQ(device->allocate(left).error().code, ENOTTY);
	const auto refused = device->allocate(left + 1);
	ASSERT_FALSE(refused);
	EXPECT_EQ(refused.error().code, ENOMEM);
	EXPECT_THAT(refused.error().message, HasSubstr(std::to_string(left + 1)));
	EXPECT_THAT(refused.error().message, HasSubstr(std::to_string(left)));
}
