/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A camera with the buffers of its streams, from open to the last frame. */
#pragma once

#include "heapflow/camera/camera.h"

#include "gstheapcamerastream.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace heapflow::gst
{

/**
 * \brief What heapcamerasrc does with a camera, without the element
 *
 * Order: open(), configure(), prepare(), start(), then frames, then stop() or again configure().
 *
 * Threads: waitFrame(), take() and giveBack() of each stream from a thread of its own, between
 * start() and stop(); interrupt() and setControls() from any; all else from one at a time.
 */
class CameraSession
{
public:
	static Result<std::unique_ptr<CameraSession>> open(const CameraSelector &selector);
	~CameraSession();

	CameraSession(const CameraSession &) = delete;
	CameraSession &operator=(const CameraSession &) = delete;

	const CameraInfo &info() const { return camera_->info(); }
	/**
	 * \brief Of a stream in this role, at least those of these formats (none: all); asked once
	 *
	 * Empty: the camera has none. Any thread. Errors: those of Camera::modes().
	 */
	Result<std::vector<CaptureMode>>
	modes(StreamRole role, const std::optional<std::vector<uint32_t>> &interest = std::nullopt);
	/** \brief Ask again where a signal may have changed: at the input of a V4L2 grabber */
	void refreshModes();
	const std::vector<CaptureRequest> &requests() const { return requests_; }
	const CaptureConfiguration &configuration(unsigned stream = 0) const;
	size_t streams() const { return streams_.size(); }
	/** \brief As it was given to configure() */
	const SensorRequest &sensor() const { return sensor_; }

	/** \brief Stop what runs and settle the formats */
	Result<void> configure(const std::vector<CaptureRequest> &requests,
			       const SensorRequest &sensor = {});

	/**
	 * \brief Find memory for every stream that the camera takes, and hand it over
	 *
	 * \param[in] caps Of the frames of each stream
	 * \return a sentence for each place that did not serve
	 */
	Result<std::vector<std::string>> prepare(const std::vector<StreamMemory> &memory,
						 const std::vector<GstCaps *> &caps);

	/**
	 * \brief prepare() elsewhere, after the camera refused the memory
	 *
	 * libcamera tells so only with the first frame (`refusal`, EFAULT). Allowed until a frame
	 * has left the session. The error is `refusal` when there is no other place.
	 */
	Result<std::vector<std::string>> prepareNext(const Error &refusal);

	Result<void> start();
	bool running() const { return running_; }
	bool prepared() const;

	/** \brief As Camera::waitFrame() */
	Result<CapturedFrame> waitFrame(std::chrono::milliseconds timeout, unsigned stream = 0)
	{
		return camera_->waitFrame(timeout, stream);
	}
	const FrameControls &metadata(unsigned index, unsigned stream) const
	{
		return camera_->metadata(index, stream);
	}

	/** \brief The buffer of a frame, downstream's from now on; nullptr when the pool lost it */
	GstBuffer *take(const CapturedFrame &frame, unsigned stream = 0);
	/** \brief Back to the camera unseen */
	Result<void> giveBack(const CapturedFrame &frame, unsigned stream = 0)
	{
		return camera_->queue(frame.index, stream);
	}

	std::vector<ControlDescription> controls() { return camera_->controls(); }
	Result<void> setControls(const ControlList &controls)
	{
		return camera_->setControls(controls);
	}

	void interrupt(bool interrupted, unsigned stream)
	{
		camera_->interrupt(interrupted, stream);
	}
	void stop();

	size_t buffersDownstream(unsigned stream = 0) const;
	/** \brief Buffers whose memory somebody keeps; queues those that are free again */
	size_t buffersKept(unsigned stream = 0);
	/** \brief "cam[12] 4": the other processes that have buffers of the stream; or empty */
	std::string otherHolders(unsigned stream) const;

	uint64_t heapBytes() const; /**< of all streams, page rounding included */
	/** \brief All of a stream for people and tests; the caller frees it */
	GstStructure *plan(unsigned stream = 0) const;
	bool framesDelivered() const { return delivered_; }

private:
	explicit CameraSession(std::unique_ptr<Camera> camera) : camera_(std::move(camera)) {}

	Result<std::vector<std::string>> prepareAll();
	Result<void> configureAgain();

	std::unique_ptr<Camera> camera_;
	struct KnownModes {
		std::vector<CaptureMode> modes;
		bool stale = false;
	};
	/* The role, and the formats. */
	using Asked = std::pair<StreamRole, std::optional<std::vector<uint32_t>>>;

	std::mutex modesMutex_; /* guards the next two */
	std::map<Asked, KnownModes> modes_;
	unsigned refreshed_ = 0; /* times */
	std::vector<CaptureRequest> requests_;
	SensorRequest sensor_;
	std::vector<std::unique_ptr<CameraStream>> streams_;
	bool running_ = false;
	std::atomic<bool> delivered_ = false;
};

} /* namespace heapflow::gst */
