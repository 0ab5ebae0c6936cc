/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A screen that dma-bufs are shown on: one CRTC, one connector, one plane, by atomic KMS. */
#pragma once

#include "heapflow/heap/buffer.h"
#include "heapflow/heap/error.h"
#include "heapflow/heap/frame_layout.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace heapflow
{

/** \brief Which screen; empty fields mean the first that serves */
struct ScreenOptions {
	std::string device;    /**< path, "/dev/dri/card1" */
	std::string driver;    /**< driver name, "vkms" */
	std::string busId;     /**< "platform:fd4a0000.hdmi", or without the bus */
	std::string connector; /**< "HDMI-A-1" or a KMS object id in decimal */
	uint32_t planeId = 0;  /**< a KMS object id */
};

/** \brief What can be put on the screen: a format, its modifiers, the planes that take it */
struct ScanoutFormat {
	uint32_t fourcc = 0;
	std::vector<uint64_t> modifiers;
	std::vector<uint32_t> planes;
};

/** \brief The mode that is (or would be) set */
struct DisplayMode {
	std::string name;
	uint32_t width = 0;  /**< pixels */
	uint32_t height = 0; /**< pixels */
	uint64_t refreshMilliHz = 0;
};

/** \brief What configure() settled, for the plan */
struct ScanoutPlan {
	std::string device;    /**< "/dev/dri/card1 (vkms)" */
	std::string connector; /**< "Virtual-1" */
	uint32_t crtcId = 0;
	uint32_t planeId = 0;
	std::string planeType; /**< "primary", "overlay", "cursor" */
	DisplayMode mode;
	uint32_t x = 0, y = 0, width = 0,
		 height = 0;              /**< where on the screen the frame is, pixels */
	std::vector<std::string> reasons; /**< a sentence for each thing tried and not taken */
};

/** \brief A frame reached the screen */
struct FlipEvent {
	/** Of the frame shown, as given to show() */
	uint64_t cookie = 0;
	/** Cookie of the frame that it replaced, which may be reused; 0: none, or the same again */
	uint64_t released = 0;
	/** Vblank counter; 0 in the first event after a modeset on some drivers */
	uint64_t sequence = 0;
	int64_t timestamp = 0; /**< ns, CLOCK_MONOTONIC, as the driver says; 0 like sequence */
	int64_t arrival = 0;   /**< ns, CLOCK_MONOTONIC, when the event was read */
};

/** \brief Pixels in CPU memory, 4 bytes each: B, G, R, X (DRM XRGB8888), rows without padding */
struct Image {
	uint32_t width = 0;
	uint32_t height = 0;
	std::vector<uint8_t> pixels;
};

/** \brief Counts since open(), for statistics and the invariants' tests */
struct ScreenCounts {
	uint64_t commits = 0;
	uint64_t imports = 0;      /**< PRIME imports (each with its AddFB2) */
	uint64_t framebuffers = 0; /**< that exist now */
	uint64_t testCommits = 0;
};

/**
 * \brief A screen
 *
 * Threads: the functions may be called from any thread; one waits for another. A thread of the
 * Screen reads flip events and calls the handler; the handler must not call the Screen, only
 * enqueue. show() waits for a flip that is still pending.
 *
 * The state found is saved by open() and restored, where it was changed, by hide() and by the
 * destructor. When the process is killed, the kernel takes its frames off the screen and frees
 * their memory; a mode that was set stays.
 */
class Screen
{
public:
	using FlipHandler = std::function<void(const FlipEvent &)>;

	/**
	 * \brief Find the device, the connector and a CRTC for it; nothing is changed yet
	 *
	 * Errors: ENODEV no KMS device (the message says what was looked at), ENOENT no such device
	 * or connector, ENOTCONN no connector is connected, EACCES, EBUSY another process is master
	 * (the message says which, as far as it can be seen).
	 */
	static Result<std::unique_ptr<Screen>> open(const ScreenOptions &options);

	virtual ~Screen() = default;

	/** \brief Formats of the planes that this CRTC can use, preferred plane first */
	virtual std::vector<ScanoutFormat> formats() const = 0;

	/** \brief The mode in use or, when none is set, the preferred one */
	virtual DisplayMode mode() const = 0;

	/** \brief Modes of the connector, preferred first */
	virtual std::vector<DisplayMode> modes() const = 0;

	/**
	 * \brief Choose mode and plane for frames of this layout, by TEST_ONLY commits
	 *
	 * `sample` is a dma-buf that holds such a frame; it stays imported, so one of those that
	 * will be shown costs nothing more. Nothing on the screen changes before the next show().
	 *
	 * The current mode is kept when it has exactly the frame's size; else the connector's mode
	 * of that size is taken; else the frame is centred in the current mode, the preferred one,
	 * or the smallest that holds it. A frame larger than that is refused unless the plane
	 * scales.
	 *
	 * Planes are tried primary first, then overlay; a cursor plane only when
	 * ScreenOptions::planeId names it. Other planes of the CRTC are turned off, but the primary
	 * plane under an overlay stays as it is.
	 *
	 * Errors: EINVAL no plane takes the format (the hint lists those it has), or the dma-buf is
	 * too small; ERANGE size; EBADF; what the driver says of the import and the framebuffer.
	 */
	virtual Result<ScanoutPlan> configure(const FrameLayout &layout, int sample) = 0;

	/** \brief Called for each flip, in the Screen's thread; set before the first show() */
	virtual void setFlipHandler(FlipHandler handler) = 0;

	/**
	 * \brief Show a frame at the next vblank: one non-blocking atomic commit
	 *
	 * The dma-buf is borrowed until a FlipEvent has `released` equal to `cookie`, or hide(). A
	 * dma-buf seen before is not imported again (invariants 6 and 7).
	 *
	 * Stride, offsets and colorimetry may differ from frame to frame; format, modifier and size
	 * are those of configure().
	 *
	 * \param[in] cookie Not 0; comes back in FlipEvent.
	 *
	 * Errors: EINVAL not configured for this, ETIMEDOUT the pending flip did not come, EBUSY,
	 * EACCES not master, ENODEV, and what the driver says of the framebuffer.
	 */
	virtual Result<void> show(int dmabuf, const FrameLayout &layout, uint64_t cookie) = 0;

	/** \brief Wait for a pending flip; ETIMEDOUT */
	virtual Result<void> drain(std::chrono::milliseconds timeout) = 0;

	/**
	 * \brief Take the frames off the screen and restore what was found
	 *
	 * When it returns, also with an error, all borrowed buffers are free, no flip event
	 * follows, and no framebuffer is kept. show() may be called again, in the same
	 * configuration.
	 */
	virtual Result<void> hide() = 0;

	/**
	 * \brief Forget the framebuffers of a dma-buf, before its last descriptor is closed
	 *
	 * One that is on the screen goes when it is replaced.
	 */
	virtual void forget(int dmabuf) = 0;

	/**
	 * \brief What the screen shows, read back through the writeback connector
	 *
	 * Costs a composition, and show() waits for it; not for steady state. Errors: ENOTSUP no
	 * writeback connector, ENODATA the screen is dark, ETIMEDOUT.
	 */
	virtual Result<Image> screenshot() = 0;

	virtual ScreenCounts counts() const = 0;
};

/** \brief Write an image as PNG. Errors: of the file */
Result<void> writePng(const Image &image, const std::string &path);

} /* namespace heapflow */
