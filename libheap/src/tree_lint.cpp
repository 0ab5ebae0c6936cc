/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules about /reserved-memory as a whole, and about two of its nodes. */
#include "heap_lint_parts.h"

#include <algorithm>

namespace heapflow
{

namespace
{

constexpr size_t kCmaAreas = 8; /* CONFIG_CMA_AREAS without NUMA, mm/Kconfig */
constexpr const char *kWhole = "reserved-memory";

void lintForm(const ReservedMemory &tree, LintFindings &findings)
{
	auto add = [&](std::string message) {
		findings.push_back({"reserved-memory",
				    LintSeverity::Error,
				    kWhole,
				    std::move(message) + ": the kernel ignores the whole node",
				    {}});
	};
	auto cells = [&](const char *key, std::optional<uint64_t> root,
			 std::optional<uint64_t> own) {
		const std::string name(key);
		if (!own)
			add("there is no `" + name + "`");
		else if (root && *root != *own)
			add("`" + name + "` is " + std::to_string(*own) +
			    ", but that of the root is " + std::to_string(*root));
		else if (*own < 1 || *own > 2)
			add("`" + name + "` is " + std::to_string(*own) +
			    ", which is neither 1 nor 2");
	};
	cells("#address-cells", tree.rootAddressCells, tree.addressCells);
	cells("#size-cells", tree.rootSizeCells, tree.sizeCells);
	if (!tree.hasRanges)
		add("there is no `ranges`");
}

/* A kernel that reads its command line late makes the area nevertheless: User Mode Linux does. */
bool isThere(const LintInput &input, const std::string &name)
{
	return std::ranges::any_of(input.subjects, [&](const LintSubject &subject) {
		return subject.name == name && subject.exists == true;
	});
}

void lintDefault(const LintInput &input, LintFindings &findings)
{
	std::string first;
	for (const ReservedNode &node : input.tree->nodes) {
		if (!node.cmaDefault || !node.becomesHeap())
			continue;
		if (hasCmaArgument(input.commandLine) && !isThere(input, node.name))
			findings.push_back(
				{"cma-default",
				 LintSeverity::Error,
				 node.name,
				 "no heap: cma= on the command line overrules a node with "
				 "`linux,cma-default`; drop one of the two",
				 {}});
		if (!first.empty())
			findings.push_back({"cma-default",
					    LintSeverity::Error,
					    node.name,
					    "has `linux,cma-default`, and so has " + first,
					    {}});
		else
			first = node.name;
	}
}

/* Every node that takes memory counts, heap or not. Each pair is told once. */
void lintOverlaps(const ReservedMemory &tree, LintFindings &findings)
{
	std::vector<const ReservedNode *> placed;
	for (const ReservedNode &node : tree.nodes) {
		if (!node.reg.empty() && node.isEnabled())
			placed.push_back(&node);
	}
	/* Sorted by base, a node can only meet those that begin before it ends. */
	std::ranges::stable_sort(placed, {},
				 [](const ReservedNode *node) { return *node->base(); });
	for (size_t i = 0; i < placed.size(); i++) {
		for (size_t j = i + 1; j < placed.size(); j++) {
			const MemoryRange &one = placed[i]->reg[0];
			const MemoryRange &other = placed[j]->reg[0];
			if (!one.overlaps(other)) {
				/* Not empty: neither will those behind it overlap. */
				if (other.size)
					break;
				continue;
			}
			findings.push_back({"overlap",
					    LintSeverity::Error,
					    placed[j]->name,
					    "begins at " + hexText(other.base) + ", inside " +
						    placed[i]->name + " (" + hexText(one.base) +
						    ", " + hexText(one.size) + " bytes)",
					    {}});
		}
	}
}

void lintAreaCount(const ReservedMemory &tree, LintFindings &findings)
{
	const auto count =
		static_cast<size_t>(std::ranges::count_if(tree.nodes, &ReservedNode::becomesHeap));
	if (count > kCmaAreas)
		findings.push_back({"cma-areas",
				    LintSeverity::Warning,
				    kWhole,
				    std::to_string(count) +
					    " nodes become CMA areas; with CONFIG_CMA_AREAS=8, the "
					    "default, the kernel refuses the last ones",
				    {}});
}

} /* namespace */

void lintTree(const LintInput &input, LintFindings &findings)
{
	if (!input.tree || !input.tree->present)
		return;
	lintForm(*input.tree, findings);
	lintDefault(input, findings);
	lintOverlaps(*input.tree, findings);
	lintAreaCount(*input.tree, findings);
}

} /* namespace heapflow */
