/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One mode of a camera on one plane of a display: format, size, stride, number of buffers. */
#include "plan_search.h"

#include <algorithm>
#include <numeric>

namespace heapflow
{

namespace
{

constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();

struct Limits {
	uint64_t low;
	uint64_t high;
};

/* Values of a camera in one direction. */
struct Axis {
	uint64_t min;
	uint64_t max;
	uint64_t step;
};

/* The values of `axis` that `multiple` divides are again a range in steps; nothing if none. */
std::optional<Axis> divisibleBy(const Axis &axis, uint64_t multiple)
{
	const uint64_t step = std::max<uint64_t>(axis.step, 1);
	uint64_t first = axis.min ? axis.min : step;
	for (uint64_t tried = 0; first % multiple; tried++, first += step)
		if (tried == multiple)
			return std::nullopt;
	if (first > axis.max)
		return std::nullopt;
	return Axis{first, axis.max, std::lcm(step, multiple)};
}

/* The value nearest to `wanted`, the smaller of two. */
std::optional<uint64_t> nearest(const Axis &axis, const Limits &limits, uint64_t wanted)
{
	const uint64_t low = std::max(axis.min, limits.low);
	const uint64_t high = std::min(axis.max, limits.high);
	if (low > high)
		return std::nullopt;
	const uint64_t aim = std::clamp(wanted, low, high);
	const uint64_t below = axis.min + (aim - axis.min) / axis.step * axis.step;
	const uint64_t above = below == aim ? aim : below + axis.step;
	const bool belowIsIn = below >= low;
	const bool aboveIsIn = above <= high;
	if (!belowIsIn && !aboveIsIn)
		return std::nullopt;
	if (!aboveIsIn)
		return below;
	if (!belowIsIn)
		return above;
	return aim - below <= above - aim ? below : above;
}

/* What the plane shows of a size in one direction. A plane that cannot cut shows no more. */
Limits limitsOf(const PlanPlane &plane, uint32_t low, uint32_t high, uint32_t output)
{
	if (output && !plane.scales && !plane.crops)
		high = std::min(high, output);
	return {low, high};
}

struct Direction {
	const char *name;
	Axis axis;
	Limits limits;
	uint32_t preferred;
	uint32_t output;
	unsigned subsampling;
};

uint32_t sizeAlong(const Direction &direction, bool exact, std::vector<RawClash> &clashes)
{
	const auto axis = divisibleBy(direction.axis, direction.subsampling);
	if (!axis) {
		clashes.push_back({ClashKind::Size, Party::Format, Party::Camera,
				   direction.subsampling, direction.axis.min, direction.name});
		return static_cast<uint32_t>(direction.axis.min);
	}
	const uint64_t wanted = direction.preferred ? direction.preferred
				: direction.output  ? direction.output
						    : axis->max;
	if (const auto found = nearest(*axis, direction.limits, wanted)) {
		if (exact && direction.preferred && *found != direction.preferred)
			clashes.push_back({ClashKind::Size, Party::Request, Party::Camera,
					   direction.preferred, *found, direction.name});
		return static_cast<uint32_t>(*found);
	}
	/* Go on with a size of the camera, so that the other clashes are found as well. */
	const uint64_t own = *nearest(*axis, {0, kMost}, std::min(wanted, direction.limits.high));
	clashes.push_back(
		{ClashKind::Size, Party::Plane, Party::Camera,
		 own > direction.limits.high ? direction.limits.high : direction.limits.low, own,
		 direction.name});
	return static_cast<uint32_t>(own);
}

void chooseSize(const PlanRequest &request, const SourceMode &mode, const PlanPlane &plane,
		PlanPair &pair)
{
	const FormatInfo *info = formatInfo(mode.fourcc, mode.modifier);
	const PlanPreference &wish = request.preference;
	const SizeRange &size = mode.size;
	pair.width = sizeAlong({"width",
				{size.minWidth, size.maxWidth, size.stepWidth},
				limitsOf(plane, plane.minWidth, plane.maxWidth, plane.outputWidth),
				wish.width,
				plane.outputWidth,
				info ? info->horizontalSubsampling : 1},
			       wish.exactSize, pair.clashes);
	pair.height =
		sizeAlong({"height",
			   {size.minHeight, size.maxHeight, size.stepHeight},
			   limitsOf(plane, plane.minHeight, plane.maxHeight, plane.outputHeight),
			   wish.height,
			   plane.outputHeight,
			   info ? info->verticalSubsampling : 1},
			  wish.exactSize, pair.clashes);
}

/* `formats` is sorted. */
void checkFormat(const SourceMode &mode, const PlanPlane &plane, std::vector<RawClash> &clashes)
{
	const FormatInfo *info = formatInfo(mode.fourcc, mode.modifier);
	const auto [from, to] =
		std::ranges::equal_range(plane.formats, mode.fourcc, {}, &PlaneFormat::fourcc);
	if (from == to || (info && info->kind == FormatKind::Bayer))
		clashes.push_back({ClashKind::Format, Party::Plane, Party::Camera});
	else if (!std::ranges::binary_search(from, to, mode.modifier, {}, &PlaneFormat::modifier))
		clashes.push_back({ClashKind::Modifier, Party::Plane, Party::Camera});
}

uint32_t asAlignment(std::optional<uint64_t> alignment)
{
	/* More than any stride: the layout then says that it does not fit. */
	return static_cast<uint32_t>(std::min(alignment.value_or(kMost), kMost));
}

/* What the camera does by itself. */
LayoutRules cameraRules(const PlanSource &source, const SourceMode &mode)
{
	const StrideRules &stride = mode.stride;
	const bool fixed = stride.kind == StrideRules::Kind::Fixed;
	return {.modifier = mode.modifier,
		.stride = fixed ? stride.fixed : 0,
		.minimumStride = stride.minimum,
		.strideAlignment = fixed ? 1
					 : asAlignment(commonAlignment(
						   stride.alignment, source.needs.strideAlignment)),
		.heightAlignment = mode.heightAlignment,
		.padPlanes = false};
}

/* And what it can be brought to do for the plane, when its stride is free. */
LayoutRules commonRules(const PlanSource &source, const SourceMode &mode, const PlanPlane &plane)
{
	LayoutRules rules = cameraRules(source, mode);
	rules.planeStrideAlignment =
		asAlignment(commonAlignment(plane.pitchAlignment, plane.needs.strideAlignment));
	rules.offsetAlignment = asAlignment(
		commonAlignment(source.needs.offsetAlignment, plane.needs.offsetAlignment));
	return rules;
}

void checkStrides(const SourceMode &mode, const PlanPlane &plane, const FrameLayout &layout,
		  uint32_t alignment, std::vector<RawClash> &clashes)
{
	if (layout.planes[0].stride > mode.stride.maximum)
		clashes.push_back({ClashKind::PitchLimit, Party::Camera, Party::Plane,
				   mode.stride.maximum, layout.planes[0].stride});
	const auto misaligned = std::ranges::find_if(
		layout.planes, [&](const PlaneLayout &one) { return one.stride % alignment; });
	if (misaligned != layout.planes.end())
		clashes.push_back({ClashKind::PitchAlignment, Party::Plane, Party::Camera,
				   alignment, misaligned->stride});
	const auto widest = std::ranges::max_element(layout.planes, {}, &PlaneLayout::stride);
	if (widest->stride > plane.maximumPitch)
		clashes.push_back({ClashKind::PitchLimit, Party::Plane, Party::Camera,
				   plane.maximumPitch, widest->stride});
}

void checkOffsets(const MemoryNeeds &needs, Party who, const FrameLayout &layout,
		  std::vector<RawClash> &clashes)
{
	for (const PlaneLayout &plane : layout.planes) {
		if (plane.offset % needs.offsetAlignment == 0)
			continue;
		clashes.push_back({ClashKind::OffsetAlignment, who, Party::Camera,
				   needs.offsetAlignment, plane.offset});
		return;
	}
}

void layOut(const PlanRequest &request, const SourceMode &mode, const PlanPlane &plane,
	    PlanPair &pair)
{
	const LayoutRules common = commonRules(request.source, mode, plane);
	const bool free = mode.stride.kind == StrideRules::Kind::Free;
	auto layout = makeFrameLayout(mode.fourcc, pair.width, pair.height,
				      free ? common : cameraRules(request.source, mode));
	if (!layout) {
		/* A size that does not divide has been named already. */
		if (pair.clashes.empty() || pair.clashes.back().kind != ClashKind::Size)
			pair.clashes.push_back({ClashKind::Layout, Party::Request, Party::Camera});
		return;
	}
	checkStrides(mode, plane, *layout, common.planeStrideAlignment, pair.clashes);
	checkOffsets(request.source.needs, Party::Camera, *layout, pair.clashes);
	checkOffsets(plane.needs, Party::Plane, *layout, pair.clashes);
	pair.layout = std::move(*layout);
}

void countBuffers(const PlanRequest &request, const PlanPlane &plane, PlanPair &pair)
{
	const PlanSource &source = request.source;
	const uint64_t held =
		uint64_t{source.keeps} + plane.buffersHeld + request.preference.extraBuffers;
	const uint64_t needed = std::max<uint64_t>({source.minimumBuffers, held, 1});
	if (needed > source.maximumBuffers)
		pair.clashes.push_back({ClashKind::BufferCount, Party::Plane, Party::Camera, needed,
					source.maximumBuffers});
	pair.buffers = static_cast<uint32_t>(std::min(needed, kMost));
}

} /* namespace */

std::optional<uint64_t> commonAlignment(uint64_t a, uint64_t b)
{
	if (a > kMost || b > kMost)
		return std::nullopt;
	const uint64_t both = a / std::gcd(a, b) * b;
	return both > kMost ? std::nullopt : std::optional(both);
}

PlanPair checkPair(const PlanRequest &request, size_t modeIndex, size_t planeIndex)
{
	const SourceMode &mode = request.source.modes[modeIndex];
	const PlanPlane &plane = request.planes[planeIndex];
	PlanPair pair{.mode = modeIndex, .plane = planeIndex};

	checkFormat(mode, plane, pair.clashes);
	chooseSize(request, mode, plane, pair);
	layOut(request, mode, plane, pair);
	countBuffers(request, plane, pair);
	return pair;
}

} /* namespace heapflow */
