/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "player.h"

#include <cstdlib>
#include <format>

namespace heapflow::torture
{

namespace
{

struct UnrefMessage {
	void operator()(GstMessage *message) const { gst_message_unref(message); }
};
using MessagePtr = std::unique_ptr<GstMessage, UnrefMessage>;

std::string textOf(GstMessage *message)
{
	GError *error = nullptr;
	gchar *debug = nullptr;
	gst_message_parse_error(message, &error, &debug);
	std::string text = std::format("{}: {} {}", GST_OBJECT_NAME(message->src), error->message,
				       debug ? debug : "");
	g_error_free(error);
	g_free(debug);
	return text;
}

MessagePtr wait(GstElement *pipeline, GstClockTime most, int types)
{
	GstBus *bus = gst_element_get_bus(pipeline);
	MessagePtr message(gst_bus_timed_pop_filtered(bus, most, GstMessageType(types)));
	gst_object_unref(bus);
	return message;
}

} /* namespace */

void preparePipelines()
{
	setenv("LIBCAMERA_LOG_LEVELS", "*:FATAL", 0);
	g_log_set_always_fatal(GLogLevelFlags(int(G_LOG_FATAL_MASK) | int(G_LOG_LEVEL_CRITICAL)));
	gst_init(nullptr, nullptr);
	/* Loaded once, and not in each process that is forked. */
	if (GstPlugin *plugin = gst_plugin_load_by_name("heapflow"))
		gst_object_unref(plugin);
}

Player::Player(const std::string &line)
{
	pipeline_.reset(gst_parse_launch(line.c_str(), nullptr));
	if (pipeline_)
		sink_.reset(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "sink"));
}

Player::~Player()
{
	if (pipeline_)
		stop();
}

GstElement *Player::element(const char *name) const
{
	GstElement *found = gst_bin_get_by_name(GST_BIN(pipeline_.get()), name);
	/* The bin holds it. */
	gst_object_unref(found);
	return found;
}

uint64_t Player::shown() const
{
	GstStructure *stats = nullptr;
	g_object_get(sink_.get(), "stats", &stats, nullptr);
	guint64 shown = 0;
	gst_structure_get_uint64(stats, "shown", &shown);
	gst_structure_free(stats);
	return shown;
}

Verdict Player::judge(GstMessage *message, uint64_t frames) const
{
	if (!message)
		return Verdict::broken("neither the end nor an error came in 20 s");
	if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
		return Verdict::refused(textOf(message));
	if (shown() < frames)
		return Verdict::broken(
			std::format("{} of {} frames shown, and no error", shown(), frames));
	return Verdict::played();
}

Verdict Player::waitShown(uint64_t count)
{
	for (unsigned i = 0; i < 1000 && shown() < count; i++)
		if (const auto error = wait(pipeline_.get(), 20 * GST_MSECOND, GST_MESSAGE_ERROR))
			return Verdict::refused(textOf(error.get()));
	return shown() >= count ? Verdict::played()
				: Verdict::broken(std::format("frame {} is not shown", count));
}

Verdict Player::finish(uint64_t frames)
{
	const auto message =
		wait(pipeline_.get(), 20 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
	const Verdict verdict = judge(message.get(), frames);
	stop();
	return verdict;
}

} /* namespace heapflow::torture */
