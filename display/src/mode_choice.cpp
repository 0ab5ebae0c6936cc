/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mode_choice.h"

#include <algorithm>
#include <tuple>

namespace heapflow
{

namespace
{

auto timings(const drmModeModeInfo &m)
{
	return std::tuple(m.clock, m.hdisplay, m.hsync_start, m.hsync_end, m.htotal, m.hskew,
			  m.vdisplay, m.vsync_start, m.vsync_end, m.vtotal, m.vscan, m.flags);
}

bool isSize(const drmModeModeInfo &mode, uint32_t width, uint32_t height)
{
	return mode.hdisplay == width && mode.vdisplay == height;
}

bool holds(const drmModeModeInfo &mode, uint32_t width, uint32_t height)
{
	return mode.hdisplay >= width && mode.vdisplay >= height;
}

bool progressive(const drmModeModeInfo &mode)
{
	return !(mode.flags & (DRM_MODE_FLAG_INTERLACE | DRM_MODE_FLAG_DBLSCAN));
}

void add(std::vector<ModeCandidate> &list, const drmModeModeInfo &mode, Placement placement,
	 bool scaled)
{
	const bool known = std::ranges::any_of(list, [&](const ModeCandidate &candidate) {
		return sameTimings(candidate.mode, mode) && candidate.placement == placement;
	});
	if (!known)
		list.push_back({mode, placement, scaled});
}

} /* namespace */

bool sameTimings(const drmModeModeInfo &a, const drmModeModeInfo &b)
{
	return timings(a) == timings(b);
}

std::optional<drmModeModeInfo> preferredMode(const std::vector<drmModeModeInfo> &modes)
{
	const auto found = std::ranges::find_if(modes, [](const drmModeModeInfo &mode) {
		return mode.type & DRM_MODE_TYPE_PREFERRED;
	});
	if (found != modes.end())
		return *found;
	return modes.empty() ? std::nullopt : std::optional(modes.front());
}

Placement centre(const drmModeModeInfo &mode, uint32_t width, uint32_t height)
{
	return {((mode.hdisplay - width) / 2) & ~1u, ((mode.vdisplay - height) / 2) & ~1u, width,
		height};
}

Placement scaleToFit(const drmModeModeInfo &mode, uint32_t width, uint32_t height)
{
	uint64_t scaledWidth = mode.hdisplay;
	uint64_t scaledHeight = uint64_t{mode.hdisplay} * height / width;
	if (scaledHeight > mode.vdisplay) {
		scaledHeight = mode.vdisplay;
		scaledWidth = uint64_t{mode.vdisplay} * width / height;
	}
	const auto even = [](uint64_t size) {
		return std::max(2u, static_cast<uint32_t>(size) & ~1u);
	};
	return centre(mode, even(scaledWidth), even(scaledHeight));
}

std::vector<ModeCandidate> chooseModes(const std::vector<drmModeModeInfo> &modes,
				       const std::optional<drmModeModeInfo> &current,
				       uint32_t width, uint32_t height)
{
	std::vector<ModeCandidate> list;
	const Placement whole{0, 0, width, height};

	if (current && isSize(*current, width, height))
		add(list, *current, whole, false);
	const auto exact = std::ranges::find_if(modes, [&](const drmModeModeInfo &mode) {
		return isSize(mode, width, height) && progressive(mode);
	});
	if (exact != modes.end())
		add(list, *exact, whole, false);

	std::vector<drmModeModeInfo> others;
	if (current)
		others.push_back(*current);
	if (const auto preferred = preferredMode(modes))
		others.push_back(*preferred);

	std::vector<drmModeModeInfo> holding;
	std::ranges::copy_if(modes, std::back_inserter(holding), [&](const drmModeModeInfo &mode) {
		return holds(mode, width, height) && progressive(mode);
	});
	const auto smallest =
		std::ranges::min_element(holding, {}, [](const drmModeModeInfo &mode) {
			return uint64_t{mode.hdisplay} * mode.vdisplay;
		});

	for (const drmModeModeInfo &mode : others) {
		if (holds(mode, width, height))
			add(list, mode, centre(mode, width, height), false);
	}
	if (smallest != holding.end())
		add(list, *smallest, centre(*smallest, width, height), false);
	for (const drmModeModeInfo &mode : others) {
		if (!holds(mode, width, height))
			add(list, mode, scaleToFit(mode, width, height), true);
	}
	return list;
}

DisplayMode describeMode(const drmModeModeInfo &mode)
{
	/* As drm_mode_vrefresh() in the kernel, in thousandths. */
	uint64_t numerator = uint64_t{mode.clock} * 1000 * 1000;
	uint64_t denominator = uint64_t{mode.htotal} * mode.vtotal;
	if (mode.flags & DRM_MODE_FLAG_INTERLACE)
		numerator *= 2;
	if (mode.flags & DRM_MODE_FLAG_DBLSCAN)
		denominator *= 2;
	if (mode.vscan > 1)
		denominator *= mode.vscan;
	return {mode.name, mode.hdisplay, mode.vdisplay,
		denominator ? (numerator + denominator / 2) / denominator : 0};
}

} /* namespace heapflow */
