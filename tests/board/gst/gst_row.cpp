/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs one pipeline and says what arrived at its element `sink`, for those who watch from outside.
 *
 * usage: gst-row [--mark N] PIPELINE
 *
 * When the N-th buffer arrives (30 unless told), the thread calls itself witnessMark. An appsink
 * named `from` and an appsrc named `to` are joined by an application: this one. It prints, one a
 * line: "frames N"; "memory WHAT N" for each kind of memory; "error TEXT" and "warning TEXT".
 */
#include "dmabuf_witness.h"
#include "syscall_witness.h"

#include <atomic>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include <gst/allocators/gstdmabuf.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <sys/prctl.h>

namespace
{

constexpr GstClockTime patience = 60 * GST_SECOND;

struct Arrivals {
	std::mutex mutex;
	unsigned mark = 30;
	unsigned frames = 0;
	std::map<std::string, unsigned> memory;

	void add(GstBuffer *buffer);
};

std::string kindOf(GstMemory *memory)
{
	if (!gst_is_dmabuf_memory(memory))
		return "ordinary";
	const std::string exporter = heapflow::test::exporterOf(gst_dmabuf_memory_get_fd(memory));
	return exporter.empty() ? "dmabuf" : exporter;
}

void Arrivals::add(GstBuffer *buffer)
{
	std::lock_guard lock(mutex);

	if (++frames == mark)
		prctl(PR_SET_NAME, heapflow::test::witnessMark);
	for (guint i = 0; i < gst_buffer_n_memory(buffer); i++)
		memory[kindOf(gst_buffer_peek_memory(buffer, i))]++;
}

GstPadProbeReturn look(GstPad *, GstPadProbeInfo *info, gpointer data)
{
	auto *arrivals = static_cast<Arrivals *>(data);

	if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
		arrivals->add(GST_PAD_PROBE_INFO_BUFFER(info));
		return GST_PAD_PROBE_OK;
	}
	GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
	for (guint i = 0; i < gst_buffer_list_length(list); i++)
		arrivals->add(gst_buffer_list_get(list, i));
	return GST_PAD_PROBE_OK;
}

void watch(GstElement *element, gpointer arrivals)
{
	if (std::strcmp(GST_OBJECT_NAME(element), "sink") != 0)
		return;
	GstPad *pad = gst_element_get_static_pad(element, "sink");
	if (!pad)
		return;
	gst_pad_add_probe(
		pad, GstPadProbeType(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
		look, arrivals, nullptr);
	gst_object_unref(pad);
}

/* An application between two pipelines: it hands on each sample. */
GstFlowReturn hand(GstAppSink *from, gpointer to)
{
	GstSample *sample = gst_app_sink_pull_sample(from);
	if (!sample)
		return GST_FLOW_EOS;
	const GstFlowReturn result = gst_app_src_push_sample(GST_APP_SRC(to), sample);
	gst_sample_unref(sample);
	return result;
}

void end(GstAppSink *, gpointer to)
{
	gst_app_src_end_of_stream(GST_APP_SRC(to));
}

void join(GstElement *pipeline)
{
	GstElement *from = gst_bin_get_by_name(GST_BIN(pipeline), "from");
	GstElement *to = gst_bin_get_by_name(GST_BIN(pipeline), "to");
	if (from && to) {
		GstAppSinkCallbacks callbacks = {};
		callbacks.eos = end;
		callbacks.new_sample = hand;
		gst_app_sink_set_callbacks(GST_APP_SINK(from), &callbacks, to, nullptr);
	}
	/* The pipeline has references of its own for as long as they are needed. */
	gst_clear_object(&from);
	gst_clear_object(&to);
}

void print(const char *kind, GstMessage *message)
{
	GError *error = nullptr;
	g_autofree char *debug = nullptr;

	if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
		gst_message_parse_error(message, &error, &debug);
	else
		gst_message_parse_warning(message, &error, &debug);
	std::string text = std::string(GST_MESSAGE_SRC_NAME(message)) + ": " + error->message +
			   " [" + (debug ? debug : "") + "]";
	for (char &c : text)
		c = c == '\n' ? ' ' : c;
	printf("%s %s\n", kind, text.c_str());
	g_error_free(error);
}

/* Until the end of the stream or an error; 1 for an error or when neither comes. */
int run(GstElement *pipeline)
{
	int status = -1;
	GstBus *bus = gst_element_get_bus(pipeline);

	gst_element_set_state(pipeline, GST_STATE_PLAYING);
	while (status < 0) {
		GstMessage *message = gst_bus_timed_pop(bus, patience);
		if (!message) {
			printf("error no end of stream in time\n");
			status = 1;
			break;
		}
		switch (GST_MESSAGE_TYPE(message)) {
		case GST_MESSAGE_EOS:
			status = 0;
			break;
		case GST_MESSAGE_ERROR:
			print("error", message);
			status = 1;
			break;
		case GST_MESSAGE_WARNING:
			print("warning", message);
			break;
		case GST_MESSAGE_LATENCY:
			gst_bin_recalculate_latency(GST_BIN(pipeline));
			break;
		default:
			break;
		}
		gst_message_unref(message);
	}
	gst_object_unref(bus);
	return status;
}

} /* namespace */

int main(int argc, char **argv)
{
	Arrivals arrivals;
	int first = 1;

	gst_init(&argc, &argv);
	if (argc > 2 && std::strcmp(argv[1], "--mark") == 0) {
		arrivals.mark = unsigned(std::atoi(argv[2]));
		first = 3;
	}
	if (first + 1 != argc) {
		fprintf(stderr, "usage: gst-row [--mark N] PIPELINE\n");
		return 2;
	}
	GError *error = nullptr;
	GstElement *pipeline =
		gst_parse_launch_full(argv[first], nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error);
	if (!pipeline) {
		printf("error %s\n", error->message);
		return 1;
	}
	if (!GST_IS_PIPELINE(pipeline)) {
		GstElement *single = pipeline;
		pipeline = gst_pipeline_new(nullptr);
		gst_bin_add(GST_BIN(pipeline), single);
	}
	/* Also those that playbin makes later. */
	g_signal_connect(pipeline, "deep-element-added",
			 G_CALLBACK(+[](GstBin *, GstBin *, GstElement *element, gpointer data) {
				 watch(element, data);
			 }),
			 &arrivals);
	if (GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink")) {
		watch(sink, &arrivals);
		gst_object_unref(sink);
	}
	join(pipeline);
	const int status = run(pipeline);
	gst_element_set_state(pipeline, GST_STATE_NULL);
	gst_object_unref(pipeline);

	printf("frames %u\n", arrivals.frames);
	for (const auto &[what, number] : arrivals.memory)
		printf("memory %s %u\n", what.c_str(), number);
	return status;
}
