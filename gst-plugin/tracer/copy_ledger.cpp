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
#include "copy_ledger.h"

#include <algorithm>
#include <utility>

namespace heapflow::gst
{

namespace
{

constexpr size_t mostDeferred = 64;
constexpr size_t mostSources = 64; /* as many as any mixer has inputs */

bool reads(MapAccess access)
{
	return access != MapAccess::Write;
}

bool writes(MapAccess access)
{
	return access != MapAccess::Read;
}

bool contains(std::span<const FrameMemory> memories, MemoryKey key)
{
	return std::ranges::find(memories, key, &FrameMemory::key) != memories.end();
}

uint64_t sizeOf(std::span<const FrameMemory> memories)
{
	uint64_t size = 0;
	for (const FrameMemory &memory : memories)
		size += memory.size;
	return size;
}

} /* namespace */

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
