/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheaperror.h"

#include <gtest/gtest.h>

#include <cerrno>

using namespace heapflow;
using namespace heapflow::gst;

namespace
{

TEST(ElementError, AnErrnoHasTheCodeThatGstreamerUses)
{
	EXPECT_EQ(resourceErrorFor(ENOENT), GST_RESOURCE_ERROR_NOT_FOUND);
	EXPECT_EQ(resourceErrorFor(ENODEV), GST_RESOURCE_ERROR_NOT_FOUND);
	EXPECT_EQ(resourceErrorFor(EACCES), GST_RESOURCE_ERROR_OPEN_READ_WRITE);
	EXPECT_EQ(resourceErrorFor(EBUSY), GST_RESOURCE_ERROR_BUSY);
	EXPECT_EQ(resourceErrorFor(ENOMEM), GST_RESOURCE_ERROR_NO_SPACE_LEFT);
	EXPECT_EQ(resourceErrorFor(EFAULT), GST_RESOURCE_ERROR_SETTINGS);
	EXPECT_EQ(resourceErrorFor(ETIMEDOUT), GST_RESOURCE_ERROR_READ);
	EXPECT_EQ(resourceErrorFor(4711), GST_RESOURCE_ERROR_FAILED);
}

TEST(ElementError, CarriesMessageAndText)
{
	GstElement *bin = gst_bin_new("box");
	GstBus *bus = gst_bus_new();
	gst_element_set_bus(bin, bus);
	const Error error{ENOMEM, "8 MiB wanted, 1 MiB free", "ask for less"};
	HEAPFLOW_ELEMENT_ERROR(bin, error);

	GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
	ASSERT_NE(message, nullptr);
	GError *posted = nullptr;
	char *debug = nullptr;
	gst_message_parse_error(message, &posted, &debug);
	EXPECT_TRUE(g_error_matches(posted, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT));
	EXPECT_STREQ(posted->message, "8 MiB wanted, 1 MiB free");
	EXPECT_NE(std::string(debug).find("ENOMEM"), std::string::npos) << debug;
	EXPECT_NE(std::string(debug).find("ask for less"), std::string::npos) << debug;
	EXPECT_NE(std::string(debug).find("error_test.cpp"), std::string::npos) << debug;

	g_error_free(posted);
	g_free(debug);
	gst_message_unref(message);
	gst_element_set_bus(bin, nullptr);
	gst_object_unref(bus);
	gst_object_unref(bin);
}

} /* namespace */
