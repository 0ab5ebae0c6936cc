/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A camera on a V4L2 node, without libcamera. */
#pragma once

#include "sequence.h"
#include "v4l2_known_modes.h"
#include "v4l2_node.h"
#include "v4l2_queue.h"

#include "heapflow/camera/camera.h"

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <poll.h>

namespace heapflow
{

class V4l2Camera : public Camera
{
public:
	static Result<std::unique_ptr<Camera>> open(const std::string &path);
	~V4l2Camera() override;

	const CameraInfo &info() const override { return info_; }
	Result<std::vector<CaptureMode>> modes(StreamRole role,
					       std::span<const uint32_t> formats) override;
	Result<std::vector<CaptureConfiguration>>
	configureStreams(std::span<const CaptureRequest> streams,
			 const SensorRequest &sensor) override;
	Result<void> importBuffers(std::span<const Buffer> buffers, unsigned stream) override;
	Result<void> start() override;
	Result<CapturedFrame> waitFrame(std::chrono::milliseconds timeout,
					unsigned stream) override;
	const FrameControls &metadata(unsigned index, unsigned stream) const override;
	Result<void> queue(unsigned index, unsigned stream, std::optional<Fence> release) override;
	std::vector<ControlDescription> controls() override;
	Result<void> setControls(const ControlList &controls) override;
	void interrupt(bool interrupted, std::optional<unsigned> stream) override;
	Result<void> stop() override;

private:
	V4l2Camera(V4l2Node node, UniqueFd wakeup, UniqueFd kick);

	Result<CaptureRequest> fix(const CaptureRequest &request);
	Result<void> setFormat(const CaptureRequest &request);
	Orientation orientation() const;
	Result<CapturedFrame> dequeue();
	/** \brief Nothing to report: an error with the code 0 */
	Result<CapturedFrame> serve(const std::vector<pollfd> &descriptors);
	std::optional<Error> readEvents();
	std::unexpected<Error> timedOut(std::chrono::milliseconds timeout) const;
	std::string name() const;

	V4l2Node node_;
	UniqueFd wakeup_; /* eventfd, readable while interrupted */
	UniqueFd kick_;   /* eventfd, readable when queue() left something to do */
	CameraInfo info_;
	V4l2KnownModes modes_;
	CaptureConfiguration configuration_;
	uint32_t pictureBytes_ = 0; /* of a whole frame without padding; 0: frames differ */
	SequenceExtender sequence_;
	V4l2Queue queue_;
	std::vector<pollfd> descriptors_; /* kept, not to allocate for each frame */
	std::optional<Error> failure_;    /* stays until stop() */
};

} /* namespace heapflow */
