/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layers and their frames. */
#include "output.h"

#include "composed_screenshot.h"
#include "frame_fence.h"
#include "plane_choice.h"
#include "writeback.h"

#include <algorithm>
#include <cerrno>
#include <format>

namespace heapflow
{

namespace
{

/* Beyond what any display asks for. */
constexpr uint32_t largestPitchAlignment = 4096;

bool sameShape(const FrameLayout &a, const FrameLayout &b)
{
	return a.fourcc == b.fourcc && a.modifier == b.modifier && a.width == b.width &&
	       a.height == b.height;
}

bool sameSize(const Rectangle &a, const Rectangle &b)
{
	return a.width == b.width && a.height == b.height;
}

Result<Rectangle> cropOf(const Frame &frame)
{
	const FrameLayout &layout = frame.layout;
	const Rectangle &crop = frame.crop;
	if (crop.empty())
		return Rectangle{0, 0, layout.width, layout.height};
	if (crop.x < 0 || crop.y < 0 || int64_t{crop.x} + crop.width > layout.width ||
	    int64_t{crop.y} + crop.height > layout.height)
		return fail(EINVAL, std::format("the crop {}x{}+{}+{} is not inside the frame of "
						"{}x{}",
						crop.width, crop.height, crop.x, crop.y,
						layout.width, layout.height));
	return crop;
}

} /* namespace */

Output::Output(std::shared_ptr<DisplayDevice> device, const Topology &topology,
	       const ConnectorInfo &connector, const CrtcInfo &crtc, SavedState saved)
	: device_(std::move(device)),
	  connectorId_(connector.id),
	  wantedConnector_(connector.name),
	  topology_(topology),
	  connector_(connector),
	  crtc_(crtc),
	  saved_(std::move(saved)),
	  cache_(drm(), device_->kms().modifiers),
	  unplugged_(connector.connection == Connection::Disconnected || connector.modes.empty())
{
	outbox_.reserve(16);
	delivering_.reserve(16);
}

Output::~Output()
{
	device_->remove(this);
}

bool Output::hasPlane(uint32_t id) const
{
	const PlaneInfo *plane = topology_.plane(id);
	return plane && (plane->possibleCrtcs & (1u << crtc_.index));
}

std::string Output::listPlanes() const
{
	std::string list;
	for (const PlaneInfo &plane : topology_.planes) {
		if (hasPlane(plane.id))
			list += std::format("{}{} ({})", list.empty() ? "" : ", ", plane.id,
					    planeTypeName(plane.type));
	}
	return list.empty() ? "none" : list;
}

OutputLayer *Output::addLayer(const ScreenOptions &options)
{
	const Lock lock(mutex_);
	layers_.push_back(std::make_unique<OutputLayer>());
	layers_.back()->wantedPlane = options.planeId;
	layers_.back()->wantedMode = options.mode;
	layers_.back()->restoreMode = options.restoreMode;
	return layers_.back().get();
}

void Output::removeLayer(OutputLayer *layer)
{
	Lock lock(mutex_);
	/* Nobody is left to tell. What could not be restored, closing the device turns off. */
	(void)leave(lock, layer);
	std::erase_if(messages_, [&](const Message &message) { return message.layer == layer; });
	std::erase_if(layers_, [&](const auto &own) { return own.get() == layer; });
	if (layers_.empty())
		device_->setDeadline(this, 0);
}

std::vector<ScanoutFormat> Output::formats(const OutputLayer *layer) const
{
	const Lock lock(mutex_);
	return planeFormats(topology_, crtc_, layer->wantedPlane);
}

DisplayMode Output::mode() const
{
	const Lock lock(mutex_);
	if (mode_)
		return describeMode(*mode_);
	if (crtc_.active && crtc_.mode)
		return describeMode(*crtc_.mode);
	if (const auto preferred = preferredMode(connector_.modes))
		return describeMode(*preferred);
	return {};
}

std::vector<DisplayMode> Output::modes() const
{
	const Lock lock(mutex_);
	std::vector<drmModeModeInfo> sorted = connector_.modes;
	std::ranges::stable_partition(sorted, [](const drmModeModeInfo &mode) {
		return mode.type & DRM_MODE_TYPE_PREFERRED;
	});
	std::vector<DisplayMode> list;
	std::ranges::transform(sorted, std::back_inserter(list), describeMode);
	return list;
}

std::optional<ScanoutPlan> Output::plan(const OutputLayer *layer) const
{
	const Lock lock(mutex_);
	return layer->plan;
}

ScreenCounts Output::counts() const
{
	const Lock lock(mutex_);
	return {statistics_.commits, cache_.imports(), cache_.framebuffers(),
		statistics_.testCommits, plans_};
}

ScreenStatistics Output::statistics(const OutputLayer *layer) const
{
	const Lock lock(mutex_);
	ScreenStatistics all = statistics_;
	const ScreenStatistics &own = layer->statistics;
	all.shown = own.shown;
	all.dropped = own.dropped;
	all.replaced = own.replaced;
	all.dark = own.dark;
	all.refused = own.refused;
	all.late = own.late;
	all.repeated = own.repeated;
	all.latency = own.latency;
	return all;
}

void Output::setOptions(OutputLayer *layer, const LayerOptions &options)
{
	Lock lock(mutex_);
	if (options == layer->options)
		return;
	/* A frame that waits has its place by what was asked before. */
	(void)waitFor(lock, layer->turn, flipTimeout, [&] {
		return layer->options.dropPolicy == DropPolicy::Replace || !layer->frames.waiting();
	});
	layer->options = options;
	/* Settled anew by the next frame, which brings a dma-buf to test with. */
	layer->setting.reset();
	whole_ = true;
}

void Output::setFlipHandler(OutputLayer *layer, Screen::FlipHandler handler)
{
	Lock lock(mutex_);
	const Hold hold(*this);
	(void)waitIdle(lock, flipTimeout);
	layer->flipHandler = std::move(handler);
}

void Output::setNoticeHandler(OutputLayer *layer, Screen::NoticeHandler handler)
{
	Lock lock(mutex_);
	const Hold hold(*this);
	(void)waitIdle(lock, flipTimeout);
	layer->noticeHandler = std::move(handler);
}

void Output::setFenceHandler(OutputLayer *layer, Screen::FenceHandler handler)
{
	const Lock lock(mutex_);
	layer->fenceHandler = std::move(handler);
}

FramebufferCache::InUse Output::inUse() const
{
	return [this](uint32_t framebuffer) {
		return std::ranges::any_of(layers_, [&](const auto &layer) {
			return layer->frames.uses(framebuffer);
		});
	};
}

Result<ScanoutPlan> Output::configure(OutputLayer *layer, const FrameLayout &layout,
				      std::span<const int> sample)
{
	Lock lock(mutex_);
	if (!layout.width || !layout.height)
		return fail(EINVAL, "a frame without a size: " + describe(layout));
	if (auto readable = checkModeText(layer->wantedMode); !readable)
		return std::unexpected(readable.error());
	if (unplugged_) {
		layer->layout = layout;
		layer->setting.reset();
		layer->plan = describePlan(*layer, {"no screen is plugged in"});
		plans_++;
		return *layer->plan;
	}

	if (auto turn = waitForTurn(lock, *layer); !turn)
		return std::unexpected(turn.error());
	const FrameLayout before = layer->layout.value_or(FrameLayout{});
	const bool hadLayout = layer->layout.has_value();
	layer->layout = layout;
	auto settled = [&]() -> Result<void> {
		if (auto known = checkFormat(*layer); !known)
			return known;
		const auto framebuffer = cache_.get(sample, layout);
		if (!framebuffer)
			return std::unexpected(framebuffer.error());
		const Hold hold(*this);
		if (auto idle = waitIdle(lock, flipTimeout); !idle)
			return idle;
		return settle(layer, *framebuffer, {0, 0, layout.width, layout.height});
	}();
	if (settled)
		return *layer->plan;
	layer->layout = hadLayout ? std::optional(before) : std::nullopt;
	return std::unexpected(settled.error());
}

Result<void> Output::show(OutputLayer *layer, const Frame &frame)
{
	Lock lock(mutex_);
	if (gone_)
		return fail(ENODEV, std::format("{} ({}) is gone", device_->kms().path,
						device_->kms().driver));
	if (failure_)
		return std::unexpected(*failure_);
	if (!layer->layout)
		return fail(EINVAL, "show() before configure()");
	if (!frame.cookie)
		return fail(EINVAL, "a frame's cookie may not be 0");
	if (!sameShape(frame.layout, *layer->layout))
		return fail(EINVAL,
			    std::format("the frame is {}, but the screen was configured for {}",
					describe(frame.layout), describe(*layer->layout)),
			    "Call configure() when the format changes");
	const auto crop = cropOf(frame);
	if (!crop)
		return std::unexpected(crop.error());

	if (auto turn = waitForTurn(lock, *layer); !turn)
		return turn;
	LayerFrame own{.cookie = frame.cookie,
		       .colorimetry = frame.layout.colorimetry,
		       .crop = *crop,
		       .due = frame.due,
		       .captured = frame.captured};
	if (!dark()) {
		const auto framebuffer = cache_.get(frame.dmabufs(), frame.layout);
		if (!framebuffer)
			return std::unexpected(framebuffer.error());
		own.framebuffer = *framebuffer;
		if (!layer->setting || !sameSize(layer->crop, *crop)) {
			const Hold hold(*this);
			if (auto idle = waitIdle(lock, flipTimeout); !idle)
				return idle;
			if (auto settled = settle(layer, *framebuffer, *crop); !settled)
				return settled;
		}
	}

	auto fence = dark() ? Result<UniqueFd>() : fenceOfFrame(frame);
	if (!fence)
		return std::unexpected(fence.error());
	/* Just before the commit, which in a steady state is timed from here. */
	const int64_t now = monotonicNow();
	if (frame.due && !dark() && clock_.stale(now))
		syncClock();
	if (const uint64_t replaced = layer->frames.offer(own)) {
		layer->statistics.dropped++;
		layer->statistics.replaced++;
		released(layer, replaced);
	}
	layer->fence = std::move(*fence);
	layer->pace.brought(now);
	catchUpUntil_ = 0;
	if (isReady(*layer, now))
		beginGathering(now);
	layer->attended = layer->options.dropPolicy == DropPolicy::Queue;
	commitWaiting(now, true);
	updateWakeUps(now);
	const bool gathering = gatherUntil_ && isReady(*layer, now);
	auto taken = layer->attended && !gathering ? waitForCommit(lock, *layer, own, now)
						   : Result<void>();
	layer->attended = false;
	return taken;
}

void Output::endHold()
{
	if (--holds_)
		return;
	const int64_t now = monotonicNow();
	commitWaiting(now);
	updateWakeUps(now);
}

void Output::released(OutputLayer *layer, uint64_t cookie)
{
	if (!cookie)
		return;
	outbox_.push_back({layer, FlipEvent{.released = cookie, .arrival = monotonicNow()}});
	device_->wake();
}

void Output::dropWaiting(OutputLayer &layer, uint64_t ScreenStatistics::*reason)
{
	if (!layer.frames.waiting())
		return;
	layer.statistics.dropped++;
	if (reason)
		(layer.statistics.*reason)++;
	/* An error of show() gives the frame back by itself; two who say so are one too many. */
	const uint64_t cookie = layer.frames.refuse();
	if (!layer.attended || !layer.refusal)
		released(&layer, cookie);
	layer.fence.reset();
	layer.turn.notify_all();
	changed_.notify_all();
}

void Output::dropAllFrames()
{
	for (const auto &layer : layers_) {
		dropWaiting(*layer, &ScreenStatistics::dark);
		if (const auto &pending = layer->frames.pending()) {
			layer->statistics.dropped++;
			layer->statistics.dark++;
			released(layer.get(), pending->cookie);
		}
		const auto &shown = layer->frames.shown();
		if (shown &&
		    !(layer->frames.pending() && layer->frames.pending()->cookie == shown->cookie))
			released(layer.get(), shown->cookie);
		layer->frames.clear();
		layer->placed = false;
	}
	pending_ = overdue_ = false;
	serial_++;
	changed_.notify_all();
}

Result<void> Output::hide(OutputLayer *layer)
{
	Lock lock(mutex_);
	return leave(lock, layer);
}

Result<void> Output::leave(Lock &lock, OutputLayer *layer)
{
	const bool alone = std::ranges::none_of(
		layers_, [&](const auto &other) { return other.get() != layer && other->setting; });
	const Hold hold(*this);
	layer->frames.refuse();
	layer->turn.notify_all();
	changed_.notify_all();
	/* A restoring commit while a flip is pending would wait for it anyway. */
	(void)waitIdle(lock, flipTimeout);

	Result<void> result;
	if (!written_.empty() && !gone_ && master_) {
		const auto changedByUs = [&](const SavedProperty &property) {
			if (!written_.contains({property.object, property.property}))
				return false;
			if (alone)
				return layer->restoreMode || hasPlane(property.object);
			return layer->setting && property.object == layer->setting->plane;
		};
		result = saved_.restore(drm(), changedByUs);
		statistics_.commits++;
	}
	layer->frames.clear();
	layer->placed = false;
	if (alone) {
		/* Also when that failed: removing a framebuffer takes it off the screen. */
		cache_.clear();
		written_.clear();
		blobs_.clear();
		whole_ = true;
		pending_ = overdue_ = false;
		serial_++;
	}
	(void)waitFor(lock, changed_, flipTimeout, [&] {
		return !dispatching_ &&
		       std::ranges::none_of(outbox_, [&](const Delivery &delivery) {
			       return delivery.layer == layer;
		       });
	});
	std::erase_if(outbox_, [&](const Delivery &delivery) { return delivery.layer == layer; });
	updateWakeUps(monotonicNow());
	return result;
}

void Output::forget(const BufferIdentity &buffer)
{
	const Lock lock(mutex_);
	cache_.forget(buffer, inUse());
}

Result<uint32_t> Output::pitchAlignment(uint32_t fourcc, uint32_t width, uint32_t height,
					const std::function<Result<Buffer>(uint64_t)> &allocate)
{
	Error last;
	for (uint32_t alignment = 1; alignment <= largestPitchAlignment; alignment *= 2) {
		LayoutRules rules;
		rules.planeStrideAlignment = alignment;
		rules.oddSizes = true;
		const auto layout = makeFrameLayout(fourcc, width, height, rules);
		if (!layout)
			return std::unexpected(layout.error());
		auto buffer = allocate(layout->size());
		if (!buffer)
			return std::unexpected(buffer.error());
		/* Not in the cache of what is shown: this is thrown away. */
		FramebufferCache trial(drm(), device_->kms().modifiers);
		const auto framebuffer = trial.get(buffer->fd(), *layout);
		if (framebuffer)
			return alignment;
		last = framebuffer.error();
	}
	return std::unexpected(last);
}

Result<Image> Output::screenshot()
{
	Lock lock(mutex_);
	const Hold hold(*this);
	if (auto idle = waitIdle(lock, flipTimeout); !idle)
		return std::unexpected(idle.error());
	const auto now = readCurrent();
	if (!now)
		return std::unexpected(now.error());
	if (!now->active || !now->mode)
		return fail(ENODATA, std::format("{} is dark: there is nothing to read back",
						 connector_.name));

	if (const ConnectorInfo *writeback = writebackConnector(topology_, crtc_)) {
		auto image = readBack(drm(), *writeback, crtc_, *now->mode);
		statistics_.commits += 2;
		return image;
	}
	return composeScreenshot(drm(), topology_, crtc_, *now->mode);
}

} /* namespace heapflow */
