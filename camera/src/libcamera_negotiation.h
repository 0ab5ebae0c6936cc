/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libcamera's streams can be, and what is agreed on. */
#pragma once

#include "libcamera_offers.h"

#include "heapflow/camera/camera.h"

#include <memory>
#include <span>
#include <vector>

#include <libcamera/camera.h>

namespace heapflow
{

/**
 * \brief Agree on all streams and configure the camera, which must be acquired
 *
 * What libcamera adjusts is in the answer. Errors: as Camera::configureStreams().
 */
Result<std::unique_ptr<libcamera::CameraConfiguration>>
settleStreams(libcamera::Camera &camera, LibcameraOffers &offers,
	      std::span<const CaptureRequest> requests, const SensorRequest &sensor);

} /* namespace heapflow */
