/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The elements without a device: properties, and errors that say what is missing. */
#include "gstheapallocator.h"

#include <gst/gst.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace
{

struct Unref {
	void operator()(gpointer object) const { gst_object_unref(object); }
};
using Element = std::unique_ptr<GstElement, Unref>;

Element make(const char *factory)
{
	GstElement *element = gst_element_factory_make(factory, nullptr);
	return Element(element ? GST_ELEMENT(gst_object_ref_sink(element)) : nullptr);
}

std::string stringProperty(const Element &element, const char *name)
{
	g_autofree char *value = nullptr;
	g_object_get(element.get(), name, &value, nullptr);
	return value ? value : "(null)";
}

/* Sets the element to `state` and returns the first error that it posts. */
struct Posted {
	GQuark domain = 0;
	int code = 0;
	std::string message;
	GstStateChangeReturn result = GST_STATE_CHANGE_SUCCESS;
};

Posted errorOnTheWayTo(const Element &element, GstState state)
{
	Posted posted;
	GstBus *bus = gst_bus_new();
	gst_element_set_bus(element.get(), bus);
	posted.result = gst_element_set_state(element.get(), state);
	if (GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR)) {
		GError *error = nullptr;
		gst_message_parse_error(message, &error, nullptr);
		posted.domain = error->domain;
		posted.code = error->code;
		posted.message = error->message;
		g_error_free(error);
		gst_message_unref(message);
	}
	gst_element_set_state(element.get(), GST_STATE_NULL);
	gst_element_set_bus(element.get(), nullptr);
	gst_object_unref(bus);
	return posted;
}

TEST(CameraElement, HasTheNamesOfUpstreamAndItsDefaults)
{
	const Element source = make("heapcamerasrc");
	ASSERT_TRUE(source);
	EXPECT_EQ(stringProperty(source, "camera-name"), "(null)");
	EXPECT_EQ(stringProperty(source, "heap"), heapflow::gst::defaultHeapExpression);
	guint buffers = 1;
	g_object_get(source.get(), "buffers", &buffers, nullptr);
	EXPECT_EQ(buffers, 0U);

	g_object_set(source.get(), "camera-name", "x", "heap", "a:b", "buffers", 7, nullptr);
	EXPECT_EQ(stringProperty(source, "camera-name"), "x");
	EXPECT_EQ(stringProperty(source, "heap"), "a:b");
	g_object_get(source.get(), "buffers", &buffers, nullptr);
	EXPECT_EQ(buffers, 7U);

	GstStructure *plan = nullptr;
	g_object_get(source.get(), "plan", &plan, nullptr);
	EXPECT_EQ(plan, nullptr);
}

TEST(CameraElement, ACameraThatIsNotThereIsNotFound)
{
	const Element source = make("heapcamerasrc");
	g_object_set(source.get(), "camera-name", "/dev/video-that-is-not-there", nullptr);
	const Posted posted = errorOnTheWayTo(source, GST_STATE_READY);
	EXPECT_EQ(posted.result, GST_STATE_CHANGE_FAILURE);
	EXPECT_EQ(posted.domain, GST_RESOURCE_ERROR);
	EXPECT_EQ(posted.code, GST_RESOURCE_ERROR_NOT_FOUND) << posted.message;
	EXPECT_FALSE(posted.message.empty());
}

TEST(SinkElement, HasTheNamesOfUpstreamAndItsDefaults)
{
	const Element sink = make("heapkmssink");
	ASSERT_TRUE(sink);
	for (const char *name : {"device", "driver-name", "connector", "screenshot-location"})
		EXPECT_EQ(stringProperty(sink, name), "(null)") << name;
	EXPECT_EQ(stringProperty(sink, "heap"), heapflow::gst::defaultHeapExpression);
	int connector = 0, plane = 0;
	g_object_get(sink.get(), "connector-id", &connector, "plane-id", &plane, nullptr);
	EXPECT_EQ(connector, -1);
	EXPECT_EQ(plane, -1);

	g_object_set(sink.get(), "device", "/dev/dri/card7", "driver-name", "vkms", "connector",
		     "HDMI-A-1", "connector-id", 33, "plane-id", 44, nullptr);
	EXPECT_EQ(stringProperty(sink, "device"), "/dev/dri/card7");
	EXPECT_EQ(stringProperty(sink, "driver-name"), "vkms");
	EXPECT_EQ(stringProperty(sink, "connector"), "HDMI-A-1");
	g_object_get(sink.get(), "connector-id", &connector, "plane-id", &plane, nullptr);
	EXPECT_EQ(connector, 33);
	EXPECT_EQ(plane, 44);
	g_object_set(sink.get(), "plane-id", -1, nullptr);
	g_object_get(sink.get(), "plane-id", &plane, nullptr);
	EXPECT_EQ(plane, -1);
}

TEST(SinkElement, StatisticsHaveAllFieldsFromTheStart)
{
	const Element sink = make("heapkmssink");
	GstStructure *stats = nullptr;
	g_object_get(sink.get(), "stats", &stats, nullptr);
	ASSERT_NE(stats, nullptr);
	for (const char *field : {"rendered", "dropped"})
		EXPECT_TRUE(gst_structure_has_field_typed(stats, field, G_TYPE_UINT64)) << field;
	gst_structure_free(stats);
}

TEST(SinkElement, AScreenThatIsNotThereIsNotFound)
{
	const Element sink = make("heapkmssink");
	g_object_set(sink.get(), "device", "/dev/dri/card-that-is-not-there", nullptr);
	const Posted posted = errorOnTheWayTo(sink, GST_STATE_READY);
	EXPECT_EQ(posted.result, GST_STATE_CHANGE_FAILURE);
	EXPECT_EQ(posted.domain, GST_RESOURCE_ERROR);
	EXPECT_EQ(posted.code, GST_RESOURCE_ERROR_NOT_FOUND) << posted.message;
}

TEST(SinkElement, AScreenshotWithoutAScreenFails)
{
	const Element sink = make("heapkmssink");
	gboolean written = TRUE;
	g_signal_emit_by_name(sink.get(), "screenshot", "/tmp/never.png", &written);
	EXPECT_FALSE(written);
}

TEST(AllocElement, AHeapThatIsNotThereIsNotFound)
{
	const Element filter = make("heapalloc");
	ASSERT_TRUE(filter);
	EXPECT_EQ(stringProperty(filter, "heap"), heapflow::gst::defaultHeapExpression);
	g_object_set(filter.get(), "heap", "no-such-heap", nullptr);
	const Posted posted = errorOnTheWayTo(filter, GST_STATE_PAUSED);
	EXPECT_EQ(posted.domain, GST_RESOURCE_ERROR);
	EXPECT_EQ(posted.code, GST_RESOURCE_ERROR_NOT_FOUND) << posted.message;
}

TEST(AllocElement, AMistypedHeapExpressionIsASettingsError)
{
	const Element filter = make("heapalloc");
	g_object_set(filter.get(), "heap", "video@*::system", nullptr);
	const Posted posted = errorOnTheWayTo(filter, GST_STATE_PAUSED);
	EXPECT_EQ(posted.domain, GST_RESOURCE_ERROR);
	EXPECT_EQ(posted.code, GST_RESOURCE_ERROR_SETTINGS) << posted.message;
}

TEST(AllElements, AreNeverPickedByAutoplugging)
{
	for (const char *name : {"heapcamerasrc", "heapkmssink", "heapalloc"}) {
		GstElementFactory *factory = gst_element_factory_find(name);
		ASSERT_NE(factory, nullptr) << name;
		EXPECT_LT(gst_plugin_feature_get_rank(GST_PLUGIN_FEATURE(factory)),
			  guint(GST_RANK_MARGINAL));
		gst_object_unref(factory);
	}
}

} /* namespace */
