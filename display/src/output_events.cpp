/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happens to an Output: flips, timer, hotplug, masters. */
#include "output.h"

#include "device_holder.h"
#include "output_choice.h"

#include <algorithm>
#include <cerrno>
#include <format>

#include <xf86drm.h>

namespace heapflow
{

namespace
{

/* Twelve frames of the slowest mode there is, 24 Hz; shorter than what show() waits. */
constexpr int64_t overdueAfter = 500'000'000; /* ns */
constexpr int64_t overdueRetry = 100'000'000; /* ns */
constexpr int64_t masterRetry = 200'000'000;  /* ns */

/* Nobody has asked for a flip since: what it released is given back all the same. */
constexpr int64_t unaskedAfter = 250'000'000; /* ns */

/* A flip that is told within this time had come before. */
constexpr int64_t atOnce = 500'000; /* ns */

} /* namespace */

void Output::flipped(const RawFlip &flip)
{
	{
		const Lock lock(mutex_);
		/* Kernels before 4.12 do not say which CRTC; then the serial decides alone. */
		if ((flip.crtc && flip.crtc != crtc_.id) || !pending_ || flip.serial != serial_)
			return;
		if (flip.timestamp)
			clock_.seen(flip.timestamp);
		flipArrival_ = flip.arrival;
		finishFlip(flip);
		beginCatchingUp(flip);
		commitWaiting(flip.arrival);
		updateWakeUps(flip.arrival);
	}
	deliver();
}

/* A flip without an event has an empty `flip`. */
void Output::finishFlip(const RawFlip &flip)
{
	pending_ = overdue_ = false;
	for (const auto &layer : layers_) {
		if (!layer->frames.pending())
			continue;
		const LayerFrame frame = *layer->frames.pending();
		const uint64_t releasedCookie = layer->frames.flipped();
		countFlip(*layer, frame, flip);
		outbox_.push_back({layer.get(), FlipEvent{.cookie = frame.cookie,
							  .released = releasedCookie,
							  .sequence = flip.sequence,
							  .timestamp = flip.timestamp,
							  .arrival = flip.arrival}});
	}
	cache_.collect(inUse());
	changed_.notify_all();
}

void Output::countFlip(OutputLayer &layer, const LayerFrame &frame, const RawFlip &flip)
{
	ScreenStatistics &counts = layer.statistics;
	const int64_t visible = flip.timestamp ? flip.timestamp : flip.arrival;
	counts.shown++;
	if (flip.sequence && layer.lastSequence && flip.sequence > layer.lastSequence)
		counts.repeated += flip.sequence - layer.lastSequence - 1;
	layer.lastSequence = flip.sequence;
	const int64_t period = clock_.period();
	if (frame.due && visible && period && visible - frame.due > period + period / 2)
		counts.late++;
	if (frame.captured && visible)
		counts.latency.add(visible - *frame.captured);
}

void Output::deliver()
{
	std::vector<Message> messages;
	Lock lock(mutex_);
	while (!outbox_.empty() || !messages_.empty()) {
		dispatching_ = true;
		delivering_.swap(outbox_);
		messages.swap(messages_);
		lock.unlock();
		/* A layer that is being removed waits for us. */
		for (const Delivery &delivery : delivering_) {
			if (delivery.layer->flipHandler)
				delivery.layer->flipHandler(delivery.event);
		}
		for (const Message &message : messages) {
			if (message.layer->noticeHandler)
				message.layer->noticeHandler(message.notice);
		}
		delivering_.clear();
		messages.clear();
		lock.lock();
		dispatching_ = false;
	}
	changed_.notify_all();
}

void Output::timer()
{
	{
		const Lock lock(mutex_);
		const int64_t now = monotonicNow();
		if (pending_ && !overdue_ && now - pendingSince_ >= overdueAfter) {
			overdue_ = true;
			statistics_.overdue++;
			retryAt_ = 0;
			tell(ScreenNotice::Kind::FlipOverdue,
			     std::format("{} ({}) took a commit for {} and the flip did not come "
					 "in {} ms",
					 device_->kms().path, device_->kms().driver,
					 connector_.name, (now - pendingSince_) / 1'000'000));
		}
		if (!master_ && !gone_ && now >= masterRetryAt_)
			regainMaster(now);
		commitWaiting(now);
		updateWakeUps(now);
	}
	deliver();
}

/* Must it be known of at once, and not when a frame is brought? */
bool Output::flipsAreUrgent() const
{
	return std::ranges::any_of(layers_, [this](const auto &layer) {
		const bool waits =
			(layer->frames.waiting() && !gatherUntil_) || waiters_ || overdue_;
		return layer->flipDelivery == FlipDelivery::AtOnce || (pending_ && waits);
	});
}

void Output::setFlipDelivery(OutputLayer *layer, FlipDelivery delivery)
{
	const Lock lock(mutex_);
	if (layer->flipDelivery == delivery)
		return;
	layer->flipDelivery = delivery;
	const int64_t now = monotonicNow();
	commitWaiting(now);
	updateWakeUps(now);
}

/* Is there one, and does the device's thread leave it to deliverFlips()? */
bool Output::flipIsAsked() const
{
	return pending_ && !flipsAreUrgent();
}

/* Is there no place for what the layer brings before the flip? */
bool Output::waitsForFlip(const OutputLayer &layer) const
{
	return flipIsAsked() && (layers_.size() == 1 || layer.frames.waiting());
}

/* Without the lock while reading: flipped() takes it. */
void Output::deliverFlips(OutputLayer *layer, std::chrono::milliseconds patience,
			  std::optional<int64_t> now)
{
	const auto isAsked = [this, layer] {
		const Lock lock(mutex_);
		return waitsForFlip(*layer);
	};
	{
		const Lock lock(mutex_);
		if (!flipIsAsked())
			return;
		if (!waitsForFlip(*layer))
			patience = {};
	}
	/* Frames that come before the flip go on to do so: a read() in vain for each is saved. */
	if (patience.count() <= 0 || !layer->waitedForFlip)
		device_->takeFlips();
	if (patience.count() <= 0 || !isAsked())
		return;
	const int64_t begin = now ? *now : monotonicNow();
	auto left = patience;
	while (left.count() > 0 && device_->waitForFlips(left, isAsked) && isAsked())
		left = patience - std::chrono::floor<std::chrono::milliseconds>(
					  std::chrono::nanoseconds(monotonicNow() - begin));
	const Lock lock(mutex_);
	layer->waitedForFlip = waitsForFlip(*layer) || flipArrival_ - begin >= atOnce;
}

/* When timer() must be called next, and whether a flip wakes the device's thread. */
void Output::updateWakeUps(int64_t now)
{
	int64_t at = 0;
	const auto sooner = [&](int64_t time) {
		const int64_t later = std::max(time, now + 1);
		at = at ? std::min(at, later) : later;
	};
	if (!master_ && !gone_ && !layers_.empty())
		sooner(masterRetryAt_);
	const bool urgent = flipsAreUrgent();
	if (pending_ && !overdue_) {
		const bool unasked = !urgent && now - pendingSince_ < unaskedAfter;
		sooner(pendingSince_ + (unasked ? unaskedAfter : overdueAfter));
		if (gatherUntil_)
			sooner(gatherUntil_);
	} else if (!dark()) {
		for (const auto &layer : layers_) {
			const auto &waiting = layer->frames.waiting();
			if (!waiting || !layer->setting)
				continue;
			const int64_t due = waiting->due ? clock_.commitTime(waiting->due) : 0;
			const int64_t afterFlip = overdue_ ? now + overdueRetry : 0;
			sooner(std::max({due, retryAt_, afterFlip, gatherUntil_, catchUpUntil_}));
		}
	}
	device_->setDeadline(this, at);
	device_->awaitFlips(this, urgent);
}

void Output::tell(ScreenNotice::Kind kind, std::string text, Error error)
{
	for (const auto &layer : layers_) {
		if (layer->noticeHandler)
			messages_.push_back({layer.get(), {kind, text, error}});
	}
	if (!messages_.empty())
		device_->wake();
}

void Output::hotplug()
{
	/* Asked unlocked: to ask a screen for its modes takes longer than a frame. */
	if (!connectorId_) {
		lookForConnector();
		deliver();
		return;
	}
	KmsPropertyDefinitions definitions;
	auto connector = readConnector(drm(), connectorId_, definitions);
	{
		const Lock lock(mutex_);
		if (gone_)
			return;
		if (!connector) {
			/* The connector itself is gone, as with a dock, or the whole device. It may
			 * come back with another id. */
			if (!unplugged_)
				unplug();
			connectorId_ = 0;
		} else {
			const bool there = connector->connection != Connection::Disconnected &&
					   !connector->modes.empty();
			connector_ = std::move(*connector);
			if (there == !unplugged_)
				return;
			if (there)
				pluggedIn();
			else
				unplug();
		}
		updateWakeUps(monotonicNow());
	}
	deliver();
}

/* A connector that was not there when the output was made, or went. */
void Output::lookForConnector()
{
	auto topology = readTopology(drm());
	if (!topology)
		return;
	const auto connector = chooseConnector(*topology, wantedConnector_);
	const auto crtc =
		connector ? chooseCrtc(*topology, **connector) : std::unexpected(connector.error());
	if (!crtc)
		return;
	auto saved = SavedState::capture(drm(), *topology, **crtc);
	if (!saved)
		return;
	const Lock lock(mutex_);
	connector_ = **connector;
	crtc_ = **crtc;
	saved_ = std::move(*saved);
	topology_ = std::move(*topology);
	connectorId_ = connector_.id;
	pluggedIn();
}

void Output::pluggedIn()
{
	unplugged_ = false;
	whole_ = true;
	refusals_.clear();
	mode_.reset();
	for (const auto &layer : layers_)
		layer->setting.reset();
	tell(ScreenNotice::Kind::Plugged, std::format("{} has a screen", connector_.name));
}

void Output::unplug()
{
	unplugged_ = true;
	tell(ScreenNotice::Kind::Unplugged,
	     std::format("{} is unplugged; frames are dropped until it has a screen again",
			 connector_.name));
	/* To the kernel a CRTC without a screen is still lit, and would scan out our frames. */
	AtomicRequest request;
	for (const auto &layer : layers_) {
		if (!layer->setting || !layer->placed)
			continue;
		const KmsObject &plane = topology_.plane(layer->setting->plane)->object;
		request.object(plane.id);
		request.set(plane.propertyId("FB_ID"), 0);
		request.set(plane.propertyId("CRTC_ID"), 0);
	}
	if (!request.empty()) {
		/* To be restored also when we had not changed it before. */
		request.object(connector_.id);
		request.set(connector_.object.propertyId("CRTC_ID"), 0);
		request.object(crtc_.id);
		request.set(crtc_.object.propertyId("ACTIVE"), 0);
		request.set(crtc_.object.propertyId("MODE_ID"), 0);
		remember(request);
		const int code = request.commit(drm(), DRM_MODE_ATOMIC_ALLOW_MODESET, 0,
						&statistics_.interrupted);
		statistics_.commits++;
		if (code == ENODEV)
			deviceGone(commitError(code));
	}
	/* Removing the framebuffers takes off the screen what the commit could not. */
	cache_.clear();
	dropAllFrames();
	whole_ = true;
}

void Output::deviceGone(const Error &error)
{
	if (gone_)
		return;
	gone_ = true;
	tell(ScreenNotice::Kind::DeviceGone,
	     std::format("{} ({}) is gone", device_->kms().path, device_->kms().driver), error);
	for (const auto &layer : layers_) {
		if (layer->attended && layer->frames.waiting())
			layer->refusal = error;
	}
	dropAllFrames();
}

/* Without an error the seat manager said so. */
void Output::masterLost(const Error &error)
{
	if (!master_)
		return;
	master_ = false;
	masterRetryAt_ = monotonicNow() + masterRetry;
	const std::string holder = describeHolder(device_->kms().path);
	tell(ScreenNotice::Kind::MasterLost,
	     std::format("{} is now in use by {}; frames are dropped until it is given back",
			 device_->kms().path, holder.empty() ? "another process" : holder),
	     error);
	for (const auto &layer : layers_)
		dropWaiting(*layer, &ScreenStatistics::dark);
}

void Output::regainMaster(int64_t now)
{
	masterRetryAt_ = now + masterRetry;
	if (!device_->seatActive() || (!drmIsMaster(drm()) && drmSetMaster(drm())))
		return;
	master_ = true;
	whole_ = true;
	/* A flip that is still awaited was of the time before. */
	if (pending_)
		finishFlip({});
	serial_++;
	for (const auto &layer : layers_) {
		layer->placed = false;
		/* A still picture has no next frame that would bring it back. */
		if (layer->setting && layer->frames.shown() && !layer->frames.waiting())
			layer->frames.offer(LayerFrame(*layer->frames.shown()));
	}
	tell(ScreenNotice::Kind::MasterBack, std::format("{} is ours again", device_->kms().path));
}

/* The device is there, and hide() restores what was found; but no flip is told any more. */
void Output::loopFailed(const Error &error)
{
	{
		const Lock lock(mutex_);
		failure_ = error;
		tell(ScreenNotice::Kind::DeviceGone,
		     std::format("{} ({}) can be used no more", device_->kms().path,
				 device_->kms().driver),
		     error);
		for (const auto &layer : layers_) {
			if (layer->attended && layer->frames.waiting())
				layer->refusal = error;
		}
		dropAllFrames();
	}
	deliver();
}

void Output::seatChanged(bool active)
{
	{
		const Lock lock(mutex_);
		if (active)
			masterRetryAt_ = 0;
		else
			masterLost();
		if (active && !master_)
			regainMaster(monotonicNow());
		updateWakeUps(monotonicNow());
	}
	deliver();
}

/* When the last vblank was, from the kernel: no flip has said so for long. */
void Output::syncClock()
{
	uint64_t sequence = 0;
	uint64_t timestamp = 0;
	if (!drmCrtcGetSequence(drm(), crtc_.id, &sequence, &timestamp))
		clock_.seen(static_cast<int64_t>(timestamp));
}

} /* namespace heapflow */
