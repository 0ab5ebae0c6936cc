/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libcamera's streams can be, and what is agreed on. */
#pragma once

#include "heapflow/camera/camera.h"

#include <memory>
#include <span>
#include <vector>

#include <libcamera/camera.h>

namespace heapflow
{

/** \brief As Camera::modes() */
Result<std::vector<CaptureMode>> libcameraModes(libcamera::Camera &camera, StreamRole role);

/**
 * \brief Agree on all streams and configure the camera, which must be acquired
 *
 * What libcamera adjusts is in the answer. Errors: as Camera::configureStreams().
 */
Result<std::unique_ptr<libcamera::CameraConfiguration>>
settleStreams(libcamera::Camera &camera, std::span<const CaptureRequest> requests,
	      const SensorRequest &sensor);

} /* namespace heapflow */
