/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GStreamer with its own registry, every critical fatal, and the elements of the static library. */
#include "gstheapalloc.h"
#include "gstheapcamerasrc.h"
#include "gstheapkmssink.h"

#include "temporary_directory.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace
{

class GstEnvironment : public testing::Environment
{
public:
	void SetUp() override
	{
		setenv("GST_REGISTRY", (directory_.path() / "registry.bin").c_str(), 1);
		/* For the processes that tests start. GLib has read it before main() here. */
		setenv("G_DEBUG", "fatal-criticals", 1);
		g_log_set_always_fatal(
			GLogLevelFlags(int(G_LOG_FATAL_MASK) | int(G_LOG_LEVEL_CRITICAL)));
		setenv("LIBCAMERA_LOG_LEVELS", "*:FATAL", 1);
		gst_init(nullptr, nullptr);
		ASSERT_TRUE(GST_ELEMENT_REGISTER(heapcamerasrc, nullptr));
		ASSERT_TRUE(GST_ELEMENT_REGISTER(heapkmssink, nullptr));
		ASSERT_TRUE(GST_ELEMENT_REGISTER(heapalloc, nullptr));
	}

private:
	heapflow::test::TemporaryDirectory directory_;
};

const testing::Environment *const environment =
	testing::AddGlobalTestEnvironment(new GstEnvironment);

} /* namespace */
