/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The signal at a V4L2 input that somebody else sends: HDMI, TV. */
#pragma once

#include "v4l2_node.h"

#include <optional>
#include <string>

namespace heapflow
{

/**
 * \brief Set the timings that the selected input receives, if it receives any
 *
 * A driver does not follow a change by itself (V4L2's "Digital Video Timings"). Inputs without
 * timings, such as sensors, are left alone. Errors: ENOLINK no signal.
 */
Result<void> followSignal(const V4l2Node &node, const std::string &name);

/** \brief Subscribe to changes of the signal, and forget those before */
void watchSignal(const V4l2Node &node);

/**
 * \brief What the events that are there mean for who streams: ESTALE, ENOLINK, or nothing
 *
 * VIDIOC_DQEVENT must not block (O_NONBLOCK).
 */
std::optional<Error> signalChange(const V4l2Node &node, const std::string &name);

} /* namespace heapflow */
