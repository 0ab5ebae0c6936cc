/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcamera_requests.h"

#include "clock.h"
#include "stream_pairing.h"

#include <algorithm>
#include <cerrno>
#include <format>
#include <utility>

namespace heapflow
{

namespace
{

/*
 * The virtual handler still iterates over the buffers of a request when its last one is reported
 * (processRequest(), 0.7.1). So a request whose buffers have to change should have been back for a
 * while.
 */
constexpr size_t sparesToRest = 2;

/* Ten times what libcamera waits: no device takes so long to read a frame. */
constexpr int64_t fenceDeadline = 3'000'000'000;

std::string describeFence(const libcamera::Fence &fence)
{
	UniqueFd copy(dup(fence.fd().get()));
	if (!copy.valid())
		return "unknown";
	const auto info = Fence(std::move(copy)).info();
	return info ? describe(*info) : info.error().message;
}

} /* namespace */

LibcameraRequests::LibcameraRequests(std::shared_ptr<libcamera::Camera> camera)
	: camera_(std::move(camera)), controls_(camera_->controls())
{
}

void LibcameraRequests::reset(size_t streams)
{
	std::lock_guard lock(mutex_);
	free_.clear();
	requests_.clear();
	streams_.clear();
	streams_.resize(streams);
	waitingCounts_.assign(streams, 0);
}

Result<void> LibcameraRequests::import(unsigned index, libcamera::Stream *stream,
				       const FrameLayout &layout, std::span<const Buffer> buffers)
{
	StreamSlots imported;
	imported.stream = stream;
	imported.heap = buffers.empty() ? "" : buffers.front().heap();
	for (const Buffer &buffer : buffers) {
		/* One descriptor for all planes; SharedFD(int) duplicates it. */
		const int descriptor = buffer.fd();
		const libcamera::SharedFD fd(descriptor);
		if (!fd.isValid())
			return fail(errno,
				    std::format("cannot duplicate the descriptor of buffer {}",
						imported.slots.size()));
		std::vector<libcamera::FrameBuffer::Plane> planes;
		for (const PlaneLayout &plane : layout.planes)
			planes.push_back({fd, plane.offset, plane.length});
		Slot slot;
		slot.buffer =
			std::make_unique<libcamera::FrameBuffer>(planes, imported.slots.size());
		imported.slots.push_back(std::move(slot));
	}

	std::lock_guard lock(mutex_);
	streams_[index] = std::move(imported);
	return makeRequests();
}

/* As many as the stream with the most buffers has are under way at a time. */
Result<void> LibcameraRequests::makeRequests()
{
	size_t wanted = 0;
	for (const StreamSlots &stream : streams_)
		wanted = std::max(wanted, stream.slots.size());
	mostInFlight_ = wanted;
	while (requests_.size() < wanted + sparesToRest) {
		auto request = camera_->createRequest(requests_.size());
		if (!request)
			return fail(ENODEV,
				    std::format("the camera {} makes no request", camera_->id()));
		requests_.push_back(std::move(request));
	}
	return {};
}

bool LibcameraRequests::imported() const
{
	std::lock_guard lock(mutex_);
	return !streams_.empty() && std::ranges::none_of(streams_, [](const StreamSlots &stream) {
		return stream.slots.empty();
	});
}

size_t LibcameraRequests::count(unsigned stream) const
{
	std::lock_guard lock(mutex_);
	return stream < streams_.size() ? streams_[stream].slots.size() : 0;
}

int LibcameraRequests::start()
{
	std::lock_guard lock(mutex_);
	free_.clear();
	for (const auto &request : requests_)
		free_.push_back(request.get());
	for (StreamSlots &stream : streams_) {
		stream.waiting.clear();
		for (unsigned index = 0; index < stream.slots.size(); ++index) {
			Slot &slot = stream.slots[index];
			slot.owner = Owner::Waiting;
			slot.fence.reset();
			slot.fenceSince = 0;
			stream.waiting.push_back(index);
		}
	}
	deadFence_.clear();
	streaming_ = true;
	return pumpLocked();
}

bool LibcameraRequests::beginStop()
{
	std::lock_guard lock(mutex_);
	return std::exchange(streaming_, false);
}

void LibcameraRequests::endStop()
{
	std::lock_guard lock(mutex_);
	for (StreamSlots &stream : streams_) {
		stream.waiting.clear();
		for (Slot &slot : stream.slots) {
			slot.owner = Owner::Caller;
			/* Else the next addBuffer() with a fence were refused (-EEXIST). */
			slot.buffer->releaseFence();
			slot.fence.reset();
			slot.fenceSince = 0;
		}
	}
}

bool LibcameraRequests::streaming() const
{
	std::lock_guard lock(mutex_);
	return streaming_;
}

Result<void> LibcameraRequests::queue(unsigned index, unsigned stream, std::optional<Fence> release,
				      const std::string &camera)
{
	std::lock_guard lock(mutex_);
	if (!streaming_)
		return fail(ECANCELED, std::format("the camera {} is not streaming", camera));
	const bool known = stream < streams_.size() && index < streams_[stream].slots.size();
	if (!known || streams_[stream].slots[index].owner != Owner::Caller)
		return fail(EINVAL, std::format("buffer {} of the camera {} is {}", index, camera,
						known ? "queued already" : "unknown"));

	Slot &slot = streams_[stream].slots[index];
	if (release) {
		slot.fence = std::make_unique<libcamera::Fence>(
			libcamera::UniqueFD(release->takeFd().release()));
		slot.fenceSince = monotonicNow();
	}
	slot.owner = Owner::Waiting;
	streams_[stream].waiting.push_back(index);
	if (const int code = pumpLocked())
		return fail(code, std::format("the camera {} did not take buffer {} back", camera,
					      index));
	return {};
}

int LibcameraRequests::pump()
{
	std::lock_guard lock(mutex_);
	return streaming_ ? pumpLocked() : 0;
}

int LibcameraRequests::pumpLocked()
{
	while (requests_.size() - free_.size() < mostInFlight_) {
		std::ranges::transform(
			streams_, waitingCounts_.begin(),
			[](const StreamSlots &stream) { return stream.waiting.size(); });
		if (pairStreams(waitingCounts_, requests_.size() - free_.size()) == Pairing::Wait)
			break;
		libcamera::Request *request = chooseRequest();
		if (const int code = sendLocked(request)) {
			free_.push_back(request);
			return code;
		}
	}
	return 0;
}

/* Would it carry just what it carried before, and no fence? */
bool LibcameraRequests::carriesTheNext(const libcamera::Request &request) const
{
	size_t wanted = 0;
	for (const StreamSlots &stream : streams_) {
		if (stream.waiting.empty())
			continue;
		const Slot &slot = stream.slots[stream.waiting.front()];
		if (slot.fence || request.findBuffer(stream.stream) != slot.buffer.get())
			return false;
		++wanted;
	}
	return request.buffers().size() == wanted;
}

libcamera::Request *LibcameraRequests::chooseRequest()
{
	auto chosen = std::ranges::find_if(free_, [this](const libcamera::Request *request) {
		return carriesTheNext(*request);
	});
	if (chosen == free_.end())
		chosen = free_.begin();
	libcamera::Request *request = *chosen;
	free_.erase(chosen);
	return request;
}

/* With a buffer of every stream that has one. Buffers that do not go stay the caller's. */
int LibcameraRequests::sendLocked(libcamera::Request *request)
{
	/* ReuseBuffers must not be used with fences: a fence belongs to one use of a buffer. */
	const bool same = carriesTheNext(*request);
	request->reuse(same ? libcamera::Request::ReuseBuffers : libcamera::Request::Default);
	for (StreamSlots &stream : streams_) {
		if (stream.waiting.empty())
			continue;
		Slot &slot = stream.slots[stream.waiting.front()];
		stream.waiting.pop_front();
		slot.owner = Owner::Camera;
		if (same)
			continue;
		if (const int ret = request->addBuffer(stream.stream, slot.buffer.get(),
						       std::move(slot.fence))) {
			slot.owner = Owner::Caller;
			takeBackLocked(*request);
			return -ret;
		}
	}
	request->controls().merge(controls_,
				  libcamera::ControlList::MergePolicy::OverwriteExisting);
	if (const int ret = camera_->queueRequest(request)) {
		takeBackLocked(*request);
		return -ret;
	}
	controls_.clear();
	return 0;
}

/* Its buffers do not go. */
void LibcameraRequests::takeBackLocked(const libcamera::Request &request)
{
	for (const auto &[stream, buffer] : request.buffers()) {
		StreamSlots &slots = streams_[streamOf(stream)];
		slots.slots[buffer->cookie()].owner = Owner::Caller;
	}
}

void LibcameraRequests::taken(unsigned index, unsigned stream)
{
	std::lock_guard lock(mutex_);
	Slot &slot = streams_[stream].slots[index];
	slot.owner = Owner::Caller;
	slot.fenceSince = 0;
}

void LibcameraRequests::setControls(const libcamera::ControlList &controls)
{
	std::lock_guard lock(mutex_);
	controls_.merge(controls, libcamera::ControlList::MergePolicy::OverwriteExisting);
}

libcamera::ControlList LibcameraRequests::takeControls()
{
	std::lock_guard lock(mutex_);
	libcamera::ControlList taken = controls_;
	controls_.clear();
	return taken;
}

unsigned LibcameraRequests::streamOf(const libcamera::Stream *stream) const
{
	const auto found = std::ranges::find(streams_, stream, &StreamSlots::stream);
	return static_cast<unsigned>(found - streams_.begin());
}

void LibcameraRequests::completed(libcamera::Request *request)
{
	std::lock_guard lock(mutex_);
	free_.push_back(request);
}

FrameControls &LibcameraRequests::metadata(unsigned index, unsigned stream)
{
	return streams_[stream].slots[index].metadata;
}

const FrameControls &LibcameraRequests::metadata(unsigned index, unsigned stream) const
{
	return streams_[stream].slots[index].metadata;
}

Cancelled LibcameraRequests::cancelled(libcamera::Request *request)
{
	std::lock_guard lock(mutex_);
	const int64_t now = monotonicNow();
	Cancelled why = Cancelled::Refused;
	for (const auto &[stream, buffer] : request->buffers()) {
		Slot &slot = streams_[streamOf(stream)].slots[buffer->cookie()];
		/* libcamera leaves the fence in the buffer when it waited in vain. */
		slot.fence = buffer->releaseFence();
		if (!slot.fence)
			continue;
		why = Cancelled::FenceLate;
		if (now - slot.fenceSince < fenceDeadline)
			continue;
		deadFence_ = describeFence(*slot.fence);
		return Cancelled::FenceDead;
	}
	if (why == Cancelled::FenceLate) {
		putBackLocked(request);
		free_.push_back(request);
	}
	return why;
}

/* At the head of the line, so that the order stays; what was to be set still is. */
void LibcameraRequests::putBackLocked(libcamera::Request *request)
{
	controls_.merge(request->controls(), libcamera::ControlList::MergePolicy::KeepExisting);
	for (const auto &[stream, buffer] : request->buffers()) {
		StreamSlots &slots = streams_[streamOf(stream)];
		slots.slots[buffer->cookie()].owner = Owner::Waiting;
		slots.waiting.push_front(static_cast<unsigned>(buffer->cookie()));
	}
}

std::string LibcameraRequests::deadFence() const
{
	std::lock_guard lock(mutex_);
	return deadFence_;
}

void LibcameraRequests::abandon()
{
	std::lock_guard lock(mutex_);
	using Requests = std::vector<std::unique_ptr<libcamera::Request>>;
	static std::mutex &remainsMutex = *new std::mutex;
	static auto &remains = *new std::vector<std::pair<Requests, std::vector<StreamSlots>>>;

	const size_t count = streams_.size();
	{
		std::lock_guard guard(remainsMutex);
		remains.emplace_back(std::exchange(requests_, {}), std::exchange(streams_, {}));
	}
	free_.clear();
	streams_.resize(count);
}

bool LibcameraRequests::owns(const libcamera::Request *request) const
{
	std::lock_guard lock(mutex_);
	return std::ranges::any_of(requests_,
				   [request](const auto &one) { return one.get() == request; });
}

bool LibcameraRequests::pending() const
{
	std::lock_guard lock(mutex_);
	return std::ranges::any_of(requests_, [](const auto &request) {
		return !request->buffers().empty() &&
		       request->status() == libcamera::Request::RequestPending;
	});
}

} /* namespace heapflow */
