/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a copy is found. Nobody tells that bytes were copied: elements map frames and work on them
 * through pointers. So the ledger keeps, for each element, the frames that it mapped to read (its
 * sources) and the memories that it mapped to write. What becomes of a written memory settles it:
 *
 *   pushed                the element had sources: it made this frame of them, a copy that belongs
 *                         to the link. It had none: it drew the frame.
 *   kept, when it returns it wrote into memory of its own: a driver's queue, a screen's buffer, a
 *                         copy to work on later. With sources, a copy inside of the element.
 *   freed                 the same. gst_buffer_map() of a frame of several memories does this: it
 *                         merges them into memory that lives until the unmap.
 *
 * A frame that the element received and writes is changed in place. Copies that GStreamer makes
 * itself (gst_memory_copy) are told, and wait for the same settlement.
 */
#include "copy_ledger_private.h"

#include <utility>

namespace heapflow::gst
{

const CopyLedger::Receipt *CopyLedger::receiptOf(const Memory &memory, ElementId element)
{
	const auto found = std::ranges::find(memory.receipts, element, &Receipt::element);
	return found == memory.receipts.end() ? nullptr : &*found;
}

CopyLedger::Source CopyLedger::sourceOf(ElementId element, FrameMemory memory, const Memory &record)
{
	const Receipt *receipt = receiptOf(record, element);
	return {memory.key,  record.serial, memory.size, receipt ? receipt->time : 0,
		record.born, !record.seen,  record.kind};
}

void CopyLedger::noteSource(Element &element, Source source)
{
	if (std::exchange(element.stale, false))
		element.sources.clear();
	const auto known = std::ranges::find(element.sources, source.serial, &Source::serial);
	if (known != element.sources.end())
		*known = std::move(source);
	else
		element.sources.push_back(std::move(source));
	/* An encoder reads and never pushes a frame. */
	if (element.sources.size() > mostSources)
		element.sources.erase(element.sources.begin());
}

/* Its address may be another memory's by now; that it was read stays true. */
bool CopyLedger::isAlive(const Source &source) const
{
	const auto found = memories_.find(source.memory);
	return found != memories_.end() && found->second.serial == source.serial;
}

/*
 * What a pushed frame was made of. A memory that was on no link is taken for a frame only if it
 * could hold this one: v4l2src copies out of buffers that only its driver has seen.
 */
const CopyLedger::Source *CopyLedger::sourceFor(const Element &element,
						std::span<const FrameMemory> target) const
{
	const uint64_t size = sizeOf(target);
	for (const Source &source : element.sources)
		if (!(contains(target, source.memory) && isAlive(source)) &&
		    (!source.unseen || source.size >= size / 2))
			return &source;
	return nullptr;
}

/* The same for memory that stays inside, and only of frames since the last push. */
const CopyLedger::Source *CopyLedger::sourceInside(const Element &element, FrameMemory target) const
{
	if (element.stale)
		return nullptr;
	for (const Source &source : element.sources)
		if (!(source.memory == target.key && isAlive(source)) && !source.unseen &&
		    target.size >= source.size / 2)
			return &source;
	return nullptr;
}

void CopyLedger::reach(Element &element, FrameMemory memory, const Memory &record, MapAccess access,
		       Touches &touches)
{
	const auto add = [&](ByteCount &count, bool write) {
		const bool again = std::ranges::any_of(element.reached, [&](const Reached &one) {
			return one.memory == memory.key && one.write == write;
		});
		count.count++;
		if (again)
			return;
		count.bytes += memory.size;
		element.reached.push_back({memory.key, write});
	};
	if (reads(access))
		add(element.report.reads, false);
	if (writes(access))
		add(element.report.writes, true);

	Touch touch;
	touch.what = writes(access) ? Touch::What::Write : Touch::What::Read;
	touch.element = element.report.id;
	touch.kind = element.report.kind;
	touch.inPlace = receiptOf(record, element.report.id) != nullptr;
	touch.bytes = memory.size;
	touch.memory = record.kind;
	touches.push_back(touch);
}

void CopyLedger::charge(Element &element, uint64_t bytes, const std::string &from,
			const std::string &to, bool inside, Touches &touches)
{
	ElementReport &report = element.report;
	report.copies.add(bytes);
	if (inside)
		report.inside.add(bytes);
	std::string reason = inside ? "copies frames in " + from + " into " + to + " of its own"
				    : "copies frames in " + from + " to frames in " + to;
	if (std::ranges::find(report.reasons, reason) == report.reasons.end())
		report.reasons.push_back(std::move(reason));

	Touch touch;
	touch.what = Touch::What::Copy;
	touch.element = report.id;
	touch.kind = report.kind;
	touch.bytes = bytes;
	touch.memory = from;
	touch.into = to;
	touches.push_back(touch);
}

void CopyLedger::chargeInside(Element &element, FrameMemory target, Memory &record,
			      const Source &source, Touches &touches)
{
	settleSource(element, source, touches);
	settle(element, target, record, touches);
	charge(element, target.size, source.kind, record.kind, true, touches);
	record.chargedTo = element.report.id;
	record.charged = target.size;
	record.born = source.born;
	record.writer = 0;
	record.original.reset();
}

/* Maps from before it was known that this is a frame. */
void CopyLedger::settle(Element &element, FrameMemory memory, Memory &record, Touches &touches)
{
	for (const Deferred &deferred : std::exchange(record.deferred, {})) {
		if (deferred.element && deferred.element != element.report.id)
			continue;
		reach(element, {memory.key, deferred.size}, record, deferred.access, touches);
		if (writes(deferred.access) && !deferred.element) {
			record.writer = element.report.id;
			record.written = memory.size;
		}
	}
}

/* A source that was on no link was read all the same. */
void CopyLedger::settleSource(Element &element, const Source &source, Touches &touches)
{
	if (source.unseen && isAlive(source))
		settle(element, {source.memory, source.size}, memories_.at(source.memory), touches);
}

void CopyLedger::measureResidence(Element &element, std::span<const FrameMemory> memories,
				  int64_t now)
{
	for (const FrameMemory &memory : memories) {
		const auto found = memories_.find(memory.key);
		if (found == memories_.end())
			continue;
		if (const Receipt *receipt = receiptOf(found->second, element.report.id)) {
			element.report.residence.add(now - receipt->time);
			return;
		}
	}
	if (const Source *source = sourceFor(element, memories); source && source->received)
		element.report.residence.add(now - source->received);
}

/* A frame that its element did not receive begins a new trip; a copy is as old as its source. */
void CopyLedger::bear(Element &element, std::span<const FrameMemory> memories, int64_t now)
{
	const Source *source = sourceFor(element, memories);
	for (const FrameMemory &memory : memories) {
		const auto found = memories_.find(memory.key);
		if (found == memories_.end())
			continue;
		Memory &record = found->second;
		if (receiptOf(record, element.report.id))
			continue;
		record.receipts.clear();
		if (record.chargedTo == element.report.id && record.born)
			continue;
		record.born = source && source->born ? source->born : now;
	}
}

/* Is the frame that goes over this pad one that the element wrote, and of what? */
void CopyLedger::chargePushed(Element &element, Pad &pad, std::span<const FrameMemory> memories,
			      Touches &touches)
{
	const Source *source = sourceFor(element, memories);
	uint64_t bytes = 0;
	std::string from, to;
	for (const FrameMemory &memory : memories) {
		const auto found = memories_.find(memory.key);
		if (found == memories_.end())
			continue;
		Memory &record = found->second;
		std::erase(element.written, memory.key);
		if (std::exchange(record.chargedTo, 0) == element.report.id) {
			/* It was taken for a copy that stays inside; it is this link's. */
			ByteCount &inside = element.report.inside;
			inside.count -= std::min<uint64_t>(inside.count, 1);
			inside.bytes -= std::min(inside.bytes, record.charged);
			pad.charged.add(record.charged);
			record.writer = 0;
			continue;
		}
		const bool wrote = std::exchange(record.writer, 0) == element.report.id;
		const std::optional<Source> original = std::exchange(record.original, std::nullopt);
		if (!wrote)
			continue;
		bytes += memory.size;
		to = record.kind;
		from = original ? original->kind : source ? source->kind : "";
	}
	if (!bytes)
		return;
	if (from.empty()) {
		element.report.drawn.add(bytes);
		return;
	}
	if (source)
		settleSource(element, *source, touches);
	pad.charged.add(bytes);
	charge(element, bytes, from, to, false, touches);
}

} /* namespace heapflow::gst */
