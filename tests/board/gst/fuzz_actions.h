/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One element in a GstHarness, and the random things that are done to it. */
#pragma once

#include "fuzz_answers.h"
#include "fuzz_caps.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>

#include <gst/check/gstharness.h>
#include <gst/gst.h>

namespace heapflow::test
{

/**
 * \brief An element that random but legal things happen to
 *
 * Nothing that it answers is a failure: refusing is its right. A critical (which the caller
 * makes fatal), that it hangs (the caller's watchdog) or keeps objects is one.
 */
class FuzzSubject
{
public:
	/** \param[in] factory Of an element with pads `sink` and `src`, or one of them */
	FuzzSubject(const char *factory, Random &random);
	~FuzzSubject();

	FuzzSubject(const FuzzSubject &) = delete;
	FuzzSubject &operator=(const FuzzSubject &) = delete;

	/** \brief One random action; `before` is told its name first */
	void step(const std::function<void(const char *)> &before);

	/** \brief How often each action was done, and how often buffers went through */
	std::map<std::string, unsigned> done() const;

private:
	void changeState();
	void setProperty();
	void sendCaps();
	void askCaps();
	void askAllocation();
	void useOffer(GstQuery *query, GstCaps *caps);
	void push(GstBuffer *buffer);
	void waitForBuffer();
	void sendEvent();
	void ask();
	void goUpstream();
	bool wouldBlock() const;
	void settle();
	void begin();

	Random &random_;
	GstElement *element_;
	GstHarness *harness_;
	GstBus *bus_;
	GstCaps *caps_ = nullptr;
	bool hasSink_, hasSrc_;
	std::optional<RandomAnswers> answers_; /* from behind */
	std::thread pusher_;                   /* blocks in a sink that is paused */
	std::map<std::string, unsigned> done_;
};

} /* namespace heapflow::test */
