/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random caps and buffers, all of them legal. */
#pragma once

#include <random>
#include <string>

#include <gst/gst.h>

namespace heapflow::test
{

using Random = std::mt19937_64;

/** \brief From 0 to `below` - 1; the same for the same seed with any C++ library */
inline unsigned pick(Random &random, unsigned below)
{
	return unsigned(random() % below);
}

/** \brief Fixed caps: raw, DMA_DRM, compressed or no video at all; the caller owns them */
GstCaps *randomCaps(Random &random);

/** \brief Caps that are not fixed, as filters and queries have them */
GstCaps *randomFilter(Random &random);

/** \brief A filter that most cameras have frames for, so that they play and ask for memory */
GstCaps *cameraFilter(Random &random);

/** \brief An ordinary buffer that fits the caps, or does not; with metas, or without */
GstBuffer *randomBuffer(Random &random, const GstCaps *caps);

} /* namespace heapflow::test */
