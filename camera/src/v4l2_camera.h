/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A camera on a V4L2 node, without libcamera. */
#pragma once

#include "sequence.h"
#include "v4l2_node.h"

#include "heapflow/camera/camera.h"

#include <mutex>
#include <vector>

#include <linux/videodev2.h>

namespace heapflow
{

class V4l2Camera : public Camera
{
public:
	static Result<std::unique_ptr<Camera>> open(const std::string &path);
	~V4l2Camera() override;

	const CameraInfo &info() const override { return info_; }
	Result<std::vector<CaptureMode>> modes() override;
	Result<CaptureConfiguration> configure(const CaptureRequest &request) override;
	Result<void> importBuffers(std::span<const Buffer> buffers) override;
	Result<void> start() override;
	Result<CapturedFrame> waitFrame(std::chrono::milliseconds timeout) override;
	Result<void> queue(unsigned index) override;
	void interrupt(bool interrupted) override;
	Result<void> stop() override;

private:
	/* Where a buffer is: with us or the caller, or with the driver. */
	struct Slot {
		int fd = -1;
		bool queued = false;
	};

	V4l2Camera(V4l2Node node, UniqueFd wakeup);

	Result<void> setFormat(const CaptureRequest &request);
	Result<unsigned> requestBuffers(unsigned count);
	v4l2_buffer describeBuffer(unsigned index, v4l2_plane *plane) const;
	int queueLocked(unsigned index);
	Result<CapturedFrame> dequeue();
	std::unexpected<Error> timedOut(std::chrono::milliseconds timeout);
	std::string name() const;

	V4l2Node node_;
	UniqueFd wakeup_; /* eventfd, readable while interrupted */
	CameraInfo info_;
	CaptureConfiguration configuration_;
	uint32_t pictureBytes_ = 0; /* of a whole frame without padding */
	SequenceExtender sequence_;

	std::mutex mutex_; /* guards what follows: queue() comes from any thread */
	std::vector<Slot> slots_;
	bool streaming_ = false;
};

} /* namespace heapflow */
