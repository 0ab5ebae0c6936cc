/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pipeline as gst-launch takes it, run to its end, and what came of it. */
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gst/gst.h>

namespace heapflow::test
{

/** \brief One error or warning of an element */
struct Posted {
	std::string element; /**< name of the factory */
	GQuark domain = 0;
	int code = 0;
	std::string message;
	std::string debug;
};

/**
 * \brief A pipeline; in NULL when it is destroyed
 *
 * The sink of the description should be named `sink`, the source `source`.
 */
class Pipeline
{
public:
	explicit Pipeline(const std::string &description);
	~Pipeline();

	Pipeline(const Pipeline &) = delete;
	Pipeline &operator=(const Pipeline &) = delete;

	/**
	 * \brief Call a function for each buffer that reaches the sink, in the streaming thread
	 *
	 * \param[in] look Gets the buffer and its number, from 1
	 */
	void onBuffer(std::function<void(GstBuffer *, unsigned)> look);

	/** \brief PLAYING, then wait for EOS or an error; a timeout is an error of its own */
	void run(std::chrono::seconds timeout = std::chrono::seconds(60));

	/** \brief Take what was posted so far into the lists below, without waiting */
	void readMessages();

	/** \brief What was posted so far, so that it may be run once more */
	void forget();

	void setState(GstState state);
	/** \brief Wait until the sink has shown so many frames; false after 20 s or an error */
	bool waitShown(uint64_t count);

	bool reachedEnd() const { return end_; }
	/** \brief In order; the first is the cause */
	const std::vector<Posted> &errors() const { return errors_; }
	const std::vector<Posted> &warnings() const { return warnings_; }
	/** \brief The element messages of this name, as GStreamer prints structures */
	std::vector<std::string> elementMessages(const std::string &name) const;
	/** \brief All errors in one text, for failure messages */
	std::string errorText() const;

	/** \brief A field of heapkmssink's stats, as a number */
	double stat(const char *field) const;
	/** \brief A field of an element's plan, as text */
	std::string plan(const char *element, const char *field) const;
	uint64_t uint64Of(const char *element, const char *property) const;
	GstElement *element(const char *name) const; /**< borrowed */

private:
	void collect(GstMessage *message);

	GstElement *pipeline_ = nullptr;
	std::function<void(GstBuffer *, unsigned)> look_;
	unsigned buffers_ = 0;
	bool end_ = false;
	std::vector<Posted> errors_;
	std::vector<Posted> warnings_;
	std::multimap<std::string, std::string> elementMessages_;
};

/** \brief Reached EOS without an error, and showed `frames` frames without a copy */
void expectAllShown(const Pipeline &pipeline, unsigned frames);

/** \brief The first error is this one, from this element */
void expectError(const Pipeline &pipeline, const std::string &element, GQuark domain, int code);

} /* namespace heapflow::test */
