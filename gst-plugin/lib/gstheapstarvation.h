/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the buffers of a pool are that has none left. */
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <gst/gst.h>

namespace heapflow::gst
{

/** \brief A buffer that somebody has, and since when; for comparing, never to be looked into */
struct HeldBuffer {
	const GstBuffer *buffer = nullptr;
	std::chrono::steady_clock::time_point since;
};

/** \brief What a starving pool knows of itself */
struct Starvation {
	std::vector<HeldBuffer> held;
	size_t fenced = 0; /**< came back, and a device still works on them */
	std::chrono::milliseconds waited{};
	std::vector<uint64_t> inodes; /**< the dma-bufs, as /proc shows them */
};

/**
 * \brief What elements of the pipeline hold: "kmssink0 keeps the last frame it showed"
 *
 * Asks the elements of the pipeline that `element` is in what they tell everybody: how much is in
 * a queue, and the last sample of a sink. Takes the locks that reading those properties takes.
 *
 * \param[in] pool Whose last samples are meant
 */
std::vector<std::string> describeHolders(GstElement *element, const GstBufferPool *pool);

/**
 * \brief "no buffer for 1000 ms: all 4 are held, for 20 ms to 1.2 s; ..." with the holders
 *
 * \param[in] element May be null: then only the pool's own numbers are told
 */
std::string describe(const Starvation &starvation, GstElement *element, const GstBufferPool *pool);

} /* namespace heapflow::gst */
