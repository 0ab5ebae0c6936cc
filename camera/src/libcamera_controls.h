/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libcamera's controls in heapflow's words, and back. */
#pragma once

#include "heapflow/camera/control.h"

#include <vector>

#include <libcamera/controls.h>

namespace heapflow
{

/** \param[in] info The limits of a camera, or nullptr */
ControlDescription describeControl(const libcamera::ControlId &id,
				   const libcamera::ControlInfo *info);

/** \brief What a camera lists, sorted by name */
std::vector<ControlDescription> controlsFromLibcamera(const libcamera::ControlInfoMap &controls);

/** \brief What heapflow::knownControls() lists, from libcamera itself */
std::vector<ControlDescription> knownLibcameraControls();

/** \return monostate for a type that heapflow does not know */
ControlValue valueFromLibcamera(const libcamera::ControlValue &value);

/** \param[in] value As fitControl() left it */
libcamera::ControlValue valueToLibcamera(const libcamera::ControlId &id, const ControlValue &value);

/** \brief All that is known of a frame; `out` keeps its capacity */
void readMetadata(const libcamera::ControlList &metadata, FrameControls &out);

} /* namespace heapflow */
