/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of Output that makes commits. */
#include "hdr_metadata.h"
#include "output.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <format>

#include <drm_mode.h>

namespace heapflow
{

namespace
{

/* Another commit is over within a vblank or two. */
constexpr int64_t busyRetry = 1'000'000;     /* ns */
constexpr int64_t busyLimit = 1'000'000'000; /* ns; then it is an error */

void setIfThere(AtomicRequest &request, const KmsObject &object, std::string_view name,
		uint64_t value)
{
	if (const uint32_t property = object.propertyId(name))
		request.set(property, value);
}

/* 16.16 fixed point */
uint64_t fixedPoint(int64_t pixels)
{
	return static_cast<uint64_t>(pixels) << 16;
}

/* A crop is of the same size as the one that was settled, but may have moved. */
Rectangle sourceOf(const OutputLayer &layer, const LayerSetting &setting, const Rectangle &crop)
{
	Rectangle source = setting.arrangement.source;
	source.x += crop.x - layer.crop.x;
	source.y += crop.y - layer.crop.y;
	return source;
}

} /* namespace */

Output::Proposal Output::currentProposal() const
{
	Proposal proposal{.mode = mode_.value_or(drmModeModeInfo{}), .layers = {}};
	for (const auto &layer : layers_) {
		if (layer->setting)
			proposal.layers.emplace_back(layer.get(), *layer->setting);
	}
	return proposal;
}

Result<bool> Output::buildAll(AtomicRequest &request, const Proposal &proposal, const Current &now,
			      uint32_t modeBlob, const Sample &sample,
			      std::vector<PropertyBlob> &blobs) const
{
	/* Setting what is set already would still be a modeset to some drivers. */
	request.object(connector_.id);
	if (auto added = addConnector(request, proposal, blobs); !added)
		return std::unexpected(added.error());
	const bool connectorChanges = !request.empty();
	if (!now.routed)
		request.set(connector_.object.propertyId("CRTC_ID"), crtc_.id);

	const bool newMode = !now.mode || !sameTimings(*now.mode, proposal.mode);
	if (newMode || !now.active) {
		request.object(crtc_.id);
		request.set(crtc_.object.propertyId("MODE_ID"), modeBlob);
		request.set(crtc_.object.propertyId("ACTIVE"), 1);
	}

	addVariableRefresh(request, proposal);
	addOtherPlanesOff(request, proposal, now);
	for (const auto &[layer, setting] : proposal.layers) {
		LayerFrame frame;
		if (layer == sample.layer)
			frame = {.framebuffer = sample.framebuffer,
				 .colorimetry = layer->layout->colorimetry,
				 .crop = layer->crop};
		else if (isReady(*layer, sample.now))
			frame = *layer->frames.waiting();
		else if (layer->frames.shown())
			frame = *layer->frames.shown();
		else
			continue;
		if (auto added = addPlane(request, *layer, setting, frame); !added)
			return std::unexpected(added.error());
	}
	return !now.routed || newMode || !now.active || connectorChanges;
}

Result<void> Output::addConnector(AtomicRequest &request, const Proposal &proposal,
				  std::vector<PropertyBlob> &blobs) const
{
	const KmsObject &connector = connector_.object;
	for (const auto &[layer, setting] : proposal.layers) {
		const LayerOptions &options = layer->options;
		if (options.bitsPerComponent)
			setIfThere(request, connector, "max bpc", *options.bitsPerComponent);
		if (const KmsProperty *content = connector.find("content type");
		    content && !options.contentType.empty()) {
			const auto value = content->choice(options.contentType);
			if (!value)
				return fail(EINVAL,
					    std::format("{} has no content type '{}'",
							connector_.name, options.contentType));
			request.set(content->id, *value);
		}
		if (options.hdr && connector.find("HDR_OUTPUT_METADATA")) {
			const hdr_output_metadata metadata = kmsHdrMetadata(*options.hdr);
			auto blob = PropertyBlob::create(drm(), &metadata, sizeof(metadata));
			if (!blob)
				return std::unexpected(blob.error());
			setIfThere(request, connector, "HDR_OUTPUT_METADATA", blob->id());
			blobs.push_back(std::move(*blob));
			/* Displays take the container's primaries from the infoframe too. */
			const KmsProperty *space = connector.find("Colorspace");
			if (const auto value = space ? space->choice("BT2020_RGB") : std::nullopt)
				request.set(space->id, *value);
		}
		for (const auto &[name, value] : options.connectorProperties) {
			const KmsProperty *property = connector.find(name);
			if (!property)
				return fail(EINVAL, std::format("{} has no property '{}'",
								connector_.name, name));
			request.set(property->id, value);
		}
	}
	return {};
}

void Output::addVariableRefresh(AtomicRequest &request, const Proposal &proposal) const
{
	const bool wanted = std::ranges::any_of(proposal.layers, [](const auto &member) {
		return member.first->options.variableRefresh;
	});
	if (!wanted || !connector_.object.value("vrr_capable"))
		return;
	request.object(crtc_.id);
	setIfThere(request, crtc_.object, "VRR_ENABLED", 1);
}

/*
 * All frames of this commit may tear, and nothing but them is changed: the kernel takes FB_ID alone
 * with DRM_MODE_PAGE_FLIP_ASYNC (drm_atomic_uapi.c).
 */
bool Output::mayTear(int64_t now) const
{
	return device_->kms().asyncFlips && !refusesTearing_ && !whole_ &&
	       std::ranges::all_of(layers_, [&](const auto &layer) {
		       return !isReady(*layer, now) ||
			      (layer->options.tearing && !layer->fence.valid() && layer->placed &&
			       layer->onPlane == layer->frames.waiting()->colorimetry &&
			       layer->cropOnPlane == layer->frames.waiting()->crop &&
			       !layer->fenceHandler);
	       });
}

void Output::addOtherPlanesOff(AtomicRequest &request, const Proposal &proposal,
			       const Current &now) const
{
	const auto type = [&](const auto &member) {
		return topology_.plane(member.second.plane)->type;
	};
	const bool primary = std::ranges::contains(proposal.layers, PlaneType::Primary, type);
	for (const auto &[plane, framebuffer] : now.lit) {
		const bool used = std::ranges::any_of(proposal.layers, [&](const auto &member) {
			return member.second.plane == plane;
		});
		/* What lies under an overlay stays as it is, if it is not an old frame of ours. */
		const PlaneInfo &other = *topology_.plane(plane);
		const bool under =
			!primary && other.type == PlaneType::Primary && !cache_.owns(framebuffer);
		if (used || under)
			continue;
		request.object(plane);
		request.set(other.object.propertyId("FB_ID"), 0);
		request.set(other.object.propertyId("CRTC_ID"), 0);
	}
}

Result<void> Output::addPlane(AtomicRequest &request, const OutputLayer &layer,
			      const LayerSetting &setting, const LayerFrame &frame) const
{
	const KmsObject &object = topology_.plane(setting.plane)->object;
	FrameLayout layout = *layer.layout;
	layout.colorimetry = frame.colorimetry;
	const auto colour = planeColour(object, layout);
	if (!colour)
		return std::unexpected(colour.error());

	const Rectangle source = sourceOf(layer, setting, frame.crop);
	const Rectangle &place = setting.arrangement.destination;
	request.object(object.id);
	request.set(setting.framebufferProperty, frame.framebuffer);
	request.set(object.propertyId("CRTC_ID"), crtc_.id);
	request.set(object.propertyId("SRC_X"), fixedPoint(source.x));
	request.set(object.propertyId("SRC_Y"), fixedPoint(source.y));
	request.set(object.propertyId("SRC_W"), fixedPoint(source.width));
	request.set(object.propertyId("SRC_H"), fixedPoint(source.height));
	request.set(object.propertyId("CRTC_X"), static_cast<uint64_t>(int64_t{place.x}));
	request.set(object.propertyId("CRTC_Y"), static_cast<uint64_t>(int64_t{place.y}));
	request.set(object.propertyId("CRTC_W"), place.width);
	request.set(object.propertyId("CRTC_H"), place.height);
	if (colour->encoding)
		request.set(object.propertyId("COLOR_ENCODING"), *colour->encoding);
	if (colour->range)
		request.set(object.propertyId("COLOR_RANGE"), *colour->range);

	/* Also what a program before us may have left behind. */
	if (setting.rotation)
		request.set(object.propertyId("rotation"), setting.rotation);
	if (const KmsProperty *alpha = object.find("alpha"))
		request.set(alpha->id, static_cast<uint64_t>(std::llround(
					       std::clamp(layer.options.alpha, 0.0, 1.0) *
					       static_cast<double>(alpha->maximum))));
	if (const KmsProperty *blend = object.find("pixel blend mode")) {
		const char *mode = layer.options.premultiplied ? "Pre-multiplied" : "Coverage";
		if (const auto value = blend->choice(mode))
			request.set(blend->id, *value);
	}
	const KmsProperty *zpos = object.find("zpos");
	if (layer.options.zpos && zpos && !zpos->immutable)
		request.set(zpos->id, *layer.options.zpos);
	for (const auto &[name, value] : layer.options.planeProperties)
		setIfThere(request, object, name, value);
	return {};
}

bool Output::isReady(const OutputLayer &layer, int64_t now) const
{
	const auto &waiting = layer.frames.waiting();
	return waiting && layer.setting &&
	       (!waiting->due || !now || now >= clock_.commitTime(waiting->due));
}

/* What is asked of the CRTC with this commit, into request_. */
Result<bool> Output::buildFrames(int64_t now)
{
	request_.clear();
	if (whole_) {
		const auto current = readCurrent();
		if (!current)
			return std::unexpected(current.error());
		blobs_.clear();
		auto modeset = buildAll(request_, currentProposal(), *current, modeBlob_.id(),
					{.layer = nullptr, .framebuffer = 0, .now = now}, blobs_);
		remember(request_);
		return modeset;
	}
	for (const auto &layer : layers_) {
		if (!isReady(*layer, now))
			continue;
		const LayerFrame &frame = *layer->frames.waiting();
		if (layer->placed && layer->onPlane == frame.colorimetry &&
		    layer->cropOnPlane == frame.crop) {
			request_.object(layer->setting->plane);
			request_.set(layer->setting->framebufferProperty, frame.framebuffer);
			continue;
		}
		if (auto added = addPlane(request_, *layer, *layer->setting, frame); !added)
			return std::unexpected(added.error());
		remember(request_);
	}
	return false;
}

void Output::addFences(int64_t now, int32_t *outFence)
{
	for (const auto &layer : layers_) {
		if (!isReady(*layer, now) || !layer->fence.valid())
			continue;
		const KmsObject &plane = topology_.plane(layer->setting->plane)->object;
		if (const uint32_t property = plane.propertyId("IN_FENCE_FD")) {
			request_.object(plane.id);
			request_.set(property, static_cast<uint64_t>(int64_t{layer->fence.get()}));
		}
	}
	const bool wanted = std::ranges::any_of(
		layers_, [](const auto &layer) { return static_cast<bool>(layer->fenceHandler); });
	const uint32_t property = wanted ? crtc_.object.propertyId("OUT_FENCE_PTR") : 0;
	if (property) {
		request_.object(crtc_.id);
		request_.set(property, reinterpret_cast<uintptr_t>(outFence));
	}
}

/* Commits what waits and may be shown now, unless a flip is pending or more will come in time. */
void Output::commitWaiting(int64_t now, bool justLooked)
{
	const bool waits = gathers(now) || catchesUp(now);
	if (dark()) {
		for (const auto &layer : layers_)
			dropWaiting(*layer, &ScreenStatistics::dark);
		return;
	}
	if (holds_ || (pending_ && !overdue_) || now < retryAt_ || waits)
		return;
	const auto ready = [&](const auto &layer) {
		return isReady(*layer, now);
	};
	if (std::ranges::none_of(layers_, ready))
		return;

	const auto modeset = buildFrames(now);
	if (!modeset) {
		if (modeset.error().code == ENODEV || device_->vanished())
			deviceGone(commitError(ENODEV));
		else
			refuseReady(modeset.error(), now);
		return;
	}
	/* The kernel writes 32 bits through this pointer (drm_atomic_uapi.c). */
	int32_t outFence = -1;
	addFences(now, &outFence);
	const uint32_t flags = DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT |
			       (*modeset ? DRM_MODE_ATOMIC_ALLOW_MODESET : 0);
	/* What commits take is told; of a modeset all is asked and built meanwhile. */
	const int64_t start = justLooked && !whole_ ? now : monotonicNow();
	const bool tear = mayTear(now);
	int code = request_.commit(drm(), flags | (tear ? DRM_MODE_PAGE_FLIP_ASYNC : 0),
				   serial_ + 1, &statistics_.interrupted);
	/* This plane or format cannot; it is not asked again before the next plan. */
	if (code == EINVAL && tear) {
		refusesTearing_ = true;
		code = request_.commit(drm(), flags, serial_ + 1, &statistics_.interrupted);
	}
	if (code)
		commitFailed(code, now);
	else
		committed(outFence, now, monotonicNow() - start);
}

void Output::committed(int32_t outFence, int64_t now, int64_t took)
{
	UniqueFd fence(outFence);
	statistics_.commits++;
	statistics_.commitTimeTotal += took;
	statistics_.commitTimeMaximum = std::max(statistics_.commitTimeMaximum, took);
	/* The flip that did not come is over, or the kernel would have said EBUSY. */
	if (overdue_)
		finishFlip({});
	serial_++;
	for (const auto &layer : layers_) {
		if (whole_ && layer->setting && layer->frames.shown())
			layer->placed = true;
		if (!isReady(*layer, now))
			continue;
		const LayerFrame &frame = *layer->frames.waiting();
		layer->placed = true;
		layer->onPlane = frame.colorimetry;
		layer->cropOnPlane = frame.crop;
		if (layer->fenceHandler && fence.valid()) {
			if (auto copy = fence.duplicate())
				layer->fenceHandler(frame.cookie, layer->frames.nextReleased(),
						    copy->release());
		}
		layer->frames.commit();
		layer->turn.notify_all();
		layer->fence.reset();
	}
	whole_ = false;
	pending_ = true;
	overdue_ = false;
	pendingSince_ = now;
	retryAt_ = busySince_ = gatherUntil_ = catchUpUntil_ = 0;
	commitRefusals_.clear();
	changed_.notify_all();
}

void Output::commitFailed(int code, int64_t now)
{
	switch (code) {
	case EBUSY:
		/*
		 * Our own flip is over, so it is another commit that is not: of another CRTC that
		 * a modeset pulls in, or the tail of a blocking one.
		 */
		statistics_.busy++;
		if (!busySince_)
			busySince_ = now;
		if (now - busySince_ < busyLimit || overdue_) {
			retryAt_ = now + busyRetry;
			return;
		}
		break;
	case EACCES:
	case EPERM:
		masterLost(commitError(code));
		return;
	case ENODEV:
		deviceGone(commitError(code));
		return;
	case ENOSPC:
		statistics_.noSpace++;
		break;
	default:
		break;
	}
	busySince_ = retryAt_ = 0;
	/* A driver that is being removed turns its CRTCs off before it says ENODEV. */
	if (device_->vanished()) {
		deviceGone(commitError(ENODEV));
		return;
	}
	/* Somebody else changed what was set: it is all set anew. */
	if (!whole_ && code == EINVAL) {
		whole_ = true;
		commitWaiting(now);
		return;
	}
	const Error error = commitError(code);
	/* TEST_ONLY took it, the commit did not: the next proposal then, until there is none. */
	if (whole_ && code != EBUSY && settleAgain(error)) {
		commitWaiting(now);
		return;
	}
	/* What the commit refused may be a matter of the moment, such as memory. */
	for (const std::string &key : commitRefusals_)
		refusals_.erase(key);
	commitRefusals_.clear();
	refuseReady(error, now);
}

/* Another proposal than the one that the commit refused; false when there is none. */
bool Output::settleAgain(const Error &error)
{
	const std::string key = keyOf(currentProposal());
	refusals_[key] = error;
	commitRefusals_.push_back(key);
	for (const auto &layer : layers_) {
		if (!layer->frames.waiting() || !layer->setting)
			continue;
		const uint32_t framebuffer = layer->frames.waiting()->framebuffer;
		std::vector<std::string> before =
			layer->plan ? layer->plan->reasons : std::vector<std::string>{};
		before.push_back("the real commit: " + error.message);
		if (!settle(layer.get(), framebuffer, layer->crop))
			return false;
		layer->plan->reasons.insert(layer->plan->reasons.begin(), before.begin(),
					    before.end());
		return true;
	}
	return false;
}

/* The frames are dropped. Their show() says why; once it has returned a notice does, and the next.
 */
void Output::refuseReady(const Error &error, int64_t now)
{
	gatherUntil_ = 0;
	for (const auto &layer : layers_) {
		/* A layer without a setting has been refused everywhere. */
		if (!layer->frames.waiting() || (layer->setting && !isReady(*layer, now)))
			continue;
		if (layer->options.dropPolicy == DropPolicy::Queue)
			layer->refusal = error;
		if (!layer->attended && layer->noticeHandler) {
			messages_.push_back(
				{layer.get(), {ScreenNotice::Kind::Refused, error.message, error}});
			device_->wake();
		}
		dropWaiting(*layer, &ScreenStatistics::refused);
	}
}

Error Output::commitError(int code) const
{
	Error error{.code = code};
	std::string what;
	for (const auto &layer : layers_) {
		if (layer->setting && layer->frames.waiting())
			what += std::format("{}{} on plane {}", what.empty() ? "" : " and ",
					    describe(*layer->layout), layer->setting->plane);
	}
	error.message =
		std::format("{} refused {} of {}", device_->kms().path, what, connector_.name);
	if (code == ENODEV)
		error.hint = "The device was removed";
	else if (code == EINVAL)
		error.hint = "Its driver cannot use this memory, or not in this arrangement";
	else if (code == ENOMEM || code == ENOSPC)
		error.hint = "The display is out of memory or bandwidth for it";
	else if (code == EBUSY)
		error.hint = "Another commit does not end";
	return error;
}

void Output::remember(const AtomicRequest &request)
{
	for (size_t i = 0; i < request.size(); i++) {
		const AtomicRequest::Entry entry = request.entry(i);
		written_.emplace(entry.object, entry.property);
	}
}

} /* namespace heapflow */
