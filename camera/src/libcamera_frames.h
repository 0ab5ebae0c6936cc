/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libcamera tells of a filled buffer, as CapturedFrame; pure. */
#pragma once

#include "heapflow/camera/camera.h"

#include <libcamera/framebuffer.h>

namespace heapflow
{

/** \brief Number, time (ns), status and bytes; `timestamp` is in the clock of the sensor */
void readBufferMetadata(const libcamera::FrameMetadata &metadata, CapturedFrame &frame);

} /* namespace heapflow */
