/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapcamerasession.h"

#include "heapflow/heap/buffer_holders.h"

#include <algorithm>
#include <cerrno>

#include <drm_fourcc.h>
#include <unistd.h>

namespace heapflow::gst
{

Result<std::unique_ptr<CameraSession>> CameraSession::open(const CameraSelector &selector)
{
	auto camera = openCamera(selector);
	if (!camera)
		return std::unexpected(camera.error());

	std::unique_ptr<CameraSession> session(new CameraSession(std::move(*camera)));
	/* Whether it can be asked at all is told here; of V4L2's thousands of modes, those most
	 * likely. */
	if (auto modes =
		    session->modes(StreamRole::Viewfinder, std::vector<uint32_t>{DRM_FORMAT_NV12});
	    !modes)
		return std::unexpected(modes.error());
	return session;
}

CameraSession::~CameraSession()
{
	stop();
	/* The camera borrows the buffers until it is destroyed; the buffers' way back ends first.
	 */
	for (auto &stream : streams_)
		stream->drop();
	camera_.reset();
}

Result<std::vector<CaptureMode>>
CameraSession::modes(StreamRole role, const std::optional<std::vector<uint32_t>> &interest)
{
	if (interest && interest->empty())
		return std::vector<CaptureMode>();
	/* libcamera tries all configurations of a role, once, whatever is of interest. */
	const auto formats = info().backend == CameraBackend::V4l2 ? interest : std::nullopt;
	const Asked asked{role, formats};
	unsigned refreshed;
	{
		std::lock_guard lock(modesMutex_);
		refreshed = refreshed_;
		if (const auto known = modes_.find(asked);
		    known != modes_.end() && !known->second.stale)
			return known->second.modes;
	}
	auto fresh =
		camera_->modes(role, formats ? std::span(*formats) : std::span<const uint32_t>());
	std::lock_guard lock(modesMutex_);
	/* One that was asked before and cannot be now says so when it is configured. */
	if (const auto known = modes_.find(asked); known != modes_.end() && !fresh)
		return known->second.modes;
	/* What was asked before a refresh may be of the signal before it. */
	if (fresh)
		modes_[asked] = {*fresh, refreshed != refreshed_};
	return fresh;
}

void CameraSession::refreshModes()
{
	if (info().backend != CameraBackend::V4l2)
		return;
	std::lock_guard lock(modesMutex_);
	refreshed_++;
	for (auto &[asked, known] : modes_)
		known.stale = true;
}

const CaptureConfiguration &CameraSession::configuration(unsigned stream) const
{
	static const CaptureConfiguration none;
	return stream < streams_.size() ? streams_[stream]->configuration() : none;
}

Result<void> CameraSession::configure(const std::vector<CaptureRequest> &requests,
				      const SensorRequest &sensor)
{
	stop();
	for (auto &stream : streams_)
		stream->drop();
	auto configurations = camera_->configureStreams(requests, sensor);
	if (!configurations)
		return std::unexpected(configurations.error());
	requests_ = requests;
	sensor_ = sensor;
	streams_.resize(std::min(streams_.size(), requests.size()));
	while (streams_.size() < requests.size())
		streams_.push_back(
			std::make_unique<CameraStream>(*camera_, unsigned(streams_.size())));
	for (size_t i = 0; i < streams_.size(); i++)
		streams_[i]->reset(std::move((*configurations)[i]));
	return {};
}

/* The same again, with the stride that downstream's buffers have where they are to be tried. */
Result<void> CameraSession::configureAgain()
{
	std::vector<CaptureRequest> requests = requests_;
	for (size_t i = 0; i < requests.size(); i++)
		if (streams_[i]->wantedStride())
			requests[i].stride = streams_[i]->wantedStride();
	const std::vector<CaptureRequest> before = requests_;
	auto configured = configure(requests, sensor_);
	requests_ = before;
	return configured;
}

Result<std::vector<std::string>> CameraSession::prepare(const std::vector<StreamMemory> &memory,
							const std::vector<GstCaps *> &caps)
{
	delivered_ = false;
	for (size_t i = 0; i < streams_.size(); i++)
		if (auto begun = streams_[i]->begin(memory[i], caps[i]); !begun)
			return std::unexpected(begun.error());
	return prepareAll();
}

Result<std::vector<std::string>> CameraSession::prepareNext(const Error &refusal)
{
	std::vector<std::string> notes;
	bool elsewhere = false;

	/* Which of the streams was refused, libcamera does not say. */
	for (auto &stream : streams_)
		elsewhere |= stream->refuse(refusal, notes);
	if (!elsewhere)
		return std::unexpected(refusal);
	if (auto again = configureAgain(); !again)
		return std::unexpected(again.error());
	auto prepared = prepareAll();
	if (!prepared)
		return prepared;
	notes.insert(notes.end(), prepared->begin(), prepared->end());
	return notes;
}

Result<std::vector<std::string>> CameraSession::prepareAll()
{
	std::vector<std::string> notes;

	for (size_t i = 0; i < streams_.size();) {
		auto prepared = streams_[i]->prepare(notes);
		if (prepared) {
			i++;
			continue;
		}
		if (prepared.error().code != EAGAIN)
			return std::unexpected(prepared.error());
		if (auto again = configureAgain(); !again)
			return std::unexpected(again.error());
		i = 0; /* configuring anew took the buffers of all streams away */
	}
	return notes;
}

bool CameraSession::prepared() const
{
	return !streams_.empty() &&
	       std::ranges::all_of(streams_, [](const auto &stream) { return stream->prepared(); });
}

Result<void> CameraSession::start()
{
	if (running_)
		return {};
	auto started = camera_->start();
	running_ = started.has_value();
	return started;
}

GstBuffer *CameraSession::take(const CapturedFrame &frame, unsigned stream)
{
	delivered_ = true;
	return stream < streams_.size() ? streams_[stream]->take(frame.index) : nullptr;
}

void CameraSession::stop()
{
	/* First the way back: what comes home from now on must not be queued to a stopped camera.
	 */
	for (auto &stream : streams_)
		stream->close();
	if (running_)
		(void)camera_->stop();
	running_ = false;
}

size_t CameraSession::buffersDownstream(unsigned stream) const
{
	return stream < streams_.size() ? streams_[stream]->buffersDownstream() : 0;
}

size_t CameraSession::buffersKept(unsigned stream)
{
	return stream < streams_.size() ? streams_[stream]->buffersKept() : 0;
}

std::string CameraSession::otherHolders(unsigned stream) const
{
	if (stream >= streams_.size())
		return {};
	const std::vector<uint64_t> inodes = streams_[stream]->inodes();
	const BufferHolders holders = readBufferHolders();
	std::map<pid_t, unsigned> counts;
	for (const HeldBuffer &buffer : holders.buffers)
		for (const BufferUse &use : buffer.uses)
			if (use.process != getpid() && std::ranges::contains(inodes, buffer.inode))
				counts[use.process]++;
	std::string text;
	for (const auto &[process, count] : counts)
		if (const ProcessName *name = holders.process(process))
			text += (text.empty() ? "" : ", ") + name->text() + " " +
				std::to_string(count);
	return text;
}

uint64_t CameraSession::heapBytes() const
{
	uint64_t bytes = 0;
	for (const auto &stream : streams_)
		bytes += stream->heapBytes();
	return bytes;
}

GstStructure *CameraSession::plan(unsigned stream) const
{
	GstStructure *plan =
		gst_structure_new("heapflow-plan", "camera", G_TYPE_STRING, info().id.c_str(),
				  "model", G_TYPE_STRING, info().model.c_str(), nullptr);
	if (stream < streams_.size())
		streams_[stream]->describe(plan);
	return plan;
}

} /* namespace heapflow::gst */
