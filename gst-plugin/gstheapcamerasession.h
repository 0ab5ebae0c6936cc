/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A camera with its buffers in a heap, from open to the last frame. */
#pragma once

#include "heapflow/camera/camera.h"
#include "heapflow/heap/heap_choice.h"

#include "gstheapcamerapool.h"

#include <memory>
#include <string>
#include <vector>

namespace heapflow::gst
{

/**
 * \brief What heapcamerasrc does with a camera, without the element
 *
 * Order: open(), configure(), prepare(), then frames, then stop() or again configure().
 *
 * Threads: as Camera, which see; interrupt() from any.
 */
class CameraSession
{
public:
	static Result<std::unique_ptr<CameraSession>> open(std::string_view name);
	~CameraSession();

	CameraSession(const CameraSession &) = delete;
	CameraSession &operator=(const CameraSession &) = delete;

	const CameraInfo &info() const { return camera_->info(); }
	const std::vector<CaptureMode> &modes() const { return modes_; }
	const CaptureRequest &request() const { return request_; }
	const CaptureConfiguration &configuration() const { return configuration_; }

	/** \brief Stop what runs and settle a format */
	Result<void> configure(const CaptureRequest &request);

	/**
	 * \brief Allocate all buffers in the first heap of the choice that has room and that the
	 * camera takes, and hand them over
	 *
	 * \param[in] name What the dma-bufs are called
	 * \param[in] caps Of the frames, for the pool
	 * \return a sentence for each heap that did not serve
	 */
	Result<std::vector<std::string>> prepare(const std::string &heapExpression,
						 const std::string &name, GstCaps *caps);

	/**
	 * \brief prepare() in the next heap, after the camera refused the memory of this one
	 *
	 * libcamera tells so only with the first frame (`refusal`, EFAULT). Allowed until a frame
	 * has left the session. The error is `refusal` when there is no further heap.
	 */
	Result<std::vector<std::string>> prepareNext(const Error &refusal);

	/** \brief Start at the first call; otherwise as Camera::waitFrame() */
	Result<CapturedFrame> waitFrame(std::chrono::milliseconds timeout);

	/** \brief The buffer of a frame, downstream's from now on; nullptr when the pool lost it */
	GstBuffer *take(const CapturedFrame &frame);
	/** \brief Back to the camera unseen */
	Result<void> giveBack(const CapturedFrame &frame) { return camera_->queue(frame.index); }

	void interrupt(bool interrupted) { camera_->interrupt(interrupted); }
	void stop();

	size_t buffersDownstream() const;
	/** \brief Buffers whose memory somebody keeps; queues those that are free again */
	size_t buffersKept();

	const std::string &heapName() const { return heap_; }
	const std::string &heapReason() const { return reason_; }
	uint64_t heapBytes() const; /**< taken from the heap, page rounding included */
	/** \brief All of it for people and tests; the caller frees it */
	GstStructure *plan() const;
	bool framesDelivered() const { return delivered_; }

private:
	explicit CameraSession(std::unique_ptr<Camera> camera) : camera_(std::move(camera)) {}

	Result<void> importAndWrap(AllocatedBuffers allocated);
	Result<std::vector<std::string>> prepareFromChoice();
	void removeTaken(std::string_view heap);
	void dropPool();

	std::unique_ptr<Camera> camera_;
	std::vector<CaptureMode> modes_;
	CaptureRequest request_;
	CaptureConfiguration configuration_;
	HeapChoice choice_; /* what is left of it: refused heaps are removed */
	std::string name_;
	GstCaps *caps_ = nullptr;
	std::vector<Buffer> buffers_; /* borrowed by the camera */
	std::shared_ptr<CameraReturn> way_;
	GstHeapCameraPool *pool_ = nullptr;
	std::string heap_;
	std::string reason_;
	bool running_ = false;
	bool delivered_ = false;
};

} /* namespace heapflow::gst */
