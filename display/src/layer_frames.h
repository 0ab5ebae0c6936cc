/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which frame of a layer is on the screen, which is on its way, and which one waits. Pure. */
#pragma once

#include "heapflow/display/layer.h"
#include "heapflow/heap/frame_layout.h"

#include <cstdint>
#include <optional>

namespace heapflow
{

/** \brief A frame that the Output has taken over */
struct LayerFrame {
	uint64_t cookie = 0;
	uint32_t framebuffer = 0;
	Colorimetry colorimetry;
	Rectangle crop;                  /**< frame pixels */
	int64_t due = 0;                 /**< ns, CLOCK_MONOTONIC; 0: as soon as possible */
	std::optional<int64_t> captured; /**< ns, CLOCK_MONOTONIC */
};

/**
 * \brief The frames of one layer between show() and the flip that releases them
 *
 * Two commits deep: while a flip is pending, the display still reads the frame before it. That
 * frame is released by flipped() and by nothing sooner (invariant 1). V4L2 attaches no fence to a
 * dma-buf, so nothing else would keep the camera from writing into what is being scanned out.
 *
 * Not locked: the Output's mutex guards it.
 */
class LayerFrames
{
public:
	/** \brief A new frame waits. \return the cookie of the one that waited, 0 if none did */
	uint64_t offer(const LayerFrame &frame);

	/** \brief The waiting frame was committed, and its flip is pending */
	void commit();

	/** \brief The waiting frame is given up. \return its cookie, 0 if none waited */
	uint64_t refuse();

	/** \brief The pending frame is on the screen. \return the cookie that is released, or 0 */
	uint64_t flipped();

	/** \brief The layer is off: nothing is shown, pending or waiting */
	void clear();

	bool uses(uint32_t framebuffer) const;

	const std::optional<LayerFrame> &shown() const { return shown_; }
	const std::optional<LayerFrame> &pending() const { return pending_; }
	const std::optional<LayerFrame> &waiting() const { return waiting_; }

	/** \brief Cookie of the frame that the waiting one would take off the screen; 0: none */
	uint64_t nextReleased() const;

private:
	std::optional<LayerFrame> shown_;
	std::optional<LayerFrame> pending_;
	std::optional<LayerFrame> waiting_;
};

} /* namespace heapflow */
