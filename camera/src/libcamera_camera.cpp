/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcamera_camera.h"

#include "buffer_check.h"
#include "clock.h"
#include "libcamera_formats.h"
#include "memory_refusal.h"
#include "request_fixation.h"

#include <algorithm>
#include <cerrno>
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

libcamera::StreamConfiguration &streamOf(libcamera::CameraConfiguration &configuration)
{
	return configuration.at(0);
}

/* 0.6 marks frames from before the sensor has settled. */
bool isStartupFrame([[maybe_unused]] libcamera::FrameMetadata::Status status)
{
#if LIBCAMERA_VERSION_MAJOR > 0 || LIBCAMERA_VERSION_MINOR >= 6
	return status == libcamera::FrameMetadata::FrameStartup;
#else
	return false;
#endif
}

} /* namespace */

LibcameraCamera::LibcameraCamera(LibcameraSession session,
				 std::shared_ptr<libcamera::Camera> camera)
	: session_(std::move(session)),
	  camera_(std::move(camera)),
	  info_{camera_->id(), modelOf(*camera_), CameraBackend::Libcamera},
	  nodes_(nodesOf(*camera_))
{
	camera_->requestCompleted.connect(this, &LibcameraCamera::onRequest);
	camera_->disconnected.connect(this, &LibcameraCamera::onDisconnect);
}

LibcameraCamera::~LibcameraCamera()
{
	stop();
	camera_->requestCompleted.disconnect(this);
	camera_->disconnected.disconnect(this);
	slots_.clear();
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
			    ret == -EBUSY ? "Another program is using it; stop that first" : "");
	acquired_ = true;
	return {};
}

Result<std::vector<CaptureMode>>
LibcameraCamera::modesOf(libcamera::CameraConfiguration &configuration)
{
	libcamera::StreamConfiguration &stream = streamOf(configuration);
	const uint32_t byDefault = stream.pixelFormat.fourcc();
	const libcamera::StreamFormats formats = stream.formats();

	auto accepts = [&](libcamera::PixelFormat format, libcamera::Size size) {
		stream.pixelFormat = format;
		stream.size = size;
		stream.stride = 0;
		return configuration.validate() != libcamera::CameraConfiguration::Invalid &&
		       stream.pixelFormat == format && stream.size == size;
	};
	auto modes = modesFromLibcamera(formats, accepts);
	sortByPreference(modes, byDefault);
	return modes;
}

Result<std::vector<CaptureMode>> LibcameraCamera::modes()
{
	auto configuration = camera_->generateConfiguration({libcamera::StreamRole::Viewfinder});
	if (!configuration || configuration->empty())
		return fail(ENODEV, std::format("the camera {} offers no stream", info_.id));
	return modesOf(*configuration);
}

/* Agree on one stream; what libcamera adjusts is in libcameraConfiguration_. */
Result<void> LibcameraCamera::settle(const CaptureRequest &request)
{
	auto configuration = camera_->generateConfiguration({libcamera::StreamRole::Viewfinder});
	if (!configuration || configuration->empty())
		return fail(ENODEV, std::format("the camera {} offers no stream", info_.id));

	CaptureRequest defaults;
	defaults.width = streamOf(*configuration).size.width;
	defaults.height = streamOf(*configuration).size.height;
	const unsigned defaultCount = streamOf(*configuration).bufferCount;
	const auto modes = modesOf(*configuration);
	if (!modes)
		return std::unexpected(modes.error());
	const auto fixed = fixRequest(*modes, request, defaults);
	if (!fixed)
		return std::unexpected(fixed.error());

	libcamera::StreamConfiguration &stream = streamOf(*configuration);
	stream.pixelFormat = libcamera::PixelFormat(fixed->fourcc);
	stream.size = {fixed->width, fixed->height};
	/* A stride left over from an earlier validate() would count as a wish (invariant 4). */
	stream.stride = fixed->stride;
	stream.bufferCount = fixed->bufferCount ? fixed->bufferCount : defaultCount;
	stream.colorSpace.reset();
	if (configuration->validate() == libcamera::CameraConfiguration::Invalid)
		return fail(EINVAL, std::format("the camera {} takes no {} {}x{}", info_.id,
						stream.pixelFormat.toString(), fixed->width,
						fixed->height));
	if (const int ret = camera_->configure(configuration.get()))
		return fail(-ret, std::format("the camera {} cannot be set to {}", info_.id,
					      stream.toString()));
	libcameraConfiguration_ = std::move(configuration);
	return {};
}

/* Given to start(); reported only where the camera has such a control. */
void LibcameraCamera::setRate(FrameRate rate)
{
	configuration_.rate = {};
	const auto control = camera_->controls().find(&libcamera::controls::FrameDurationLimits);
	if (rate.numerator && rate.denominator && control != camera_->controls().end())
		configuration_.rate = rate;
}

Result<CaptureConfiguration> LibcameraCamera::configure(const CaptureRequest &request)
{
	if (streaming_)
		return fail(EBUSY, std::format("the camera {} is streaming", info_.id),
			    "Call stop() first");
	if (abandoned_)
		return std::unexpected(explain({ENODEV, {}, {}}));
	if (auto taken = acquire(); !taken)
		return std::unexpected(taken.error());

	/* Requests and buffers belong to the stream that is about to change. */
	slots_.clear();
	if (auto settled = settle(request); !settled)
		return std::unexpected(settled.error());

	const libcamera::StreamConfiguration &stream = streamOf(*libcameraConfiguration_);
	auto layout = layoutFromLibcamera(stream);
	if (!layout)
		return std::unexpected(layout.error());
	configuration_.layout = std::move(*layout);
	configuration_.bufferCount = stream.bufferCount;
	configuration_.needs = {};
	configuration_.needs.who = info_.model;
	/* Without hardware behind it, the pictures are drawn by the CPU (pipeline/virtual). */
	configuration_.needs.cpuMappable = nodes_.empty();
	if (nodes_.empty())
		configuration_.needs.contiguous = Demand::No;
	setRate(request.rate);
	return configuration_;
}

Result<LibcameraCamera::Slot> LibcameraCamera::makeSlot(unsigned index, const Buffer &buffer)
{
	/* One descriptor for all planes; SharedFD(int) duplicates it. */
	const int descriptor = buffer.fd();
	const libcamera::SharedFD fd(descriptor);
	if (!fd.isValid())
		return fail(errno,
			    std::format("cannot duplicate the descriptor of buffer {}", index));
	std::vector<libcamera::FrameBuffer::Plane> planes;
	for (const PlaneLayout &plane : configuration_.layout.planes)
		planes.push_back({fd, plane.offset, plane.length});

	Slot slot;
	slot.buffer = std::make_unique<libcamera::FrameBuffer>(planes, index);
	slot.request = camera_->createRequest(index);
	if (!slot.request)
		return fail(ENODEV, std::format("the camera {} makes no request", info_.id));
	if (const int ret = slot.request->addBuffer(streamOf(*libcameraConfiguration_).stream(),
						    slot.buffer.get()))
		return fail(-ret,
			    std::format("the camera {} does not take buffer {}", info_.id, index));
	return slot;
}

Result<void> LibcameraCamera::importBuffers(std::span<const Buffer> buffers)
{
	if (streaming_)
		return fail(EBUSY, std::format("the camera {} is streaming", info_.id),
			    "Call stop() first");
	if (!libcameraConfiguration_)
		return fail(EINVAL, std::format("the camera {} is not configured", info_.id));
	if (auto usable =
		    checkBuffers(buffers, configuration_, std::format("the camera {}", info_.id));
	    !usable)
		return usable;

	std::vector<Slot> slots;
	for (const Buffer &buffer : buffers) {
		auto slot = makeSlot(static_cast<unsigned>(slots.size()), buffer);
		if (!slot)
			return std::unexpected(slot.error());
		slots.push_back(std::move(*slot));
	}
	slots_ = std::move(slots);
	heap_ = buffers.empty() ? "" : buffers.front().heap();
	return {};
}

Error LibcameraCamera::startError(int code) const
{
	Error error{code,
		    std::format("the camera {} does not start to stream {}", info_.id,
				describe(configuration_.layout)),
		    ""};
	if (code != EPIPE)
		return error;

	/* The kernel's link validation; validate() does not see it (vimc offers such a format). */
	error.message += ": the links of its media pipeline disagree on the format, although the "
			 "camera offers it";
	std::string others;
	for (const auto &format : streamOf(*libcameraConfiguration_).formats().pixelformats())
		if (format.fourcc() != configuration_.layout.fourcc &&
		    isPicture(format.fourcc(), format.modifier()))
			others += (others.empty() ? "" : ", ") +
				  std::format("{} ({})", fourccToString(format.fourcc()),
					      format.toString());
	error.hint = others.empty() ? "It offers no other format"
				    : std::format("Try another of its formats: {}", others);
	return error;
}

int LibcameraCamera::queueLocked(unsigned index)
{
	Slot &slot = slots_[index];
	if (slot.request->status() != libcamera::Request::RequestPending)
		slot.request->reuse(libcamera::Request::ReuseBuffers);
	slot.queued = true;
	const int ret = camera_->queueRequest(slot.request.get());
	if (ret)
		slot.queued = false;
	return -ret;
}

Result<void> LibcameraCamera::start()
{
	if (streaming_)
		return fail(EBUSY, std::format("the camera {} is streaming already", info_.id));
	if (slots_.empty())
		return fail(EINVAL, std::format("the camera {} has no buffers", info_.id),
			    "Call importBuffers() first");

	libcamera::ControlList controls(camera_->controls());
	if (const FrameRate rate = configuration_.rate; rate.numerator) {
		const int64_t duration = int64_t{1'000'000} * rate.denominator / rate.numerator;
		controls.set(libcamera::controls::FrameDurationLimits,
			     libcamera::Span<const int64_t, 2>({duration, duration}));
	}
	frames_.reset(slots_.size());
	sequence_.reset();
	delivered_ = false;
	stopping_ = false;
	if (const int ret = camera_->start(&controls))
		return std::unexpected(startError(-ret));

	std::unique_lock lock(mutex_);
	streaming_ = true;
	int code = 0;
	for (unsigned index = 0; index < slots_.size() && !code; ++index)
		code = queueLocked(index);
	lock.unlock();
	if (code) {
		stop();
		return fail(code, std::format("the camera {} does not take its buffers", info_.id));
	}
	return {};
}

void LibcameraCamera::onRequest(libcamera::Request *request)
{
	if (stopping_)
		return;
	const libcamera::FrameMetadata &metadata = request->buffers().begin()->second->metadata();
	if (request->status() == libcamera::Request::RequestCancelled ||
	    metadata.status == libcamera::FrameMetadata::FrameCancelled) {
		/* With the camera still running: its driver refused the buffer (QBUF). */
		frames_.fail({delivered_ ? requestWasCancelled : memoryWasRefused, {}, {}});
		return;
	}

	CapturedFrame frame;
	frame.arrival = monotonicNow();
	frame.index = static_cast<unsigned>(request->cookie());
	frame.sequence = metadata.sequence;
	frame.timestamp = static_cast<int64_t>(metadata.timestamp);
	frame.corrupted = metadata.status == libcamera::FrameMetadata::FrameError ||
			  isStartupFrame(metadata.status);
	/*
	 * The time of the exposure is SensorTimestamp. A camera without a sensor has none: virtual
	 * sets it when the request is queued, and the buffer's own to when it began to draw.
	 */
	if (const auto exposure = request->metadata().get(libcamera::controls::SensorTimestamp);
	    exposure && !nodes_.empty())
		frame.timestamp = *exposure;
	delivered_ = true;
	if (!frames_.push(frame))
		frames_.fail({requestWasCancelled, {}, {}});
}

void LibcameraCamera::onDisconnect()
{
	disconnected_ = true;
	frames_.fail({ENODEV, {}, {}});
}

Result<CapturedFrame> LibcameraCamera::waitFrame(std::chrono::milliseconds timeout)
{
	if (!streaming_)
		return fail(EINVAL, std::format("the camera {} is not streaming", info_.id),
			    "Call start() first");

	auto frame = frames_.wait(timeout);
	if (!frame)
		return std::unexpected(explain(frame.error()));

	frame->sequence = sequence_.extend(static_cast<uint32_t>(frame->sequence));
	/* Without a sensor the time is that of steady_clock already. */
	if (!nodes_.empty())
		frame->timestamp =
			monotonicFromSensor(frame->timestamp, frame->arrival, suspendedTime());
	std::lock_guard lock(mutex_);
	slots_[frame->index].queued = false;
	return frame;
}

/* What the thread of libcamera saw, in words. A camera that goes cancels its requests first. */
Error LibcameraCamera::explain(const Error &error) const
{
	if (error.code == ECANCELED)
		return error;
	if (error.code == ENODEV || disconnected_ || hasVanished())
		return {ENODEV, std::format("the camera {} is gone", info_.id),
			"It was unplugged or its driver unbound"};
	if (error.code == memoryWasRefused)
		return memoryRefused(EFAULT, std::format("the camera {}", info_.id), heap_);
	if (error.code == requestWasCancelled)
		return {EIO, std::format("the camera {} gave a buffer back unfilled", info_.id),
			"Call stop() and start() again; LIBCAMERA_LOG_LEVELS=*:DEBUG shows why"};
	return error;
}

Result<void> LibcameraCamera::queue(unsigned index)
{
	std::lock_guard lock(mutex_);
	if (!streaming_)
		return fail(ECANCELED, std::format("the camera {} is not streaming", info_.id));
	if (index >= slots_.size() || slots_[index].queued)
		return fail(EINVAL,
			    std::format("buffer {} of the camera {} is {}", index, info_.id,
					index >= slots_.size() ? "unknown" : "queued already"));
	if (const int code = queueLocked(index))
		return fail(code, std::format("the camera {} did not take buffer {} back", info_.id,
					      index));
	return {};
}

/* libcamera does not always say so: vimc unbound while it streams just falls silent (0.7.1). */
bool LibcameraCamera::hasVanished() const
{
	return !nodesExist(nodes_);
}

/*
 * Stopping a camera whose nodes are gone without a `disconnected` aborts the process: STREAMOFF
 * fails, and PipelineHandler::stop() asserts that no request is left. Nor may it be destroyed while
 * it runs. So it stays, with the manager it needs, until the process ends.
 */
void LibcameraCamera::abandonCamera()
{
	struct Remains {
		Result<LibcameraSession> session;
		std::shared_ptr<libcamera::Camera> camera;
		std::vector<Slot> slots;
	};
	[[maybe_unused]] auto *remains =
		new Remains{LibcameraSession::create(), camera_, std::move(slots_)};
	slots_.clear();
	abandoned_ = true;
}

/*
 * stop() does nothing on a camera that is gone, and its handler may still hold requests, which it
 * touches when it closes its nodes. Rather a few descriptors too many than freed memory.
 */
void LibcameraCamera::abandonPending()
{
	const bool pending = std::ranges::any_of(slots_, [](const Slot &slot) {
		return slot.request->status() == libcamera::Request::RequestPending;
	});
	if (pending) [[maybe_unused]]
		auto *abandoned = new std::vector<Slot>(std::move(slots_));
	if (pending)
		slots_.clear();
}

Result<void> LibcameraCamera::stop()
{
	{
		/* From here on queue() refuses; a request it has queued is ahead of stop() in
		 * libcamera's thread. */
		std::lock_guard lock(mutex_);
		if (!streaming_)
			return {};
		streaming_ = false;
		stopping_ = true;
	}
	/* Returns when every request has completed, cancelled (PipelineHandler::stop). */
	const bool vanished = !disconnected_ && hasVanished();
	const int ret = vanished ? 0 : camera_->stop();
	if (vanished)
		abandonCamera();
	{
		std::lock_guard lock(mutex_);
		for (Slot &slot : slots_)
			slot.queued = false;
	}
	abandonPending();
	frames_.reset(slots_.size());
	if (ret && ret != -ENODEV)
		return fail(-ret, std::format("the camera {} does not stop", info_.id));
	return {};
}

} /* namespace heapflow */
