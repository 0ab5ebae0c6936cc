/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What heapflow's elements ask each other before the caps are settled: the terms of displays. */
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gst/gst.h>

namespace heapflow::gst
{

/** \brief What a display says of frames of one format and size */
struct DisplayTerms {
	std::string name;   /**< for messages: "heapkmssink0 (/dev/dri/card1)" */
	std::string device; /**< the node, to try memory with */
	/** Bytes, of the pitch of every plane; 0: the driver could not be asked */
	uint32_t pitchAlignment = 0;
	uint32_t buffersHeld = 0; /**< the ones on the screen and on the way to it */
	uint32_t minimumWidth = 0, maximumWidth = 0; /**< pixels, of framebuffers */
	uint32_t minimumHeight = 0, maximumHeight = 0;

	bool operator==(const DisplayTerms &) const = default;
};

/** \brief The frames that are asked about */
struct PlanQuestion {
	uint32_t fourcc = 0;
	uint64_t modifier = 0;
	uint32_t width = 0;
	uint32_t height = 0;
};

/**
 * \brief A query that goes downstream, through elements that do not know it; the caller unrefs it
 *
 * A display answers by adding its terms, and returns FALSE so that a tee asks all of its branches:
 * gst_pad_query_default() ends with the first branch that returns TRUE. So what
 * gst_pad_peer_query() returns says nothing; displayTerms() does.
 *
 * The terms are of every display downstream, also of those that an element in between makes frames
 * of its own for. Whose frames are really shown, the ALLOCATION query tells, which such an element
 * answers itself: see scanoutOf().
 */
GstQuery *newPlanQuery(const PlanQuestion &question);

/** \brief For the display: is it this query, and what about? */
bool parsePlanQuery(GstQuery *query, PlanQuestion &question);
void addDisplayTerms(GstQuery *query, const DisplayTerms &terms);

std::vector<DisplayTerms> displayTerms(GstQuery *query);

/**
 * \brief In an ALLOCATION query: buffers of this element are scanned out by that display
 *
 * As an allocation meta, which only an element that passes buffers on lets through.
 */
void addScanout(GstQuery *allocation, const DisplayTerms &terms);

/** \brief The display that will show the buffers themselves; empty name: none that says so */
DisplayTerms scanoutOf(GstQuery *allocation);

} /* namespace heapflow::gst */
