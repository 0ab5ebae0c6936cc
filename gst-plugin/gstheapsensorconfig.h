/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The property sensor-config: the mode of a sensor as a GstStructure. */
#pragma once

#include "heapflow/camera/camera.h"

#include <gst/gst.h>

namespace heapflow::gst
{

/**
 * \brief What the structure asks for; NULL asks for nothing
 *
 * The fields are those of libcamerasrc's sensor-config. Errors: EINVAL a field that is unknown, not
 * a number, out of range, or missing.
 */
Result<SensorRequest> sensorFromStructure(const GstStructure *structure);

/** \brief The same back, the caller's; NULL when nothing is asked for */
GstStructure *structureFromSensor(const SensorRequest &sensor);

} /* namespace heapflow::gst */
