/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The modes of a V4L2 node that were asked for so far. */
#pragma once

#include "v4l2_modes.h"

#include <cstdint>
#include <mutex>
#include <set>
#include <span>
#include <vector>

namespace heapflow
{

/**
 * \brief Lists each format of a node once, as long as its source stays the same
 *
 * A webcam has thousands of modes, an ioctl each, and who negotiates asks again each time. What a
 * media pipeline before the node lets through may change without a trace here: it is asked each
 * time. Any thread.
 */
class V4l2KnownModes
{
public:
	/** \brief Those of `formats` (DRM fourccs), preferred first; of all when it is empty */
	Result<std::vector<CaptureMode>> list(const V4l2Node &node,
					      std::span<const uint32_t> formats);

private:
	/* Under the mutex: lists what is missing of these. */
	Result<void> learn(const V4l2Node &node, std::span<const uint32_t> formats);

	std::mutex mutex_;
	V4l2Source source_; /* when they were listed */
	bool all_ = false;
	std::set<uint32_t> formats_; /* that were asked for, whether the node has them or not */
	std::vector<CaptureMode> modes_;
};

} /* namespace heapflow */
