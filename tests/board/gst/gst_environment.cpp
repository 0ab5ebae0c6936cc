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
		/* For the processes that tests start. GLib has read it before main() here. */
		setenv("G_DEBUG", "fatal-criticals", 1);
		g_log_set_always_fatal(
			GLogLevelFlags(int(G_LOG_FATAL_MASK) | int(G_LOG_LEVEL_CRITICAL)));
		setenv("LIBCAMERA_LOG_LEVELS", "*:FATAL", 0);
		gst_init(nullptr, nullptr);
	}
};

const testing::Environment *const environment =
	testing::AddGlobalTestEnvironment(new GstEnvironment);

} /* namespace */
