/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/heap_choice.h"

#include "auto_choice.h"
#include "heap_access.h"
#include "heap_condition.h"
#include "heapflow/heap/allocation_failure.h"

#include <algorithm>
#include <cerrno>
#include <tuple>

namespace heapflow
{

namespace
{

using Kind = HeapAlternative::Kind;

/* A heap that an alternative means, whether it can be taken or not. */
struct Named {
	size_t index; /* in the candidates */
	std::string reason;
	std::vector<ConditionReport> conditions = {};
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
	Decision(const HeapExpression &expression, const std::vector<Heap> &heaps,
		 const DeviceDemands &demands);

	HeapChoice finish() &&;

private:
	std::vector<Named> name(const HeapAlternative &alternative, size_t number);
	std::vector<Named> nameExact(const std::string &text) const;
	std::vector<Named> nameGlob(const std::string &pattern, size_t number);
	std::vector<Named> nameDefault(const std::string &why) const;
	std::vector<Named> nameAuto(size_t number);
	std::vector<Named> nameByConditions(const HeapAlternative &alternative, size_t number);
	std::string explainNothing(const HeapAlternative &alternative) const;
	void consider(size_t alternative);
	std::string objection(const Heap &heap) const;
	const HeapCandidate *findRegion(const std::string &region) const;
	void note(size_t index, Consideration consideration);

	const HeapExpression &expression_;
	const DeviceDemands &demands_;
	std::vector<HeapCandidate> candidates_; /* sorted by preference() */
	std::vector<size_t> matches_;
	std::vector<UnmetAlternative> unmet_;
};

Decision::Decision(const HeapExpression &expression, const std::vector<Heap> &heaps,
		   const DeviceDemands &demands)
	: expression_(expression), demands_(demands)
{
	for (const Heap &heap : heaps)
		candidates_.push_back({.heap = heap});
	std::ranges::sort(candidates_, {}, preference);
	for (size_t i = 0; i < expression.alternatives.size(); i++)
		consider(i);
}

/* What an alternative said; the last one that did is the reason of a heap that is not taken. */
void Decision::note(size_t index, Consideration consideration)
{
	HeapCandidate &candidate = candidates_[index];
	if (!candidate.matches)
		candidate.reason = consideration.reason;
	candidate.considered.push_back(std::move(consideration));
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

std::vector<Named> Decision::nameGlob(const std::string &pattern, size_t number)
{
	std::vector<Named> named;
	for (size_t i = 0; i < candidates_.size(); i++) {
		const HeapName &name = candidates_[i].heap.name;
		if (!matchGlob(pattern, name.text))
			continue;
		/* Protected memory fails late, at the first CPU access: nobody gets it by accident.
		 */
		if (name.isProtected)
			note(i, {number, false,
				 "matches " + pattern +
					 ", but protected memory is taken by its exact name or "
					 "is=protected only"});
		else if (!isPlausibleHeapName(name.text))
			note(i, {number, false,
				 "matches " + pattern + ", but this is no name of a heap"});
		else
			named.push_back({i, "matches " + pattern + linkText(candidates_[i].heap)});
	}
	return named;
}

std::vector<Named> Decision::nameAuto(size_t number)
{
	std::vector<Named> named;
	std::vector<unsigned> ranks(candidates_.size());
	for (size_t i = 0; i < candidates_.size(); i++) {
		AutoVerdict verdict = judgeForAuto(candidates_[i].heap, demands_);
		ranks[i] = verdict.rank;
		if (verdict.named)
			named.push_back({i, std::move(verdict.reason)});
		else
			note(i, {number, false, std::move(verdict.reason)});
	}
	std::ranges::stable_sort(named, {}, [&](const Named &one) { return ranks[one.index]; });
	return named;
}

/* All reasons of one verdict, joined: "its usage is video; 64 MiB free". */
std::string joinReasons(const std::vector<ConditionReport> &reports, bool met)
{
	std::string text;
	for (const ConditionReport &report : reports) {
		if ((report.verdict == Verdict::Met) != met)
			continue;
		text += text.empty() ? "" : "; ";
		text += report.condition + ": " + report.reason;
	}
	return text;
}

std::vector<Named> Decision::nameByConditions(const HeapAlternative &alternative, size_t number)
{
	const bool wantsProtected =
		std::ranges::any_of(alternative.conditions, [](const HeapCondition &condition) {
			return condition.key == HeapCondition::Key::Is &&
			       condition.property == HeapProperty::Protected;
		});

	std::vector<Named> named;
	for (size_t i = 0; i < candidates_.size(); i++) {
		const Heap &heap = candidates_[i].heap;
		std::vector<ConditionReport> reports;
		for (const HeapCondition &condition : alternative.conditions)
			reports.push_back(checkCondition(condition, heap));

		std::string unmet = joinReasons(reports, false);
		if (unmet.empty() && heap.name.isProtected && !wantsProtected)
			unmet = "protected memory is taken by its exact name or is=protected only";
		if (unmet.empty() && !isPlausibleHeapName(heap.name.text))
			unmet = "this is no name of a heap";
		if (unmet.empty())
			named.push_back({i, joinReasons(reports, true) + linkText(heap),
					 std::move(reports)});
		else
			note(i, {number, false, std::move(unmet), std::move(reports)});
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

std::vector<Named> Decision::name(const HeapAlternative &alternative, size_t number)
{
	if (alternative.kind == Kind::Glob)
		return nameGlob(alternative.text, number);
	if (alternative.kind == Kind::Conditions)
		return nameByConditions(alternative, number);

	/* A name that exists wins over an alias, also a heap that is called "default" or "auto". */
	if (auto named = nameExact(alternative.text); !named.empty())
		return named;
	if (alternative.kind == Kind::Auto)
		return nameAuto(number);
	if (alternative.kind == Kind::Default)
		return nameDefault("is the default CMA region");
	if (isDefaultRegionName(alternative.text))
		return nameDefault("there is no heap " + alternative.text +
				   " here, this is the default CMA region under another name");
	return {};
}

std::string Decision::explainNothing(const HeapAlternative &alternative) const
{
	switch (alternative.kind) {
	case Kind::Glob:
		for (const HeapCandidate &candidate : candidates_) {
			if (matchGlob(alternative.text, candidate.heap.name.text))
				return "nothing that it matches may be taken by a pattern";
		}
		return "no heap matches " + alternative.text;
	case Kind::Conditions:
		return "no heap meets " + alternative.text;
	case Kind::Auto:
		return "no heap here suits the devices";
	case Kind::Default:
		return "there is no default CMA region";
	case Kind::Name:
		break;
	}
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

/* Why a heap that an alternative means cannot be taken all the same; empty when it can. */
std::string Decision::objection(const Heap &heap) const
{
	if (!heap.accessible)
		return "may not be opened: " + describeAccess(heap);
	if (const HeapProof *refusal = findRefusal(heap, demands_))
		return "was refused by " + printable(refusal->device) + ": " +
		       printable(refusal->answer.reason);
	if (const HeapCandidate *twin = findRegion(regionOf(heap)))
		return "is the same region as " + printable(twin->heap.name.text);
	return {};
}

void Decision::consider(size_t number)
{
	const HeapAlternative &alternative = expression_.alternatives[number];
	std::vector<Named> named = name(alternative, number);
	std::string refused;
	bool found = false;

	for (Named &one : named) {
		HeapCandidate &candidate = candidates_[one.index];
		const std::string shown = printable(candidate.heap.name.text);
		if (candidate.matches) {
			refused = shown + " is taken by an alternative before";
			note(one.index, {number, true, one.reason, std::move(one.conditions)});
			continue;
		}
		if (const std::string against = objection(candidate.heap); !against.empty()) {
			refused = shown + " " + against;
			note(one.index, {number, true, one.reason + ", but " + against,
					 std::move(one.conditions)});
			continue;
		}
		note(one.index, {number, true, one.reason, std::move(one.conditions)});
		candidate.matches = true;
		candidate.alternative = number;
		matches_.push_back(one.index);
		found = true;
	}
	if (!found)
		unmet_.push_back({number, named.empty() ? explainNothing(alternative) : refused});
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
const Heap *findForbidden(const HeapChoice &choice, const DeviceDemands &demands)
{
	for (const HeapAlternative &alternative : choice.expression.alternatives) {
		const HeapExpression one{.text = alternative.text, .alternatives = {alternative}};
		for (const HeapCandidate &candidate : choice.candidates) {
			Heap opened = candidate.heap;
			opened.accessible = true;
			if (!candidate.heap.accessible &&
			    explainChoice(one, {opened}, demands).taken().matches)
				return &candidate.heap;
		}
	}
	return nullptr;
}

Error nothingMatches(const HeapChoice &choice, const SystemPaths *diagnosed)
{
	std::vector<Heap> sorted;
	for (const HeapCandidate &candidate : choice.candidates)
		sorted.push_back(candidate.heap);
	std::string why;
	for (const UnmetAlternative &unmet : choice.unmet)
		why += (why.empty() ? "" : "; ") + printable(unmet.reason);
	Error error{ENOENT,
		    "'" + printable(choice.expression.text) + "' takes no heap: " + why +
			    "; there are " + listNames(sorted),
		    missingHeapHint()};
	const auto &alternatives = choice.expression.alternatives;
	const auto named = std::ranges::find(alternatives, HeapAlternative::Kind::Name,
					     &HeapAlternative::kind);
	if (named == alternatives.end() && !sorted.empty())
		error.hint = "heapctl explain '" + printable(choice.expression.text) +
			     "' says of each heap why it does not match";
	else if (diagnosed && named != alternatives.end())
		error.hint = missingHeapError(named->text, *diagnosed).hint;
	return error;
}

} /* namespace */

HeapChoice explainChoice(const HeapExpression &expression, const std::vector<Heap> &heaps,
			 const DeviceDemands &demands)
{
	return Decision(expression, heaps, demands).finish();
}

Result<HeapChoice> chooseHeap(const HeapExpression &expression, const std::vector<Heap> &heaps,
			      const DeviceDemands &demands, const SystemPaths *diagnosed)
{
	HeapChoice choice = explainChoice(expression, heaps, demands);
	if (!choice.candidates.empty() && choice.taken().matches)
		return choice;
	if (const Heap *forbidden = findForbidden(choice, demands))
		return std::unexpected(accessError(*forbidden));

	return std::unexpected(nothingMatches(choice, diagnosed));
}

Result<HeapChoice> chooseHeap(std::string_view expression, const SystemPaths &paths)
{
	const auto parsed = parseHeapExpression(expression);
	if (!parsed)
		return std::unexpected(parsed.error());
	const auto heaps = listHeaps(paths);
	if (!heaps)
		return std::unexpected(heaps.error());
	return chooseHeap(*parsed, *heaps, {}, &paths);
}

} /* namespace heapflow */
