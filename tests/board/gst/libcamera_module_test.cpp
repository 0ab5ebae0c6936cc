/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libcamera is loaded for its own cameras and for lists, and for nothing else. */
#include "run_command.h"
#include "vivid.h"

#include <cstdlib>

#include <gtest/gtest.h>

using namespace heapflow::test;

namespace
{

/* What the dynamic loader says of each library it takes in; ld.so(8), LD_DEBUG. */
bool loadsLibcamera(const std::string &command)
{
	const CommandResult result = runCommand("LD_DEBUG=files " + command);
	EXPECT_EQ(result.status, 0) << command;
	EXPECT_NE(result.errors.find("calling init"), std::string::npos)
		<< "the loader told nothing";
	return result.errors.find("/libcamera.so.") != std::string::npos;
}

/* It takes most of the time to the first frame of those who do not use it. */
TEST(LibcameraModule, IsNotLoadedForANodeByItsPath)
{
	const Vivid vivid("0");
	EXPECT_FALSE(loadsLibcamera("gst-launch-1.0 -q heapcamerasrc camera-name=" + vivid.node() +
				    " heap=system num-buffers=2 ! fakesink"));
}

TEST(LibcameraModule, IsNotLoadedByThePluginNorItsProperties)
{
	EXPECT_FALSE(loadsLibcamera("gst-launch-1.0 -q fakesrc num-buffers=1 ! fakesink"));
	EXPECT_FALSE(loadsLibcamera("gst-inspect-1.0 --no-colors heapcamerasrc"));
	EXPECT_FALSE(loadsLibcamera("heapctl list"));
}

TEST(LibcameraModule, IsLoadedForItsCameras)
{
	EXPECT_TRUE(loadsLibcamera("gst-launch-1.0 -q heapcamerasrc camera-name=Virtual0 "
				   "heap=system num-buffers=2 ! fakesink"));
}

/* The library as a distribution may split it: without the module, which is looked for beside it. */
TEST(LibcameraModule, MayBeMissing)
{
	const Vivid vivid("0");
	const std::string library = std::string(getenv("HEAPFLOW_BUILD")) + "/camera/";
	const std::string launch =
		"d=$(mktemp -d) && ln -s " + library + "libheapflow-camera.so.0 $d/ && " +
		"LD_LIBRARY_PATH=$d gst-launch-1.0 -q heapcamerasrc heap=system num-buffers=2 ";

	const CommandResult node =
		runCommand(launch + "camera-name=" + vivid.node() + " ! fakesink");
	EXPECT_EQ(node.status, 0) << node.errors;
	const CommandResult other = runCommand(launch + "camera-name=Virtual0 ! fakesink");
	EXPECT_NE(other.status, 0);
	EXPECT_NE(other.errors.find("libcamera cannot be loaded"), std::string::npos)
		<< other.errors;
}

} /* namespace */
