/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline.h"

#include <gtest/gtest.h>

namespace heapflow::test
{

namespace
{

GstStructure *structureOf(GstElement *element, const char *property)
{
	GstStructure *structure = nullptr;
	if (element)
		g_object_get(element, property, &structure, nullptr);
	return structure;
}

Posted read(GstMessage *message)
{
	GError *error = nullptr;
	g_autofree char *debug = nullptr;
	if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
		gst_message_parse_error(message, &error, &debug);
	else
		gst_message_parse_warning(message, &error, &debug);

	Posted posted{"", error->domain, error->code, error->message, debug ? debug : ""};
	if (GST_IS_ELEMENT(GST_MESSAGE_SRC(message)))
		if (GstElementFactory *factory =
			    gst_element_get_factory(GST_ELEMENT(GST_MESSAGE_SRC(message))))
			posted.element = GST_OBJECT_NAME(factory);
	g_error_free(error);
	return posted;
}

} /* namespace */

Pipeline::Pipeline(const std::string &description)
{
	GError *error = nullptr;
	pipeline_ = gst_parse_launch(description.c_str(), &error);
	if (error) {
		ADD_FAILURE() << description << ": " << error->message;
		g_error_free(error);
	}
}

Pipeline::~Pipeline()
{
	if (!pipeline_)
		return;
	gst_element_set_state(pipeline_, GST_STATE_NULL);
	gst_object_unref(pipeline_);
}

void Pipeline::onBuffer(std::function<void(GstBuffer *, unsigned)> look)
{
	look_ = std::move(look);
	GstPad *pad = gst_element_get_static_pad(element("sink"), "sink");
	gst_pad_add_probe(
		pad, GST_PAD_PROBE_TYPE_BUFFER,
		[](GstPad *, GstPadProbeInfo *info, gpointer data) {
			auto *self = static_cast<Pipeline *>(data);
			self->look_(GST_PAD_PROBE_INFO_BUFFER(info), ++self->buffers_);
			return GST_PAD_PROBE_OK;
		},
		this, nullptr);
	gst_object_unref(pad);
}

/* Not inlined: ThreadSanitizer knows a reader of messages by collect()
 * (tests/sanitizers/tsan.supp). */
[[gnu::noinline]] static std::pair<std::string, std::string> readElement(GstMessage *message)
{
	const GstStructure *said = gst_message_get_structure(message);
	g_autofree char *text = gst_structure_to_string(said);
	return {gst_structure_get_name(said), text};
}

void Pipeline::collect(GstMessage *message)
{
	switch (GST_MESSAGE_TYPE(message)) {
	case GST_MESSAGE_EOS:
		/* After an error a source ends the stream as well, sooner or later. */
		end_ = errors_.empty();
		break;
	case GST_MESSAGE_ERROR:
		errors_.push_back(read(message));
		break;
	case GST_MESSAGE_WARNING:
		warnings_.push_back(read(message));
		break;
	case GST_MESSAGE_ELEMENT:
		elementMessages_.insert(readElement(message));
		break;
	case GST_MESSAGE_LATENCY:
		gst_bin_recalculate_latency(GST_BIN(pipeline_));
		break;
	default:
		break;
	}
	gst_message_unref(message);
}

void Pipeline::readMessages()
{
	GstBus *bus = gst_element_get_bus(pipeline_);
	while (GstMessage *message = gst_bus_pop(bus))
		collect(message);
	gst_object_unref(bus);
}

void Pipeline::forget()
{
	end_ = false;
	errors_.clear();
	warnings_.clear();
}

void Pipeline::run(std::chrono::seconds timeout)
{
	setState(GST_STATE_PLAYING);
	GstBus *bus = gst_element_get_bus(pipeline_);
	const gint64 deadline = g_get_monotonic_time() + gint64(timeout.count()) * G_USEC_PER_SEC;
	while (!end_ && errors_.empty()) {
		const gint64 left = deadline - g_get_monotonic_time();
		if (left <= 0) {
			errors_.push_back({"test", 0, 0, "no end of stream in time", ""});
			break;
		}
		if (GstMessage *message = gst_bus_timed_pop(bus, GstClockTime(left) * GST_USECOND))
			collect(message);
	}
	gst_element_set_state(pipeline_, GST_STATE_PAUSED);
	while (GstMessage *message = gst_bus_pop(bus))
		collect(message);
	gst_object_unref(bus);
	gst_element_set_state(pipeline_, GST_STATE_NULL);
}

void Pipeline::setState(GstState state)
{
	gst_element_set_state(pipeline_, state);
}

bool Pipeline::waitShown(uint64_t count)
{
	GstBus *bus = gst_element_get_bus(pipeline_);
	for (int i = 0; i < 1000 && errors_.empty() && stat("shown") < double(count); i++)
		if (GstMessage *message = gst_bus_timed_pop(bus, 20 * GST_MSECOND))
			collect(message);
	gst_object_unref(bus);
	return errors_.empty() && stat("shown") >= double(count);
}

std::vector<std::string> Pipeline::elementMessages(const std::string &name) const
{
	std::vector<std::string> texts;
	const auto [first, last] = elementMessages_.equal_range(name);
	for (auto message = first; message != last; ++message)
		texts.push_back(message->second);
	return texts;
}

std::string Pipeline::errorText() const
{
	std::string text;
	for (const Posted &error : errors_)
		text += error.element + ": " + error.message + " [" + error.debug + "]\n";
	return text;
}

GstElement *Pipeline::element(const char *name) const
{
	GstElement *found = pipeline_ ? gst_bin_get_by_name(GST_BIN(pipeline_), name) : nullptr;
	if (!found) {
		ADD_FAILURE() << "no element is named " << name;
		return nullptr;
	}
	/* The bin holds it. */
	gst_object_unref(found);
	return found;
}

double Pipeline::stat(const char *field) const
{
	GstStructure *stats = structureOf(element("sink"), "stats");
	const GValue *value = stats ? gst_structure_get_value(stats, field) : nullptr;
	GValue number = G_VALUE_INIT;
	g_value_init(&number, G_TYPE_DOUBLE);
	if (!value || !g_value_transform(value, &number))
		ADD_FAILURE() << "stats has no number " << field;
	const double result = g_value_get_double(&number);
	g_clear_pointer(&stats, gst_structure_free);
	return result;
}

std::string Pipeline::plan(const char *name, const char *field) const
{
	GstStructure *plan = structureOf(element(name), "plan");
	if (!plan)
		return "no plan";
	const GValue *value = gst_structure_get_value(plan, field);
	g_autofree char *text = value ? (G_VALUE_HOLDS_STRING(value) ? g_value_dup_string(value)
								     : gst_value_serialize(value))
				      : nullptr;
	gst_structure_free(plan);
	return text ? text : "no such field";
}

uint64_t Pipeline::uint64Of(const char *name, const char *property) const
{
	guint64 value = 0;
	g_object_get(element(name), property, &value, nullptr);
	return value;
}

void expectAllShown(const Pipeline &pipeline, unsigned frames)
{
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_TRUE(pipeline.errors().empty()) << pipeline.errorText();
	EXPECT_EQ(pipeline.stat("shown"), frames);
	EXPECT_EQ(pipeline.stat("dropped"), 0);
	EXPECT_EQ(pipeline.stat("copies"), 0);
}

void expectError(const Pipeline &pipeline, const std::string &element, GQuark domain, int code)
{
	EXPECT_FALSE(pipeline.reachedEnd());
	ASSERT_FALSE(pipeline.errors().empty());
	const Posted &first = pipeline.errors().front();
	EXPECT_EQ(first.element, element) << pipeline.errorText();
	EXPECT_STREQ(g_quark_to_string(first.domain), g_quark_to_string(domain))
		<< pipeline.errorText();
	EXPECT_EQ(first.code, code) << pipeline.errorText();
	EXPECT_FALSE(first.message.empty());
}

} /* namespace heapflow::test */
