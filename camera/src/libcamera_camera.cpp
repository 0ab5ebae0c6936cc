/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcamera_camera.h"

#include "buffer_check.h"
#include "clock.h"
#include "countdown.h"
#include "libcamera_controls.h"
#include "libcamera_formats.h"
#include "libcamera_frames.h"
#include "libcamera_negotiation.h"
#include "memory_preflight.h"
#include "memory_refusal.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <format>

#include <libcamera/control_ids.h>
#include <libcamera/version.h>

namespace heapflow
{

namespace
{

/* Failures that the thread of libcamera sees; waitFrame() makes sentences of them. */
constexpr int memoryWasRefused = EFAULT;
constexpr int requestWasCancelled = EIO;
constexpr int fenceIsDead = ETIME;

/* The virtual camera of 0.4 leaves what belongs to a buffer uninitialized. */
bool bufferMetadataIsSet([[maybe_unused]] bool isVirtual)
{
#if LIBCAMERA_VERSION_MAJOR > 0 || LIBCAMERA_VERSION_MINOR >= 5
	return true;
#else
	return !isVirtual;
#endif
}

} /* namespace */

LibcameraCamera::LibcameraCamera(LibcameraSession session,
				 std::shared_ptr<libcamera::Camera> camera)
	: session_(std::move(session)),
	  camera_(std::move(camera)),
	  info_(infoOf(*camera_)),
	  nodes_(nodesOf(*camera_)),
	  requests_(camera_)
{
	camera_->requestCompleted.connect(this, &LibcameraCamera::onRequest);
	camera_->disconnected.connect(this, &LibcameraCamera::onDisconnect);
}

LibcameraCamera::~LibcameraCamera()
{
	stop();
	camera_->requestCompleted.disconnect(this);
	camera_->disconnected.disconnect(this);
	requests_.reset(0);
	libcameraConfiguration_.reset();
	if (acquired_ && !abandoned_)
		camera_->release();
}

Result<void> LibcameraCamera::acquire()
{
	if (acquired_)
		return {};
	if (const int ret = camera_->acquire())
		return fail(-ret, std::format("cannot take the camera {}", info_.id),
			    ret == -EBUSY ? "Another program, or another part of this one, is "
					    "using it; stop that first"
					  : "");
	acquired_ = true;
	return {};
}

Result<std::vector<CaptureMode>> LibcameraCamera::modes(StreamRole role,
							std::span<const uint32_t> formats)
{
	if (disconnected_)
		return std::unexpected(explain({ENODEV, {}, {}}, 0));
	return offers_.modes(*camera_, role, formats);
}

/* Not every camera has a rate to set; the one that has may have limits. */
void LibcameraCamera::setRate(FrameRate rate)
{
	rate_ = {};
	const auto control = camera_->controls().find(&libcamera::controls::FrameDurationLimits);
	if (!rate.numerator || !rate.denominator || control == camera_->controls().end())
		return;
	rate_ = rate;
	const ControlValue low = valueFromLibcamera(control->second.min());
	const ControlValue high = valueFromLibcamera(control->second.max());
	const auto *shortest = std::get_if<int64_t>(&low);
	const auto *longest = std::get_if<int64_t>(&high);
	/* Microseconds; a microsecond off is rounding. */
	const int64_t wanted = int64_t{1'000'000} * rate.denominator / rate.numerator;
	if (shortest && *shortest > wanted + 1)
		rate_ = {1'000'000, static_cast<uint32_t>(*shortest)};
	else if (longest && *longest > 0 && *longest < wanted)
		rate_ = {1'000'000, static_cast<uint32_t>(*longest)};
}

Result<CaptureConfiguration>
LibcameraCamera::describeStream(const libcamera::StreamConfiguration &stream)
{
	auto layout = layoutFromLibcamera(stream);
	if (!layout)
		return std::unexpected(layout.error());
	CaptureConfiguration configuration;
	configuration.layout = std::move(*layout);
	configuration.bufferCount = stream.bufferCount;
	configuration.rate = rate_;
	configuration.needs.who = info_.model;
	/* Without hardware behind it, the pictures are drawn by the CPU (pipeline/virtual). */
	configuration.needs.cpuMappable = nodes_.empty();
	if (nodes_.empty())
		configuration.needs.contiguous = Demand::No;
	/* libcamera counts as EXIF does. */
	configuration.orientation =
		static_cast<Orientation>(static_cast<int>(libcameraConfiguration_->orientation));
	return configuration;
}

Result<std::vector<CaptureConfiguration>>
LibcameraCamera::configureStreams(std::span<const CaptureRequest> streams,
				  const SensorRequest &sensor)
{
	if (requests_.streaming())
		return fail(EBUSY, std::format("the camera {} is streaming", info_.id),
			    "Call stop() first");
	if (abandoned_)
		return std::unexpected(explain({ENODEV, {}, {}}, 0));
	if (streams.empty() || streams.size() > maximumStreams)
		return fail(EINVAL, std::format("{} streams are not between 1 and {}",
						streams.size(), maximumStreams));
	if (auto taken = acquire(); !taken)
		return std::unexpected(taken.error());

	/* Requests and buffers belong to the streams that are about to change. */
	requests_.reset(0);
	configurations_.clear();
	{
		const std::lock_guard lock(controlsMutex_);
		auto settled = settleStreams(*camera_, offers_, streams, sensor);
		if (!settled)
			return std::unexpected(settled.error());
		libcameraConfiguration_ = std::move(*settled);
	}

	/* The sensor has one rate: the highest, so that no stream gets less than it asked for. */
	FrameRate rate;
	for (const CaptureRequest &request : streams)
		if (uint64_t{request.rate.numerator} * rate.denominator >
		    uint64_t{rate.numerator} * request.rate.denominator)
			rate = request.rate;
	setRate(rate);
	for (const libcamera::StreamConfiguration &stream : *libcameraConfiguration_) {
		auto configuration = describeStream(stream);
		if (!configuration)
			return std::unexpected(configuration.error());
		configurations_.push_back(std::move(*configuration));
	}
	requests_.reset(configurations_.size());
	return configurations_;
}

Result<void> LibcameraCamera::importBuffers(std::span<const Buffer> buffers, unsigned stream)
{
	if (requests_.streaming())
		return fail(EBUSY, std::format("the camera {} is streaming", info_.id),
			    "Call stop() first");
	if (stream >= configurations_.size())
		return fail(
			EINVAL,
			configurations_.empty()
				? std::format("the camera {} is not configured", info_.id)
				: std::format("the camera {} has no stream {}", info_.id, stream));
	const std::string name = std::format("the camera {}", info_.id);
	if (auto usable = checkBuffers(buffers, configurations_[stream], name); !usable)
		return usable;
	if (auto usable = checkDescriptors(buffers, nodes_.empty(), name); !usable)
		return usable;
#if LIBCAMERA_VERSION_MAJOR == 0 && LIBCAMERA_VERSION_MINOR < 6
	if (auto taken = checkMemory(nodes_, buffers.front(), name); !taken)
		return taken;
#endif
	return requests_.import(stream, libcameraConfiguration_->at(stream).stream(),
				configurations_[stream].layout, buffers);
}

Error LibcameraCamera::startError(int code) const
{
	const FrameLayout &layout = configurations_.front().layout;
	Error error{code,
		    std::format("the camera {} does not start to stream {}", info_.id,
				describe(layout)),
		    ""};
	if (code != EPIPE)
		return error;

	/* The kernel's link validation; validate() does not see it (vimc offers such a format). */
	error.message += ": the links of its media pipeline disagree on the format, although the "
			 "camera offers it";
	std::string others;
	for (const auto &format : libcameraConfiguration_->at(0).formats().pixelformats())
		if (format.fourcc() != layout.fourcc &&
		    isPicture(format.fourcc(), format.modifier()))
			others += (others.empty() ? "" : ", ") +
				  std::format("{} ({})", fourccToString(format.fourcc()),
					      format.toString());
	error.hint = others.empty() ? "It offers no other format"
				    : std::format("Try another of its formats: {}", others);
	return error;
}

libcamera::ControlList LibcameraCamera::startControls()
{
	libcamera::ControlList controls(camera_->controls());
	if (rate_.numerator) {
		const int64_t duration = int64_t{1'000'000} * rate_.denominator / rate_.numerator;
		controls.set(libcamera::controls::FrameDurationLimits,
			     libcamera::Span<const int64_t, 2>({duration, duration}));
	}
	/* What the user set wins over what follows from the caps. */
	controls.merge(requests_.takeControls(),
		       libcamera::ControlList::MergePolicy::OverwriteExisting);
	return controls;
}

Result<void> LibcameraCamera::start()
{
	if (requests_.streaming())
		return fail(EBUSY, std::format("the camera {} is streaming already", info_.id));
	if (!requests_.imported())
		return fail(EINVAL, std::format("the camera {} has no buffers", info_.id),
			    "Call importBuffers() for every stream first");

	for (unsigned stream = 0; stream < configurations_.size(); ++stream) {
		streams_[stream].frames.reset(requests_.count(stream));
		streams_[stream].sequence.reset();
		streams_[stream].delivered = false;
	}
	stopping_ = false;
	const libcamera::ControlList controls = startControls();
	if (const int ret = camera_->start(&controls)) {
		/* They hold for the next attempt. */
		requests_.setControls(controls);
		return std::unexpected(startError(-ret));
	}
	/* A handler may look at the controls of requests only (vimc). */
	requests_.setControls(controls);
	if (const int code = requests_.start()) {
		stop();
		return fail(code, std::format("the camera {} does not take its buffers", info_.id));
	}
	return {};
}

void LibcameraCamera::failAll(int code)
{
	for (Stream &stream : streams_)
		stream.frames.fail({code, {}, {}});
}

/*
 * With the camera still running: its driver refused a buffer (QBUF), or a fence came too late.
 * Returns false for one that is filled all the same: of buffers whose metadata nobody set,
 * libcamera may read that they are cancelled (Request::Private::completeBuffer()).
 */
bool LibcameraCamera::onCancelled(libcamera::Request *request)
{
	switch (requests_.cancelled(request)) {
	case Cancelled::FenceLate:
		/* Sending it again is not this thread's: whoever waits for a frame does. */
		for (Stream &stream : streams_)
			stream.frames.nudge();
		return true;
	case Cancelled::FenceDead:
		failAll(fenceIsDead);
		return true;
	case Cancelled::Refused:
		break;
	}
	if (!bufferMetadataIsSet(nodes_.empty()))
		return false;
	bool delivered = true;
	for (const auto &[stream, buffer] : request->buffers())
		delivered = delivered && streams_[requests_.streamOf(stream)].delivered;
	failAll(delivered ? requestWasCancelled : memoryWasRefused);
	return true;
}

void LibcameraCamera::onRequest(libcamera::Request *request)
{
	/* stop() does not wait for this thread when the camera is gone. */
	const std::lock_guard completing(completing_);
	if (stopping_ || !requests_.owns(request))
		return;
	if (request->status() == libcamera::Request::RequestCancelled && onCancelled(request))
		return;

	const int64_t arrival = monotonicNow();
	const auto exposure = request->metadata().get(libcamera::controls::SensorTimestamp);
	for (const auto &[stream, buffer] : request->buffers()) {
		const unsigned number = requests_.streamOf(stream);
		const libcamera::FrameMetadata &metadata = buffer->metadata();
		CapturedFrame frame;
		frame.arrival = arrival;
		frame.index = static_cast<unsigned>(buffer->cookie());
		if (!bufferMetadataIsSet(nodes_.empty())) {
			frame.sequence = request->sequence();
			frame.timestamp = exposure.value_or(arrival);
			frame.bytesUsed = configurations_[number].layout.size();
		} else {
			readBufferMetadata(metadata, frame);
		}
		/*
		 * The time of the exposure is SensorTimestamp. A camera without a sensor has none:
		 * virtual sets it when the request is queued, and the buffer's own to when it began
		 * to draw.
		 */
		if (exposure && !nodes_.empty())
			frame.timestamp = *exposure;
		readMetadata(request->metadata(), requests_.metadata(frame.index, number));
		streams_[number].delivered = true;
		if (!streams_[number].frames.push(frame))
			failAll(requestWasCancelled);
	}
	requests_.completed(request);
}

void LibcameraCamera::onDisconnect()
{
	disconnected_ = true;
	failAll(ENODEV);
}

Result<CapturedFrame> LibcameraCamera::waitFrame(std::chrono::milliseconds timeout, unsigned stream)
{
	if (!requests_.streaming() || stream >= configurations_.size())
		return fail(EINVAL,
			    std::format("the camera {} is not streaming{}", info_.id,
					stream ? std::format(" stream {}", stream) : ""),
			    "Call start() first");

	for (Countdown countdown(timeout);;) {
		auto frame = streams_[stream].frames.wait(countdown.left());
		if (!frame && frame.error().code != EAGAIN)
			return std::unexpected(explain(frame.error(), stream));
		if (frame)
			requests_.taken(frame->index, stream);
		/* Requests that waited for a slow stream, or for a fence. */
		if (const int code = requests_.pump(); code && !frame)
			return std::unexpected(explain({code, "", ""}, stream));
		if (!frame)
			continue;
		frame->sequence =
			streams_[stream].sequence.extend(static_cast<uint32_t>(frame->sequence));
		/* Without a sensor the time is that of steady_clock already; and one that is not
		 * ahead of the arrival is: taking off the time suspended leads away from it. */
		if (!nodes_.empty() && frame->timestamp > frame->arrival)
			frame->timestamp = monotonicFromSensor(frame->timestamp, frame->arrival,
							       suspendedTime());
		return frame;
	}
}

const FrameControls &LibcameraCamera::metadata(unsigned index, unsigned stream) const
{
	static const FrameControls none;
	if (stream >= requests_.streams() || index >= requests_.count(stream))
		return none;
	return requests_.metadata(index, stream);
}

/* What the thread of libcamera saw, in words. A camera that goes cancels its requests first. */
Error LibcameraCamera::explain(const Error &error, unsigned stream) const
{
	if (error.code == ECANCELED)
		return error;
	if (error.code == ENODEV || disconnected_ || hasVanished())
		return {ENODEV, std::format("the camera {} is gone", info_.id),
			"It was unplugged or its driver unbound"};
	if (error.code == memoryWasRefused)
		return memoryRefused(EFAULT, std::format("the camera {}", info_.id),
				     requests_.heap(stream));
	if (error.code == fenceIsDead)
		return {ETIME,
			std::format("a buffer came back to the camera {} with a fence that is not "
				    "signalled after 3 seconds ({})",
				    info_.id, requests_.deadFence()),
			"Whoever read the buffer last, a GPU or a display, does not end its work"};
	if (error.code == requestWasCancelled)
		return {EIO, std::format("the camera {} gave a buffer back unfilled", info_.id),
			"Call stop() and start() again; LIBCAMERA_LOG_LEVELS=*:DEBUG shows why"};
	return error;
}

Result<void> LibcameraCamera::queue(unsigned index, unsigned stream, std::optional<Fence> release)
{
	return requests_.queue(index, stream, std::move(release), info_.id);
}

std::vector<ControlDescription> LibcameraCamera::controls()
{
	const std::lock_guard lock(controlsMutex_);
	return controlsFromLibcamera(camera_->controls());
}

Result<void> LibcameraCamera::setControls(const ControlList &controls)
{
	const std::lock_guard lock(controlsMutex_);
	const auto known = controlsFromLibcamera(camera_->controls());
	libcamera::ControlList list(camera_->controls());
	for (const auto &[name, wanted] : controls) {
		const auto control = findControl(known, name);
		if (!control)
			return std::unexpected(control.error());
		const auto value = fitControl(**control, wanted);
		if (!value)
			return std::unexpected(value.error());
		for (const auto &[id, info] : camera_->controls())
			if (id->name() == (*control)->name && id->vendor() == (*control)->vendor)
				list.set(id->id(), valueToLibcamera(*id, *value));
	}
	requests_.setControls(list);
	return {};
}

void LibcameraCamera::interrupt(bool interrupted, std::optional<unsigned> stream)
{
	for (unsigned number = 0; number < maximumStreams; ++number)
		if (!stream || *stream == number)
			streams_[number].frames.interrupt(interrupted);
}

/* libcamera does not always say so: vimc unbound while it streams just falls silent (0.7.1). */
bool LibcameraCamera::hasVanished() const
{
	return !nodesExist(nodes_);
}

void LibcameraCamera::abandonRequests()
{
	const std::lock_guard completing(completing_);
	requests_.abandon();
}

/*
 * Stopping a camera whose nodes are gone without a `disconnected` aborts the process: STREAMOFF
 * fails, and PipelineHandler::stop() asserts that no request is left. Nor may it be destroyed while
 * it runs. So it stays, with the manager it needs, until the process ends.
 */
void LibcameraCamera::abandonCamera()
{
	LibcameraSession::abandon(camera_);
	abandonRequests();
	abandoned_ = true;
}

Result<void> LibcameraCamera::stop()
{
	/* From here on queue() refuses; a request it has queued is ahead of stop() in libcamera's
	 * thread. */
	if (!requests_.beginStop())
		return {};
	stopping_ = true;
	/* Returns when every request has completed, cancelled (PipelineHandler::stop). */
	const bool vanished = !disconnected_ && hasVanished();
	const int ret = vanished ? 0 : camera_->stop();
	if (vanished)
		abandonCamera();
	/*
	 * stop() does nothing on a camera that is gone, and its handler may still hold requests,
	 * which it touches when it closes its nodes. Rather a few descriptors too many than freed
	 * memory.
	 */
	else if (requests_.pending())
		abandonRequests();
	else
		requests_.endStop();
	for (unsigned stream = 0; stream < configurations_.size(); ++stream)
		streams_[stream].frames.reset(0);
	if (ret && ret != -ENODEV)
		return fail(-ret, std::format("the camera {} does not stop", info_.id));
	return {};
}

} /* namespace heapflow */
