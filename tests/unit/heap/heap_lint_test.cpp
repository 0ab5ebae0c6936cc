/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules of names, and of nodes that shall become heaps. */
#include "heapflow/heap/heap_lint.h"
#include "heapflow/heap/known_heap_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace
{

std::vector<LintFinding> lintNames(const std::vector<std::string> &names)
{
	return lint(lintInput(names));
}

/* "severity rule" of each finding. */
std::vector<std::string> verdicts(const std::vector<LintFinding> &findings)
{
	std::vector<std::string> list;
	for (const LintFinding &finding : findings)
		list.push_back(std::string(severityName(finding.severity)) + " " +
			       std::string(finding.rule));
	return list;
}

std::vector<std::string> verdictsOf(const std::string &name)
{
	return verdicts(lintNames({name}));
}

ReservedNode pool(const std::string &name, uint64_t base, uint64_t size)
{
	return {.name = name,
		.compatible = {"shared-dma-pool"},
		.reusable = true,
		.hasReg = true,
		.reg = {{base, size}}};
}

ReservedMemory treeOf(std::vector<ReservedNode> nodes)
{
	return {.present = true,
		.rootAddressCells = 2,
		.rootSizeCells = 2,
		.addressCells = 2,
		.sizeCells = 2,
		.hasRanges = true,
		.nodes = std::move(nodes)};
}

std::vector<std::string> verdictsOf(const ReservedMemory &tree)
{
	return verdicts(lint(lintInput(tree)));
}

} /* namespace */

TEST(LintName, TheExamplesOfTheConvention)
{
	EXPECT_THAT(verdictsOf("video@42000000"), IsEmpty());
	EXPECT_THAT(verdictsOf("memory@42000000-contiguous"), ElementsAre("note says-usage"));
	EXPECT_THAT(verdictsOf("cma-video"), ElementsAre("error no-implementation"));
	for (const char *name : {"system", "system_cc_shared", "default_cma_region",
				 "protected,secure-video", "protected,trusted-ui"})
		EXPECT_THAT(verdictsOf(name), IsEmpty()) << name;
}

TEST(LintName, EachRuleOfTheConvention)
{
	EXPECT_THAT(verdictsOf("video-new"), Contains("error stable"));
	EXPECT_THAT(verdictsOf("reserved"), Contains("error stable"));
	EXPECT_THAT(verdictsOf("memory"), Contains("error describes-region"));
	EXPECT_THAT(verdictsOf("buffer0"), Contains("error describes-region"));
	EXPECT_THAT(verdictsOf("contiguous"), Contains("error describes-region"));
	EXPECT_THAT(verdicts(lintNames({"video", "video"})), ElementsAre("error unique"));
	for (const char *name :
	     {"linux,cma", "dma_heap", "CMA-video", "video-heap", "ion_system", "video_dmabuf2"})
		EXPECT_THAT(verdictsOf(name), Contains("error no-implementation")) << name;
	EXPECT_THAT(verdictsOf("memory@42000000"), ElementsAre("warning says-property"));
	EXPECT_THAT(verdictsOf("video-secure"), ElementsAre("warning property-word"));
	EXPECT_THAT(verdictsOf("system-contiguous"), Contains("error true-property"));
}

TEST(LintName, WordsAreNotFoundInsideOthers)
{
	for (const char *name : {"cinema", "ionosphere", "memorial", "renewal", "heapster"})
		EXPECT_THAT(verdictsOf(name), IsEmpty()) << name;
}

TEST(LintName, WhatDeviceTreesAndTheKernelCanSay)
{
	EXPECT_THAT(verdictsOf(""), Contains("error name-characters"));
	EXPECT_THAT(verdictsOf("vid eo"), Contains("error name-characters"));
	EXPECT_THAT(verdictsOf("video:1"), Contains("error name-characters"));
	EXPECT_THAT(verdictsOf("4video"), Contains("error name-characters"));
	EXPECT_THAT(verdictsOf(std::string(63, 'v')), IsEmpty());
	EXPECT_THAT(verdictsOf(std::string(64, 'v')), ElementsAre("error name-length"));
	/* CMA cuts both to the same 63 bytes. */
	const std::string longName(63, 'v');
	EXPECT_THAT(verdicts(lintNames({longName, longName + "2"})), Contains("error unique"));
	EXPECT_THAT(verdictsOf("video@xyz"), ElementsAre("error unit-address"));
	EXPECT_THAT(verdictsOf("video@0042"), ElementsAre("warning unit-address"));
	EXPECT_THAT(verdictsOf("video@4A000000"), ElementsAre("warning unit-address"));
}

TEST(LintName, AKernelsNameIsAWarningWhereNobodyCanChangeIt)
{
	LintSubject subject{.name = "cma-uncached", .givenByKernel = true};
	const auto findings = lint({.subjects = {subject}});
	ASSERT_FALSE(findings.empty());
	for (const LintFinding &finding : findings) {
		EXPECT_NE(finding.severity, LintSeverity::Error) << finding.rule;
		EXPECT_EQ(finding.suggestion, "") << finding.rule;
	}
	EXPECT_THAT(findings[0].message, HasSubstr("Rockchip"));
	EXPECT_THAT(verdictsOf("cma-uncached"), Contains("error no-implementation"));
}

TEST(LintName, ALinkIsNotJudged)
{
	LintSubject subject{.name = "vidbuf_cached", .linkTarget = "linux,cma"};
	EXPECT_THAT(verdicts(lint({.subjects = {subject}})), ElementsAre("note same-region"));
}

TEST(LintName, SuggestionsKeepWhatIsTrue)
{
	auto suggest = [](const std::string &name) {
		return suggestHeapName({.name = name});
	};
	EXPECT_EQ(suggest("cma-video"), "video");
	EXPECT_EQ(suggest("cma-video@42000000"), "video@42000000");
	EXPECT_EQ(suggest("linux,cma"), "video-contiguous");
	EXPECT_EQ(suggest("CMA_Camera-contiguous"), "camera-contiguous");
	EXPECT_EQ(suggestHeapName({.name = "linux,cma", .node = pool("linux,cma", 0x4a000000, 1)}),
		  "memory@4a000000-contiguous");
	EXPECT_EQ(suggestHeapName({.name = "video@1", .node = pool("video@1", 0x44000000, 1)}),
		  "video@44000000");
	EXPECT_EQ(suggestHeapName({.name = "protected-x", .node = pool("protected-x", 16, 1)}),
		  "x@10");
}

TEST(LintName, TwoNamesAreNotLedToOne)
{
	std::vector<std::string> suggestions;
	for (const LintFinding &finding : lintNames({"cma-video", "video-heap", "video"}))
		suggestions.push_back(finding.suggestion);
	EXPECT_THAT(suggestions, ElementsAre("video-2", "video-3"));
	EXPECT_THAT(verdictsOf("video-2"), IsEmpty());
}

TEST(LintName, ASuggestionForEachKnownNameIsClean)
{
	for (const KnownHeapName &known : knownHeapNames()) {
		const std::string name = suggestHeapName({.name = std::string(known.name)});
		EXPECT_THAT(verdictsOf(name), IsEmpty()) << known.name << " -> " << name;
	}
}

TEST(LintNode, AGoodTreeIsClean)
{
	EXPECT_THAT(verdictsOf(treeOf({pool("camera@50000000", 0x50000000, 64 << 20),
				       pool("video@42000000", 0x42000000, 64 << 20)})),
		    IsEmpty());
	EXPECT_THAT(verdictsOf(ReservedMemory{}), IsEmpty());
}

TEST(LintNode, TheAddressOfTheNameIsThatOfReg)
{
	EXPECT_THAT(verdictsOf(treeOf({pool("video@43000000", 0x42000000, 4 << 20)})),
		    ElementsAre("error unit-address"));
	EXPECT_THAT(verdictsOf(treeOf({pool("video", 0x42000000, 4 << 20)})),
		    ElementsAre("warning unit-address"));
	ReservedNode placed = pool("video@42000000", 0, 0);
	placed.hasReg = false;
	placed.reg.clear();
	placed.size = 4 << 20;
	EXPECT_THAT(verdictsOf(treeOf({placed})), ElementsAre("error unit-address"));
}

TEST(LintNode, WhatKeepsItFromBeingAHeap)
{
	auto with = [](auto change) {
		ReservedNode node = pool("video@42000000", 0x42000000, 64 << 20);
		change(node);
		return verdictsOf(treeOf({node}));
	};
	EXPECT_THAT(with([](ReservedNode &n) { n.reusable = false; }),
		    ElementsAre("warning reusable"));
	EXPECT_THAT(with([](ReservedNode &n) { n.noMap = true; }), ElementsAre("error reusable"));
	EXPECT_THAT(with([](ReservedNode &n) {
			    n.noMap = true;
			    n.reusable = false;
		    }),
		    ElementsAre("note reusable"));
	EXPECT_THAT(with([](ReservedNode &n) { n.compatible = {"other"}; }),
		    ElementsAre("warning shared-dma-pool"));
	EXPECT_THAT(with([](ReservedNode &n) { n.status = "disabled"; }),
		    ElementsAre("note status"));
	EXPECT_THAT(with([](ReservedNode &n) { n.reg[0].size = 0; }),
		    ElementsAre("error region-size"));
	EXPECT_THAT(with([](ReservedNode &n) { n.reg[0].size = (64 << 20) + (1 << 20); }),
		    ElementsAre("error cma-alignment"));
	EXPECT_THAT(with([](ReservedNode &n) { n.reg[0].size = (64 << 20) + (2 << 20); }),
		    ElementsAre("warning cma-alignment"));
	EXPECT_THAT(with([](ReservedNode &n) { n.reg.push_back({0x60000000, 1 << 22}); }),
		    ElementsAre("warning one-range"));
	EXPECT_THAT(with([](ReservedNode &n) { n.allocRanges = {{0, 1}}; }),
		    ElementsAre("warning alloc-ranges"));
	EXPECT_THAT(with([](ReservedNode &n) {
			    n.name = "video";
			    n.hasReg = false;
			    n.reg.clear();
		    }),
		    ElementsAre("error region-size"));
	EXPECT_THAT(with([](ReservedNode &n) {
			    n.name = "video";
			    n.hasReg = false;
			    n.reg.clear();
			    n.size = 8 << 20;
			    n.alignment = 3 << 20;
			    n.allocRanges = {{0x40000000, 4 << 20}};
		    }),
		    ElementsAre("error cma-alignment", "error alloc-ranges"));
	EXPECT_THAT(with([](ReservedNode &n) { n.name = "default_cma_region"; }),
		    Contains("error unique"));
	EXPECT_THAT(with([](ReservedNode &n) { n.name = "video@42000000-protected"; }),
		    ElementsAre("error true-property"));
	EXPECT_THAT(with([](ReservedNode &n) { n.name = "video-uncached@42000000"; }),
		    ElementsAre("error true-property"));
}

TEST(LintTree, FormThatTheKernelIgnores)
{
	auto with = [](auto change) {
		ReservedMemory tree = treeOf({pool("video@42000000", 0x42000000, 64 << 20)});
		change(tree);
		return verdictsOf(tree);
	};
	const auto ignored = ElementsAre("error reserved-memory");
	EXPECT_THAT(with([](ReservedMemory &t) { t.hasRanges = false; }), ignored);
	EXPECT_THAT(with([](ReservedMemory &t) { t.addressCells = 1; }), ignored);
	EXPECT_THAT(with([](ReservedMemory &t) { t.sizeCells.reset(); }), ignored);
	EXPECT_THAT(with([](ReservedMemory &t) { t.rootSizeCells = t.sizeCells = 3; }), ignored);
}

TEST(LintTree, OneDefault)
{
	ReservedNode one = pool("display@42000000", 0x42000000, 64 << 20);
	ReservedNode other = pool("video@50000000", 0x50000000, 64 << 20);
	one.cmaDefault = other.cmaDefault = true;
	EXPECT_THAT(verdictsOf(treeOf({one, other})), ElementsAre("error cma-default"));

	ReservedMemory tree = treeOf({one});
	EXPECT_THAT(verdictsOf(tree), IsEmpty());
	tree.bootArguments = "quiet cma=64M";
	EXPECT_THAT(verdictsOf(tree), ElementsAre("error cma-default"));
	tree.bootArguments = "vivid.cma=1 xcma=64M -- cma=64M";
	EXPECT_THAT(verdictsOf(tree), IsEmpty());
}

TEST(LintTree, OverlapsAlsoWithWhatIsNoHeap)
{
	ReservedNode firmware{.name = "firmware@43000000",
			      .noMap = true,
			      .hasReg = true,
			      .reg = {{0x43000000, 0x1000}}};
	const auto findings =
		lint(lintInput(treeOf({firmware, pool("video@42000000", 0x42000000, 64 << 20)})));
	ASSERT_THAT(verdicts(findings), ElementsAre("error overlap"));
	EXPECT_THAT(findings[0].message, HasSubstr("inside video@42000000"));
	firmware.reg[0].base = 0x46000000;
	EXPECT_THAT(verdictsOf(treeOf({firmware, pool("video@42000000", 0x42000000, 64 << 20)})),
		    IsEmpty());
	EXPECT_THAT(
		verdictsOf(treeOf({pool("video@fffffffffc000000", 0xfffffffffc000000, 64 << 20),
				   pool("video@fffffffffe000000", 0xfffffffffe000000, 4 << 20)})),
		Contains("error overlap"));
}

TEST(LintTree, MoreAreasThanTheKernelMakes)
{
	std::vector<ReservedNode> nodes;
	for (uint64_t i = 1; i <= 8; i++) {
		const uint64_t base = i << 28;
		nodes.push_back(pool("video@" + std::to_string(i) + "0000000", base, 4 << 20));
	}
	EXPECT_THAT(verdictsOf(treeOf(nodes)), IsEmpty());
	nodes.push_back(pool("video@a0000000", 0xa0000000, 4 << 20));
	EXPECT_THAT(verdictsOf(treeOf(nodes)), ElementsAre("warning cma-areas"));
}

TEST(LintSystem, HeapsAndNodesMeet)
{
	std::vector<Heap> heaps(3);
	heaps[0].name = parseHeapName("default_cma_region");
	heaps[0].region.id = "display@48000000";
	heaps[1].name = parseHeapName("display@48000000");
	heaps[1].region.id = "display@48000000";
	heaps[2].name = parseHeapName("system");
	heaps[2].region.id = "system";
	const ReservedMemory tree = treeOf({pool("display@48000000", 0x48000000, 64 << 20),
					    pool("video@42000000", 0x42000000, 64 << 20)});

	const auto findings = lint(lintInput(heaps, tree, ""));
	EXPECT_THAT(verdicts(findings), ElementsAre("note same-region", "error appears"));
	EXPECT_EQ(findings[1].name, "video@42000000");
}

TEST(LintSystem, CmaOnTheCommandLineOverrulesOnlyWhatIsNotThere)
{
	ReservedNode node = pool("display@48000000", 0x48000000, 64 << 20);
	node.cmaDefault = true;
	std::vector<Heap> heaps(1);
	heaps[0].name = parseHeapName("reserved");
	heaps[0].region.id = "reserved";
	const auto gone = lint(lintInput(heaps, treeOf({node}), "cma=64M"));
	EXPECT_THAT(verdicts(gone), Contains("error cma-default"));

	heaps[0].name = parseHeapName("display@48000000");
	heaps[0].region.id = "display@48000000";
	EXPECT_THAT(lint(lintInput(heaps, treeOf({node}), "cma=64M")), IsEmpty());
}

TEST(LintRules, EachHasTextAndCitationAndOneId)
{
	for (const LintRule &rule : lintRules()) {
		EXPECT_FALSE(rule.text.empty() || rule.citation.empty()) << rule.id;
		EXPECT_EQ(lintRule(rule.id), &rule);
	}
	EXPECT_EQ(lintRule("nothing"), nullptr);
}
