/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From what a caller asks to what a camera has; pure. */
#pragma once

#include "heapflow/camera/camera.h"

#include <vector>

namespace heapflow
{

/**
 * \brief Modes in the order of preference
 *
 * \param[in] first The format that the driver takes by itself, or 0. It goes first: a camera may
 * offer formats that its pipeline cannot produce (vimc's RGB888), hardly as its default.
 *
 * The others follow by what displays scan out most cheaply. Sizes keep the camera's order.
 */
void sortByPreference(std::vector<CaptureMode> &modes, uint32_t first);

/**
 * \brief Fill in what a request leaves open, and take the nearest size there is
 *
 * \param[in] defaults Size for a request without one. With only width or height given, the other
 * keeps the proportions of the default.
 *
 * Errors: EINVAL the camera does not have the format (the message lists those it has), ENOTSUP it
 * has none that heapflow can lay out.
 */
Result<CaptureRequest> fixRequest(const std::vector<CaptureMode> &modes,
				  const CaptureRequest &request, const CaptureRequest &defaults);

} /* namespace heapflow */
