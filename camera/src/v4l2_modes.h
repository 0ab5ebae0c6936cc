/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a V4L2 node offers, and its frame rate. */
#pragma once

#include "v4l2_node.h"

#include "heapflow/camera/camera.h"
#include "v4l2_formats.h"

#include <functional>
#include <vector>

namespace heapflow
{

/**
 * \brief What the modes of a node depend on, as far as it tells
 *
 * The selected input, the signal that it receives, and the size set. Two listings between which
 * this stays the same list the same.
 */
struct V4l2Source {
	int input = -1;
	v4l2_std_id standard = 0;
	uint32_t signalWidth = 0, signalHeight = 0;
	FrameRate signalRate;
	uint32_t width = 0, height = 0; /* of a driver that lists no sizes */

	bool operator==(const V4l2Source &) const = default;
};
V4l2Source currentSource(const V4l2Node &node);

/**
 * \brief Sizes and rates of the selected input in the wanted formats (DRM fourccs)
 *
 * In the node's own order. Thousands of ioctls when all formats are wanted.
 */
Result<std::vector<CaptureMode>> enumerateModes(const V4l2Node &node,
						const std::function<bool(uint32_t fourcc)> &wanted);

/** \brief V4L2_PIX_FMT_* that this node has for a format: some have two names */
uint32_t pixelformatOf(const V4l2Node &node, uint32_t fourcc, uint64_t modifier);

/** \brief VIDIOC_G_FMT */
Result<V4l2Picture> currentPicture(const V4l2Node &node);

/**
 * \brief The rate at which frames will come
 *
 * From the DV timings when the selected input has them (HDMI), else from VIDIOC_G_PARM; 0/1 when
 * neither says.
 */
FrameRate currentRate(const V4l2Node &node);

/** \brief Ask for a rate; whatever the driver makes of it is in currentRate() */
void requestRate(const V4l2Node &node, FrameRate rate);

/** \brief Rate of a signal from its pixel clock and the size of a frame with blanking; pure */
FrameRate rateFromTimings(const v4l2_bt_timings &timings);

} /* namespace heapflow */
