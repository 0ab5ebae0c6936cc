/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A camera that libcamera runs. */
#pragma once

#include "frame_queue.h"
#include "libcamera_session.h"
#include "sequence.h"

#include "heapflow/camera/camera.h"

#include <atomic>
#include <mutex>
#include <vector>

#include <libcamera/framebuffer.h>
#include <libcamera/request.h>

namespace heapflow
{

class LibcameraCamera : public Camera
{
public:
	LibcameraCamera(LibcameraSession session, std::shared_ptr<libcamera::Camera> camera);
	~LibcameraCamera() override;

	const CameraInfo &info() const override { return info_; }
	Result<std::vector<CaptureMode>> modes() override;
	Result<CaptureConfiguration> configure(const CaptureRequest &request) override;
	Result<void> importBuffers(std::span<const Buffer> buffers) override;
	Result<void> start() override;
	Result<CapturedFrame> waitFrame(std::chrono::milliseconds timeout) override;
	Result<void> queue(unsigned index) override;
	void interrupt(bool interrupted) override { frames_.interrupt(interrupted); }
	Result<void> stop() override;

private:
	/* One imported buffer with the request that carries it, for as long as it is imported. */
	struct Slot {
		std::unique_ptr<libcamera::FrameBuffer> buffer;
		std::unique_ptr<libcamera::Request> request;
		bool queued = false;
	};

	Result<void> acquire();
	Result<std::vector<CaptureMode>> modesOf(libcamera::CameraConfiguration &configuration);
	Result<void> settle(const CaptureRequest &request);
	void setRate(FrameRate rate);
	Result<Slot> makeSlot(unsigned index, const Buffer &buffer);
	Error startError(int code) const;
	Error explain(const Error &error) const;
	int queueLocked(unsigned index);
	bool hasVanished() const;
	void abandonPending();
	void abandonCamera();

	/* In libcamera's thread: */
	void onRequest(libcamera::Request *request);
	void onDisconnect();

	/* The order matters: requests end before the camera, and the camera before its manager. */
	LibcameraSession session_;
	std::shared_ptr<libcamera::Camera> camera_;
	CameraInfo info_;
	std::set<dev_t> nodes_; /* none: a camera without hardware */
	bool acquired_ = false;
	std::unique_ptr<libcamera::CameraConfiguration> libcameraConfiguration_;
	CaptureConfiguration configuration_;
	std::string heap_; /* the imported buffers came from it */
	SequenceExtender sequence_;

	FrameQueue frames_;
	std::atomic<bool> disconnected_ = false; /* libcamera said so */
	bool abandoned_ = false;
	std::atomic<bool> stopping_ = false;
	std::atomic<bool> delivered_ = false; /* a frame since start(): the memory is fine */

	std::mutex mutex_; /* guards what follows: queue() comes from any thread */
	std::vector<Slot> slots_;
	bool streaming_ = false;
};

} /* namespace heapflow */
