/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "v4l2_camera.h"

#include "buffer_check.h"
#include "clock.h"
#include "memory_refusal.h"
#include "request_fixation.h"
#include "v4l2_formats.h"
#include "v4l2_modes.h"

#include <algorithm>
#include <cerrno>
#include <format>

#include <poll.h>
#include <sys/eventfd.h>

namespace heapflow
{

namespace
{

constexpr unsigned defaultBufferCount = 4;

std::unexpected<Error> gone(const std::string &name)
{
	return fail(ENODEV, std::format("{} is gone", name),
		    "It was unplugged or its driver unbound");
}

int64_t nanoseconds(const timeval &time)
{
	return int64_t{time.tv_sec} * 1'000'000'000 + int64_t{time.tv_usec} * 1'000;
}

} /* namespace */

V4l2Camera::V4l2Camera(V4l2Node node, UniqueFd wakeup)
	: node_(std::move(node)), wakeup_(std::move(wakeup))
{
	const V4l2Identity &identity = node_.identity();
	info_ = {identity.path, identity.card, CameraBackend::V4l2};
}

/* Closing the node stops the stream and lets go of the buffers (vb2_fop_release). */
V4l2Camera::~V4l2Camera() = default;

Result<std::unique_ptr<Camera>> V4l2Camera::open(const std::string &path)
{
	auto node = V4l2Node::open(path);
	if (!node)
		return std::unexpected(node.error());
	UniqueFd wakeup(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	if (!wakeup.valid())
		return fail(errno, "cannot make an eventfd");
	return std::unique_ptr<Camera>(new V4l2Camera(std::move(*node), std::move(wakeup)));
}

std::string V4l2Camera::name() const
{
	return std::format("{} ({})", node_.identity().driver, node_.identity().path);
}

Result<std::vector<CaptureMode>> V4l2Camera::modes()
{
	return enumerateModes(node_, Rates::List);
}

Result<void> V4l2Camera::setFormat(const CaptureRequest &request)
{
	V4l2Picture picture;
	picture.pixelformat = v4l2FromDrm(request.fourcc);
	picture.width = request.width;
	picture.height = request.height;
	picture.bytesperline = request.stride;

	v4l2_format format = formatFromPicture(node_.identity().bufferType(), picture);
	if (const int code = node_.ioctl(VIDIOC_S_FMT, &format))
		return fail(
			code,
			std::format("{} does not take the format {} {}x{}", name(),
				    fourccToString(request.fourcc), request.width, request.height),
			code == EBUSY ? "Another program is using the camera; stop it first" : "");

	picture = pictureFromFormat(format);
	auto layout = layoutFromV4l2(picture);
	if (!layout)
		return std::unexpected(layout.error());
	const PlaneLayout &last = layout->planes.back();
	/* What a frame must hold at least: the padding of the last plane is nobody's. */
	const auto bare = makeFrameLayout(layout->fourcc, layout->width, layout->height,
					  layout->planes.front().stride);
	pictureBytes_ = bare ? static_cast<uint32_t>(bare->size()) : last.offset + last.length;
	configuration_.layout = std::move(*layout);
	return {};
}

Result<unsigned> V4l2Camera::requestBuffers(unsigned count)
{
	v4l2_requestbuffers request{};
	request.type = node_.identity().bufferType();
	request.memory = V4L2_MEMORY_DMABUF;
	request.count = count;
	if (const int code = node_.ioctl(VIDIOC_REQBUFS, &request)) {
		std::string hint;
		if (code == EINVAL)
			hint = "Its driver cannot import dma-bufs";
		else if (code == EBUSY)
			hint = "Another program is using the camera; stop it first";
		return fail(code, std::format("{} gives no {} buffer slots", name(), count), hint);
	}
	return request.count;
}

Result<CaptureConfiguration> V4l2Camera::configure(const CaptureRequest &request)
{
	if (streaming_)
		return fail(EBUSY, std::format("{} is streaming", name()), "Call stop() first");

	const auto modes = enumerateModes(node_, Rates::Skip);
	if (!modes)
		return std::unexpected(modes.error());
	const auto current = currentPicture(node_);
	if (!current)
		return std::unexpected(current.error());
	CaptureRequest defaults;
	defaults.width = current->width;
	defaults.height = current->height;
	const auto fixed = fixRequest(*modes, request, defaults);
	if (!fixed)
		return std::unexpected(fixed.error());

	/* The format is locked while there are slots, and the slots hold the old dma-bufs. */
	if (!slots_.empty()) {
		if (auto freed = requestBuffers(0); !freed)
			return std::unexpected(freed.error());
		slots_.clear();
	}
	if (auto set = setFormat(*fixed); !set)
		return std::unexpected(set.error());
	requestRate(node_, request.rate);

	/* Slots make the node ours: from here on others get EBUSY. */
	const unsigned wanted = request.bufferCount ? request.bufferCount : defaultBufferCount;
	const auto granted = requestBuffers(std::min<unsigned>(wanted, VIDEO_MAX_FRAME));
	if (!granted)
		return std::unexpected(granted.error());
	slots_.resize(*granted);

	configuration_.bufferCount = *granted;
	configuration_.rate = currentRate(node_);
	configuration_.needs = {};
	configuration_.needs.who = node_.identity().driver;
	return configuration_;
}

v4l2_buffer V4l2Camera::describeBuffer(unsigned index, v4l2_plane *plane) const
{
	v4l2_buffer buffer{};
	buffer.type = node_.identity().bufferType();
	buffer.memory = V4L2_MEMORY_DMABUF;
	buffer.index = index;
	const auto length = static_cast<uint32_t>(configuration_.layout.size());
	if (V4L2_TYPE_IS_MULTIPLANAR(buffer.type)) {
		*plane = {};
		plane->m.fd = slots_[index].fd;
		plane->length = length;
		buffer.m.planes = plane;
		buffer.length = 1;
	} else {
		buffer.m.fd = slots_[index].fd;
		buffer.length = length;
	}
	return buffer;
}

Result<void> V4l2Camera::importBuffers(std::span<const Buffer> buffers)
{
	if (streaming_)
		return fail(EBUSY, std::format("{} is streaming", name()), "Call stop() first");
	if (slots_.empty())
		return fail(EINVAL, std::format("{} is not configured", name()));
	if (auto usable = checkBuffers(buffers, configuration_, name()); !usable)
		return usable;

	for (unsigned index = 0; index < slots_.size(); ++index) {
		slots_[index].fd = buffers[index].fd();
		v4l2_plane plane;
		v4l2_buffer buffer = describeBuffer(index, &plane);
		const int code = node_.ioctl(VIDIOC_PREPARE_BUF, &buffer);
		if (!code)
			continue;
		/* Let go of those taken before, so that others can be tried. */
		for (Slot &slot : slots_)
			slot.fd = -1;
		if (auto fresh = requestBuffers(configuration_.bufferCount); !fresh)
			slots_.clear();
		if (code == EFAULT)
			return std::unexpected(memoryRefused(code, name(), buffers[index].heap()));
		return fail(code,
			    std::format("{} did not take buffer {} ({} bytes of heap '{}')", name(),
					index, buffers[index].size(), buffers[index].heap()));
	}
	return {};
}

int V4l2Camera::queueLocked(unsigned index)
{
	v4l2_plane plane;
	v4l2_buffer buffer = describeBuffer(index, &plane);
	const int code = node_.ioctl(VIDIOC_QBUF, &buffer);
	slots_[index].queued = code == 0;
	return code;
}

Result<void> V4l2Camera::start()
{
	std::lock_guard lock(mutex_);
	if (streaming_)
		return fail(EBUSY, std::format("{} is streaming already", name()));
	if (slots_.empty() || slots_.front().fd < 0)
		return fail(EINVAL, std::format("{} has no buffers", name()),
			    "Call importBuffers() first");

	int code = 0;
	for (unsigned index = 0; index < slots_.size() && !code; ++index)
		code = queueLocked(index);
	uint32_t type = node_.identity().bufferType();
	if (!code)
		code = node_.ioctl(VIDIOC_STREAMON, &type);
	if (code) {
		node_.ioctl(VIDIOC_STREAMOFF, &type);
		std::ranges::for_each(slots_, [](Slot &slot) { slot.queued = false; });
		const std::string message = std::format("{} does not start to stream {}", name(),
							describe(configuration_.layout));
		if (code == EPIPE)
			return fail(
				code, message,
				"The links of its media pipeline disagree on the format: set it up "
				"with media-ctl, or try another format");
		return fail(code, message);
	}
	sequence_.reset();
	streaming_ = true;
	return {};
}

Result<CapturedFrame> V4l2Camera::dequeue()
{
	v4l2_plane plane{};
	v4l2_buffer buffer{};
	buffer.type = node_.identity().bufferType();
	buffer.memory = V4L2_MEMORY_DMABUF;
	const bool multiplanar = V4L2_TYPE_IS_MULTIPLANAR(buffer.type);
	if (multiplanar) {
		buffer.m.planes = &plane;
		buffer.length = 1;
	}
	if (const int code = node_.ioctl(VIDIOC_DQBUF, &buffer)) {
		if (code == ENODEV)
			return gone(name());
		return fail(code, std::format("{} delivers no frame", name()),
			    code == EIO ? "Its driver met an error: stop() and start() again" : "");
	}

	CapturedFrame frame;
	frame.arrival = monotonicNow();
	frame.index = buffer.index;
	frame.sequence = sequence_.extend(buffer.sequence);
	/* Any other clock is one that nobody names; then the arrival is the best there is. */
	const bool monotonic =
		(buffer.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
	frame.timestamp = monotonic ? nanoseconds(buffer.timestamp) : frame.arrival;
	const uint32_t used = multiplanar ? plane.bytesused : buffer.bytesused;
	frame.corrupted = (buffer.flags & V4L2_BUF_FLAG_ERROR) || used < pictureBytes_;

	std::lock_guard lock(mutex_);
	if (buffer.index < slots_.size())
		slots_[buffer.index].queued = false;
	return frame;
}

Result<CapturedFrame> V4l2Camera::waitFrame(std::chrono::milliseconds timeout)
{
	if (!streaming_)
		return fail(EINVAL, std::format("{} is not streaming", name()),
			    "Call start() first");

	const int64_t deadline = monotonicNow() + std::chrono::nanoseconds(timeout).count();
	while (true) {
		pollfd fds[] = {{wakeup_.get(), POLLIN, 0}, {node_.fd(), POLLIN, 0}};
		const int64_t left = std::max<int64_t>(0, deadline - monotonicNow());
		/* Rounded up: waking before the deadline would spin. */
		const int ready = poll(fds, 2, static_cast<int>((left + 999'999) / 1'000'000));
		if (ready < 0 && errno != EINTR)
			return fail(errno, std::format("cannot wait for {}", name()));
		if (ready < 0)
			continue;
		if (fds[0].revents)
			return fail(ECANCELED, "waiting for a frame was interrupted");
		if (fds[1].revents) {
			auto frame = dequeue();
			/* EAGAIN: readable no more. With an error pending it would spin. */
			if (frame || frame.error().code != EAGAIN)
				return frame;
			if (fds[1].revents & (POLLERR | POLLHUP))
				return fail(EIO, std::format("{} reports an error", name()),
					    "Call stop() and start() again");
		}
		if (left == 0)
			return timedOut(timeout);
	}
}

std::unexpected<Error> V4l2Camera::timedOut(std::chrono::milliseconds timeout)
{
	std::lock_guard lock(mutex_);
	return fail(ETIMEDOUT,
		    std::format("no frame from {} within {} ms", name(), timeout.count()),
		    std::ranges::none_of(slots_, &Slot::queued)
			    ? "None of its buffers is queued: they are all in use"
			    : "");
}

Result<void> V4l2Camera::queue(unsigned index)
{
	std::lock_guard lock(mutex_);
	if (!streaming_)
		return fail(ECANCELED, std::format("{} is not streaming", name()));
	if (index >= slots_.size() || slots_[index].queued)
		return fail(EINVAL,
			    std::format("buffer {} of {} is {}", index, name(),
					index >= slots_.size() ? "unknown" : "queued already"));
	if (const int code = queueLocked(index)) {
		if (code == ENODEV)
			return gone(name());
		return fail(code, std::format("{} did not take buffer {} back", name(), index));
	}
	return {};
}

void V4l2Camera::interrupt(bool interrupted)
{
	/* Never read by waitFrame(): the state stays until it is taken back. */
	eventfd_t count = 0;
	if (interrupted)
		eventfd_write(wakeup_.get(), 1);
	else
		eventfd_read(wakeup_.get(), &count);
}

Result<void> V4l2Camera::stop()
{
	std::lock_guard lock(mutex_);
	if (!streaming_)
		return {};
	streaming_ = false;
	std::ranges::for_each(slots_, [](Slot &slot) { slot.queued = false; });
	uint32_t type = node_.identity().bufferType();
	const int code = node_.ioctl(VIDIOC_STREAMOFF, &type);
	/* A node that is gone streams no more. */
	if (code && code != ENODEV)
		return fail(code, std::format("{} does not stop", name()));
	return {};
}

} /* namespace heapflow */
