/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A camera with buffers of a heap, ready to stream. */
#pragma once

#include "board.h"

#include "heapflow/camera/camera.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace heapflow::test
{

/** \brief Longer than any camera of the board takes for a frame, in the slowest real-time run */
inline constexpr std::chrono::milliseconds patience{8000};

struct Capture {
	std::unique_ptr<Camera> camera;
	CaptureConfiguration configuration;
	std::vector<Buffer> buffers;
};

/** \brief Open and configure; the error of the step that failed */
Result<Capture> openCapture(const std::string &camera, const CaptureRequest &request);

/** \brief Allocate from the heap and import */
Result<void> importFrom(Capture &capture, const std::string &heap);

/** \brief All of the above and start() */
Result<Capture> startCapture(const std::string &camera, const CaptureRequest &request,
			     const std::string &heap);

/**
 * \brief Take `count` frames and give each back after `look` has seen it
 *
 * Checks of every frame: index in range, sequence rising, clock and order of timestamp and arrival.
 */
using Look = std::function<void(const CapturedFrame &, const Buffer &)>;
Result<std::vector<CapturedFrame>> takeFrames(Capture &capture, unsigned count,
					      const Look &look = {});

CaptureRequest request(uint32_t fourcc, uint32_t width, uint32_t height, FrameRate rate = {});

} /* namespace heapflow::test */
