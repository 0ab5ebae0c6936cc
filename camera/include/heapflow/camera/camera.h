/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A camera that fills dma-bufs it is handed; the interface of all back ends. */
#pragma once

#include "heapflow/camera/control.h"
#include "heapflow/heap/buffer.h"
#include "heapflow/heap/error.h"
#include "heapflow/heap/fence.h"
#include "heapflow/heap/frame_layout.h"
#include "heapflow/heap/memory_needs.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heapflow
{

enum class CameraBackend { Libcamera, V4l2 };

/** \brief Where the camera is mounted, as its firmware or device tree says */
enum class CameraLocation { Unknown, Front, Back, External };

/** \brief "front", "back", "external", "unknown" */
const char *locationName(CameraLocation location);

/** \brief A camera that can be opened */
struct CameraInfo {
	std::string
		id; /**< libcamera's id, or the path of the V4L2 node: what openCamera() takes */
	std::string model; /**< for people */
	CameraBackend backend = CameraBackend::Libcamera;
	CameraLocation location = CameraLocation::Unknown;

	bool operator==(const CameraInfo &) const = default;
};

/** \brief Which camera is meant; what is given must all be true of it */
struct CameraSelector {
	std::string name; /**< id, model or /dev/videoN; empty: any */
	CameraLocation location = CameraLocation::Unknown; /**< Unknown: any */
	std::optional<unsigned> index; /**< among those left, in the order of listCameras() */
};

/** \brief Frames per second as a fraction; 0/1 is unknown or as the camera likes */
struct FrameRate {
	uint32_t numerator = 0;
	uint32_t denominator = 1;

	bool operator==(const FrameRate &) const = default;
};

/** \brief What a stream is for; a hint to libcamera, but that Raw is the sensor's own data */
enum class StreamRole { Viewfinder, VideoRecording, StillCapture, Raw };

/** \brief DRM_FORMAT_* has no name for it: a frame of JPEG, whose length differs */
inline constexpr uint32_t fourccMjpeg = 'M' | 'J' << 8 | 'P' << 16 | 'G' << 24;

/** \brief A format and the sizes in it that the camera has; min == max for a discrete size */
struct CaptureMode {
	uint32_t fourcc = 0; /**< DRM_FORMAT_*, one of libcamera's for Bayer, or fourccMjpeg */
	uint32_t minWidth = 0, maxWidth = 0, stepWidth = 1;
	uint32_t minHeight = 0, maxHeight = 0, stepHeight = 1;
	std::vector<FrameRate> rates; /**< empty: the camera does not say */
	uint64_t modifier = 0;        /**< of the format: 0, or libcamera's for packed samples */
	bool ratesBetween = false;    /**< `rates` are the lowest and the highest, others between */

	bool operator==(const CaptureMode &) const = default;
};

/** \brief What is asked of one stream; zeroes leave it to the camera */
struct CaptureRequest {
	uint32_t fourcc = 0;
	uint32_t width = 0;
	uint32_t height = 0;
	FrameRate rate;
	uint32_t stride = 0;
	unsigned bufferCount = 0;
	StreamRole role = StreamRole::Viewfinder;
	uint64_t modifier = 0;
};

/**
 * \brief How the sensor itself is to run; only cameras of libcamera, and few of those, obey
 *
 * As it is made here, it leaves all to the camera; else it needs a size and a bit depth. Source:
 * libcamera::SensorConfiguration.
 */
struct SensorRequest {
	unsigned bitDepth = 0;
	unsigned outputWidth = 0, outputHeight = 0;
	std::array<unsigned, 4> analogCrop{};  /**< x, y, width, height; in pixels of the sensor */
	std::array<unsigned, 2> binning{1, 1}; /**< across, down */
	/** odd and even increments across, then down */
	std::array<unsigned, 4> skipping{1, 1, 1, 1};

	bool operator==(const SensorRequest &) const = default;
};

/** \brief How a picture must be turned to be upright; the numbers of the EXIF tag 274 */
enum class Orientation {
	Rotate0 = 1,
	Rotate0Mirror,
	Rotate180,
	Rotate180Mirror,
	Rotate90Mirror,
	Rotate270,
	Rotate270Mirror,
	Rotate90,
};

/** \brief What the camera will do: asked for by configure(), to be followed to the letter */
struct CaptureConfiguration {
	FrameLayout layout; /**< of MJPEG: one plane without a stride, the longest there can be */
	unsigned bufferCount = 0; /**< exactly this many buffers are to be imported (invariant 3) */
	FrameRate rate;
	MemoryNeeds needs;
	/** The picture as the camera delivers it, relative to the scene */
	Orientation orientation = Orientation::Rotate0;
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
	int64_t arrival = 0;    /**< ns, CLOCK_MONOTONIC, when this process was told of the frame */
	bool corrupted = false; /**< the driver flagged it; may be shown, must be marked */
	/** The sensor has not settled: not meant to be shown (libcamera 0.6, FrameStartup) */
	bool startup = false;
	uint64_t bytesUsed = 0; /**< less than the layout for MJPEG */
};

/**
 * \brief A camera
 *
 * Order of calls: configure(), importBuffers() for each stream, start(), then waitFrame() and
 * queue() in turn, and stop(). After stop() any of configure(), importBuffers() (if configured
 * anew) or start() may follow. A refused importBuffers() may be repeated with other buffers at
 * once. modes() may be called at any time, while another program has the camera too.
 *
 * Streams are numbered in the order of configureStreams(); most cameras have one, number 0.
 *
 * Threads: all calls from one thread at a time, but for modes(), queue(), interrupt() and
 * setControls(), which any thread may call at any time, and waitFrame() and metadata(), which each
 * stream may have a thread of its own for; stop() and configureStreams() only when none of these is
 * in a call: interrupt() them first. The back end's own threads only append to a queue.
 */
class Camera
{
public:
	virtual ~Camera() = default;

	virtual const CameraInfo &info() const = 0;

	/**
	 * \brief What a stream in this role can be, most preferred first
	 *
	 * \param[in] formats DRM fourccs that are of interest; empty: all. With V4L2 each size and
	 * rate of each format is a system call, thousands for a webcam.
	 */
	virtual Result<std::vector<CaptureMode>> modes(StreamRole role = StreamRole::Viewfinder,
						       std::span<const uint32_t> formats = {}) = 0;

	/**
	 * \brief Settle a format, for one stream
	 *
	 * The camera may adjust what is asked; the caller looks at the answer. Errors: EINVAL no
	 * such format or size near it, EBUSY another program has the camera or this one is
	 * streaming, ENODEV it is gone. From here on the camera is taken, until it is destroyed.
	 */
	Result<CaptureConfiguration> configure(const CaptureRequest &request);

	/**
	 * \brief The same for several streams at once
	 *
	 * Errors: those of configure(); ENOTSUP the camera has fewer streams, or does not let the
	 * mode of its sensor be chosen.
	 */
	virtual Result<std::vector<CaptureConfiguration>>
	configureStreams(std::span<const CaptureRequest> streams,
			 const SensorRequest &sensor = {}) = 0;

	/**
	 * \brief Hand over the buffers of a stream, `bufferCount` of them
	 *
	 * The dma-bufs are borrowed: descriptors must stay open until stop() and the next
	 * configure() or destruction. The layout is checked before libcamera sees it.
	 *
	 * Errors: EINVAL wrong count, too small or the same dma-buf twice; EFAULT or the driver's
	 * errno when it refuses the memory, which V4L2 says here (VIDIOC_PREPARE_BUF) and libcamera
	 * only in waitFrame().
	 */
	virtual Result<void> importBuffers(std::span<const Buffer> buffers,
					   unsigned stream = 0) = 0;

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
	 * \brief The next filled frame of a stream, in order
	 *
	 * A wait in which the camera also waits for the fence of a buffer may last up to twice as
	 * long as the timeout: the clock is looked at when it is interrupted, and not before.
	 *
	 * Errors: ETIMEDOUT, ECANCELED after interrupt(), EFAULT when the camera refused the memory
	 * of the buffers (the message says what it needs), ENODEV when the camera is gone, ESTALE
	 * when its signal changed (another resolution at an HDMI input) and configure() must be
	 * called anew, ENOLINK when its signal is lost, EIO when it failed otherwise. All but the
	 * first two stay until stop().
	 */
	virtual Result<CapturedFrame> waitFrame(std::chrono::milliseconds timeout,
						unsigned stream = 0) = 0;

	/** \brief What came with the frame in this buffer; until it is queued again */
	virtual const FrameControls &metadata(unsigned index, unsigned stream = 0) const = 0;

	/**
	 * \brief Give a buffer back to be filled again; only when nobody shows it (invariant 1)
	 *
	 * \param[in] release The camera writes only when it is signalled. One that is not in three
	 * seconds is an error of waitFrame().
	 *
	 * Errors: EINVAL no such buffer, or the camera has it already (invariant 3); ECANCELED not
	 * streaming: after stop() all buffers are the caller's, and late ones need no queue(); what
	 * the kernel says of a fence that it cannot look at (ENOTTY: no sync file).
	 */
	virtual Result<void> queue(unsigned index, unsigned stream = 0,
				   std::optional<Fence> release = {}) = 0;

	/** \brief What can be set, with its limits; of a libcamera camera those may change with
	 * configure() */
	virtual std::vector<ControlDescription> controls() = 0;

	/**
	 * \brief Set controls, all of them for the same frame
	 *
	 * Before start() they hold from the first frame on; while streaming, from the next one that
	 * is not queued yet. Nothing is set when one of them is wrong.
	 *
	 * Errors: ENOENT no such control, EINVAL wrong type, ERANGE, EACCES read-only; of V4L2 what
	 * the driver says.
	 */
	virtual Result<void> setControls(const ControlList &controls) = 0;

	/**
	 * \brief Make this and all later waitFrame() return ECANCELED, until called with false
	 *
	 * \param[in] stream Of one stream only; without it, of all
	 */
	virtual void interrupt(bool interrupted, std::optional<unsigned> stream = {}) = 0;

	/** \brief Stop streaming; frames not yet taken are discarded */
	virtual Result<void> stop() = 0;
};

/**
 * \brief All cameras: libcamera's first, then V4L2 capture nodes that libcamera does not handle
 *
 * The order is stable for a given system. A missing libcamera or no camera at all is an empty list.
 *
 * Errors: EMFILE, ENFILE, ENOMEM and the like, when a list would be too short for a reason of its
 * own.
 */
Result<std::vector<CameraInfo>> listCameras();

/**
 * \brief Open a camera by id, by /dev/videoN, by model, by location, by number, or the first
 *
 * A name that starts with /dev/ is a V4L2 node, one that libcamera handles included.
 *
 * Errors: ENOENT no such camera (the hint lists those there are), ENODEV not a camera, EACCES,
 * EBUSY another part of this program uses libcamera by itself, which allows one CameraManager a
 * process; ENOTRECOVERABLE it was unplugged, and libcamera cannot have it again before all its
 * cameras are let go of, or, if it was streaming, in another process.
 */
Result<std::unique_ptr<Camera>> openCamera(const CameraSelector &selector);
Result<std::unique_ptr<Camera>> openCamera(std::string_view name = {});

/** \brief Every control that this version of libcamera knows, without limits; opens nothing */
std::vector<ControlDescription> knownControls();

/**
 * \brief The file with the tuning of the image processing, instead of the one for the sensor
 *
 * Read by libcamera with the process's first camera; 0.4: the Raspberry Pi's only. Empty: none.
 *
 * Errors: ENOENT, EACCES the file cannot be read; EBUSY libcamera runs already with another.
 */
Result<void> setTuningFile(const std::string &path);

} /* namespace heapflow */
