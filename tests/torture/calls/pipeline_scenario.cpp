/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapcamerasrc ! heapkmssink, as gst-launch plays it: a user sees what is posted on the bus. */
#include "scenario.h"

#include "board_node.h"

#include <cstdlib>
#include <format>
#include <memory>

#include <gst/gst.h>

namespace heapflow::torture
{

namespace
{

struct Unref {
	void operator()(GstElement *element) const { gst_object_unref(element); }
	void operator()(GstMessage *message) const { gst_message_unref(message); }
};
using ElementPtr = std::unique_ptr<GstElement, Unref>;
using MessagePtr = std::unique_ptr<GstMessage, Unref>;

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

uint64_t shownBy(GstElement *pipeline)
{
	const ElementPtr sink(gst_bin_get_by_name(GST_BIN(pipeline), "sink"));
	GstStructure *stats = nullptr;
	g_object_get(sink.get(), "stats", &stats, nullptr);
	guint64 rendered = 0;
	gst_structure_get_uint64(stats, "rendered", &rendered);
	gst_structure_free(stats);
	return rendered;
}

Result<void> play(GstElement *pipeline)
{
	GstBus *bus = gst_element_get_bus(pipeline);
	gst_element_set_state(pipeline, GST_STATE_PLAYING);
	const MessagePtr message(gst_bus_timed_pop_filtered(
		bus, 8 * GST_SECOND, GstMessageType(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
	gst_object_unref(bus);
	Result<void> result;
	if (!message)
		result = fail(0, "WRONG: neither the end nor an error came in 8 s");
	else if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR)
		result = fail(0, textOf(message.get()));
	else if (const uint64_t shown = shownBy(pipeline); shown < 5)
		result = fail(
			0, std::format("WRONG: {} of 10 frames were shown, and no error", shown));
	gst_element_set_state(pipeline, GST_STATE_NULL);
	return result;
}

} /* namespace */

void preparePipeline()
{
	setenv("LIBCAMERA_LOG_LEVELS", "*:FATAL", 0);
	g_log_set_always_fatal(GLogLevelFlags(int(G_LOG_FATAL_MASK) | int(G_LOG_LEVEL_CRITICAL)));
	gst_init(nullptr, nullptr);
	/* Loaded once, and not in each of the thousands of processes that are forked. */
	if (GstPlugin *plugin = gst_plugin_load_by_name("heapflow"))
		gst_object_unref(plugin);
}

Result<void> usePipeline()
{
	const std::string line =
		std::format("heapcamerasrc camera-name={} num-buffers=10 heap=video@*:default ! "
			    "video/x-raw(memory:DMABuf),width=640,height=360 ! "
			    "heapkmssink name=sink driver-name=vkms",
			    vividNode());
	GError *error = nullptr;
	const ElementPtr pipeline(gst_parse_launch(line.c_str(), &error));
	if (error) {
		const std::string text = error->message;
		g_error_free(error);
		return fail(0, text);
	}
	return play(pipeline.get());
}

} /* namespace heapflow::torture */
