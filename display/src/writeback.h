/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the screen back through a writeback connector. */
#pragma once

#include "heapflow/display/screen.h"
#include "heapflow/heap/error.h"
#include "topology.h"

#include <drm_mode.h>

namespace heapflow
{

/** \return nullptr when the CRTC has none */
const ConnectorInfo *writebackConnector(const Topology &topology, const CrtcInfo &crtc);

/**
 * \brief Compose what the CRTC shows into memory
 *
 * No other commit may be made to the CRTC meanwhile: vkms drops the job when one is. The connector
 * is attached for one commit and detached again; both are modesets by the letter, what is on the
 * screen stays.
 *
 * Errors: ENOTSUP the connector writes no 4-byte RGB, ETIMEDOUT, what the driver says.
 */
Result<Image> readBack(int drm, const ConnectorInfo &connector, const CrtcInfo &crtc,
		       const drmModeModeInfo &mode);

} /* namespace heapflow */
