/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The controls of a V4L2 node. */
#pragma once

#include "v4l2_node.h"

#include "heapflow/camera/control.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace heapflow
{

/** \brief A control with the number that the driver knows it by */
struct V4l2Control {
	uint32_t id = 0;
	uint32_t type = 0;        /**< V4L2_CTRL_TYPE_* */
	uint32_t elementSize = 0; /**< bytes */
	uint32_t elements = 0;
	ControlDescription description;
};

/** \brief All that heapflow can set or read; compound ones of codecs are left out */
std::vector<V4l2Control> listV4l2Controls(const V4l2Node &node);

/** \brief As Camera::setControls(); the driver sets them together (VIDIOC_S_EXT_CTRLS) */
Result<void> setV4l2Controls(const V4l2Node &node, const ControlList &controls);

/** \brief The value of an integer control, when there is one */
std::optional<int32_t> readV4l2Control(const V4l2Node &node, uint32_t id);

} /* namespace heapflow */
