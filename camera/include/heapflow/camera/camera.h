/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A camera that fills dma-bufs it is handed; the interface of all back ends. */
#pragma once

#include "heapflow/heap/buffer.h"
#include "heapflow/heap/error.h"
#include "heapflow/heap/frame_layout.h"
#include "heapflow/heap/memory_needs.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heapflow
{

enum class CameraBackend { Libcamera, V4l2 };

/** \brief A camera that can be opened */
struct CameraInfo {
	std::string
		id; /**< libcamera's id, or the path of the V4L2 node: what openCamera() takes */
	std::string model; /**< for people */
	CameraBackend backend = CameraBackend::Libcamera;
};

/** \brief Frames per second as a fraction; 0/1 is unknown or as the camera likes */
struct FrameRate {
	uint32_t numerator = 0;
	uint32_t denominator = 1;

	bool operator==(const FrameRate &) const = default;
};

/** \brief A format and the sizes in it that the camera has; min == max for a discrete size */
struct CaptureMode {
	uint32_t fourcc = 0; /**< DRM_FORMAT_* */
	uint32_t minWidth = 0, maxWidth = 0, stepWidth = 1;
	uint32_t minHeight = 0, maxHeight = 0, stepHeight = 1;
	std::vector<FrameRate> rates; /**< empty: the camera does not say */
};

/** \brief What is asked of a camera; zeroes leave it to the camera */
struct CaptureRequest {
	uint32_t fourcc = 0;
	uint32_t width = 0;
	uint32_t height = 0;
	FrameRate rate;
	uint32_t stride = 0;
	unsigned bufferCount = 0;
};

/** \brief What the camera will do: asked for by configure(), to be followed to the letter */
struct CaptureConfiguration {
	FrameLayout layout;
	unsigned bufferCount = 0; /**< exactly this many buffers are to be imported (invariant 3) */
	FrameRate rate;
	MemoryNeeds needs;
};

/** \brief One filled buffer */
struct CapturedFrame {
	unsigned index = 0;    /**< of the buffer, as imported */
	uint64_t sequence = 0; /**< counts the camera's frames; a gap is a lost frame */
	/**
	 * ns, CLOCK_MONOTONIC, of the exposure as the driver says. Drivers differ in the moment
	 * they mean; vivid's lies up to a frame after the arrival.
	 */
	int64_t timestamp = 0;
	int64_t arrival = 0; /**< ns, CLOCK_MONOTONIC, when this process was told of the frame */
	/** The driver flagged it, or the sensor has not settled; may be shown, must be marked */
	bool corrupted = false;
};

/**
 * \brief A camera
 *
 * Order of calls: configure(), importBuffers(), start(), then waitFrame() and queue() in turn, and
 * stop(). After stop() any of configure(), importBuffers() (if configured anew) or start() may
 * follow. A refused importBuffers() may be repeated with other buffers at once. modes() may be
 * called at any time, while another program has the camera too.
 *
 * Threads: all calls from one thread at a time, but for queue() and interrupt(), which may be
 * called from any thread at any time. The back end's own threads only append to a queue.
 */
class Camera
{
public:
	virtual ~Camera() = default;

	virtual const CameraInfo &info() const = 0;

	/** \brief What the camera can do, most preferred first */
	virtual Result<std::vector<CaptureMode>> modes() = 0;

	/**
	 * \brief Settle a format
	 *
	 * The camera may adjust what is asked; the caller looks at the answer. Errors: EINVAL no
	 * such format or size near it, EBUSY another program has the camera or this one is
	 * streaming, ENODEV it is gone. From here on the camera is taken, until it is destroyed.
	 */
	virtual Result<CaptureConfiguration> configure(const CaptureRequest &request) = 0;

	/**
	 * \brief Hand over the buffers, `bufferCount` of them
	 *
	 * The dma-bufs are borrowed: descriptors must stay open until stop() and the next
	 * configure() or destruction. The layout is checked before libcamera sees it.
	 *
	 * Errors: EINVAL wrong count, too small or the same dma-buf twice; EFAULT or the driver's
	 * errno when it refuses the memory, which V4L2 says here (VIDIOC_PREPARE_BUF) and libcamera
	 * only in waitFrame().
	 */
	virtual Result<void> importBuffers(std::span<const Buffer> buffers) = 0;

	/**
	 * \brief Queue all buffers and stream
	 *
	 * All means all: nobody may still show a frame of an earlier stream (invariant 1).
	 *
	 * Errors: EPIPE when the links of the camera's media pipeline do not produce the format,
	 * although it was offered (the hint lists the other formats).
	 */
	virtual Result<void> start() = 0;

	/**
	 * \brief The next filled frame, in order
	 *
	 * Errors: ETIMEDOUT, ECANCELED after interrupt(), EFAULT when the camera refused the memory
	 * of the buffers (the message says what it needs), ENODEV when the camera is gone, EIO when
	 * it failed otherwise. All but the first two stay until stop().
	 */
	virtual Result<CapturedFrame> waitFrame(std::chrono::milliseconds timeout) = 0;

	/**
	 * \brief Give a buffer back to be filled again; only when nobody shows it (invariant 1)
	 *
	 * Errors: EINVAL no such buffer, or the camera has it already (invariant 3); ECANCELED not
	 * streaming: after stop() all buffers are the caller's, and late ones need no queue().
	 */
	virtual Result<void> queue(unsigned index) = 0;

	/** \brief Make this and all later waitFrame() return ECANCELED, until called with false */
	virtual void interrupt(bool interrupted) = 0;

	/** \brief Stop streaming; frames not yet taken are discarded */
	virtual Result<void> stop() = 0;
};

/**
 * \brief All cameras: libcamera's first, then V4L2 capture nodes that libcamera does not handle
 *
 * The order is stable for a given system. A missing libcamera or no camera at all is an empty list.
 */
Result<std::vector<CameraInfo>> listCameras();

/**
 * \brief Open a camera by id, by /dev/videoN, by model, or (empty) the first of listCameras()
 *
 * A name that starts with /dev/ is a V4L2 node, one that libcamera handles included.
 *
 * Errors: ENOENT no such camera (the hint lists those there are), ENODEV not a camera, EACCES,
 * EBUSY another part of this program uses libcamera by itself, which allows one CameraManager a
 * process.
 */
Result<std::unique_ptr<Camera>> openCamera(std::string_view name);

} /* namespace heapflow */
