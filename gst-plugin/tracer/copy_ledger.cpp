/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The events that the ledger is told of. */
#include "copy_ledger_private.h"

#include <algorithm>
#include <utility>

namespace heapflow::gst
{

void CopyLedger::setAll(bool all)
{
	std::lock_guard lock(mutex_);
	all_ = all;
}

void CopyLedger::setObserver(std::function<void(const Touch &)> observer)
{
	std::lock_guard lock(mutex_);
	observer_ = std::move(observer);
}

ElementId CopyLedger::addElement(ElementId pipeline, std::string name, std::string factory,
				 ElementKind kind)
{
	std::lock_guard lock(mutex_);
	const auto id = ElementId(elements_.size() + 1);

	Element &element = elements_.emplace_back();
	element.pipeline = pipeline;
	element.report.id = id;
	element.report.name = std::move(name);
	element.report.factory = std::move(factory);
	element.report.kind = kind;
	return id;
}

PadId CopyLedger::addPad(ElementId element, std::string name)
{
	std::lock_guard lock(mutex_);

	Pad &pad = pads_.emplace_back();
	pad.element = element;
	pad.name = std::move(name);
	return PadId(pads_.size());
}

void CopyLedger::setCaps(PadId pad, std::string text, bool raw)
{
	std::lock_guard lock(mutex_);
	padOf(pad).caps = std::move(text);
	padOf(pad).raw = raw;
}

bool CopyLedger::knows(MemoryKey memory)
{
	std::lock_guard lock(mutex_);
	return memories_.contains(memory);
}

void CopyLedger::addMemory(MemoryKey memory, std::string kind)
{
	std::lock_guard lock(mutex_);
	const auto [entry, isNew] = memories_.try_emplace(memory);

	if (!isNew)
		return;
	entry->second.kind = std::move(kind);
	entry->second.serial = ++serials_;
}

void CopyLedger::mapped(ElementId by, FrameMemory memory, MapAccess access)
{
	Touches touches;
	std::unique_lock lock(mutex_);
	const auto found = memories_.find(memory.key);
	if (found == memories_.end())
		return;
	Memory &record = found->second;

	/* A thread of nobody: an application that has the sample of an appsink, or a worker. */
	if (!by && !record.receipts.empty())
		by = record.receipts.back().element;
	const bool travels = !record.receipts.empty();
	if (record.seen && !counts(record))
		return;
	/* A driver's own buffers may be mapped for years without ever being on a link. */
	if (!travels && record.deferred.size() < mostDeferred)
		record.deferred.push_back({by, memory.size, access});
	if (by) {
		Element &element = elementOf(by);
		const bool input = receiptOf(record, by) != nullptr;
		if (travels)
			reach(element, memory, record, access, touches);
		/* Notes of its own that it reads again are no frame. */
		const bool own = !record.seen && record.writer == by;
		if (reads(access) && (input || access == MapAccess::Read) && !own)
			noteSource(element, sourceOf(by, memory, record));
		if (writes(access) && !input) {
			record.writer = by;
			record.written = memory.size;
			if (std::ranges::find(element.written, memory.key) == element.written.end())
				element.written.push_back(memory.key);
		}
	}
	lock.unlock();
	observe(touches);
}

void CopyLedger::copied(ElementId by, FrameMemory from, FrameMemory to)
{
	Touches touches;
	std::unique_lock lock(mutex_);
	const auto original = memories_.find(from.key);
	const auto target = memories_.find(to.key);
	if (original == memories_.end() || target == memories_.end())
		return;
	if (!by && !original->second.receipts.empty())
		by = original->second.receipts.back().element;
	if (!by || (original->second.seen && !counts(original->second)))
		return;
	Element &element = elementOf(by);
	const Source source = sourceOf(by, {from.key, to.size}, original->second);
	Memory &record = target->second;
	record.raw = original->second.raw;
	if (original->second.seen) {
		/* Whatever becomes of it: the bytes were moved. */
		chargeInside(element, to, record, source, touches);
	} else {
		record.original = source;
		record.writer = by;
		record.written = to.size;
	}
	lock.unlock();
	observe(touches);
}

void CopyLedger::pushed(PadId source, std::span<const FrameMemory> memories, int64_t now)
{
	Touches touches;
	std::unique_lock lock(mutex_);
	Pad &pad = padOf(source);
	Element &element = elementOf(pad.element);
	const bool counted = pad.raw || all_;

	for (const FrameMemory &memory : memories) {
		const auto found = memories_.find(memory.key);
		if (found == memories_.end())
			continue;
		found->second.seen = true;
		found->second.raw = pad.raw;
		if (counted) {
			settle(element, memory, found->second, touches);
			continue;
		}
		/* It was no frame that was written. */
		found->second.deferred.clear();
		found->second.writer = 0;
		std::erase(element.written, memory.key);
	}
	if (counted) {
		element.report.framesOut++;
		measureResidence(element, memories, now);
		bear(element, memories, now);
		chargePushed(element, pad, memories, touches);
		element.stale = true;
	}
	element.reached.clear();
	lock.unlock();
	observe(touches);
}

void CopyLedger::letGo(ElementId holder)
{
	ElementReport &report = elementOf(holder).report;
	if (report.heldNow > 0)
		report.heldNow--;
}

void CopyLedger::hold(Element &element, ElementId id, FrameKey key,
		      std::span<const FrameMemory> memories)
{
	auto [entry, isNew] = frames_.try_emplace(key);
	Frame &frame = entry->second;
	if (!isNew)
		letGo(frame.holder);
	for (const FrameMemory &memory : memories) {
		if (std::ranges::find(frame.memories, memory.key) != frame.memories.end())
			continue;
		frame.memories.push_back(memory.key);
		memories_[memory.key].frames++;
	}
	frame.holder = id;
	element.report.heldNow++;
	element.report.heldMost = std::max(element.report.heldMost, element.report.heldNow);
}

std::optional<int64_t> CopyLedger::received(PadId sink, PadId source, FrameKey frame,
					    std::span<const FrameMemory> memories, int64_t now)
{
	std::lock_guard lock(mutex_);
	const Pad &pad = padOf(sink);
	Element &element = elementOf(pad.element);
	int64_t born = now;

	const bool raw = source ? padOf(source).raw : pad.raw;
	if (!raw && !all_)
		return std::nullopt;
	element.report.framesIn++;
	LinkReport &link = linkOf(source, sink);
	link.frames.add(sizeOf(memories));
	if (source) {
		const ByteCount charged = std::exchange(padOf(source).charged, {});
		link.copies.count += charged.count;
		link.copies.bytes += charged.bytes;
	}
	for (const FrameMemory &memory : memories) {
		Memory &record = memories_[memory.key];
		record.seen = true;
		record.raw = raw;
		if (!receiptOf(record, pad.element))
			record.receipts.push_back({pad.element, now});
		if (record.born)
			born = std::min(born, record.born);
		if (std::ranges::find(link.memory, record.kind) == link.memory.end())
			link.memory.push_back(record.kind);
		uint64_t &serial = element.met[memory.key];
		element.report.memories += serial != record.serial;
		serial = record.serial;
	}
	hold(element, pad.element, frame, memories);
	Period &period = periods_[element.pipeline];
	if (!period.first)
		period.first = now;
	period.last = now;
	return born;
}

void CopyLedger::returned(PadId sink, int64_t busy, int64_t born, int64_t now)
{
	Touches touches;
	std::unique_lock lock(mutex_);
	Element &element = elementOf(padOf(sink).element);
	element.report.busy.add(busy);
	if (element.report.kind == ElementKind::Sink)
		element.report.age.add(now - born);

	for (const MemoryKey key : std::exchange(element.written, {})) {
		const auto found = memories_.find(key);
		if (found == memories_.end() || found->second.writer != element.report.id)
			continue;
		const FrameMemory target = {key, found->second.written};
		if (const Source *source = sourceInside(element, target))
			chargeInside(element, target, found->second, Source(*source), touches);
		else
			element.written.push_back(key); /* to be pushed with the next frame */
	}
	element.reached.clear();
	/* A sink has made what it made. */
	if (element.report.kind == ElementKind::Sink)
		element.stale = true;
	lock.unlock();
	observe(touches);
}

void CopyLedger::forgetMemory(MemoryKey key)
{
	Touches touches;
	std::unique_lock lock(mutex_);
	const auto found = memories_.find(key);
	if (found == memories_.end())
		return;
	Memory &record = found->second;
	if (record.writer) {
		Element &element = elementOf(record.writer);
		const FrameMemory target = {key, record.written};
		if (const Source *source = sourceInside(element, target))
			chargeInside(element, target, record, Source(*source), touches);
		std::erase(element.written, key);
	}
	memories_.erase(found);
	lock.unlock();
	observe(touches);
}

void CopyLedger::forgetFrame(FrameKey key)
{
	std::lock_guard lock(mutex_);
	const auto found = frames_.find(key);
	if (found == frames_.end())
		return;
	letGo(found->second.holder);
	for (const MemoryKey memory : found->second.memories) {
		const auto record = memories_.find(memory);
		/* With its last frame a memory is back where it came from. */
		if (record != memories_.end() && record->second.frames > 0 &&
		    --record->second.frames == 0)
			record->second.receipts.clear();
	}
	frames_.erase(found);
}

void CopyLedger::observe(const Touches &touches) const
{
	if (!observer_)
		return;
	for (const Touch &touch : touches)
		observer_(touch);
}

} /* namespace heapflow::gst */
