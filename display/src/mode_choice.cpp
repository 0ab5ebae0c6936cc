/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mode_choice.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <format>
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

bool nearlyEqual(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) * 500 <= std::max(a, b);
}

/* How often a frame is shown at this rate; 0 when not a whole number of times. */
uint64_t multipleOf(uint64_t refresh, uint64_t frameRate)
{
	const uint64_t times = frameRate ? (refresh + frameRate / 2) / frameRate : 0;
	return times && nearlyEqual(refresh, times * frameRate) ? times : 0;
}

/* What a mode is asked for by: its size, and perhaps its rate. */
struct ModeText {
	uint32_t width = 0;
	uint32_t height = 0;
	uint64_t refreshMilliHz = 0;
};

template<typename Number>
bool readNumber(std::string_view &text, Number &value)
{
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	text.remove_prefix(static_cast<size_t>(end - text.data()));
	return error == std::errc();
}

std::optional<ModeText> parse(std::string_view text)
{
	ModeText wanted;
	double refresh = 0;
	if (!readNumber(text, wanted.width) || !text.starts_with('x'))
		return std::nullopt;
	text.remove_prefix(1);
	if (!readNumber(text, wanted.height))
		return std::nullopt;
	if (text.starts_with('@')) {
		text.remove_prefix(1);
		if (!readNumber(text, refresh) || !(refresh > 0) || refresh > 1000000)
			return std::nullopt;
		wanted.refreshMilliHz = static_cast<uint64_t>(std::llround(refresh * 1000));
	}
	if (!text.empty() || !wanted.width || !wanted.height)
		return std::nullopt;
	return wanted;
}

bool isWord(std::string_view text)
{
	return text.empty() || text == "best" || text == "preferred";
}

void add(std::vector<ModeCandidate> &list, const drmModeModeInfo &mode, bool crop = false)
{
	const bool known = std::ranges::any_of(list, [&](const ModeCandidate &candidate) {
		return candidate.crop == crop && sameTimings(candidate.mode, mode);
	});
	if (!known)
		list.push_back({mode, crop});
}

/* The best for the rate of those that pass; of equals the driver's first. */
template<typename Filter>
const drmModeModeInfo *bestOf(const std::vector<drmModeModeInfo> &modes, uint64_t frameRate,
			      Filter filter)
{
	const drmModeModeInfo *best = nullptr;
	for (const drmModeModeInfo &mode : modes) {
		if (!filter(mode))
			continue;
		if (!best ||
		    (frameRate && isBetterRate(describeMode(mode).refreshMilliHz,
					       describeMode(*best).refreshMilliHz, frameRate)))
			best = &mode;
	}
	return best;
}

std::string listModes(const std::vector<drmModeModeInfo> &modes)
{
	std::string list;
	for (const drmModeModeInfo &mode : modes) {
		const uint64_t refresh = describeMode(mode).refreshMilliHz;
		list += std::format("{}{}x{}@{}.{:02}", list.empty() ? "" : ", ", mode.hdisplay,
				    mode.vdisplay, refresh / 1000, refresh % 1000 / 10);
	}
	return list;
}

Result<std::vector<ModeCandidate>> namedMode(const std::vector<drmModeModeInfo> &modes,
					     const ModeWish &wish)
{
	if (auto readable = checkModeText(wish.mode); !readable)
		return std::unexpected(readable.error());
	const drmModeModeInfo *found = nullptr;
	const std::optional<drmModeModeInfo> preferred = preferredMode(modes);
	if (wish.mode == "preferred") {
		found = &*preferred;
	} else {
		const ModeText wanted = *parse(wish.mode);
		const uint64_t rate =
			wanted.refreshMilliHz ? wanted.refreshMilliHz : wish.frameRateMilliHz;
		found = bestOf(modes, rate, [&](const drmModeModeInfo &mode) {
			return isSize(mode, wanted.width, wanted.height) &&
			       (!wanted.refreshMilliHz ||
				nearlyEqual(describeMode(mode).refreshMilliHz,
					    wanted.refreshMilliHz));
		});
	}
	if (!found)
		return fail(ENOENT, std::format("the screen has no mode '{}'", wish.mode),
			    "Modes: " + listModes(modes));
	return std::vector<ModeCandidate>{{*found, false}, {*found, true}};
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

bool isBetterRate(uint64_t a, uint64_t b, uint64_t frameRate)
{
	const uint64_t aTimes = multipleOf(a, frameRate);
	const uint64_t bTimes = multipleOf(b, frameRate);
	if (!aTimes != !bTimes)
		return aTimes;
	if (!aTimes)
		return a > b;
	const auto distance = [&](uint64_t rate, uint64_t times) {
		return rate > times * frameRate ? rate - times * frameRate
						: times * frameRate - rate;
	};
	return std::pair(aTimes, distance(a, aTimes)) < std::pair(bTimes, distance(b, bTimes));
}

Result<void> checkModeText(std::string_view text)
{
	if (isWord(text) || parse(text))
		return {};
	return fail(EINVAL, std::format("'{}' is not a mode", text),
		    "A mode is written 1920x1080, 1920x1080@59.94, 'best' or 'preferred'");
}

Result<std::vector<ModeCandidate>> chooseModes(const std::vector<drmModeModeInfo> &modes,
					       const std::optional<drmModeModeInfo> &current,
					       const ModeWish &wish)
{
	if (modes.empty() && !current)
		return fail(ENOTCONN, "the screen has no mode");
	if (!wish.mode.empty() && wish.mode != "best") {
		if (modes.empty())
			return fail(ENOTCONN, "the screen has no mode");
		return namedMode(modes, wish);
	}

	const auto sized = [&](const drmModeModeInfo &mode) {
		return isSize(mode, wish.width, wish.height) && progressive(mode);
	};
	std::vector<ModeCandidate> list;
	const drmModeModeInfo *exact = bestOf(modes, wish.frameRateMilliHz, sized);
	const bool currentServes =
		current &&
		(wish.mode.empty() ||
		 (sized(*current) && exact &&
		  !isBetterRate(describeMode(*exact).refreshMilliHz,
				describeMode(*current).refreshMilliHz, wish.frameRateMilliHz)));
	if (currentServes)
		add(list, *current);
	if (exact)
		add(list, *exact);
	if (const auto preferred = preferredMode(modes))
		add(list, *preferred);

	std::vector<drmModeModeInfo> holding;
	std::ranges::copy_if(modes, std::back_inserter(holding), [&](const drmModeModeInfo &mode) {
		return holds(mode, wish.width, wish.height) && progressive(mode);
	});
	const auto smallest =
		std::ranges::min_element(holding, {}, [](const drmModeModeInfo &mode) {
			return uint64_t{mode.hdisplay} * mode.vdisplay;
		});
	if (smallest != holding.end())
		add(list, *smallest);
	if (!list.empty())
		add(list, list.front().mode, true);
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

std::string modeText(const drmModeModeInfo &mode)
{
	const uint64_t refresh = describeMode(mode).refreshMilliHz;
	return std::format("{}x{} at {}.{:02} Hz", mode.hdisplay, mode.vdisplay, refresh / 1000,
			   refresh % 1000 / 10);
}

} /* namespace heapflow */
