/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A camera that libcamera runs. */
#pragma once

#include "frame_queue.h"
#include "libcamera_offers.h"
#include "libcamera_requests.h"
#include "libcamera_session.h"
#include "sequence.h"

#include "heapflow/camera/camera.h"

#include <array>
#include <atomic>
#include <mutex>
#include <set>
#include <vector>

namespace heapflow
{

class LibcameraCamera : public Camera
{
public:
	LibcameraCamera(LibcameraSession session, std::shared_ptr<libcamera::Camera> camera);
	~LibcameraCamera() override;

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
	/* What belongs to a stream beside its buffers; of a fixed number, for threads that wait. */
	struct Stream {
		FrameQueue frames;
		SequenceExtender sequence;
		std::atomic<bool> delivered = false; /* since start(): the memory is fine */
	};
	static constexpr size_t maximumStreams = 8;

	Result<void> acquire();
	void setRate(FrameRate rate);
	Result<CaptureConfiguration> describeStream(const libcamera::StreamConfiguration &stream);
	libcamera::ControlList startControls();
	Error startError(int code) const;
	Error explain(const Error &error, unsigned stream) const;
	bool hasVanished() const;
	void failAll(int code);
	void abandonRequests();
	void abandonCamera();

	/* In libcamera's thread: */
	void onRequest(libcamera::Request *request);
	bool onCancelled(libcamera::Request *request);
	void onDisconnect();

	/* The order matters: requests end before the camera, and the camera before its manager. */
	LibcameraSession session_;
	std::shared_ptr<libcamera::Camera> camera_;
	CameraInfo info_;
	std::set<dev_t> nodes_; /* none: a camera without hardware */
	LibcameraOffers offers_;
	bool acquired_ = false;
	std::unique_ptr<libcamera::CameraConfiguration> libcameraConfiguration_;
	std::vector<CaptureConfiguration> configurations_;
	FrameRate rate_;
	/* Of camera_->controls(): handlers with a sensor make the list anew in configure(). */
	std::mutex controlsMutex_;

	std::array<Stream, maximumStreams> streams_;
	std::atomic<bool> disconnected_ = false; /* libcamera said so */
	bool abandoned_ = false;
	std::atomic<bool> stopping_ = false;
	/* Held while a request completes, and while requests are abandoned; taken before any other.
	 */
	std::mutex completing_;
	LibcameraRequests requests_;
};

} /* namespace heapflow */
