/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:tracer-heapflow
 * @title: heapflow
 * @short_description: finds where a pipeline copies its frames
 *
 * Follows every buffer of every pipeline of the process from the element that makes it to the one
 * that drops it, and says what the CPU did to it: maps, copies, and the bytes of both, on which
 * link, in which element. It works with any elements.
 *
 * ## Example launch lines
 * |[
 * GST_TRACERS=heapflow gst-launch-1.0 v4l2src num-buffers=100 ! videoconvert ! kmssink
 * ]|
 * |[
 * GST_TRACERS='heapflow(svg=flow.svg,json=flow.json)' gst-launch-1.0 heapcamerasrc ! heapkmssink
 * ]|
 *
 * A report is written when a pipeline leaves PAUSED for READY, and at the end of the process for
 * pipelines that never did. Parameters, separated by commas:
 *
 * * `table`: where the table goes: a file, `stdout`, `none`, or `stderr`, the default
 * * `json`, `svg`: files for the report and the picture; of a second pipeline with `-2` before the
 *   extension
 * * `all`: `true` to count what is not raw video as well
 * * `signal`: `true` to write the table of what has been so far at each SIGUSR1
 *
 * docs/tracer.md of heapflow says what is counted, and what cannot be seen.
 *
 * Since: 0.1
 */
#include "gstheaptracer.h"

#include "frame_watch.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <format>
#include <fstream>
#include <iostream>
#include <thread>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

GST_DEBUG_CATEGORY_STATIC(gst_heap_tracer_debug);
#define GST_CAT_DEFAULT gst_heap_tracer_debug

using heapflow::gst::ElementId;
using heapflow::gst::FlowReport;
using heapflow::gst::FrameWatch;
using heapflow::gst::ReportReason;

namespace
{

/* Where the reports go. Made once, with the first tracer, and never destroyed: see FrameWatch. */
class Reports
{
public:
	static Reports &instance()
	{
		static auto *reports = new Reports;
		return *reports;
	}

	void configure(const char *parameters);

	/* The pipeline has ended: its books are closed. */
	void writeAndForget(ElementId pipeline);
	/* In between. */
	void writeTable(ElementId pipeline, const char *why);
	void writeAll();
	void writeTables();

private:
	void write(FlowReport report);
	void print(const std::string &text);
	static void save(const std::string &path, const std::string &text, unsigned number);
	static void listenToSignal();

	std::mutex mutex_;
	std::string table_ = "stderr";
	std::string json_;
	std::string svg_;
	unsigned written_ = 0;
	bool printed_ = false;
};

void Reports::configure(const char *parameters)
{
	const std::string text = std::string("heapflow,") + (parameters ? parameters : "");
	GstStructure *structure = parameters && *parameters
					  ? gst_structure_from_string(text.c_str(), nullptr)
					  : gst_structure_new_empty("heapflow");
	if (!structure) {
		g_warning(
			"heapflow tracer: '%s' are no parameters: name=value, separated by commas",
			parameters);
		return;
	}
	gboolean all = FALSE, signal = FALSE;
	for (int i = 0; i < gst_structure_n_fields(structure); i++) {
		const char *name = gst_structure_nth_field_name(structure, guint(i));
		const GValue *value = gst_structure_get_value(structure, name);
		const std::string string =
			G_VALUE_HOLDS_STRING(value) ? g_value_get_string(value) : "";
		if (g_str_equal(name, "table") && !string.empty())
			table_ = string;
		else if (g_str_equal(name, "json") && !string.empty())
			json_ = string;
		else if (g_str_equal(name, "svg") && !string.empty())
			svg_ = string;
		else if (!(g_str_equal(name, "all") &&
			   gst_structure_get_boolean(structure, name, &all)) &&
			 !(g_str_equal(name, "signal") &&
			   gst_structure_get_boolean(structure, name, &signal)))
			g_warning("heapflow tracer: no parameter is '%s', or not of this type; "
				  "there are table, json, svg, all=true, signal=true",
				  name);
	}
	gst_structure_free(structure);
	FrameWatch::instance().ledger().setAll(all);
	if (signal)
		listenToSignal();
}

void Reports::print(const std::string &text)
{
	if (table_ == "none")
		return;
	if (table_ == "stderr")
		std::cerr << text << std::flush;
	else if (table_ == "stdout")
		std::cout << text << std::flush;
	/* A file of this run only. */
	else if (std::ofstream file(table_, std::exchange(printed_, true) ? std::ios::app
									  : std::ios::trunc);
		 !(file << text))
		g_warning("heapflow tracer: %s: %s", table_.c_str(), g_strerror(errno));
}

void Reports::save(const std::string &path, const std::string &text, unsigned number)
{
	if (path.empty())
		return;
	std::filesystem::path file = path;
	if (number > 1)
		file.replace_filename(std::format("{}-{}{}", file.stem().string(), number,
						  file.extension().string()));
	if (std::ofstream stream(file); !(stream << text))
		g_warning("heapflow tracer: %s: %s", file.c_str(), g_strerror(errno));
}

void Reports::write(FlowReport report)
{
	FrameWatch::instance().addNotes(report);
	std::lock_guard lock(mutex_);
	written_++;
	print(flowTable(report));
	save(json_, flowJson(report), written_);
	save(svg_, flowSvg(report), written_);
}

void Reports::writeAndForget(ElementId pipeline)
{
	if (auto report = FrameWatch::instance().ledger().takeReport(pipeline))
		write(std::move(*report));
}

void Reports::writeTable(ElementId pipeline, const char *why)
{
	auto report = FrameWatch::instance().ledger().report(pipeline);
	if (!report)
		return;
	FrameWatch::instance().addNotes(*report);
	std::lock_guard lock(mutex_);
	print(std::format("heapflow: {}\n", why) + flowTable(*report));
}

void Reports::writeAll()
{
	for (const ElementId pipeline : FrameWatch::instance().ledger().pipelines())
		writeAndForget(pipeline);
}

void Reports::writeTables()
{
	for (const ElementId pipeline : FrameWatch::instance().ledger().pipelines())
		writeTable(pipeline, "so far");
}

int wakeUp = -1;

/* Only what a signal handler may do. */
void signalled(int)
{
	const int error = errno;
	const uint64_t one = 1;
	if (write(wakeUp, &one, sizeof(one)) < 0)
		errno = 0;
	errno = error;
}

void Reports::listenToSignal()
{
	if (wakeUp >= 0)
		return;
	wakeUp = eventfd(0, EFD_CLOEXEC);
	if (wakeUp < 0) {
		g_warning("heapflow tracer: no eventfd: %s", g_strerror(errno));
		return;
	}
	std::thread([] {
		for (uint64_t count = 0; read(wakeUp, &count, sizeof(count)) > 0 || errno == EINTR;)
			if (count)
				instance().writeTables();
	}).detach();
	struct sigaction action = {};
	action.sa_handler = signalled;
	action.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &action, nullptr);
}

} /* namespace */

struct _GstHeapTracer {
	GstTracer parent;
};

G_DEFINE_TYPE_WITH_CODE(GstHeapTracer, gst_heap_tracer, GST_TYPE_TRACER,
			GST_DEBUG_CATEGORY_INIT(gst_heap_tracer_debug, "heapflowtracer", 0,
						"follows frames through pipelines"))

static void gst_heap_tracer_constructed(GObject *object)
{
	G_OBJECT_CLASS(gst_heap_tracer_parent_class)->constructed(object);

	FrameWatch &watch = FrameWatch::instance();
	g_autofree char *parameters = nullptr;
	g_object_get(object, "params", &parameters, nullptr);
	Reports::instance().configure(parameters);
	watch.setReportHandler([](ElementId pipeline, ReportReason reason) {
		if (reason == ReportReason::Ended)
			Reports::instance().writeAndForget(pipeline);
		else
			Reports::instance().writeTable(
				pipeline, "the camera has no buffer to fill; who holds them:");
	});
	/* For programs that stop without stopping their pipelines. */
	static const int registered = atexit([] { Reports::instance().writeAll(); });
	if (registered != 0)
		GST_WARNING_OBJECT(object, "no report when the program ends by itself");
	watch.start(GST_TRACER_CAST(object));
}

/* At gst_deinit() */
static void gst_heap_tracer_finalize(GObject *object)
{
	Reports::instance().writeAll();
	FrameWatch::instance().stop();
	G_OBJECT_CLASS(gst_heap_tracer_parent_class)->finalize(object);
}

static void gst_heap_tracer_class_init(GstHeapTracerClass *klass)
{
	G_OBJECT_CLASS(klass)->constructed = gst_heap_tracer_constructed;
	G_OBJECT_CLASS(klass)->finalize = gst_heap_tracer_finalize;
}

static void gst_heap_tracer_init(GstHeapTracer *) {}

gboolean gst_heap_tracer_register(GstPlugin *plugin)
{
	return gst_tracer_register(plugin, "heapflow", GST_TYPE_HEAP_TRACER);
}
