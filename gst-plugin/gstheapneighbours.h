/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The elements before and after a pad: what they are called, and which devices they drive. */
#pragma once

#include "heapflow/heap/heap_probe.h"

#include <memory>
#include <string>
#include <vector>

#include <gst/gst.h>

namespace heapflow::gst
{

/**
 * \brief The next element that does something with buffers: not a capsfilter, not a queue
 *
 * Null when there is none; the caller owns a reference.
 */
GstElement *peerElement(GstPad *pad);

/** \brief The name of that element; "upstream" or "downstream" when nothing is linked */
std::string peerName(GstPad *pad);

/** \brief "tee", "v4l2src": the factory of that element; empty when nothing is linked */
std::string peerFactory(GstPad *pad);

/** \brief The property with which that element, of V4L2, is told to use the memory of downstream */
std::string importProperty(GstPad *sinkPad);

/**
 * \brief A probe for each device that works on the buffers which leave or enter `pad`
 *
 * Followed through filters, tees and bins, against the stream for a sink pad. Known are
 * heapkmssink's display and the capture nodes of GStreamer's V4L2 elements; what cannot be opened,
 * or is no such device, is left out.
 */
std::vector<std::unique_ptr<MemoryProbe>> deviceProbes(GstPad *pad);

/**
 * \brief Will the element before a sink pad fill a dma-buf for each plane of frames of these caps?
 *
 * v4l2src does when its device can (gst_v4l2_object_get_caps_info() takes NV12M before NV12), and
 * it asks for a pool before it sets the format (gst_v4l2src_decide_allocation()): so the device is
 * asked what it has, not what is set.
 */
bool wantsMemoryPerPlane(GstPad *sinkPad, const GstCaps *caps);

} /* namespace heapflow::gst */
