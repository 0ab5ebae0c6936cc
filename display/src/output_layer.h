/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One layer of an Output: what is asked of it, what was settled, and its frames. */
#pragma once

#include "arrangement.h"
#include "frame_pace.h"
#include "heapflow/display/screen.h"
#include "heapflow/heap/unique_fd.h"
#include "layer_frames.h"
#include "plane_colour.h"
#include "topology.h"

#include <atomic>
#include <condition_variable>
#include <optional>

namespace heapflow
{

/** \brief The plane of a layer and where its frames are, as TEST_ONLY passed it */
struct LayerSetting {
	uint32_t plane = 0;
	uint32_t framebufferProperty = 0; /**< FB_ID: all that changes from frame to frame */
	Arrangement arrangement;
	uint64_t rotation = 0; /**< value of the property */
};

/** \brief Guarded by the Output's mutex */
struct OutputLayer {
	uint32_t wantedPlane = 0; /**< 0: any */
	std::string wantedMode;
	bool restoreMode = true;
	LayerOptions options;
	Screen::FlipHandler flipHandler;
	FlipDelivery flipDelivery = FlipDelivery::AtOnce;
	Screen::NoticeHandler noticeHandler;
	Screen::FenceHandler fenceHandler;

	std::optional<FrameLayout> layout; /**< of configure() */
	Rectangle crop;                    /**< of the frame that it was settled for */
	std::optional<LayerSetting> setting;
	std::optional<ScanoutPlan> plan;

	LayerFrames frames;
	bool placed = false; /**< its plane has all properties; FB_ID is enough */
	Colorimetry onPlane; /**< of the last commit */
	Rectangle cropOnPlane;
	FramePace pace;
	std::condition_variable turn;            /**< its frame waits no more */
	std::atomic<bool> waitedForFlip = false; /**< deliverFlips(), the last time */
	bool attended = false;        /**< show() has yet to say what became of its frame */
	std::optional<Error> refusal; /**< of a commit, until this show() or the next takes it */
	UniqueFd fence;               /**< that the waiting frame waits for; or none */

	ScreenStatistics statistics;
	uint64_t lastSequence = 0;
};

} /* namespace heapflow */
