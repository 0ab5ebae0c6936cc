/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plane_choice.h"

#include "heapflow/heap/frame_layout.h"

#include <algorithm>
#include <format>
#include <tuple>

namespace heapflow
{

namespace
{

std::string name(const PlaneInfo &plane)
{
	return std::format("{} plane {}", planeTypeName(plane.type), plane.id);
}

/* All planes that can be on the CRTC, in the stated order. */
std::vector<const PlaneInfo *> planesOf(const Topology &topology, const CrtcInfo &crtc)
{
	std::vector<const PlaneInfo *> planes;
	for (const PlaneInfo &plane : topology.planes) {
		if (plane.possibleCrtcs & (1u << crtc.index))
			planes.push_back(&plane);
	}
	std::ranges::sort(planes, {}, [](const PlaneInfo *plane) {
		return std::tuple(plane->type, plane->id);
	});
	return planes;
}

/* Empty: it may be used. */
std::string refusal(const PlaneInfo &plane, const CrtcInfo &crtc, uint32_t planeId)
{
	if (planeId && plane.id != planeId)
		return std::format("{}: plane {} was asked for", name(plane), planeId);
	if (!planeId && plane.type == PlaneType::Cursor)
		return std::format("{}: a cursor plane is used only when named", name(plane));
	if (plane.crtcId && plane.crtcId != crtc.id)
		return std::format("{}: in use on CRTC {}", name(plane), plane.crtcId);
	return {};
}

std::string formatRefusal(const PlaneInfo &plane, uint32_t fourcc, uint64_t modifier)
{
	const auto format = std::ranges::find(plane.formats, fourcc, &FormatModifiers::fourcc);
	if (format == plane.formats.end())
		return std::format("{}: does not take {}", name(plane), fourccToString(fourcc));
	if (!std::ranges::contains(format->modifiers, modifier))
		return std::format("{}: takes {} but not with modifier {:#x}", name(plane),
				   fourccToString(fourcc), modifier);
	return {};
}

} /* namespace */

PlaneCandidates choosePlanes(const Topology &topology, const CrtcInfo &crtc, uint32_t fourcc,
			     uint64_t modifier, uint32_t planeId)
{
	PlaneCandidates candidates;
	for (const PlaneInfo *plane : planesOf(topology, crtc)) {
		std::string reason = refusal(*plane, crtc, planeId);
		if (reason.empty())
			reason = formatRefusal(*plane, fourcc, modifier);
		if (reason.empty())
			candidates.planes.push_back(plane);
		else
			candidates.reasons.push_back(std::move(reason));
	}
	return candidates;
}

std::vector<ScanoutFormat> planeFormats(const Topology &topology, const CrtcInfo &crtc,
					uint32_t planeId)
{
	std::vector<ScanoutFormat> formats;
	for (const PlaneInfo *plane : planesOf(topology, crtc)) {
		if (!refusal(*plane, crtc, planeId).empty())
			continue;
		for (const FormatModifiers &format : plane->formats) {
			auto entry =
				std::ranges::find(formats, format.fourcc, &ScanoutFormat::fourcc);
			if (entry == formats.end())
				entry = formats.insert(entry, {format.fourcc, {}, {}});
			for (const uint64_t modifier : format.modifiers) {
				if (!std::ranges::contains(entry->modifiers, modifier))
					entry->modifiers.push_back(modifier);
			}
			entry->planes.push_back(plane->id);
		}
	}
	return formats;
}

std::string listFormats(const std::vector<ScanoutFormat> &formats)
{
	std::string list;
	for (const ScanoutFormat &format : formats)
		list += (list.empty() ? "" : ", ") + fourccToString(format.fourcc);
	return list.empty() ? "none" : list;
}

} /* namespace heapflow */
