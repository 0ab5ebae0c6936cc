/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a CRTC shows, composed by the CPU from the framebuffers on its planes. */
#pragma once

#include "heapflow/display/screen.h"
#include "heapflow/heap/error.h"
#include "topology.h"

#include <xf86drmMode.h>

namespace heapflow
{

/**
 * \brief Map every framebuffer that is on the CRTC and compose them in their order
 *
 * For displays without a writeback connector. Scaling takes the nearest pixel; gamma and colour
 * management of the CRTC are not applied.
 *
 * Errors: EACCES not master and not root (the kernel gives framebuffers' memory to these only),
 * ENOTSUP a format or modifier that cannot be read, or memory that cannot be mapped.
 */
Result<Image> composeScreenshot(int drm, const Topology &topology, const CrtcInfo &crtc,
				const drmModeModeInfo &mode);

/** \brief One layer to be composed; the reader is of its whole frame */
struct ComposedLayer {
	Rectangle source;
	Rectangle destination;
	uint64_t rotation = 0; /**< value of the property "rotation"; 0 is none */
	double alpha = 1.0;
	bool premultiplied = true;
};

/** \brief Where in the frame the pixel of the panel at x, y comes from; pure */
std::pair<uint32_t, uint32_t> sourcePixel(const ComposedLayer &layer, int32_t x, int32_t y);

} /* namespace heapflow */
