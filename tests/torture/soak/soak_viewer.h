/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One camera on one layer of a screen, for hours, with everything changing in between. */
#pragma once

#include "heapflow/camera/camera.h"
#include "heapflow/display/screen.h"
#include "heapflow/heap/heap_choice.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace heapflow::torture
{

struct SoakViewerOptions {
	std::string camera;  /**< node of a vivid */
	std::string display; /**< node of a vkms */
	Rectangle place;     /**< of the layer, pixels; as large as the largest frame */
	uint64_t seed = 1;
};

/** \brief What a viewer has seen since it was asked last */
struct SoakCounts {
	uint64_t captured = 0;
	uint64_t lost = 0;         /**< by the camera: gaps in the numbers */
	uint64_t shown = 0;        /**< flips of frames */
	uint64_t unseen = 0;       /**< given back by the display unshown */
	uint64_t atSettlement = 0; /**< taken back by hide() before their flip */
	uint64_t vanished = 0;     /**< none of these, and their buffer was used anew */
	uint64_t settled = 0;      /**< formats and heaps that were settled on */
	uint64_t unplugged = 0;    /**< times that the camera was pulled out */
	int64_t worstLatency = 0;  /**< ns, from the arrival of a frame to its flip */
	std::array<uint64_t, 64> latencies = {}; /**< by the millisecond; the last one: all above */

	/** \brief ms, rounded up; 0 without a frame */
	unsigned latencyQuantile(double fraction) const;

	void add(const SoakCounts &other);
};

/** \brief What a viewer has while it plays, by its own account */
struct SoakBuffers {
	uint64_t count = 0;
	uint64_t bytes = 0;

	bool operator==(const SoakBuffers &) const = default;
};

/**
 * \brief A camera application that settles anew every half minute
 *
 * Format and heap are drawn by lot; one time in eight the camera is pulled out while it
 * plays, and opened again. The lot is the same for the same seed.
 *
 * Threads: run() makes one that captures; the display's tells of flips; counts() is anybody's.
 */
class SoakViewer
{
public:
	explicit SoakViewer(const SoakViewerOptions &options);

	/** \brief Play until then, in a thread; \param[in] end ns, CLOCK_MONOTONIC */
	void run(int64_t end);
	/** \brief Wait for the end, with everything closed; the first error that was not meant */
	Result<void> finish();

	/** \brief And begin to count anew */
	SoakCounts takeCounts();

	/** \brief Nothing while it settles, and when it has ended */
	std::optional<SoakBuffers> playing();

	/** \brief What the display has counted of its frames until finish(), since run() */
	const ScreenStatistics &ofDisplay() const { return ofDisplay_; }

private:
	Result<void> play(int64_t end);
	Result<void> settle();
	Result<void> chapter(int64_t end);
	Result<void> show(const CapturedFrame &frame);
	Result<void> pullOut();
	Result<void> stop();
	void flipped(const FlipEvent &flip);

	const SoakViewerOptions options_;
	std::mt19937_64 random_;
	std::thread thread_;
	Result<void> result_;
	ScreenStatistics ofDisplay_;

	std::unique_ptr<Screen> screen_;
	std::unique_ptr<Camera> camera_;
	AllocatedBuffers allocated_;
	FrameLayout layout_;
	std::optional<uint64_t> sequence_; /* of the last frame */

	std::mutex mutex_; /* guards what follows */
	SoakCounts counts_;
	std::vector<int64_t> arrivals_; /* by buffer */
	std::vector<bool> underWay_;    /* by buffer: neither shown nor given back so far */
	std::optional<SoakBuffers> playing_;
	std::optional<Error> queueError_;
};

} /* namespace heapflow::torture */
