/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Modes of a camera as caps, and fixed caps as a request to the camera. */
#pragma once

#include "heapflow/camera/camera.h"

#include "gstheapformat.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace heapflow::gst
{

/**
 * \brief Everything the camera can do: first with memory:DMABuf, then as plain video/x-raw
 *
 * Plain caps are offered as well because the dma-bufs are linear; design/dmabuf.md recommends it,
 * and elements that map memory by CPU know no other.
 */
GstCaps *capsFromModes(const std::vector<CaptureMode> &modes);

/**
 * \brief The same for people and for lists of devices: the formats of one size and rate together
 *
 * vivid has 1,500 modes of 20 sizes. Negotiation has them one by one, to choose and to try by rank.
 */
GstCaps *joinedCapsFromModes(const std::vector<CaptureMode> &modes);

/**
 * \brief The formats of heapflow's that have a place in the caps, as DRM fourccs; none: any may
 * have
 *
 * To ask a camera for these modes alone.
 */
std::optional<std::vector<uint32_t>> formatsIn(const GstCaps *caps);

/** \brief "NV12, YUYV in 320x180 to 3840x2160": each format once, for messages */
std::string summaryOfModes(const std::vector<CaptureMode> &modes);

/**
 * \brief Choose one frame format of what camera and downstream share
 *
 * In order: memory:DMABuf, the size nearest to 1280x720, the camera's own preference of formats,
 * and the rate nearest to 60/s. A rate that the camera leaves open stays 0/1 until configure()
 * tells.
 *
 * \param[in] caps Taken over; not empty
 */
GstCaps *fixateCameraCaps(GstCaps *caps);

/** \brief The structures by number, as fixateCameraCaps() would choose one after the other */
std::vector<guint> rankCameraCaps(const GstCaps *caps);

/** \brief One of the structures, fixed; the caller's */
GstCaps *fixateCameraStructure(const GstCaps *caps, guint number);

/** \brief What to ask the camera for */
Result<CaptureRequest> requestFromCaps(const GstCaps *caps, unsigned bufferCount);

/**
 * \brief The chosen caps with what the camera answered: format, size, rate, colorimetry
 *
 * A rate that the camera does not know stays as it was chosen. Empty caps when it gives what the
 * kind of the chosen ones has no name for: a packed mosaic, a picture instead of JPEG.
 */
GstCaps *capsFromConfiguration(const GstCaps *chosen, const CaptureConfiguration &configuration);

} /* namespace heapflow::gst */
