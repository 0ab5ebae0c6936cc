/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans and clashes in words. */
#include "plan_search.h"

#include <cinttypes>
#include <cstdio>

namespace heapflow
{

namespace
{

std::string hex(uint64_t value)
{
	char text[24];
	std::snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return text;
}

std::string bytesOf(uint64_t bytes)
{
	return std::to_string(bytes) + " bytes";
}

std::string describeSize(const Clash &clash)
{
	const std::string wanted = std::to_string(clash.wanted);
	const std::string offered = std::to_string(clash.offered);
	if (clash.first == "the format")
		return clash.first + " needs a " + clash.detail + " that is a multiple of " +
		       wanted + ", " + clash.second + " has none from " + offered + " on";
	if (clash.first == "the request")
		return clash.first + " is a " + clash.detail + " of " + wanted +
		       ", the nearest of " + clash.second + " is " + offered;
	return clash.first + " shows a " + clash.detail + " of " +
	       (clash.offered > clash.wanted ? "at most " : "at least ") + wanted +
	       ", the nearest of " + clash.second + " is " + offered;
}

std::string describeAlternative(const Alternative &one)
{
	std::string text;
	if (one.fourcc)
		text = planFormat(one.fourcc, one.modifier) + " " + std::to_string(one.width) +
		       "x" + std::to_string(one.height) + " on " + one.plane +
		       (one.heap.empty() ? "" : " from " + one.heap) + ": ";
	return "  " + text + one.why + "\n";
}

std::string row(const char *name, const std::string &value)
{
	std::string text = name;
	text.resize(10, ' ');
	return text + value + "\n";
}

} /* namespace */

std::string planBytes(uint64_t bytes)
{
	constexpr uint64_t mebi = 1 << 20;
	if (bytes < 1024)
		return bytesOf(bytes);
	char text[32];
	if (bytes < mebi)
		std::snprintf(text, sizeof(text), "%.4g KiB", static_cast<double>(bytes) / 1024);
	else
		std::snprintf(text, sizeof(text), "%.6g MiB", static_cast<double>(bytes) / mebi);
	return text;
}

std::string planFormat(uint32_t fourcc, uint64_t modifier)
{
	return fourccToString(fourcc) + (modifier ? " with modifier " + hex(modifier) : "");
}

const char *clashName(ClashKind kind)
{
	switch (kind) {
	case ClashKind::Nothing:
		return "nothing-offered";
	case ClashKind::Format:
		return "format";
	case ClashKind::Modifier:
		return "modifier";
	case ClashKind::Layout:
		return "layout";
	case ClashKind::Size:
		return "size";
	case ClashKind::PitchAlignment:
		return "pitch-alignment";
	case ClashKind::PitchLimit:
		return "pitch-limit";
	case ClashKind::OffsetAlignment:
		return "offset-alignment";
	case ClashKind::BufferCount:
		return "buffer-count";
	case ClashKind::Contiguity:
		return "contiguity";
	case ClashKind::AddressLimit:
		return "address-limit";
	case ClashKind::Protected:
		return "protected";
	case ClashKind::Permission:
		return "permission";
	case ClashKind::Space:
		return "space";
	}
	return "unknown";
}

std::string describe(const Clash &clash)
{
	switch (clash.kind) {
	case ClashKind::Nothing:
		return clash.second + " does not offer " + clash.detail;
	case ClashKind::Format:
		return clash.second + " fills " + clash.detail;
	case ClashKind::Modifier:
		return clash.first + " takes the format, but not as " + clash.detail;
	case ClashKind::Layout:
		return clash.detail;
	case ClashKind::Size:
		return describeSize(clash);
	case ClashKind::PitchAlignment:
		return clash.first + " needs pitches that are multiples of " +
		       bytesOf(clash.wanted) + ", " + clash.second + " gives " +
		       std::to_string(clash.offered);
	case ClashKind::PitchLimit:
		return clash.first + " takes pitches of at most " + bytesOf(clash.wanted) +
		       ", this one is " + std::to_string(clash.offered);
	case ClashKind::OffsetAlignment:
		return clash.first + " needs planes at multiples of " + bytesOf(clash.wanted) +
		       ", " + clash.second + " puts one at " + std::to_string(clash.offered);
	case ClashKind::BufferCount:
		return std::to_string(clash.wanted) + " buffers are needed with " + clash.first +
		       ", " + clash.second + " takes at most " + std::to_string(clash.offered);
	case ClashKind::Contiguity:
		return clash.first + " needs contiguous memory, that of " + clash.second +
		       " is scattered";
	case ClashKind::AddressLimit:
		return clash.first + " reaches addresses below " + hex(clash.wanted) + ", " +
		       clash.second + " ends at " + hex(clash.offered);
	case ClashKind::Protected:
		return clash.first + " works by CPU, memory of " + clash.second +
		       " is protected and never mapped";
	case ClashKind::Permission:
		return "this process may not open the heap " + clash.second;
	case ClashKind::Space:
		return "the buffers need " + planBytes(clash.wanted) + " " + clash.detail + ", " +
		       clash.second + " has " + planBytes(clash.offered);
	}
	return {};
}

std::string describe(const Plan &plan)
{
	std::string text =
		row("camera", plan.sourceName) + row("frame", describe(plan.layout)) +
		row("heap", plan.heapName) + row("plane", plan.planeName) +
		row("buffers", std::to_string(plan.buffers) + " of " + planBytes(plan.bufferBytes) +
				       ", " + planBytes(plan.space) + " in all");
	for (const std::string &reason : plan.reasons)
		text += row("because", reason);
	for (const Probe &probe : plan.probes)
		text += row("to prove", "that " + probe.device + " " + probe.question + " (" +
						probe.heap + ")");
	if (!plan.others.empty())
		text += "not taken:\n";
	for (const Alternative &other : plan.others)
		text += describeAlternative(other);
	return text;
}

std::string describe(const NoPlan &none)
{
	std::string text = "no plan among " + std::to_string(none.considered) +
			   " combinations; the nearest misses:\n";
	for (const Alternative &miss : none.misses)
		text += describeAlternative(miss);
	return text;
}

} /* namespace heapflow */
