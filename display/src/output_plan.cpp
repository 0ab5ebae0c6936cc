/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of Output that settles the mode and the planes. */
#include "failing_property.h"
#include "orientation.h"
#include "output.h"
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
 *     for each arrangement in it, in the order of arrangements()
 *       for each assignment of planes, in the order of choosePlanes()
 *         TEST_ONLY commit of all layers: the first that passes is the plan
 *
 * Nothing but the driver knows what it can do: which planes must cover the CRTC, which can scale
 * or turn, how much bandwidth there is. Each refusal is kept as a sentence, with the property that
 * the driver does not take, and so is what was not even offered. What was refused once is not
 * tried again, however often the choice is made.
 *
 * The test is of the same request that the commit makes, built by the same function. It does not
 * prove that the commit succeeds: drivers look at the memory only then (prepare_fb). When the
 * commit is refused, its proposal is remembered as refused too, and the choice is made again.
 *
 * Other layers stay where they are. Only if the new one fits nowhere beside them, or not in the
 * order that zpos asks for, they are given other planes.
 */

namespace heapflow
{

namespace
{

/* More than any driver's planes and layouts need; a bound for one that refuses everything. */
constexpr size_t maximumAssignments = 64;

std::string errnoText(int code)
{
	return std::format("{}: {}", errnoName(code), std::strerror(code));
}

/* Higher is nearer to the viewer: the fixed zpos, or else the usual order of the types. */
uint64_t stackPosition(const PlaneInfo &plane)
{
	if (const KmsProperty *zpos = plane.object.find("zpos"))
		return zpos->value;
	return (static_cast<uint64_t>(plane.type) << 32) + plane.id;
}

/* Would nothing of it be seen? Drivers take that without a word. */
bool isOutside(const Rectangle &place, const drmModeModeInfo &mode)
{
	return place.x >= mode.hdisplay || place.y >= mode.vdisplay ||
	       place.x + int64_t{place.width} <= 0 || place.y + int64_t{place.height} <= 0;
}

bool canMoveInStack(const PlaneInfo &plane)
{
	const KmsProperty *zpos = plane.object.find("zpos");
	return zpos && !zpos->immutable;
}

} /* namespace */

Transform Output::panel() const
{
	const KmsProperty *property = connector_.object.find("panel orientation");
	if (!property)
		return Transform::Identity;
	for (const auto &[name, value] : property->choices) {
		if (value == property->value)
			return panelTransform(name);
	}
	return Transform::Identity;
}

Result<void> Output::checkFormat(const OutputLayer &layer) const
{
	const FrameLayout &layout = *layer.layout;
	const PlaneCandidates candidates =
		choosePlanes(topology_, crtc_, layout.fourcc, layout.modifier, layer.wantedPlane);
	if (!candidates.planes.empty())
		return {};
	std::string why;
	for (const std::string &reason : candidates.reasons)
		why += (why.empty() ? "" : "; ") + reason;
	return fail(EINVAL,
		    std::format("no plane of {} takes {} with modifier {:#x}", connector_.name,
				fourccToString(layout.fourcc), layout.modifier),
		    std::format("Formats: {}. Planes: {}",
				listFormats(planeFormats(topology_, crtc_, layer.wantedPlane)),
				why.empty() ? "none" : why));
}

Result<void> Output::settle(OutputLayer *layer, uint32_t framebuffer, const Rectangle &crop)
{
	if (auto known = checkFormat(*layer); !known)
		return known;
	const auto now = readCurrent();
	if (!now)
		return std::unexpected(now.error());

	const Transform toPanel = layer->options.followPanel ? panel() : Transform::Identity;
	const auto [width, height] = pictureSize(crop, layer->options, toPanel);
	const bool shared = std::ranges::any_of(
		layers_, [&](const auto &other) { return other.get() != layer && other->setting; });
	Result<std::vector<ModeCandidate>> modes;
	/* The mode of the others is kept while it serves, and for good when one asked for it. */
	const bool fixed = std::ranges::any_of(layers_, [&](const auto &other) {
		return other.get() != layer && other->setting && !other->wantedMode.empty();
	});
	if (shared && mode_ && fixed)
		modes = {{*mode_, false}, {*mode_, true}};
	else if (shared && mode_)
		modes = chooseModes(connector_.modes, mode_,
				    {{}, width, height, layer->options.frameRateMilliHz});
	else
		modes = chooseModes(
			connector_.modes, now->active ? now->mode : std::nullopt,
			{layer->wantedMode, width, height, layer->options.frameRateMilliHz});
	if (!modes)
		return std::unexpected(modes.error());

	layer->crop = crop;
	/* What the connector does not know is no reason to show nothing; but it is said. */
	const auto unknown = [&](bool wanted, const char *property) {
		return wanted && !connector_.object.find(property);
	};
	std::vector<std::string> ignored;
	if (unknown(layer->options.bitsPerComponent.has_value(), "max bpc"))
		ignored.push_back(connector_.name + " has no property 'max bpc': ignored");
	if (unknown(!layer->options.contentType.empty(), "content type"))
		ignored.push_back(connector_.name + " has no property 'content type': ignored");
	if (unknown(layer->options.hdr.has_value(), "HDR_OUTPUT_METADATA"))
		ignored.push_back(connector_.name + " takes no HDR metadata: it is not told");
	std::vector<std::string> reasons = choosePlanes(topology_, crtc_, layer->layout->fourcc,
							layer->layout->modifier, layer->wantedPlane)
						   .reasons;
	reasons.insert(reasons.end(), ignored.begin(), ignored.end());
	Error last{
		ERANGE,
		std::format("{}x{} fits no mode of {}", crop.width, crop.height, connector_.name),
		"Ask the camera for another size"};
	for (const ModeCandidate &mode : *modes) {
		auto settled = settleIn(layer, framebuffer, mode, *now, reasons);
		if (settled)
			return {};
		if (settled.error().code)
			last = settled.error();
	}
	layer->setting.reset();
	std::string why;
	for (const std::string &reason : reasons)
		why += (why.empty() ? "" : "; ") + reason;
	last.hint = last.hint.empty() ? "Tried: " + why : last.hint + ". Tried: " + why;
	return std::unexpected(last);
}

Result<void> Output::settleIn(OutputLayer *layer, uint32_t framebuffer, const ModeCandidate &mode,
			      const Current &now, std::vector<std::string> &reasons)
{
	const ArrangementWish wish{
		.source = layer->crop,
		.panelWidth = mode.mode.hdisplay,
		.panelHeight = mode.mode.vdisplay,
		.panel = layer->options.followPanel ? panel() : Transform::Identity,
		.crop = mode.crop,
	};
	Error last;
	for (const Arrangement &arrangement : arrangements(wish, layer->options)) {
		if (isOutside(arrangement.destination, mode.mode)) {
			last = {ERANGE,
				std::format("{} is outside of the mode {}", describe(arrangement),
					    modeText(mode.mode)),
				"Choose a rectangle on the screen"};
			reasons.push_back(last.message);
			continue;
		}
		for (const auto &planes : planeOrders(layer)) {
			const std::string what =
				std::format("{} plane {}, {}, {}",
					    planeTypeName(topology_.plane(planes[0])->type),
					    planes[0], modeText(mode.mode), describe(arrangement));
			auto proposal = propose(layer, mode.mode, arrangement, planes);
			auto tried = proposal ? tryProposal(*proposal, layer, framebuffer, now)
					      : std::unexpected(proposal.error());
			if (tried) {
				adopt(*proposal, layer, std::move(reasons));
				return {};
			}
			last = tried.error();
			reasons.push_back(what + ": " + last.message);
			last.message = std::format("{} refused {} on {}: {}", device_->kms().path,
						   describe(*layer->layout), what, last.message);
		}
	}
	return std::unexpected(last);
}

std::vector<std::vector<uint32_t>> Output::planeOrders(const OutputLayer *layer) const
{
	/* The new layer, then the others that are settled. */
	std::vector<const OutputLayer *> stack = {layer};
	for (const auto &other : layers_) {
		if (other.get() != layer && other->setting)
			stack.push_back(other.get());
	}
	std::vector<std::vector<uint32_t>> choices;
	for (const OutputLayer *member : stack) {
		auto &own = choices.emplace_back();
		if (member != layer)
			own.push_back(member->setting->plane);
		for (const PlaneInfo *plane :
		     choosePlanes(topology_, crtc_, member->layout->fourcc,
				  member->layout->modifier, member->wantedPlane)
			     .planes) {
			if (!std::ranges::contains(own, plane->id))
				own.push_back(plane->id);
		}
	}

	/* Counts through all choices, those of the last member fastest. */
	std::vector<std::vector<uint32_t>> found;
	std::vector<std::vector<uint32_t>> moved;
	std::vector<size_t> at(stack.size(), 0);
	while (!choices[0].empty() && found.size() + moved.size() < maximumAssignments) {
		std::vector<uint32_t> planes;
		bool distinct = true;
		for (size_t i = 0; i < stack.size(); i++) {
			const uint32_t plane = choices[i][at[i]];
			distinct &= !std::ranges::contains(planes, plane);
			planes.push_back(plane);
		}
		const bool othersStay =
			std::ranges::all_of(at.begin() + 1, at.end(), [](size_t i) { return !i; });
		if (distinct && keepsOrder(stack, planes))
			(othersStay ? found : moved).push_back(planes);

		size_t member = stack.size();
		while (member > 0 && ++at[member - 1] == choices[member - 1].size())
			at[--member] = 0;
		if (!member)
			break;
	}
	found.insert(found.end(), moved.begin(), moved.end());
	return found;
}

bool Output::keepsOrder(const std::vector<const OutputLayer *> &stack,
			const std::vector<uint32_t> &planes) const
{
	for (size_t a = 0; a < stack.size(); a++) {
		for (size_t b = 0; b < stack.size(); b++) {
			const auto &za = stack[a]->options.zpos;
			const auto &zb = stack[b]->options.zpos;
			if (!za || !zb || *za >= *zb)
				continue;
			const PlaneInfo &lower = *topology_.plane(planes[a]);
			const PlaneInfo &upper = *topology_.plane(planes[b]);
			if (canMoveInStack(lower) && canMoveInStack(upper))
				continue;
			if (stackPosition(lower) >= stackPosition(upper))
				return false;
		}
	}
	return true;
}

Result<LayerSetting> Output::makeSetting(const OutputLayer &layer, uint32_t planeId,
					 const Arrangement &arrangement) const
{
	const KmsObject &plane = topology_.plane(planeId)->object;
	const auto rotation = planeRotation(plane, arrangement.transform);
	if (!rotation)
		return fail(EINVAL, std::format("it cannot show a picture {}",
						describe(arrangement.transform)));
	if (layer.options.alpha < 1.0 && !plane.find("alpha"))
		return fail(EINVAL, "it has no alpha");
	for (const auto &[name, value] : layer.options.planeProperties) {
		if (!plane.find(name))
			return fail(EINVAL, std::format("it has no property '{}'", name));
	}
	if (const auto colour = planeColour(plane, *layer.layout); !colour)
		return std::unexpected(colour.error());
	return LayerSetting{planeId, plane.propertyId("FB_ID"), arrangement, *rotation};
}

Result<Output::Proposal> Output::propose(OutputLayer *layer, const drmModeModeInfo &mode,
					 const Arrangement &arrangement,
					 const std::vector<uint32_t> &planes) const
{
	Proposal proposal{.mode = mode, .layers = {}};
	auto own = makeSetting(*layer, planes[0], arrangement);
	if (!own)
		return std::unexpected(own.error());
	proposal.layers.emplace_back(layer, *own);
	size_t next = 1;
	for (const auto &other : layers_) {
		if (other.get() == layer || !other->setting)
			continue;
		auto setting = makeSetting(*other, planes[next++], other->setting->arrangement);
		if (!setting)
			return std::unexpected(setting.error());
		proposal.layers.emplace_back(other.get(), *setting);
	}
	return proposal;
}

std::string Output::keyOf(const Proposal &proposal) const
{
	const drmModeModeInfo &mode = proposal.mode;
	std::string key =
		std::format("{} {} {} {:x}", modeText(mode), mode.clock, mode.htotal, mode.flags);
	for (const auto &[layer, setting] : proposal.layers) {
		const FrameLayout &layout = *layer->layout;
		key += std::format("|{} {} {} {:x} {}x{}", setting.plane,
				   describe(setting.arrangement), layout.fourcc, layout.modifier,
				   layout.width, layout.height);
		for (const PlaneLayout &plane : layout.planes)
			key += std::format(" {}", plane.stride);
		key += std::format(" {} {}", layer->options.alpha, layer->options.zpos.value_or(0));
		for (const auto &[name, value] : layer->options.planeProperties)
			key += std::format(" {}={}", name, value);
		for (const auto &[name, value] : layer->options.connectorProperties)
			key += std::format(" {}={}", name, value);
		key += std::format(" {} {} {}", layer->options.bitsPerComponent.value_or(0),
				   layer->options.contentType, layer->options.hdr.has_value());
	}
	return key;
}

Result<void> Output::tryProposal(const Proposal &proposal, OutputLayer *layer, uint32_t framebuffer,
				 const Current &now)
{
	const std::string key = keyOf(proposal);
	if (const auto known = refusals_.find(key); known != refusals_.end())
		return std::unexpected(known->second);

	auto blob = PropertyBlob::create(drm(), &proposal.mode, sizeof(proposal.mode));
	if (!blob)
		return std::unexpected(blob.error());
	AtomicRequest request;
	std::vector<PropertyBlob> blobs;
	const auto modeset =
		buildAll(request, proposal, now, blob->id(), {layer, framebuffer}, blobs);
	if (!modeset)
		return std::unexpected(modeset.error());
	const uint32_t flags =
		DRM_MODE_ATOMIC_TEST_ONLY | (*modeset ? DRM_MODE_ATOMIC_ALLOW_MODESET : 0);
	statistics_.testCommits++;
	const int code = request.commit(drm(), flags, 0, &statistics_.interrupted);
	if (!code)
		return {};
	const Error error{code, errnoText(code) + blame(request, flags), {}};
	/* What another program causes, or a lack of memory, may be over next time. */
	if (code != EACCES && code != EPERM && code != EBUSY && code != ENOMEM && code != ENODEV)
		refusals_[key] = error;
	return std::unexpected(error);
}

std::string Output::blame(const AtomicRequest &request, uint32_t flags)
{
	const auto test = [&](const AtomicRequest &part) {
		statistics_.testCommits++;
		return part.commit(drm(), flags, 0, &statistics_.interrupted);
	};
	const auto index = findFailingProperty(request, test);
	return index ? ", because of " + propertyText(request.entry(*index)) : "";
}

std::string Output::propertyText(const AtomicRequest::Entry &entry) const
{
	const auto name = [&](const KmsObject &object) -> std::string {
		for (const KmsProperty &property : object.properties) {
			if (property.id == entry.property)
				return std::format("{}={}", property.name, entry.value);
		}
		return std::format("property {}={}", entry.property, entry.value);
	};
	if (const PlaneInfo *plane = topology_.plane(entry.object))
		return std::format("{} of plane {}", name(plane->object), plane->id);
	if (entry.object == crtc_.id)
		return std::format("{} of CRTC {}", name(crtc_.object), crtc_.id);
	return std::format("{} of {}", name(connector_.object), connector_.name);
}

void Output::adopt(const Proposal &proposal, OutputLayer *layer, std::vector<std::string> reasons)
{
	auto blob = PropertyBlob::create(drm(), &proposal.mode, sizeof(proposal.mode));
	if (blob)
		modeBlob_ = std::move(*blob);
	mode_ = proposal.mode;
	clock_.setRefresh(describeMode(proposal.mode).refreshMilliHz);
	for (const auto &[member, setting] : proposal.layers) {
		const bool moved = !member->setting || member->setting->plane != setting.plane;
		member->setting = setting;
		member->placed = false;
		if (member == layer)
			member->plan = describePlan(*member, std::move(reasons));
		else if (moved)
			member->plan = describePlan(*member, {"moved for another layer"});
	}
	plans_++;
	refusesTearing_ = false;
	whole_ = true; /* the next commit sets everything */
}

ScanoutPlan Output::describePlan(const OutputLayer &layer, std::vector<std::string> reasons) const
{
	ScanoutPlan plan{.device =
				 std::format("{} ({})", device_->kms().path, device_->kms().driver),
			 .connector = connector_.name,
			 .crtcId = crtc_.id,
			 .planeId = 0,
			 .planeType = {},
			 .mode = {},
			 .source = layer.crop,
			 .arrangement = {},
			 .reasons = std::move(reasons)};
	if (mode_)
		plan.mode = describeMode(*mode_);
	if (!layer.setting)
		return plan;
	const Arrangement &arrangement = layer.setting->arrangement;
	plan.planeId = layer.setting->plane;
	plan.planeType = planeTypeName(topology_.plane(plan.planeId)->type);
	plan.x = static_cast<uint32_t>(std::max(arrangement.destination.x, 0));
	plan.y = static_cast<uint32_t>(std::max(arrangement.destination.y, 0));
	plan.width = arrangement.destination.width;
	plan.height = arrangement.destination.height;
	plan.source = arrangement.source;
	plan.arrangement = arrangementName(arrangement.kind);
	plan.transform = arrangement.transform;
	return plan;
}

Result<Output::Current> Output::readCurrent() const
{
	KmsPropertyDefinitions definitions;
	definitions.know(crtc_.object);
	definitions.know(connector_.object);
	const auto crtc = readKmsObject(drm(), crtc_.id, DRM_MODE_OBJECT_CRTC, definitions);
	if (!crtc)
		return std::unexpected(crtc.error());
	const auto connector =
		readKmsObject(drm(), connector_.id, DRM_MODE_OBJECT_CONNECTOR, definitions);
	if (!connector)
		return std::unexpected(connector.error());

	Current state;
	state.routed = connector->value("CRTC_ID") == crtc_.id;
	state.active = crtc->value("ACTIVE");
	const auto mode = readBlob(drm(), crtc->value("MODE_ID"));
	if (!mode)
		return std::unexpected(mode.error());
	if (mode->size() == sizeof(drmModeModeInfo))
		std::memcpy(&state.mode.emplace(), mode->data(), mode->size());
	for (const PlaneInfo &plane : topology_.planes) {
		if (!hasPlane(plane.id))
			continue;
		definitions.know(plane.object);
		const auto object =
			readKmsObject(drm(), plane.id, DRM_MODE_OBJECT_PLANE, definitions);
		if (!object)
			return std::unexpected(object.error());
		if (object->value("CRTC_ID") == crtc_.id && object->value("FB_ID"))
			state.lit.emplace_back(plane.id,
					       static_cast<uint32_t>(object->value("FB_ID")));
	}
	return state;
}

} /* namespace heapflow */
