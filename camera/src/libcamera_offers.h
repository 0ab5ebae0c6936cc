/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a camera of libcamera offers in each role. */
#pragma once

#include "heapflow/camera/camera.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include <libcamera/camera.h>

namespace heapflow
{

libcamera::StreamRole roleToLibcamera(StreamRole role);

/** \brief In one role, alone */
struct RoleOffer {
	std::vector<CaptureMode> modes; /**< preferred first */
	uint32_t width = 0;             /**< these three by default */
	uint32_t height = 0;
	unsigned bufferCount = 0;
};

/**
 * \brief Lists the modes of each role once
 *
 * libcamera has no list of what it takes: each size is a validate(), of which some pipelines write
 * a line in the log, and who negotiates asks several times. What a camera has does not change
 * while it is there. Any thread.
 */
class LibcameraOffers
{
public:
	/** \return Valid as long as this object. Errors: ENODEV, ENOTSUP when the camera does not
	 * have the role */
	Result<const RoleOffer *> of(libcamera::Camera &camera, StreamRole role);

	/** \brief As Camera::modes() */
	Result<std::vector<CaptureMode>> modes(libcamera::Camera &camera, StreamRole role,
					       std::span<const uint32_t> formats);

private:
	std::mutex mutex_;
	std::map<StreamRole, RoleOffer> offers_;
};

} /* namespace heapflow */
