/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapcamerasrc's part of a plan: what the displays downstream make of a format, and the heap. */
#pragma once

#include "heapflow/camera/camera.h"
#include "heapflow/heap/heap_choice.h"

#include "gstheapplanquery.h"

#include <string>
#include <vector>

namespace heapflow::gst
{

/** \brief A format of a camera that all displays downstream can show as it is */
struct FramePlan {
	uint32_t stride = 0;  /**< bytes, to be asked of the camera; 0: its own will do */
	uint32_t buffers = 0; /**< that camera and displays need together; 0: unknown */
};

/**
 * \brief Solve a format of the camera against the displays' terms (heapflow/heap/plan.h)
 *
 * Without displays everything will do. Memory is not looked at: what is free now may be what this
 * camera gives back a moment later.
 *
 * Errors: EINVAL what clashes, in numbers.
 */
Result<FramePlan> planFrames(const std::string &camera, const CaptureRequest &request,
			     const std::vector<DisplayTerms> &displays);

/**
 * \brief Can the display show frames of this layout as they are?
 *
 * Errors: EINVAL pitch, ERANGE size; with what is needed and what there is.
 */
Result<void> checkScanout(const std::string &camera, const FrameLayout &layout,
			  const DisplayTerms &display);

/**
 * \brief The heaps for a camera's buffers
 *
 * Where the expression leaves the heap to the devices (`auto`), camera and displays are asked with
 * a small buffer, once in a process. A V4L2 camera can only be asked while it has no buffers: call
 * this before configure() as well, whose answers are kept for the call after it.
 *
 * \param[in] displays Nodes of the displays that will scan the buffers out
 */
Result<HeapChoice> chooseCameraHeap(const std::string &expression, const CameraInfo &camera,
				    MemoryNeeds needs, const std::vector<std::string> &displays);

/** \brief "video@42000000: ...; system: ...", every heap and why it is taken or not */
std::string heapReasons(const HeapChoice &choice);

} /* namespace heapflow::gst */
