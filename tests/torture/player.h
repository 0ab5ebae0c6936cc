/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pipeline as gst-launch takes it, whose heapkmssink is called `sink`. */
#pragma once

#include "apart.h"

#include <memory>
#include <string>

#include <gst/gst.h>

namespace heapflow::torture
{

/** \brief GStreamer and the plugin, once in the process that is then forked for each case */
void preparePipelines();

class Player
{
public:
	explicit Player(const std::string &line);
	~Player();
	Player(Player &&) = default;

	/** \brief False when the line makes no pipeline */
	explicit operator bool() const { return pipeline_ && sink_; }
	/** \brief By its name; must be there */
	GstElement *element(const char *name) const;

	void start() { gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING); }
	void stop() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

	/** \brief Waits until so many frames are shown; an error comes first, and nothing breaks it
	 */
	Verdict waitShown(uint64_t count);
	/** \brief Waits for the end or an error, and stops; so many frames must have been shown */
	Verdict finish(uint64_t frames);
	uint64_t shown() const;

private:
	struct Unref {
		void operator()(GstElement *element) const { gst_object_unref(element); }
	};
	using ElementPtr = std::unique_ptr<GstElement, Unref>;

	Verdict judge(GstMessage *message, uint64_t frames) const;

	ElementPtr pipeline_;
	ElementPtr sink_;
};

} /* namespace heapflow::torture */
