/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts the parts of lint() together, and looks for names that meet. */
#include "heapflow/heap/heap_lint.h"

#include "heap_lint_parts.h"
#include "heapflow/heap/known_heap_names.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace heapflow
{

namespace
{

constexpr size_t kLongestName = 63; /* CMA_MAX_NAME without its NUL */

/* Not the memory of firmware and other things that nobody meant to be a heap. */
bool isMeantAsHeap(const ReservedNode &node)
{
	return node.isSharedPool() || node.reusable || node.cmaDefault;
}

void lintKernelsName(const LintSubject &subject, LintFindings &findings)
{
	const KnownHeapName *known = knownHeapName(subject.name);
	if (subject.node && known && known->origin == NameOrigin::Kernel)
		findings.push_back(
			{"unique", LintSeverity::Error, subject.name,
			 "the kernel has a heap of this name itself, and makes no second "
			 "one: dma_heap_add()",
			 suggestHeapName(subject)});
}

/* Names that the kernel cannot tell apart once it has cut them, and names that are given twice. */
void lintTwins(const std::vector<LintSubject> &subjects, LintFindings &findings)
{
	std::map<std::string_view, const LintSubject *> seen;
	for (const LintSubject &subject : subjects) {
		const std::string_view kept =
			std::string_view(subject.name).substr(0, kLongestName);
		const auto [first, isNew] = seen.try_emplace(kept, &subject);
		if (isNew)
			continue;
		const bool same = first->second->name == subject.name;
		findings.push_back({"unique", LintSeverity::Error, subject.name,
				    same ? "the name is given to two regions"
					 : "its first 63 bytes are also those of another name",
				    suggestHeapName(subject)});
	}
}

void lintRelations(const LintSubject &subject, LintFindings &findings)
{
	auto note = [&](std::string message) {
		findings.push_back(
			{"same-region", LintSeverity::Note, subject.name, std::move(message), {}});
	};
	if (!subject.linkTarget.empty())
		note("a link to " + subject.linkTarget);
	else if (!subject.sameRegionAs.empty())
		note("is one region with " + subject.sameRegionAs);
}

/* Two bad names can lead to one good one: each suggestion is made for one name alone. */
void separateSuggestions(const LintInput &input, LintFindings &findings)
{
	std::set<std::string> taken;
	for (const LintSubject &subject : input.subjects)
		taken.insert(subject.name);

	std::map<std::pair<std::string, std::string>, std::string> given;
	for (LintFinding &finding : findings) {
		if (finding.suggestion.empty())
			continue;
		auto &own = given[{finding.name, finding.suggestion}];
		for (unsigned number = 1; own.empty(); number++) {
			std::string text = finding.suggestion;
			if (number > 1)
				text += "-" + std::to_string(number);
			if (taken.insert(text).second)
				own = std::move(text);
		}
		finding.suggestion = own;
	}
}

} /* namespace */

LintInput lintInput(std::span<const std::string> names)
{
	LintInput input;
	for (const std::string &name : names)
		input.subjects.push_back({.name = name});
	return input;
}

LintInput lintInput(const ReservedMemory &tree)
{
	LintInput input{.tree = tree, .commandLine = tree.bootArguments};
	for (const ReservedNode &node : tree.nodes) {
		if (isMeantAsHeap(node))
			input.subjects.push_back({.name = node.name, .node = node});
	}
	return input;
}

LintInput lintInput(const std::vector<Heap> &heaps, const ReservedMemory &tree,
		    std::string commandLine)
{
	LintInput input = lintInput(tree);
	input.commandLine = std::move(commandLine);
	std::map<std::string, std::string> firstOfRegion;
	for (LintSubject &subject : input.subjects)
		subject.exists = false;

	for (const Heap &heap : heaps) {
		const std::string &name = heap.name.text;
		const auto [first, isNew] = firstOfRegion.try_emplace(heap.region.id, name);
		auto subject = std::ranges::find_if(input.subjects, [&](const LintSubject &one) {
			return one.name.substr(0, kLongestName) == name;
		});
		if (subject == input.subjects.end()) {
			input.subjects.push_back({.name = name, .givenByKernel = true});
			subject = std::prev(input.subjects.end());
		}
		subject->exists = true;
		subject->linkTarget = heap.linkTarget;
		subject->base = heap.region.base;
		subject->contiguous = heap.region.contiguous;
		if (!isNew)
			subject->sameRegionAs = first->second;
	}
	return input;
}

std::vector<LintFinding> lint(const LintInput &input)
{
	LintFindings findings;
	for (const LintSubject &subject : input.subjects) {
		lintName(subject, findings);
		lintTruth(subject, findings);
		lintKernelsName(subject, findings);
		lintNode(subject, findings);
		lintRelations(subject, findings);
	}
	lintTwins(input.subjects, findings);
	lintTree(input, findings);

	std::ranges::stable_sort(findings, {}, [](const LintFinding &finding) {
		return std::tuple(std::string_view(finding.name), finding.severity);
	});
	separateSuggestions(input, findings);
	return findings;
}

} /* namespace heapflow */
