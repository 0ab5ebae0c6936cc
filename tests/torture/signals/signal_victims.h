/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The programs that signals are sent to. */
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace heapflow::torture
{

struct Victim {
	enum class Life {
		Plays,   /**< shows frames of a camera until it is ended */
		Lasts,   /**< shows none, and lasts until it is ended */
		Finishes /**< has done its work in a moment */
	};

	std::string group; /**< in the table */
	std::string name;  /**< for people */
	std::vector<std::string> words;
	Life life = Life::Plays;
	std::chrono::milliseconds span{}; /**< signals come within so long after the start */
	bool shows = false;               /**< frames of a camera on the screen */
	bool needsPicture = false;        /**< somebody else's on the screen */
	int finished = 0;                 /**< its status when it came to its end by itself */
	unsigned weight = 1;              /**< how often it is drawn by lot */
};

/** \brief Pipelines in gst-launch-1.0, the example without GStreamer, heapctl's commands */
const std::vector<Victim> &signalVictims();

} /* namespace heapflow::torture */
