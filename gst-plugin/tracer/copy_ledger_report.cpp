/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The copy ledger's books, closed for one pipeline. */
#include "copy_ledger.h"

#include <algorithm>
#include <utility>

namespace heapflow::gst
{

namespace
{

/*
 * Sources first, each element after those that feed it. Elements on a loop keep their order.
 */
void sortByFlow(FlowReport &report)
{
	std::vector<ElementReport> sorted;
	std::vector<ElementReport> left = std::move(report.elements);
	const auto isLeft = [&left](uint32_t id) {
		return std::ranges::find(left, id, &ElementReport::id) != left.end();
	};
	while (!left.empty()) {
		auto next = std::ranges::find_if(left, [&](const ElementReport &element) {
			return std::ranges::none_of(report.links, [&](const LinkReport &link) {
				return link.to == element.id && link.from != element.id &&
				       isLeft(link.from);
			});
		});
		if (next == left.end())
			next = left.begin();
		sorted.push_back(std::move(*next));
		left.erase(next);
	}
	report.elements = std::move(sorted);
}

} /* namespace */

void CopyLedger::moveElement(ElementId id, ElementId pipeline)
{
	std::lock_guard lock(mutex_);
	const ElementId before = std::exchange(elementOf(id).pipeline, pipeline);

	if (before == pipeline || std::ranges::contains(elements_, before, &Element::pipeline))
		return;
	const auto left = periods_.find(before);
	if (left == periods_.end())
		return;
	Period &joined = periods_.try_emplace(pipeline, left->second).first->second;
	joined.first = std::min(joined.first, left->second.first);
	joined.last = std::max(joined.last, left->second.last);
	periods_.erase(left);
}

LinkReport &CopyLedger::linkOf(PadId source, PadId sink)
{
	LinkReport &link = links_[{source, sink}];
	const Pad &to = padOf(sink);

	if (!link.to) {
		link.to = to.element;
		link.toPad = to.name;
		if (source) {
			link.from = padOf(source).element;
			link.fromPad = padOf(source).name;
		}
	}
	link.caps = source ? padOf(source).caps : to.caps;
	return link;
}

std::optional<FlowReport> CopyLedger::build(ElementId pipeline) const
{
	const auto period = periods_.find(pipeline);
	if (period == periods_.end())
		return std::nullopt;

	FlowReport report;
	report.duration = period->second.last - period->second.first;
	if (pipeline)
		report.pipeline = elements_[pipeline - 1].report.name;
	for (const Element &element : elements_)
		if (element.pipeline == pipeline &&
		    (element.report.framesIn || element.report.framesOut))
			report.elements.push_back(element.report);
	for (const auto &[pads, link] : links_)
		if (elements_[link.to - 1].pipeline == pipeline)
			report.links.push_back(link);
	/* Frames that were pushed where nobody is, and their copies. */
	for (const Pad &pad : pads_) {
		if (elements_[pad.element - 1].pipeline != pipeline || !pad.charged.count)
			continue;
		LinkReport &link = report.links.emplace_back();
		link.from = pad.element;
		link.fromPad = pad.name;
		link.caps = pad.caps;
		link.copies = pad.charged;
	}
	sortByFlow(report);
	return report;
}

void CopyLedger::forgetReported(ElementId pipeline)
{
	periods_.erase(pipeline);
	std::erase_if(links_, [&](const auto &entry) {
		return elements_[entry.second.to - 1].pipeline == pipeline;
	});
	for (Pad &pad : pads_)
		if (elements_[pad.element - 1].pipeline == pipeline)
			pad.charged = {};
	for (Element &element : elements_) {
		if (element.pipeline != pipeline)
			continue;
		ElementReport &old = element.report;
		ElementReport fresh;
		fresh.id = old.id;
		fresh.name = std::move(old.name);
		fresh.factory = std::move(old.factory);
		fresh.kind = old.kind;
		fresh.heldNow = fresh.heldMost = old.heldNow;
		old = std::move(fresh);
		element.met.clear();
		element.sources.clear();
	}
}

std::optional<FlowReport> CopyLedger::report(ElementId pipeline)
{
	std::lock_guard lock(mutex_);
	return build(pipeline);
}

std::optional<FlowReport> CopyLedger::takeReport(ElementId pipeline)
{
	std::lock_guard lock(mutex_);
	auto report = build(pipeline);

	if (report)
		forgetReported(pipeline);
	return report;
}

std::vector<ElementId> CopyLedger::pipelines()
{
	std::lock_guard lock(mutex_);
	std::vector<ElementId> ids;

	for (const auto &[id, period] : periods_)
		ids.push_back(id);
	return ids;
}

} /* namespace heapflow::gst */
