/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an element behind says when it is asked for memory: anything that is legal. */
#pragma once

#include "fuzz_caps.h"

#include <mutex>

#include <gst/gst.h>

namespace heapflow::test
{

/**
 * \brief Answers the ALLOCATION queries that reach a sink pad, at random
 *
 * Pools of ordinary and of heap memory, of a good size and not, that may grow and may not, that
 * somebody uses already; allocators, alignments, metas; or nothing.
 *
 * Threads: whichever asks.
 */
class RandomAnswers
{
public:
	/** \param[in] pad Outlives this */
	RandomAnswers(GstPad *pad, Random::result_type seed);
	~RandomAnswers();

	RandomAnswers(const RandomAnswers &) = delete;
	RandomAnswers &operator=(const RandomAnswers &) = delete;

	unsigned given() const { return given_; }

private:
	static GstPadProbeReturn probe(GstPad *pad, GstPadProbeInfo *info, gpointer data);
	void answer(GstQuery *query);
	void addPool(GstQuery *query, GstCaps *caps);
	void addParameters(GstQuery *query);
	void addMetas(GstQuery *query);

	GstPad *pad_;
	gulong id_;
	std::mutex mutex_; /* guards what follows */
	Random random_;
	unsigned given_ = 0;
};

} /* namespace heapflow::test */
