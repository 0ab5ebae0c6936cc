/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * heapkmssink on displays that vkms cannot be, made up below libdrm. Each of these is a defect of
 * kmssink (sys/kms/gstkmssink.c of GStreamer 1.26) that heapkmssink does not have.
 */
#include "../display/example_display.h"
#include "../display/fake_kms.h"
#include "checkout_paths.h"

#include <gmock/gmock.h>
#include <gst/allocators/gstdmabuf.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

using heapflow::test::FakeDisplay;
using heapflow::test::FakeKms;
using heapflow::test::makeMode;
using testing::HasSubstr;

namespace
{

/* heapkmssink on a fake display, and a pad that frames are pushed from. */
class Sink
{
public:
	explicit Sink(const FakeKms &fake)
		: element_(GST_ELEMENT(
			  gst_object_ref_sink(gst_element_factory_make("heapkmssink", nullptr)))),
		  bus_(gst_bus_new()),
		  source_(gst_pad_new("src", GST_PAD_SRC))
	{
		g_object_set(element_, "fd", fake.fd(), "sync", FALSE, "async", FALSE, nullptr);
		gst_element_set_bus(element_, bus_);
		GstPad *pad = gst_element_get_static_pad(element_, "sink");
		gst_pad_link(source_, pad);
		gst_object_unref(pad);
		gst_pad_set_active(source_, TRUE);
	}

	~Sink()
	{
		setState(GST_STATE_NULL);
		gst_element_set_bus(element_, nullptr);
		gst_object_unref(bus_);
		gst_object_unref(source_);
		gst_object_unref(element_);
	}

	bool setState(GstState state)
	{
		return gst_element_set_state(element_, state) != GST_STATE_CHANGE_FAILURE;
	}

	template<typename... Values>
	void set(const char *name, Values... values)
	{
		g_object_set(element_, name, values..., nullptr);
	}

	void setValue(const char *name, const GValue *value)
	{
		g_object_set_property(G_OBJECT(element_), name, value);
	}

	std::string caps() const
	{
		GstCaps *caps = gst_pad_peer_query_caps(source_, nullptr);
		g_autofree char *text = gst_caps_to_string(caps);
		gst_caps_unref(caps);
		return text;
	}

	/* Push frames with these caps. */
	GstFlowReturn push(const char *capsText, size_t size, int count = 1, bool dmabuf = true)
	{
		GstCaps *caps = gst_caps_from_string(capsText);
		GstSegment segment;
		gst_segment_init(&segment, GST_FORMAT_TIME);
		gst_pad_push_event(source_, gst_event_new_stream_start("test"));
		gst_pad_push_event(source_, gst_event_new_caps(caps));
		gst_pad_push_event(source_, gst_event_new_segment(&segment));
		gst_caps_unref(caps);

		GstFlowReturn flow = GST_FLOW_OK;
		GstAllocator *allocator = gst_dmabuf_allocator_new();
		for (int i = 0; i < count && flow == GST_FLOW_OK; i++) {
			GstBuffer *buffer = gst_buffer_new();
			const int fd = memfd_create("fake-dmabuf", MFD_CLOEXEC);
			EXPECT_EQ(ftruncate(fd, off_t(size)), 0);
			if (dmabuf) {
				gst_buffer_append_memory(
					buffer, gst_dmabuf_allocator_alloc(allocator, fd, size));
			} else {
				close(fd);
				gst_buffer_append_memory(
					buffer, gst_allocator_alloc(nullptr, size, nullptr));
			}
			flow = gst_pad_push(source_, buffer);
		}
		gst_object_unref(allocator);
		return flow;
	}

	std::string messageText(GstMessageType type)
	{
		GstMessage *message = gst_bus_pop_filtered(bus_, type);
		if (!message)
			return {};
		GError *error = nullptr;
		if (type == GST_MESSAGE_ERROR)
			gst_message_parse_error(message, &error, nullptr);
		else
			gst_message_parse_warning(message, &error, nullptr);
		const std::string text = error->message;
		g_error_free(error);
		gst_message_unref(message);
		return text;
	}

	guint64 stat(const char *field) const
	{
		GstStructure *stats = nullptr;
		guint64 value = 0;
		g_object_get(element_, "stats", &stats, nullptr);
		gst_structure_get_uint64(stats, field, &value);
		gst_structure_free(stats);
		return value;
	}

private:
	GstElement *element_;
	GstBus *bus_;
	GstPad *source_;
};

constexpr const char *smallNv12 =
	"video/x-raw,format=NV12,width=640,height=480,framerate=30/1,colorimetry=bt709";
constexpr size_t smallNv12Size = 640 * 480 * 3 / 2;

} /* namespace */

/* "range start is not smaller than end" (notro/panel-mipi-dbi issue 19). */
TEST(KmssinkDefects, APanelOfOneSizeHasCapsOfOneValue)
{
	FakeDisplay panel{.modes = {makeMode(320, 240)}, .connectorType = DRM_MODE_CONNECTOR_SPI};
	panel.minimumWidth = panel.maximumWidth = 320;
	panel.minimumHeight = panel.maximumHeight = 240;
	FakeKms fake(panel);
	Sink sink(fake);
	ASSERT_TRUE(sink.setState(GST_STATE_READY));
	EXPECT_THAT(sink.caps(), HasSubstr("width=(int)320, height=(int)240"));
}

/* kmssink skips its only flip then (gst_kms_sink_show_frame()). */
TEST(KmssinkDefects, ForceModesettingWithoutVsyncShowsEveryFrame)
{
	FakeKms fake({.modes = {makeMode(1920, 1080), makeMode(640, 480)}});
	Sink sink(fake);
	sink.set("force-modesetting", TRUE, "skip-vsync", TRUE);
	ASSERT_TRUE(sink.setState(GST_STATE_PLAYING));
	EXPECT_EQ(sink.push(smallNv12, smallNv12Size, 5), GST_FLOW_OK);
	const auto commits = fake.commits();
	ASSERT_EQ(commits.size(), 5u);
	std::set<uint64_t> framebuffers;
	for (const auto &commit : commits)
		framebuffers.insert(commit.properties.at("plane 40 FB_ID"));
	EXPECT_EQ(framebuffers.size(), 5u) << "another picture each time";
	EXPECT_TRUE(commits[0].properties.contains("crtc 20 MODE_ID"));
}

/* kmssink never clears it, nor sets it when it sets the mode. */
TEST(KmssinkDefects, HdrDoesNotOutliveTheSink)
{
	FakeDisplay television{.modes = {makeMode(640, 480)}};
	television.hdr = true;
	FakeKms fake(television);
	{
		Sink sink(fake);
		sink.set("force-modesetting", TRUE);
		ASSERT_TRUE(sink.setState(GST_STATE_PLAYING));
		EXPECT_EQ(sink.push("video/x-raw,format=NV12,width=640,height=480,framerate=30/1,"
				    "colorimetry=bt2100-pq",
				    smallNv12Size),
			  GST_FLOW_OK);
		EXPECT_NE(fake.value(FakeKms::connector, "HDR_OUTPUT_METADATA"), 0u);
		EXPECT_EQ(fake.value(FakeKms::connector, "Colorspace"), 1u);
		EXPECT_EQ(fake.value(FakeKms::firstPlane, "COLOR_ENCODING"), 2u) << "BT.2020";
	}
	EXPECT_EQ(fake.value(FakeKms::connector, "HDR_OUTPUT_METADATA"), 0u);
	EXPECT_EQ(fake.value(FakeKms::connector, "Colorspace"), 0u);
}

/* kmssink maps the transfer of 10-bit BT.2020 to HLG. */
TEST(KmssinkDefects, WideGamutAloneIsNotHdr)
{
	FakeDisplay television{.modes = {makeMode(640, 480)}};
	television.hdr = true;
	FakeKms fake(television);
	Sink sink(fake);
	ASSERT_TRUE(sink.setState(GST_STATE_PLAYING));
	EXPECT_EQ(sink.push("video/x-raw,format=NV12,width=640,height=480,framerate=30/1,"
			    "colorimetry=bt2020-10",
			    smallNv12Size),
		  GST_FLOW_OK);
	EXPECT_EQ(fake.value(FakeKms::connector, "HDR_OUTPUT_METADATA"), 0u);
}

/* kmssink takes the first plane of the CRTC before it knows the caps. */
TEST(KmssinkDefects, FormatsOfTheSecondPlaneAreOfferedAndShown)
{
	FakeKms fake({.modes = {makeMode(640, 480)},
		      .planes = {{.formats = {{DRM_FORMAT_XRGB8888, {0}}}},
				 {.type = DRM_PLANE_TYPE_OVERLAY,
				  .formats = {{DRM_FORMAT_NV12, {0, 0x0100000000000001}}}}}});
	Sink sink(fake);
	ASSERT_TRUE(sink.setState(GST_STATE_PLAYING));
	EXPECT_THAT(sink.caps(), HasSubstr("NV12"));
	EXPECT_THAT(sink.caps(), HasSubstr("NV12:0x0100000000000001"));
	EXPECT_EQ(sink.push(smallNv12, smallNv12Size), GST_FLOW_OK);
	EXPECT_TRUE(fake.commits().back().properties.contains("plane 41 FB_ID"));
}

/* "driver cannot handle dumb buffers" is fatal in kmssink, though no import needs them. */
TEST(KmssinkDefects, DriversWithoutDumbBuffersAreGoodEnough)
{
	FakeKms fake({.modes = {makeMode(640, 480)}}); /* has no ioctl for them */
	Sink sink(fake);
	ASSERT_TRUE(sink.setState(GST_STATE_PLAYING));
	EXPECT_EQ(sink.push(smallNv12, smallNv12Size, 3), GST_FLOW_OK);
	EXPECT_EQ(fake.commits().size(), 3u);
}

/* kmssink copies and says so in a debug category only. */
TEST(KmssinkDefects, NothingIsCopiedSilently)
{
	FakeKms fake({.modes = {makeMode(640, 480)}});
	{
		Sink sink(fake);
		ASSERT_TRUE(sink.setState(GST_STATE_PLAYING));
		EXPECT_NE(sink.push(smallNv12, smallNv12Size, 1, false), GST_FLOW_OK);
		EXPECT_THAT(sink.messageText(GST_MESSAGE_ERROR), HasSubstr("ordinary memory"));
	}
	/* A dma-buf that the driver refuses: needs and has, in numbers. */
	FakeDisplay picky{.modes = {makeMode(640, 480)}};
	picky.pitchAlignment = 256;
	FakeKms second(picky);
	Sink sink(second);
	ASSERT_TRUE(sink.setState(GST_STATE_PLAYING));
	EXPECT_NE(sink.push(smallNv12, smallNv12Size), GST_FLOW_OK);
	EXPECT_THAT(sink.messageText(GST_MESSAGE_ERROR), HasSubstr("stride 640"));
}

/* The table of both sinks' properties leaves none out. */
TEST(SinkProperties, AreAllInTheDocumentation)
{
	std::ifstream file(HEAPFLOW_DISPLAY_MD);
	const std::string text(std::istreambuf_iterator<char>(file), {});
	ASSERT_FALSE(text.empty()) << HEAPFLOW_DISPLAY_MD;
	GstElement *element = gst_element_factory_make("heapkmssink", nullptr);
	guint count = 0;
	GParamSpec **specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count);
	unsigned own = 0;
	for (guint i = 0; i < count; i++) {
		if (specs[i]->owner_type != G_OBJECT_TYPE(element))
			continue;
		own++;
		const std::string name = g_param_spec_get_name(specs[i]);
		EXPECT_THAT(text, HasSubstr("`" + name + "`"));
		EXPECT_NE(std::string(g_param_spec_get_blurb(specs[i])), "") << name;
	}
	EXPECT_GT(own, 25U);
	g_free(specs);
	gst_object_unref(gst_object_ref_sink(element));
}

/* The rates that the display can show come first, and faster ones are not refused. */
TEST(SinkCaps, PreferRatesThatTheScreenHas)
{
	FakeKms fake({.modes = {makeMode(640, 480, 0, 50)}});
	Sink sink(fake);
	ASSERT_TRUE(sink.setState(GST_STATE_READY));
	EXPECT_THAT(sink.caps(), HasSubstr("framerate=(fraction)[ 0/1, 50/1 ]"));
	EXPECT_THAT(sink.caps(), HasSubstr("framerate=(fraction)[ 0/1, 2147483647/1 ]"));
}

/* What came from the tag or the property is what the plane does. */
TEST(SinkLayer, RotateMethodCropAndRectangle)
{
	FakeKms fake({.modes = {makeMode(640, 480)},
		      .planes = {{.shrink = 0.1, .grow = 8, .rotations = 0x3f}}});
	Sink sink(fake);
	sink.set("rotate-method", GST_VIDEO_ORIENTATION_180);
	ASSERT_TRUE(sink.setState(GST_STATE_PLAYING));
	EXPECT_EQ(sink.push(smallNv12, smallNv12Size), GST_FLOW_OK);
	EXPECT_EQ(fake.commits().back().properties.at("plane 40 rotation"), DRM_MODE_ROTATE_180);

	/* While it plays. */
	sink.set("rotate-method", GST_VIDEO_ORIENTATION_IDENTITY);
	GValue rectangle = G_VALUE_INIT;
	g_value_init(&rectangle, GST_TYPE_ARRAY);
	for (const int number : {100, 50, 320, 240}) {
		GValue value = G_VALUE_INIT;
		g_value_init(&value, G_TYPE_INT);
		g_value_set_int(&value, number);
		gst_value_array_append_and_take_value(&rectangle, &value);
	}
	sink.setValue("render-rectangle", &rectangle);
	g_value_unset(&rectangle);
	EXPECT_EQ(sink.push(smallNv12, smallNv12Size), GST_FLOW_OK);
	const auto last = fake.commits().back().properties;
	EXPECT_EQ(last.at("plane 40 rotation"), DRM_MODE_ROTATE_0);
	EXPECT_EQ(last.at("plane 40 CRTC_X"), 100u);
	EXPECT_EQ(last.at("plane 40 CRTC_W"), 320u);
}
