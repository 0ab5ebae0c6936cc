/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of KmsScreen that settles mode and plane. */
#include "kms_screen.h"
#include "plane_choice.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>

#include <xf86drm.h>

/*
 * A frame is offered to the driver in every way that could be, the best first:
 *
 *   for each mode, in the order of chooseModes()
 *     for each plane, in the order of choosePlanes()
 *       TEST_ONLY commit: the first that passes is the configuration
 *
 * Nothing but the driver knows what it can do: which planes must cover the CRTC, which can scale,
 * how much bandwidth there is. Each refusal is kept as a sentence, and so is what was not even
 * offered. The test is of the same request that show() commits, made by the same function. It does
 * not prove that the commit succeeds: drivers look at the memory only then (prepare_fb).
 */

namespace heapflow
{

namespace
{

std::string errnoText(int code)
{
	return std::format("{}: {}", errnoName(code), std::strerror(code));
}

std::string modeText(const ModeCandidate &candidate)
{
	const DisplayMode mode = describeMode(candidate.mode);
	return std::format("{}x{} at {}.{:02} Hz{}", mode.width, mode.height,
			   mode.refreshMilliHz / 1000, mode.refreshMilliHz % 1000 / 10,
			   candidate.scaled ? ", scaled" : "");
}

void setIfThere(AtomicRequest &request, const KmsObject &object, std::string_view name,
		uint64_t value)
{
	if (const uint32_t property = object.propertyId(name))
		request.set(property, value);
}

bool onlyScaled(const std::vector<ModeCandidate> &modes)
{
	return std::ranges::all_of(modes, &ModeCandidate::scaled);
}

} /* namespace */

Result<ScanoutPlan> KmsScreen::configure(const FrameLayout &layout, int sample)
{
	const std::lock_guard lock(calls_);
	if (!layout.width || !layout.height)
		return fail(EINVAL, "a frame without a size: " + describe(layout));

	PlaneCandidates candidates = choosePlanes(output_.device.topology, output_.crtc,
						  layout.fourcc, layout.modifier, output_.planeId);
	std::vector<std::string> reasons = std::move(candidates.reasons);
	if (candidates.planes.empty()) {
		std::string why;
		for (const std::string &reason : reasons)
			why += (why.empty() ? "" : "; ") + reason;
		return fail(EINVAL,
			    std::format("no plane of {} takes {} with modifier {:#x}",
					output_.connector.name, fourccToString(layout.fourcc),
					layout.modifier),
			    std::format("Formats: {}. Planes: {}",
					listFormats(planeFormats(output_.device.topology,
								 output_.crtc, output_.planeId)),
					why.empty() ? "none" : why));
	}

	auto now = readOutput();
	if (!now)
		return std::unexpected(now.error());
	const auto modes =
		chooseModes(output_.connector.modes, now->active ? now->mode : std::nullopt,
			    layout.width, layout.height);
	const auto framebuffer = cache_.get(sample, layout);
	if (!framebuffer)
		return std::unexpected(framebuffer.error());
	if (auto idle = waitForFlip(std::chrono::seconds(1)); !idle)
		return std::unexpected(idle.error());

	Error last;
	for (const ModeCandidate &mode : modes) {
		auto found = tryPlanes(layout, *framebuffer, mode, candidates.planes, reasons);
		if (found) {
			configuration_ = std::move(*found);
			onPlane_ = std::nullopt; /* the next show() sets everything */
			return describePlan(std::move(reasons));
		}
		last = found.error();
	}
	if (onlyScaled(modes))
		return fail(
			ERANGE,
			std::format("{}x{} is larger than every mode of {}, and no plane scales it",
				    layout.width, layout.height, output_.connector.name),
			"Ask the camera for a smaller frame");
	return std::unexpected(last);
}

Result<KmsScreen::Configuration> KmsScreen::tryPlanes(const FrameLayout &layout,
						      uint32_t framebuffer,
						      const ModeCandidate &mode,
						      const std::vector<const PlaneInfo *> &planes,
						      std::vector<std::string> &reasons)
{
	Error last;
	for (const PlaneInfo *plane : planes) {
		auto blob = PropertyBlob::create(drm(), &mode.mode, sizeof(mode.mode));
		if (!blob)
			return std::unexpected(blob.error());
		Configuration configuration{mode, plane->id, plane->object.propertyId("FB_ID"),
					    layout, std::move(*blob)};

		AtomicRequest request;
		bool modeset = false;
		auto built = buildModeset(request, configuration, layout, framebuffer, modeset);
		int code = 0;
		if (built) {
			code = request.commit(
				drm(), DRM_MODE_ATOMIC_TEST_ONLY |
					       (modeset ? DRM_MODE_ATOMIC_ALLOW_MODESET : 0));
			testCommits_++;
			if (!code)
				return configuration;
		}
		const std::string what =
			std::format("{} plane {} with mode {}", planeTypeName(plane->type),
				    plane->id, modeText(mode));
		last = built ? Error{code,
				     std::format("{} refused {} on {}", output_.device.path,
						 describe(layout), what),
				     {}}
			     : built.error();
		reasons.push_back(
			std::format("{}: {}", what, built ? errnoText(code) : last.message));
	}
	return std::unexpected(last);
}

Result<KmsScreen::OutputState> KmsScreen::readOutput() const
{
	const auto crtc = readKmsObject(drm(), output_.crtc.id, DRM_MODE_OBJECT_CRTC);
	if (!crtc)
		return std::unexpected(crtc.error());
	const auto connector =
		readKmsObject(drm(), output_.connector.id, DRM_MODE_OBJECT_CONNECTOR);
	if (!connector)
		return std::unexpected(connector.error());

	OutputState state;
	state.routed = connector->value("CRTC_ID") == output_.crtc.id;
	state.active = crtc->value("ACTIVE");
	const std::vector<uint8_t> mode = readBlob(drm(), crtc->value("MODE_ID"));
	if (mode.size() == sizeof(drmModeModeInfo))
		std::memcpy(&state.mode.emplace(), mode.data(), mode.size());
	return state;
}

Result<void> KmsScreen::buildModeset(AtomicRequest &request, const Configuration &configuration,
				     const FrameLayout &layout, uint32_t framebuffer,
				     bool &needsModeset) const
{
	const PlaneInfo *plane = output_.device.topology.plane(configuration.plane);
	const auto colour = planeColour(plane->object, layout);
	if (!colour)
		return std::unexpected(colour.error());
	const auto now = readOutput();
	if (!now)
		return std::unexpected(now.error());

	/* Setting what is set already would still be a modeset to some drivers. */
	if (!now->routed) {
		request.object(output_.connector.id);
		request.set(output_.connector.object.propertyId("CRTC_ID"), output_.crtc.id);
	}
	const bool newMode = !now->mode || !sameTimings(*now->mode, configuration.mode.mode);
	if (newMode || !now->active) {
		request.object(output_.crtc.id);
		request.set(output_.crtc.object.propertyId("MODE_ID"), configuration.modeBlob.id());
		request.set(output_.crtc.object.propertyId("ACTIVE"), 1);
	}
	needsModeset = !now->routed || newMode || !now->active;

	addOtherPlanesOff(request, *plane);
	addPlane(request, *plane, *colour, configuration.mode, layout, framebuffer);
	return {};
}

void KmsScreen::addOtherPlanesOff(AtomicRequest &request, const PlaneInfo &plane) const
{
	for (const PlaneInfo &other : output_.device.topology.planes) {
		const bool ours = std::ranges::contains(touched_, other.id);
		if (other.id == plane.id || (!ours && !saved_.wasLit(other.id)))
			continue;
		/* What lies under an overlay stays as it is, if it is not an old frame of ours. */
		if (plane.type == PlaneType::Overlay && other.type == PlaneType::Primary && !ours)
			continue;
		request.object(other.id);
		request.set(other.object.propertyId("FB_ID"), 0);
		request.set(other.object.propertyId("CRTC_ID"), 0);
	}
}

void KmsScreen::addPlane(AtomicRequest &request, const PlaneInfo &plane, const PlaneColour &colour,
			 const ModeCandidate &mode, const FrameLayout &layout,
			 uint32_t framebuffer) const
{
	const KmsObject &object = plane.object;
	request.object(plane.id);
	request.set(object.propertyId("FB_ID"), framebuffer);
	request.set(object.propertyId("CRTC_ID"), output_.crtc.id);
	request.set(object.propertyId("SRC_X"), 0);
	request.set(object.propertyId("SRC_Y"), 0);
	/* 16.16 fixed point */
	request.set(object.propertyId("SRC_W"), uint64_t{layout.width} << 16);
	request.set(object.propertyId("SRC_H"), uint64_t{layout.height} << 16);
	request.set(object.propertyId("CRTC_X"), mode.placement.x);
	request.set(object.propertyId("CRTC_Y"), mode.placement.y);
	request.set(object.propertyId("CRTC_W"), mode.placement.width);
	request.set(object.propertyId("CRTC_H"), mode.placement.height);
	if (colour.encoding)
		request.set(object.propertyId("COLOR_ENCODING"), *colour.encoding);
	if (colour.range)
		request.set(object.propertyId("COLOR_RANGE"), *colour.range);

	/* What a program before us may have left behind. */
	setIfThere(request, object, "rotation", DRM_MODE_ROTATE_0);
	if (const KmsProperty *alpha = object.find("alpha"))
		request.set(alpha->id, alpha->maximum);
}

ScanoutPlan KmsScreen::describePlan(std::vector<std::string> reasons) const
{
	const PlaneInfo *plane = output_.device.topology.plane(configuration_->plane);
	const Placement &placement = configuration_->mode.placement;
	return {.device = std::format("{} ({})", output_.device.path, output_.device.driver),
		.connector = output_.connector.name,
		.crtcId = output_.crtc.id,
		.planeId = plane->id,
		.planeType = planeTypeName(plane->type),
		.mode = describeMode(configuration_->mode.mode),
		.x = placement.x,
		.y = placement.y,
		.width = placement.width,
		.height = placement.height,
		.reasons = std::move(reasons)};
}

} /* namespace heapflow */
