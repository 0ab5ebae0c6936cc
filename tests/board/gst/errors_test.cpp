/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What goes wrong says so: domain and code of GStreamer, a sentence, and the exit status. */
#include "board.h"
#include "kms_snapshot.h"
#include "other_process.h"
#include "pipeline.h"
#include "quiet_board.h"
#include "run_command.h"
#include "vivid.h"

#include <gtest/gtest.h>
#include <xf86drm.h>

#include <fcntl.h>
#include <format>
#include <unistd.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

std::string playing(const std::string &source, const std::string &sink)
{
	return std::format("heapcamerasrc name=source {} ! heapkmssink name=sink {}", source, sink);
}

/* Of the region's 64 MiB, 62: one frame fits, but not all of them. */
std::vector<Buffer> almostAll()
{
	quietBoard();
	return allocate("video@42000000", 31, 2U << 20);
}

TEST(Errors, AHeapThatIsNotThere)
{
	const Vivid vivid("0");
	Pipeline pipeline(playing("heap=no-such-heap camera-name=" + vivid.node(), ""));
	pipeline.run();
	expectError(pipeline, "heapcamerasrc", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
	EXPECT_NE(pipeline.errorText().find("no-such-heap"), std::string::npos);
	EXPECT_NE(pipeline.errorText().find("video@42000000"), std::string::npos)
		<< "the heaps that exist are named: " << pipeline.errorText();
}

TEST(Errors, AHeapThatMayNotBeOpened)
{
	const Vivid vivid("0");
	Pipeline pipeline(playing("heap=video@42000000 camera-name=" + vivid.node(), ""));
	pipeline.setState(GST_STATE_READY);
	ASSERT_EQ(seteuid(65534), 0);
	pipeline.run();
	ASSERT_EQ(seteuid(0), 0);
	expectError(pipeline, "heapcamerasrc", GST_RESOURCE_ERROR,
		    GST_RESOURCE_ERROR_OPEN_READ_WRITE);
	EXPECT_NE(pipeline.errorText().find("EACCES"), std::string::npos) << pipeline.errorText();
}

TEST(Errors, AHeapThatIsFull)
{
	const Vivid vivid("0");
	const std::vector<Buffer> hoard = almostAll();
	Pipeline pipeline(playing("heap=video@42000000 camera-name=" + vivid.node(), ""));
	pipeline.run();
	expectError(pipeline, "heapcamerasrc", GST_RESOURCE_ERROR,
		    GST_RESOURCE_ERROR_NO_SPACE_LEFT);
	EXPECT_NE(pipeline.errorText().find("ENOMEM"), std::string::npos) << pipeline.errorText();
}

TEST(Errors, AFullHeapGivesWayToTheNextAndSaysSo)
{
	const Vivid vivid("0");
	const std::vector<Buffer> hoard = almostAll();
	Pipeline pipeline(playing(
		"num-buffers=10 heap=video@*:memory@* camera-name=" + vivid.node(), "sync=false"));
	pipeline.run();
	expectAllShown(pipeline, 10);
	EXPECT_EQ(pipeline.plan("source", "heap"), "memory@48000000-contiguous");
	ASSERT_EQ(pipeline.warnings().size(), 1U);
	EXPECT_EQ(pipeline.warnings()[0].element, "heapcamerasrc");
	EXPECT_NE(pipeline.warnings()[0].message.find("video@42000000"), std::string::npos)
		<< pipeline.warnings()[0].message;
}

TEST(Errors, AFullHeapBehindHeapalloc)
{
	const Vivid vivid("0");
	const std::vector<Buffer> hoard = almostAll();
	Pipeline pipeline(std::format("v4l2src device={} io-mode=dmabuf-import ! "
				      "video/x-raw,format=NV12,width=1280,height=720 ! "
				      "heapalloc heap=video@42000000 ! heapkmssink name=sink",
				      vivid.node()));
	pipeline.run();
	expectError(pipeline, "heapalloc", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT);
}

TEST(Errors, AMistypedExpression)
{
	Pipeline pipeline("videotestsrc ! heapalloc heap=video@*::x ! fakesink");
	pipeline.run();
	expectError(pipeline, "heapalloc", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
}

TEST(Errors, ACameraThatIsNotThere)
{
	Pipeline pipeline(playing("camera-name=/dev/video99", ""));
	pipeline.run();
	expectError(pipeline, "heapcamerasrc", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
}

TEST(Errors, ADisplayThatIsNotThere)
{
	for (const char *which : {"device=/dev/dri/card99", "driver-name=no-such-driver",
				  "bus-id=platform:none", "connector=HDMI-A-99"}) {
		Pipeline pipeline(playing("", which));
		pipeline.run();
		expectError(pipeline, "heapkmssink", GST_RESOURCE_ERROR,
			    GST_RESOURCE_ERROR_NOT_FOUND);
	}
}

TEST(Errors, ADisplayThatAnotherProcessHas)
{
	OtherProcess other([] {
		/* The first to open a card is its master. */
		for (int i = 0; i < 4; i++) {
			const int fd = open(std::format("/dev/dri/card{}", i).c_str(), O_RDWR);
			if (fd >= 0)
				drmSetMaster(fd);
		}
		OtherProcess::tellReady();
		return OtherProcess::waitForEnd();
	});
	ASSERT_TRUE(other.ready());
	Pipeline pipeline(playing("", ""));
	pipeline.run();
	expectError(pipeline, "heapkmssink", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY);
	other.end();
}

/* Invariant 5: memory that cannot be scanned out is refused by name, not copied. */
TEST(Errors, FramesInOrdinaryMemory)
{
	Pipeline pipeline("videotestsrc num-buffers=3 ! video/x-raw,width=640,height=480 ! "
			  "identity name=culprit drop-allocation=true ! heapkmssink name=sink");
	pipeline.run();
	expectError(pipeline, "heapkmssink", GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION);
	EXPECT_NE(pipeline.errors()[0].message.find("culprit"), std::string::npos)
		<< pipeline.errorText();
	EXPECT_EQ(pipeline.stat("shown"), 0);
	EXPECT_EQ(pipeline.stat("copies"), 1) << "counted, though not made";
}

TEST(Errors, FramesInOrdinaryMemorySayWhyAndWhatToDo)
{
	const Vivid vivid("0");
	const std::pair<std::string, const char *> cases[] = {
		{"videotestsrc ! video/x-raw,width=640,height=480 ! heapkmssink heap=nope "
		 "name=sink",
		 "no pool to offer: 'nope' takes no heap"},
		{std::format("v4l2src name=camera device={} io-mode=mmap ! "
			     "video/x-raw,format=NV12,width=640,height=360 ! identity ! "
			     "heapkmssink name=sink",
			     vivid.node()),
		 "camera sends frames in ordinary memory: it did not use the pool"},
		{"videotestsrc ! video/x-raw,width=640,height=480 ! tee ! queue ! "
		 "heapkmssink name=sink",
		 "a tee passes on no pool"},
	};
	for (const auto &[text, reason] : cases) {
		Pipeline pipeline(text);
		pipeline.run();
		expectError(pipeline, "heapkmssink", GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION);
		EXPECT_NE(pipeline.errorText().find(reason), std::string::npos)
			<< pipeline.errorText();
	}
	Pipeline pipeline(cases[1].first);
	pipeline.run();
	EXPECT_NE(pipeline.errorText().find("set io-mode=dmabuf-import of camera"),
		  std::string::npos)
		<< pipeline.errorText();
}

TEST(Errors, AHeapExpressionThatMeansNothingIsSaidAtOnce)
{
	Pipeline pipeline("videotestsrc ! heapkmssink name=sink heap=a=b=c");
	pipeline.run();
	expectError(pipeline, "heapkmssink", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
}

TEST(Errors, AFailedStartHasNoPlanOfTheRunBefore)
{
	const Vivid vivid("0");
	Pipeline pipeline(playing("num-buffers=3 camera-name=" + vivid.node(), ""));
	pipeline.run();
	EXPECT_EQ(pipeline.plan("source", "camera"), vivid.node()) << "readable after the end";
	pipeline.setState(GST_STATE_NULL);
	g_object_set(pipeline.element("source"), "camera-name", "nope", nullptr);
	pipeline.setState(GST_STATE_PAUSED);
	GstStructure *plan = nullptr;
	g_object_get(pipeline.element("source"), "plan", &plan, nullptr);
	EXPECT_EQ(plan, nullptr);
	g_clear_pointer(&plan, gst_structure_free);
}

/* The way out of it: the pool that the sink offers. */
TEST(Errors, NotWhenThePoolOfTheSinkIsUsed)
{
	Pipeline pipeline("videotestsrc num-buffers=20 ! video/x-raw,width=640,height=480 ! "
			  "heapkmssink name=sink sync=false");
	pipeline.run();
	expectAllShown(pipeline, 20);
	EXPECT_LE(pipeline.stat("imports"), 4);
}

class ExitStatus : public testing::TestWithParam<const char *>
{
};

TEST_P(ExitStatus, IsNotZeroAndTheReasonIsPrinted)
{
	const CommandResult result = runCommand(std::string("gst-launch-1.0 ") + GetParam());
	/* gst-launch-1.0 ends with 1, or with -1 when the pipeline does not start. */
	EXPECT_TRUE(result.status == 1 || result.status == 255) << result.status;
	EXPECT_NE(result.errors.find("ERROR: from element"), std::string::npos) << result.errors;
	EXPECT_EQ(result.errors.find("CRITICAL"), std::string::npos) << result.errors;
}

std::string nameOfLine(const testing::TestParamInfo<const char *> &info)
{
	static const char *const names[] = {"Heap", "Camera", "Display", "HeapOfHeapalloc"};
	return names[info.index];
}

INSTANTIATE_TEST_SUITE_P(Errors, ExitStatus,
			 testing::Values("heapcamerasrc heap=no-such-heap ! heapkmssink",
					 "heapcamerasrc camera-name=no-such-camera ! heapkmssink",
					 "heapcamerasrc ! heapkmssink device=/dev/dri/card99",
					 "videotestsrc ! heapalloc heap=no-such-heap ! fakesink"),
			 nameOfLine);

} /* namespace */
