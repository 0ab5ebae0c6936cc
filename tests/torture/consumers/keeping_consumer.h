/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapcamerasrc ! appsink, with an application that gives frames back when it likes. */
#pragma once

#include "pipeline.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace heapflow::torture
{

/** \brief One frame that the application has; gone with it */
class KeptFrame
{
public:
	explicit KeptFrame(GstBuffer *buffer) : buffer_(buffer, gst_buffer_unref) {}

	/** \brief Of all bytes */
	uint32_t checksum() const;
	uint64_t number() const { return GST_BUFFER_OFFSET(buffer_.get()); }
	bool discontinuous() const { return GST_BUFFER_IS_DISCONT(buffer_.get()); }

private:
	std::shared_ptr<GstBuffer> buffer_;
};

/** \brief vivid, 320x180 at 60 frames a second, pulled by the application frame by frame */
class KeepingConsumer
{
public:
	/**
	 * \param[in] between What stands between camera and appsink, such as "! queue ", or nothing
	 * \param[in] rest Another branch, or nothing
	 */
	KeepingConsumer(const std::string &heap, unsigned buffers, const std::string &between = {},
			const std::string &rest = {});

	/** \brief The next frame; nothing when none comes in \a timeout, ns of the board's clock */
	std::optional<KeptFrame> pull(GstClockTime timeout = 2 * GST_SECOND);

	/** \brief The same from another appsink of the pipeline */
	std::optional<KeptFrame> pullFrom(const char *appsink,
					  GstClockTime timeout = 2 * GST_SECOND);

	/** \brief Pulls frames and gives each back at once; how many came */
	unsigned flow(unsigned frames);

	/** \brief Stops and destroys it; the board's seconds that it took */
	double end();

	/** \brief What heapcamerasrc warned of so far, and its element messages */
	std::string warnings();
	std::optional<std::string> starved();

	test::Pipeline &pipeline() { return *pipeline_; }

private:
	std::unique_ptr<test::Pipeline> pipeline_;
};

} /* namespace heapflow::torture */
