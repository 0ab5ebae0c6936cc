/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A screen that GstBuffers are shown on: holds them while they are visible, and counts. */
#pragma once

#include "heapflow/display/screen.h"

#include "gstheapfencewanted.h"
#include "gstheapscanoutstats.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <gst/gst.h>

namespace heapflow::gst
{

/**
 * \brief What heapkmssink does with a Screen, without the element
 *
 * A buffer given to show() is referenced until the flip that replaced it has happened, and so does
 * not return to its camera before (invariant 1). One whose producer waits for fences
 * (GstHeapReleaseFenceMeta) is let go of when that flip is committed, with the fence of the flip.
 * The framebuffer of a dma-buf is forgotten when its GstMemory dies (invariant 7).
 *
 * Threads: any may call. The Screen behind is used by one at a time, but for the flips that show()
 * takes notice of first: buffers of a camera come back in the thread that brings the next frame.
 */
class Scanout : public std::enable_shared_from_this<Scanout>
{
public:
	static Result<std::shared_ptr<Scanout>> open(const ScreenOptions &options);
	~Scanout();

	Scanout(const Scanout &) = delete;
	Scanout &operator=(const Scanout &) = delete;

	/** \brief Caps of what the planes take, first with memory:DMABuf */
	GstCaps *caps();

	/** \brief Take over what is asked of the layer; the next frame follows it */
	void setLayer(const LayerOptions &options);

	/** \brief May buffers go back with a fence, where their producer waits for it? */
	void setReleaseFences(bool allowed);

	/** \brief Called in the Screen's thread for what happens to the screen; must only enqueue
	 */
	using NoticeHandler = std::function<void(const ScreenNotice &)>;
	void setNoticeHandler(NoticeHandler handler);

	/**
	 * \brief Show a frame, or a part of it; chooses mode and plane when the layout is new
	 *
	 * \return true when a new plan was made
	 */
	Result<bool> show(GstBuffer *buffer, const FrameLayout &layout, const Rectangle &crop,
			  const FrameTimes &times);

	/** \brief The period of the mode, ns; 0 when unknown */
	int64_t refreshPeriod();

	/** \brief The pitch alignment that framebuffers need, bytes; asked once for each format */
	Result<uint32_t> pitchAlignment(uint32_t fourcc, uint32_t width, uint32_t height,
					const std::string &heap);

	DisplayMode mode();

	/** \brief Sizes of framebuffers that the driver takes, pixels */
	SizeLimits limits();

	/** \brief "/dev/dri/card1", to probe memory with */
	std::string devicePath();

	/** \brief How late the last frame that was too late was shown; taken once */
	struct Lateness {
		GstClockTime runningTime; /**< when it was meant to be shown */
		GstClockTimeDiff late;    /**< ns */
	};
	std::optional<Lateness> takeLateness();

	/** \brief Wait until the last frame is on the screen */
	Result<void> drain();
	/** \brief Take the picture off and drop all buffers */
	void hide();
	/** \brief The screen as it is, written as PNG */
	Result<void> screenshot(const std::string &path);

	/** \brief nullptr before the first frame */
	GstStructure *plan() const;
	/** \brief Adds its fields to those of GstBaseSink */
	void addStatistics(GstStructure *statistics);
	/** \brief A frame came that cannot be scanned out: it was copied, or refused */
	void countCopy();
	/** \brief A frame came that the CPU had copied before; one that is shown was counted */
	void countEarlierCopy(GstBuffer *buffer);
	void resetStatistics();

private:
	struct Held {
		GstBuffer *buffer; /* null when it went back with a fence */
		FrameTimes times;
	};
	/* Runs what was put off while the Screen was in use, then lets go of it. */
	class Lock
	{
	public:
		explicit Lock(Scanout &scanout) : scanout_(scanout), lock_(scanout.screenMutex_) {}
		~Lock() { scanout_.forgetDead(); }

	private:
		Scanout &scanout_;
		std::lock_guard<std::mutex> lock_;
	};

	Scanout() = default;

	bool isShown(GstBuffer *buffer) const;
	void refreshCounts();
	bool publishPlan();
	void flipped(const FlipEvent &event);
	void committed(uint64_t released, UniqueFd fence);
	void askForFences(GstBuffer *buffer);
	void chooseFlipDelivery(GstBuffer *buffer);
	void release(uint64_t cookie);
	void releaseEarly();
	void releaseAll();
	void watch(GstMemory *memory);
	static void memoryDied(gpointer data, GstMiniObject *memory);
	void forgetDead();

	std::atomic<bool> waits_ = true; /* a frame, for the flip of the one before */
	std::mutex screenMutex_;         /* guards screen_ and the next eight */
	FrameLayout configured_;
	uint64_t plans_ = 0;    /* that the Screen had made when the last one was published */
	bool layerSet_ = false; /* since the last frame was shown */
	uint64_t lastCookie_ = 0;
	std::map<uint32_t, uint32_t> pitchAlignments_;
	bool releaseFences_ = false;
	bool tearing_ = false;
	bool fencesAsked_ = false;
	FenceWanted fenceWanted_;
	FlipDelivery flipDelivery_ = FlipDelivery::AtOnce;

	mutable std::mutex
		stateMutex_; /* guards what follows; never held while a buffer is dropped */
	std::map<uint64_t, Held> held_;
	std::vector<GstBuffer *> early_; /* with a fence posted, to be let go of */
	uint64_t fences_ = 0;            /* so many of them */
	ScanoutStats stats_;
	ScanoutPlan publishedPlan_;
	bool planned_ = false;
	std::unordered_map<GstMiniObject *, BufferIdentity> watched_; /* memories */
	std::vector<BufferIdentity> dead_;                            /* to forget */
	ScreenCounts counts_;                                         /* when last seen */
	ScreenCounts countsBefore_;  /* of the runs before: of those that only grow */
	uint64_t copies_ = 0;        /* frames that a copy was needed for */
	uint64_t earlierCopies_ = 0; /* frames that were copies when they came */
	std::optional<Lateness> lateness_;
	ScreenStatistics statistics_;       /* when last seen */
	ScreenStatistics statisticsBefore_; /* of the runs before */

	/* Last: its thread calls flipped() until it is destroyed. */
	std::unique_ptr<Screen> screen_;
};

} /* namespace heapflow::gst */
