/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/heap_choice.h"

#include "heap_access.h"

#include <algorithm>
#include <cerrno>
#include <tuple>

namespace heapflow
{

namespace
{

using Kind = HeapAlternative::Kind;

/* A heap that an alternative names. */
struct Named {
	size_t index; /* in the candidates */
	std::string reason;
};

/* A heap before a link to it; names in the order of their bytes. */
auto preference(const HeapCandidate &candidate)
{
	const Heap &heap = candidate.heap;
	return std::tuple(!heap.linkTarget.empty(), heap.name.text, heap.node.native(),
			  heap.device);
}

std::string linkText(const Heap &heap)
{
	return heap.linkTarget.empty() ? "" : ", a link to " + printable(heap.linkTarget);
}

/* Heaps made by hand may have no region; each is then its own. */
const std::string &regionOf(const Heap &heap)
{
	return heap.region.id.empty() ? heap.name.text : heap.region.id;
}

bool isDefaultRegionName(std::string_view name)
{
	return std::ranges::find(defaultRegionNames(), name) != defaultRegionNames().end();
}

/*
 * The decision over one set of heaps. Each alternative names heaps; of those, the ones that may be
 * opened and whose region was not named before become matches, in this order.
 */
class Decision
{
public:
	Decision(const HeapExpression &expression, const std::vector<Heap> &heaps);

	HeapChoice finish() &&;

private:
	std::vector<Named> name(const HeapAlternative &alternative);
	std::vector<Named> nameExact(const std::string &text) const;
	std::vector<Named> nameGlob(const std::string &pattern);
	std::vector<Named> nameDefault(const std::string &why) const;
	std::string explainNothing(const HeapAlternative &alternative) const;
	void consider(size_t alternative);
	const HeapCandidate *findRegion(const std::string &region) const;

	const HeapExpression &expression_;
	std::vector<HeapCandidate> candidates_; /* sorted by preference() */
	std::vector<size_t> matches_;
	std::vector<UnmetAlternative> unmet_;
};

Decision::Decision(const HeapExpression &expression, const std::vector<Heap> &heaps)
	: expression_(expression)
{
	for (const Heap &heap : heaps)
		candidates_.push_back({.heap = heap});
	std::ranges::sort(candidates_, {}, preference);
	for (size_t i = 0; i < expression.alternatives.size(); i++)
		consider(i);
}

std::vector<Named> Decision::nameExact(const std::string &text) const
{
	for (size_t i = 0; i < candidates_.size(); i++) {
		const Heap &heap = candidates_[i].heap;
		if (heap.name.text == text)
			return {{i, "has exactly this name" + linkText(heap)}};
	}
	return {};
}

std::vector<Named> Decision::nameGlob(const std::string &pattern)
{
	std::vector<Named> named;
	for (size_t i = 0; i < candidates_.size(); i++) {
		HeapCandidate &candidate = candidates_[i];
		const HeapName &name = candidate.heap.name;
		if (!matchGlob(pattern, name.text))
			continue;
		/* Protected memory fails late, at the first CPU access: nobody gets it by accident.
		 */
		if (name.isProtected)
			candidate.reason = "matches " + pattern +
					   ", but protected memory is taken by its exact name only";
		else if (!isPlausibleHeapName(name.text))
			candidate.reason = "matches " + pattern + ", but this is no name of a heap";
		else
			named.push_back({i, "matches " + pattern + linkText(candidate.heap)});
	}
	return named;
}

std::vector<Named> Decision::nameDefault(const std::string &why) const
{
	std::vector<Named> named;
	for (size_t i = 0; i < candidates_.size(); i++) {
		const Heap &heap = candidates_[i].heap;
		if (heap.region.isDefault)
			named.push_back({i, why + linkText(heap)});
	}

	/* The name of this kernel first; the sort keeps the order of the others. */
	const auto &names = defaultRegionNames();
	std::ranges::stable_sort(named, {}, [&](const Named &one) {
		return std::ranges::find(names, candidates_[one.index].heap.name.text) -
		       names.begin();
	});
	return named;
}

std::vector<Named> Decision::name(const HeapAlternative &alternative)
{
	if (alternative.kind == Kind::Glob)
		return nameGlob(alternative.text);

	/* A name that exists wins over an alias, also a heap that is called "default". */
	if (auto named = nameExact(alternative.text); !named.empty())
		return named;
	if (alternative.kind == Kind::Default)
		return nameDefault("is the default CMA region");
	if (isDefaultRegionName(alternative.text))
		return nameDefault("there is no heap " + alternative.text +
				   " here, this is the default CMA region under another name");
	return {};
}

std::string Decision::explainNothing(const HeapAlternative &alternative) const
{
	if (alternative.kind == Kind::Glob) {
		for (const HeapCandidate &candidate : candidates_) {
			if (matchGlob(alternative.text, candidate.heap.name.text))
				return "nothing that it matches may be taken by a pattern";
		}
		return "no heap matches " + alternative.text;
	}
	if (alternative.kind == Kind::Default)
		return "there is no default CMA region";
	if (isDefaultRegionName(alternative.text))
		return "there is no heap " + alternative.text + " and no default CMA region";
	return "there is no heap " + alternative.text;
}

const HeapCandidate *Decision::findRegion(const std::string &region) const
{
	for (const size_t match : matches_) {
		if (regionOf(candidates_[match].heap) == region)
			return &candidates_[match];
	}
	return nullptr;
}

void Decision::consider(size_t alternative)
{
	const std::vector<Named> named = name(expression_.alternatives[alternative]);
	std::string refused;
	bool found = false;

	for (const Named &one : named) {
		HeapCandidate &candidate = candidates_[one.index];
		if (candidate.matches) {
			refused = printable(candidate.heap.name.text) +
				  " is taken by an alternative before";
			continue;
		}
		if (!candidate.heap.accessible) {
			candidate.reason = one.reason + ", but may not be opened: " +
					   describeAccess(candidate.heap);
			refused = printable(candidate.heap.name.text) +
				  " may not be opened: " + describeAccess(candidate.heap);
			continue;
		}
		if (const HeapCandidate *twin = findRegion(regionOf(candidate.heap))) {
			candidate.reason = one.reason + ", but is the same region as " +
					   printable(twin->heap.name.text);
			refused = printable(candidate.heap.name.text) + " is the same region as " +
				  printable(twin->heap.name.text);
			continue;
		}
		candidate.matches = true;
		candidate.alternative = alternative;
		candidate.reason = one.reason;
		matches_.push_back(one.index);
		found = true;
	}
	if (!found)
		unmet_.push_back({alternative,
				  named.empty()
					  ? explainNothing(expression_.alternatives[alternative])
					  : refused});
}

HeapChoice Decision::finish() &&
{
	HeapChoice choice{.expression = expression_, .unmet = std::move(unmet_)};
	for (const size_t match : matches_)
		choice.candidates.push_back(candidates_[match]);

	std::erase_if(candidates_,
		      [](const HeapCandidate &candidate) { return candidate.matches; });
	std::ranges::stable_sort(candidates_, {}, [](const HeapCandidate &candidate) {
		return candidate.heap.name.text;
	});
	for (HeapCandidate &candidate : candidates_) {
		if (candidate.reason.empty())
			candidate.reason = "nothing in the expression names it";
		choice.candidates.push_back(std::move(candidate));
	}
	return choice;
}

/* A heap that some alternative names, and that only lacks the permission. */
const Heap *findForbidden(const HeapChoice &choice)
{
	for (const HeapAlternative &alternative : choice.expression.alternatives) {
		const HeapExpression one{.text = alternative.text, .alternatives = {alternative}};
		for (const HeapCandidate &candidate : choice.candidates) {
			Heap opened = candidate.heap;
			opened.accessible = true;
			if (!candidate.heap.accessible &&
			    explainChoice(one, {opened}).taken().matches)
				return &candidate.heap;
		}
	}
	return nullptr;
}

} /* namespace */

HeapChoice explainChoice(const HeapExpression &expression, const std::vector<Heap> &heaps)
{
	return Decision(expression, heaps).finish();
}

Result<HeapChoice> chooseHeap(const HeapExpression &expression, const std::vector<Heap> &heaps)
{
	HeapChoice choice = explainChoice(expression, heaps);
	if (!choice.candidates.empty() && choice.taken().matches)
		return choice;
	if (const Heap *forbidden = findForbidden(choice))
		return std::unexpected(accessError(*forbidden));

	std::vector<Heap> sorted;
	for (const HeapCandidate &candidate : choice.candidates)
		sorted.push_back(candidate.heap);
	return fail(ENOENT,
		    "no heap is named by '" + printable(expression.text) + "'; there are " +
			    listNames(sorted),
		    missingHeapHint());
}

Result<HeapChoice> chooseHeap(std::string_view expression, const SystemPaths &paths)
{
	const auto parsed = parseHeapExpression(expression);
	if (!parsed)
		return std::unexpected(parsed.error());
	const auto heaps = listHeaps(paths);
	if (!heaps)
		return std::unexpected(heaps.error());
	return chooseHeap(*parsed, *heaps);
}

} /* namespace heapflow */
