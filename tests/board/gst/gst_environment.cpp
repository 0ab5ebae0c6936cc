/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GStreamer as the board has it (GST_PLUGIN_PATH), with every critical fatal. */
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace
{

class GstEnvironment : public testing::Environment
{
public:
	void SetUp() override
	{
		setenv("G_DEBUG", "fatal-criticals", 1);
		setenv("LIBCAMERA_LOG_LEVELS", "*:FATAL", 0);
		gst_init(nullptr, nullptr);
	}
};

const testing::Environment *const environment =
	testing::AddGlobalTestEnvironment(new GstEnvironment);

} /* namespace */
