/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A screen that dma-bufs are shown on, by atomic KMS: one layer of what a connector shows. */
#pragma once

#include "heapflow/display/layer.h"
#include "heapflow/display/screen_events.h"
#include "heapflow/heap/buffer.h"
#include "heapflow/heap/buffer_identity.h"
#include "heapflow/heap/error.h"
#include "heapflow/heap/frame_layout.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
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
	/**
	 * An open DRM descriptor, of a device or of a lease; it is duplicated. It must be master
	 * of what it has, as the descriptor of a lease is. -1: open a device.
	 */
	int fd = -1;
	/**
	 * "": the mode that is set, if there is one; otherwise, and with "best", the best for the
	 * frame's size and rate. "preferred", "1920x1080" and "1920x1080@59.94" set that mode.
	 */
	std::string mode;
	/** Open also when no screen is plugged in, and wait for one */
	bool waitForScreen = false;
	/** Restore the mode that was found; the planes are restored in any case */
	bool restoreMode = true;
	/** Take the display from the seat manager (logind, seatd) instead of opening it */
	bool seat = false;
};

/** \brief A frame to be shown */
struct Frame {
	int dmabuf = -1; /**< borrowed, see Screen::show() */
	const FrameLayout &layout;
	uint64_t cookie = 0;                  /**< not 0 */
	Rectangle crop = {};                  /**< the part to be shown, frame pixels; empty: all */
	int64_t due = 0;                      /**< ns, CLOCK_MONOTONIC; 0: at the next vblank */
	std::optional<int64_t> captured = {}; /**< ns, CLOCK_MONOTONIC, for the statistics */
	int fence = -1; /**< sync_file that signals when the pixels are there; borrowed */
	/**
	 * One dma-buf for each plane of the layout, when they are not all in `dmabuf`, which then
	 * is the first of them (V4L2's NV12M and the like); offsets are those within the plane's
	 * own. Borrowed. Empty: all planes are in `dmabuf`.
	 */
	std::span<const int> planeDmabufs = {};

	/** \brief One, or one for each plane; points into the frame */
	std::span<const int> dmabufs() const
	{
		return planeDmabufs.empty() ? std::span(&dmabuf, 1) : planeDmabufs;
	}
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

/** \brief Sizes of framebuffers, pixels */
struct SizeLimits {
	uint32_t minimumWidth = 0;
	uint32_t minimumHeight = 0;
	uint32_t maximumWidth = 0;
	uint32_t maximumHeight = 0;
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
		 height = 0;     /**< where on the panel the frame is, pixels */
	Rectangle source;        /**< the part of the frame that is shown, pixels */
	std::string arrangement; /**< "native", "scaled", "stretched", "cropped" */
	Transform transform = Transform::Identity; /**< what the plane does, panel included */
	std::vector<std::string> reasons; /**< a sentence for each thing tried and not taken */
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
	uint64_t plans = 0; /**< that were made, of all layers of the CRTC */
};

/** \brief When the flip handler is called */
enum class FlipDelivery {
	/** By the device's thread, which each flip wakes */
	AtOnce,
	/**
	 * By the thread that calls Screen::deliverFlips(), before it shows the next frame. A flip
	 * wakes nobody, and waking a thread is what a frame costs most; but the buffer that the
	 * flip released comes back a frame later. The device's thread calls the handler where that
	 * would not do: while show() waits for the flip, or drain() or hide(), and when no frame
	 * was brought for a quarter of a second.
	 *
	 * Screens that share a CRTC and all deliver so are shown by one commit for each vblank: a
	 * frame waits for those that the others will probably bring in time for the same vblank,
	 * and the thread that brings the last of them commits. A quarter of a refresh period before
	 * that vblank the device's thread commits what there is. Not with LayerOptions::tearing or
	 * variableRefresh.
	 */
	OnRequest,
};

/**
 * \brief A screen, or one layer of it
 *
 * Screens of one process that are opened on the same connector share it: each has a plane of its
 * own, and what they show is put into one commit for each vblank. The connector, its mode and the
 * other planes are restored when the last of them hides.
 *
 * Threads: the functions may be called from any thread; one waits for another. A thread of the
 * device reads events, makes the commits that had to wait, and calls the handlers; deliverFlips()
 * calls the flip handlers, too, of all Screens of the device, in its own thread, but never two at a
 * time. A handler must not call a Screen, only enqueue.
 *
 * The state found is saved by open() and restored, property by property and only where it was
 * changed, by hide() and by the destructor. When the process is killed, the kernel takes its
 * frames off the screen and frees their memory; a mode that was set stays.
 */
class Screen
{
public:
	using FlipHandler = std::function<void(const FlipEvent &)>;
	using NoticeHandler = std::function<void(const ScreenNotice &)>;
	/**
	 * Of a commit: the frame's cookie, the frame that it takes off the screen, and a sync_file
	 * that signals when it did; the callee owns it. Not called for a commit whose fence cannot
	 * be had, as on a driver without OUT_FENCE_PTR or when no file descriptor is left: a
	 * FlipEvent gives the frame back, as in any case.
	 */
	using FenceHandler = std::function<void(uint64_t cookie, uint64_t released, int fence)>;

	/**
	 * \brief Find the device, the connector and a CRTC for it; nothing is changed yet
	 *
	 * Errors: ENODEV no KMS device (the message says what was looked at), ENOENT no such device
	 * or connector, ENOTCONN no connector is connected, EACCES, EBUSY another process is master
	 * (the message says which, as far as it can be seen).
	 */
	static Result<std::unique_ptr<Screen>> open(const ScreenOptions &options);

	virtual ~Screen() = default;

	/** \brief Path of its node, "/dev/dri/card1" */
	virtual std::string device() const = 0;

	/** \brief Formats of the planes that this CRTC can use, preferred plane first */
	virtual std::vector<ScanoutFormat> formats() const = 0;

	/** \brief The mode in use or, when none is set, the preferred one; all 0 without a screen
	 */
	virtual DisplayMode mode() const = 0;

	/** \brief Modes of the connector, preferred first */
	virtual std::vector<DisplayMode> modes() const = 0;

	/** \brief Sizes of framebuffers that the driver takes, pixels */
	virtual SizeLimits limits() const = 0;

	/** \brief What is asked of this layer; the next frame follows it */
	virtual void setLayer(const LayerOptions &options) = 0;

	/**
	 * \brief Choose mode and plane for frames of this layout, by TEST_ONLY commits
	 *
	 * `sample` is a dma-buf that holds such a frame, or one for each plane; it stays imported,
	 * so one of those that will be shown costs nothing more. Nothing on the screen changes
	 * before the next show().
	 *
	 * Modes, planes and arrangements are tried in the order of scanout_candidates.h: the mode
	 * that is set before any other; native size, then scaled, then centred; cropped when
	 * nothing else is left. What was refused once is not tried again.
	 *
	 * While no screen is plugged in, the choice is put off to the first frame after it is.
	 *
	 * Errors: EINVAL no plane takes the format (the hint lists those it has), or the dma-buf is
	 * too small; ERANGE size; EBADF; what the driver says of the import and the framebuffer,
	 * with the property that it does not take.
	 */
	virtual Result<ScanoutPlan> configure(const FrameLayout &layout,
					      std::span<const int> sample) = 0;

	/** \brief The same for a frame in one dma-buf */
	Result<ScanoutPlan> configure(const FrameLayout &layout, int sample)
	{
		return configure(layout, std::span<const int>(&sample, 1));
	}

	/** \brief The plan in use, which changes when a screen is plugged in or setLayer() is
	 * called */
	virtual std::optional<ScanoutPlan> plan() const = 0;

	/** \brief Called for each flip, see FlipDelivery; set before the first show() */
	virtual void setFlipHandler(FlipHandler handler) = 0;

	/** \brief At first AtOnce. When screens share a CRTC, AtOnce of one is AtOnce for all */
	virtual void setFlipDelivery(FlipDelivery delivery) = 0;

	/**
	 * \brief Call the flip handlers for what has happened, in this thread
	 *
	 * Costs nothing when no flip is awaited, or the device's thread does it. Not to be called
	 * with a lock that a handler takes.
	 *
	 * \param[in] patience So long it waits for a pending flip, which a frame that is shown next
	 * had to wait for anyway: then this thread alone is woken for it. Where other layers share
	 * the CRTC, only if the frame before is waiting for that flip, too.
	 * \param[in] now ns of CLOCK_MONOTONIC, of a caller who has just looked; none: it looks
	 * itself if it has to wait
	 */
	virtual void deliverFlips(std::chrono::milliseconds patience,
				  std::optional<int64_t> now) = 0;

	void deliverFlips(std::chrono::milliseconds patience)
	{
		deliverFlips(patience, std::nullopt);
	}

	/** \brief The same without waiting */
	void deliverFlips() { deliverFlips(std::chrono::milliseconds(0)); }

	/** \brief Called for what happens to the screen, in the device's thread */
	virtual void setNoticeHandler(NoticeHandler handler) = 0;

	/** \brief Ask for the out-fence of each commit; called in the thread that commits */
	virtual void setFenceHandler(FenceHandler handler) = 0;

	/**
	 * \brief Show a frame: one non-blocking atomic commit
	 *
	 * The dma-buf is borrowed until a FlipEvent has `released` equal to `cookie`, or hide(). A
	 * dma-buf seen before is not imported again (invariants 6 and 7).
	 *
	 * With DropPolicy::Queue, returns when the commit is made: after the flip of the frame
	 * before, and not before the vblank that precedes Frame::due. Where frames of several
	 * Screens go into one commit (FlipDelivery::OnRequest), it returns at once instead; the
	 * next one waits for that commit, and returns its error when it was refused, as configure()
	 * does; a notice says so before. With Replace it always returns at once, and what the
	 * commit said comes as a notice alone.
	 *
	 * Stride, offsets, colorimetry and crop may differ from frame to frame; format, modifier
	 * and size are those of configure(). A frame's pending writes are waited for by the
	 * display: its fence, or those that the dma-buf has (implicit synchronisation).
	 *
	 * Frames are taken and dropped while the screen is unplugged or another program's.
	 *
	 * After an error the frame is not borrowed, and no event follows for it.
	 *
	 * Errors: EINVAL not configured for this, ETIMEDOUT the pending flip did not come (the
	 * frame is dropped), EBUSY, ENODEV the device is gone, EMFILE or ENOMEM the fence that the
	 * frame must wait for cannot be duplicated, and what the driver says of the framebuffer or
	 * the commit.
	 */
	virtual Result<void> show(const Frame &frame) = 0;

	/** \brief The same for a whole frame, at the next vblank */
	Result<void> show(int dmabuf, const FrameLayout &layout, uint64_t cookie)
	{
		return show(Frame{.dmabuf = dmabuf, .layout = layout, .cookie = cookie});
	}

	/** \brief Wait for what waits and what is pending; ETIMEDOUT */
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
	 * \brief Forget the framebuffers of a dma-buf, which keep its memory
	 *
	 * Before or after its last descriptor is closed. One that is on the screen goes when it is
	 * replaced.
	 */
	virtual void forget(const BufferIdentity &buffer) = 0;

	/** \brief The same while it has a descriptor */
	void forget(int dmabuf)
	{
		if (const auto buffer = bufferIdentity(dmabuf))
			forget(*buffer);
	}

	/**
	 * \brief What the screen shows: through its writeback connector, or else by mapping
	 *
	 * Without writeback the framebuffers on the CRTC's planes are mapped and composed by the
	 * CPU. Costs a composition, and show() waits for it; not for steady state. Errors: ENODATA
	 * the screen is dark, ENOTSUP a framebuffer cannot be mapped, ETIMEDOUT.
	 */
	virtual Result<Image> screenshot() = 0;

	/**
	 * \brief The least alignment of pitches that the driver makes framebuffers with, in bytes
	 *
	 * Found by trying, with dma-bufs that `allocate` gives. Errors: of the allocation; EINVAL
	 * no alignment up to 4096 is taken.
	 */
	virtual Result<uint32_t>
	pitchAlignment(uint32_t fourcc, uint32_t width, uint32_t height,
		       const std::function<Result<Buffer>(uint64_t)> &allocate) = 0;

	virtual ScreenCounts counts() const = 0;

	virtual ScreenStatistics statistics() const = 0;
};

/** \brief Write an image as PNG. Errors: of the file */
Result<void> writePng(const Image &image, const std::string &path);

} /* namespace heapflow */
