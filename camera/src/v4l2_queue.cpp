/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "v4l2_queue.h"

#include "clock.h"
#include "memory_refusal.h"

#include "heapflow/heap/buffer_identity.h"

#include <algorithm>
#include <cerrno>
#include <format>

namespace heapflow
{

namespace
{

/* As for libcamera's cameras: nobody reads a frame for so long, and no driver recovers later. */
constexpr int64_t patience = 3'000'000'000;
constexpr int retryInterval = 20; /* ms */

int64_t nanoseconds(const timeval &time)
{
	return int64_t{time.tv_sec} * 1'000'000'000 + int64_t{time.tv_usec} * 1'000;
}

} /* namespace */

std::unexpected<Error> v4l2Gone(const std::string &name)
{
	return fail(ENODEV, std::format("{} is gone", name),
		    "It was unplugged or its driver unbound");
}

V4l2Queue::V4l2Queue(const V4l2Node &node, std::string name) : node_(node), name_(std::move(name))
{
}

Result<unsigned> V4l2Queue::request(unsigned count)
{
	v4l2_requestbuffers request{};
	request.type = node_.identity().bufferType();
	request.memory = V4L2_MEMORY_DMABUF;
	request.count = count;
	if (const int code = node_.ioctl(VIDIOC_REQBUFS, &request)) {
		std::string hint;
		if (code == EINVAL)
			hint = "Its driver cannot import dma-bufs, or failed to set up its queue: "
			       "the kernel log may say more";
		else if (code == EBUSY)
			hint = "Another program, or another part of this one, is using the camera";
		if (code == ENODEV)
			return v4l2Gone(name_);
		return fail(code, std::format("{} gives no {} buffer slots", name_, count), hint);
	}
	std::lock_guard lock(mutex_);
	slots_.clear();
	slots_.resize(count ? request.count : 0);
	return request.count;
}

v4l2_buffer V4l2Queue::describe(unsigned index, v4l2_plane *plane) const
{
	v4l2_buffer buffer{};
	buffer.type = node_.identity().bufferType();
	buffer.memory = V4L2_MEMORY_DMABUF;
	buffer.index = index;
	if (V4L2_TYPE_IS_MULTIPLANAR(buffer.type)) {
		*plane = {};
		plane->m.fd = slots_[index].fd;
		plane->length = bytes_;
		buffer.m.planes = plane;
		buffer.length = 1;
	} else {
		buffer.m.fd = slots_[index].fd;
		buffer.length = bytes_;
	}
	return buffer;
}

Result<void> V4l2Queue::import(std::span<const Buffer> buffers, uint32_t bytes)
{
	bytes_ = bytes;
	for (unsigned index = 0; index < buffers.size(); ++index) {
		slots_[index].fd = buffers[index].fd();
		v4l2_plane plane;
		v4l2_buffer buffer = describe(index, &plane);
		const int code = node_.ioctl(VIDIOC_PREPARE_BUF, &buffer);
		if (!code)
			continue;
		/* Let go of those taken before, so that others can be tried. */
		if (auto fresh = request(static_cast<unsigned>(slots_.size())); !fresh) {
			std::lock_guard lock(mutex_);
			slots_.clear();
		}
		if (code == EFAULT)
			return std::unexpected(memoryRefused(code, name_, buffers[index].heap()));
		if (code == ENODEV)
			return v4l2Gone(name_);
		return std::unexpected(withForeignDescriptor(
			{code,
			 std::format("{} did not take buffer {} ({} bytes of heap '{}')", name_,
				     index, buffers[index].size(), buffers[index].heap()),
			 ""},
			buffers[index].fd()));
	}
	return {};
}

int V4l2Queue::send(unsigned index)
{
	v4l2_plane plane;
	v4l2_buffer buffer = describe(index, &plane);
	const int code = node_.ioctl(VIDIOC_QBUF, &buffer);
	slots_[index].owner = code ? Owner::Caller : Owner::Driver;
	return code;
}

int V4l2Queue::start()
{
	std::lock_guard lock(mutex_);
	int code = 0;
	for (unsigned index = 0; index < slots_.size() && !code; ++index) {
		slots_[index].fence.reset();
		code = send(index);
	}
	uint32_t type = node_.identity().bufferType();
	if (!code)
		code = node_.ioctl(VIDIOC_STREAMON, &type);
	if (code) {
		node_.ioctl(VIDIOC_STREAMOFF, &type);
		for (Slot &slot : slots_)
			slot.owner = Owner::Caller;
		return code;
	}
	streaming_ = true;
	return 0;
}

int V4l2Queue::stop()
{
	std::lock_guard lock(mutex_);
	if (!streaming_)
		return 0;
	streaming_ = false;
	for (Slot &slot : slots_) {
		slot.owner = Owner::Caller;
		slot.fence.reset();
	}
	uint32_t type = node_.identity().bufferType();
	return node_.ioctl(VIDIOC_STREAMOFF, &type);
}

bool V4l2Queue::streaming() const
{
	std::lock_guard lock(mutex_);
	return streaming_;
}

Result<bool> V4l2Queue::queue(unsigned index, std::optional<Fence> release)
{
	std::lock_guard lock(mutex_);
	if (!streaming_)
		return fail(ECANCELED, std::format("{} is not streaming", name_));
	if (index >= slots_.size() || slots_[index].owner != Owner::Caller)
		return fail(EINVAL,
			    std::format("buffer {} of {} is {}", index, name_,
					index >= slots_.size() ? "unknown" : "queued already"));
	const bool starved = starvedLocked();
	Slot &slot = slots_[index];
	slot.fence = std::move(release);
	slot.since = 0;
	slot.code = 0;
	slot.owner = Owner::Pending;
	if (auto sent = sendOne(index); !sent)
		return std::unexpected(sent.error());
	/* One that the driver took at once needs no time. */
	if (slot.owner == Owner::Pending)
		slot.since = monotonicNow();
	return starved || slot.owner == Owner::Pending;
}

Result<void> V4l2Queue::sendOne(unsigned index)
{
	Slot &slot = slots_[index];
	const bool late = slot.since && monotonicNow() - slot.since > patience;
	if (slot.fence) {
		/* One that failed is over as well: its device has stopped. */
		const auto status = slot.fence->status();
		/* Whether its reader has ended, nobody knows: the camera must not write. */
		if (!status) {
			slot.fence.reset();
			slot.owner = Owner::Caller;
			return std::unexpected(status.error());
		}
		if (*status == FenceStatus::Active) {
			if (!late)
				return {};
			const auto info = slot.fence->info();
			return fail(ETIME,
				    std::format("buffer {} came back to {} with a fence that is "
						"not signalled after 3 seconds ({})",
						index, name_,
						info ? heapflow::describe(*info) : "unknown"),
				    "Whoever read the buffer last, a GPU or a display, does not "
				    "end its work");
		}
		slot.fence.reset();
	}
	slot.code = send(index);
	if (!slot.code)
		return {};
	slot.owner = Owner::Pending;
	if (slot.code == ENODEV)
		return v4l2Gone(name_);
	if (late)
		return fail(slot.code, std::format("{} has not taken buffer {} back for 3 seconds",
						   name_, index));
	return {};
}

Result<void> V4l2Queue::sendPending()
{
	std::lock_guard lock(mutex_);
	for (unsigned index = 0; streaming_ && index < slots_.size(); ++index)
		if (slots_[index].owner == Owner::Pending)
			if (auto sent = sendOne(index); !sent)
				return sent;
	return {};
}

int V4l2Queue::watchPending(std::vector<pollfd> &descriptors) const
{
	std::lock_guard lock(mutex_);
	int again = -1;
	for (const Slot &slot : slots_) {
		if (slot.owner != Owner::Pending)
			continue;
		if (slot.fence)
			descriptors.push_back({slot.fence->fd(), POLLIN, 0});
		/* The fence's deadline is looked at now and then as well. */
		again = slot.fence ? (again < 0 ? 500 : again) : retryInterval;
	}
	return again;
}

bool V4l2Queue::starvedLocked() const
{
	return std::ranges::none_of(slots_,
				    [](const Slot &slot) { return slot.owner == Owner::Driver; });
}

bool V4l2Queue::starved() const
{
	std::lock_guard lock(mutex_);
	return starvedLocked();
}

int V4l2Queue::refusal() const
{
	std::lock_guard lock(mutex_);
	const auto refused = std::ranges::find_if(
		slots_, [](const Slot &slot) { return slot.owner == Owner::Pending && slot.code; });
	return refused == slots_.end() ? 0 : refused->code;
}

int V4l2Queue::dequeue(Filled &filled)
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
	if (const int code = node_.ioctl(VIDIOC_DQBUF, &buffer))
		return code;
	filled.index = buffer.index;
	filled.sequence = buffer.sequence;
	filled.timestamp = nanoseconds(buffer.timestamp);
	filled.monotonic =
		(buffer.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
	filled.error = buffer.flags & V4L2_BUF_FLAG_ERROR;
	filled.bytesUsed = multiplanar ? plane.bytesused : buffer.bytesused;

	std::lock_guard lock(mutex_);
	if (buffer.index < slots_.size())
		slots_[buffer.index].owner = Owner::Caller;
	return 0;
}

} /* namespace heapflow */
