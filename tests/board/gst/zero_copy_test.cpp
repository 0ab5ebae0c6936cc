/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* require-zero-copy: who is refused and why, and who is not. */
#include "pipeline.h"
#include "run_command.h"
#include "vivid.h"

#include <gmock/gmock.h>

#include <format>

using namespace heapflow::test;
using testing::HasSubstr;
using testing::Not;

namespace
{

constexpr const char *caps = "video/x-raw,format=NV12,width=640,height=360";

class ZeroCopy : public testing::Test
{
protected:
	ZeroCopy() : node_(vivid_.node()) {}

	/* {0}: the camera, {1}: caps of a small picture */
	std::string line(const std::string &text)
	{
		return std::vformat(text, std::make_format_args(node_, caps));
	}
	void expectPlays(const std::string &text)
	{
		Pipeline pipeline(line(text));
		pipeline.run();
		EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
		EXPECT_TRUE(pipeline.errors().empty()) << pipeline.errorText();
	}
	/* The error is of `by`, and says `reason`; the text for experts has a way out. */
	void expectRefused(const std::string &text, const std::string &by,
			   const std::string &reason)
	{
		Pipeline pipeline(line(text));
		pipeline.run();
		expectError(pipeline, by, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
		EXPECT_THAT(pipeline.errors().front().message, HasSubstr(reason));
		EXPECT_THAT(pipeline.errors().front().message, HasSubstr("require-zero-copy"));
		EXPECT_THAT(pipeline.errors().front().debug, HasSubstr("GST_TRACERS"));
	}

	const Vivid vivid_{"0"};
	const std::string node_;
};

TEST_F(ZeroCopy, CameraToScreenKeepsIt)
{
	expectPlays("heapcamerasrc camera-name={0} num-buffers=20 heap=video@42000000 "
		    "require-zero-copy=true ! {1} ! heapkmssink name=sink require-zero-copy=true");
	expectPlays("v4l2src device={0} io-mode=dmabuf-import num-buffers=20 ! {1} ! "
		    "heapalloc heap=video@42000000 require-zero-copy=true ! queue ! "
		    "heapkmssink name=sink require-zero-copy=true");
}

/*
 * GstBaseSink answers the DRAIN query of a change of caps by copying its last sample; heapkmssink
 * lets go of it.
 */
TEST_F(ZeroCopy, AChangeOfCapsKeepsIt)
{
	for (const char *source :
	     {"heapcamerasrc camera-name={0} num-buffers=40 heap=video@42000000",
	      "v4l2src device={0} io-mode=dmabuf-import num-buffers=40"}) {
		const bool own = std::string_view(source).starts_with("heap");
		Pipeline pipeline(line(std::string(source) +
				       " ! capsfilter name=filter caps={1} ! " +
				       (own ? "" : "heapalloc heap=video@42000000 ! ") +
				       "heapkmssink name=sink sync=false require-zero-copy=true"));
		pipeline.onBuffer([&](GstBuffer *, unsigned number) {
			if (number == 15)
				gst_util_set_object_arg(
					G_OBJECT(pipeline.element("filter")), "caps",
					"video/x-raw,format=NV12,width=320,height=180");
		});
		pipeline.run();
		EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
		EXPECT_TRUE(pipeline.errors().empty()) << pipeline.errorText();
		EXPECT_EQ(pipeline.stat("shown"), 40);
	}
}

TEST_F(ZeroCopy, APlaysinkKeepsIt)
{
	expectPlays("videotestsrc num-buffers=20 ! {1} ! p.video_raw_sink playsink name=p "
		    "video-sink=\"heapkmssink name=sink sync=false require-zero-copy=true\"");
}

TEST_F(ZeroCopy, AConverterIsRefusedByTheSource)
{
	expectRefused("heapcamerasrc camera-name={0} num-buffers=100 heap=video@42000000 "
		      "require-zero-copy=true ! {1} ! videoconvert name=convert ! "
		      "video/x-raw,format=BGRx ! heapkmssink name=sink",
		      "heapcamerasrc",
		      "convert (videoconvert) copies frames by CPU, 922 kB each, from heap "
		      "video@42000000 into heap");
}

TEST_F(ZeroCopy, AndByTheSink)
{
	expectRefused("heapcamerasrc camera-name={0} num-buffers=100 heap=video@42000000 ! {1} ! "
		      "queue ! videoflip name=flip video-direction=180 ! "
		      "heapkmssink name=sink require-zero-copy=true",
		      "heapkmssink", "flip (videoflip) copies frames by CPU, 346 kB each, from");
}

TEST_F(ZeroCopy, AndByWhatIsBetween)
{
	expectRefused("v4l2src device={0} io-mode=dmabuf-import num-buffers=100 ! {1} ! "
		      "heapalloc heap=video@42000000 require-zero-copy=true ! "
		      "gamma name=gamma gamma=2.0 ! heapkmssink name=sink",
		      "heapalloc", "gamma (gamma) changes frames in heap video@42000000 by CPU");
}

TEST_F(ZeroCopy, WhatAloneReadsIsRefusedWhereThereIsNoScreen)
{
	expectRefused("heapcamerasrc camera-name={0} num-buffers=100 heap=video@42000000 "
		      "require-zero-copy=true ! {1} ! jpegenc name=encoder ! fakesink name=sink",
		      "heapcamerasrc",
		      "encoder (jpegenc) maps frames in heap video@42000000 to read them by CPU");
}

TEST_F(ZeroCopy, ABranchBesideTheScreenIsFree)
{
	expectPlays("heapcamerasrc camera-name={0} num-buffers=20 heap=video@42000000 "
		    "require-zero-copy=true ! {1} ! tee name=tee ! queue ! "
		    "heapkmssink name=sink require-zero-copy=true sync=false "
		    "tee. ! queue ! jpegenc ! fakesink sync=false async=false");
}

/* Where a picture begins it must come from somewhere. */
TEST_F(ZeroCopy, ASourceMayDraw)
{
	expectPlays("videotestsrc num-buffers=20 ! {1} ! "
		    "heapkmssink name=sink require-zero-copy=true heap=video@42000000");
}

TEST_F(ZeroCopy, TheSinkDoesNotCopyEvenWhereItMay)
{
	Pipeline pipeline(
		line("v4l2src name=source device={0} io-mode=mmap num-buffers=100 ! {1} ! "
		     "heapkmssink name=sink copy=allow require-zero-copy=true "
		     "heap=video@42000000"));
	pipeline.run();
	expectError(pipeline, "heapkmssink", GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION);
	EXPECT_THAT(pipeline.errors().front().message, HasSubstr("with require-zero-copy"));
}

TEST_F(ZeroCopy, OneErrorEndsTheStreamAndAnotherRunMayHaveAnother)
{
	Pipeline pipeline(line("heapcamerasrc camera-name={0} num-buffers=1000 heap=video@42000000 "
			       "require-zero-copy=true ! {1} ! videoconvert ! "
			       "video/x-raw,format=BGRx ! heapkmssink name=sink"));
	for (int run = 0; run < 2; run++) {
		pipeline.run();
		unsigned refusals = 0;
		for (const Posted &error : pipeline.errors())
			refusals += error.message.find("require-zero-copy") != std::string::npos;
		EXPECT_EQ(refusals, 1U) << pipeline.errorText();
		EXPECT_LT(pipeline.stat("shown"), 10);
		pipeline.forget();
	}
}

/* gsttracerutils.c logs each hook; those who ask for nothing pay for nothing. */
TEST_F(ZeroCopy, NothingIsHookedUnlessItIsAskedFor)
{
	const auto hooks = [this](const char *property) {
		return runCommand("GST_DEBUG=default:5 GST_DEBUG_NO_COLOR=1 gst-launch-1.0 -q " +
				  line(std::format("heapcamerasrc camera-name={{0}} "
						   "num-buffers=2 heap=video@42000000 "
						   "require-zero-copy={} ! {{1}} ! heapkmssink",
						   property)));
	};
	const CommandResult without = hooks("false"), with = hooks("true");
	EXPECT_EQ(without.status, 0) << without.errors;
	EXPECT_THAT(without.errors, Not(HasSubstr("registering tracer for")));
	EXPECT_THAT(with.errors, HasSubstr("registering tracer for 'pad-chain-pre'"));
}

/* What a converter made of a camera's frames tells of itself; nothing is hooked for it. */
TEST_F(ZeroCopy, OtherwiseCopiesOfOthersAreCountedAndSaidOnce)
{
	for (const char *source :
	     {"heapcamerasrc camera-name={0} num-buffers=20 heap=video@42000000",
	      "v4l2src device={0} io-mode=dmabuf-import num-buffers=20 ! {1} ! "
	      "heapalloc heap=video@42000000"}) {
		Pipeline pipeline(
			line(std::string(source) +
			     " ! {1} ! videoconvert name=convert ! queue ! "
			     "video/x-raw,format=BGRx ! heapkmssink name=sink sync=false"));
		pipeline.run();
		EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
		EXPECT_EQ(pipeline.stat("copied-upstream"), 20);
		EXPECT_EQ(pipeline.stat("copies"), 0);
		ASSERT_EQ(pipeline.warnings().size(), 1U);
		EXPECT_THAT(pipeline.warnings().front().message,
			    HasSubstr("convert, or an element before it, copies frames by CPU"));
	}
}

/* heapalloc counts and says what it copies itself. */
TEST_F(ZeroCopy, HeapallocCountsCopiesOfOthersToo)
{
	Pipeline pipeline(line("heapcamerasrc camera-name={0} num-buffers=20 heap=video@42000000 ! "
			       "{1} ! videoscale ! video/x-raw,width=320,height=180 ! "
			       "heapalloc name=alloc heap=video@42000000 ! "
			       "heapkmssink name=sink sync=false"));
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	GstStructure *stats = nullptr;
	guint64 copied = 0;
	g_object_get(pipeline.element("alloc"), "stats", &stats, nullptr);
	gst_structure_get_uint64(stats, "copied-upstream", &copied);
	gst_structure_free(stats);
	EXPECT_EQ(copied, 20U);
	EXPECT_EQ(pipeline.stat("copied-upstream"), 20);
	ASSERT_EQ(pipeline.warnings().size(), 1U) << "by the first of both";
	EXPECT_EQ(pipeline.warnings().front().element, "heapalloc");
}

TEST_F(ZeroCopy, AnAnnouncedCopyIsNotSaidTwice)
{
	Pipeline pipeline(line("heapcamerasrc camera-name={0} num-buffers=20 heap=video@42000000 ! "
			       "{1} ! heapalloc name=alloc mode=copy heap=system ! "
			       "heapkmssink name=sink sync=false"));
	pipeline.run();
	EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
	EXPECT_EQ(pipeline.stat("copied-upstream"), 0);
	ASSERT_EQ(pipeline.warnings().size(), 1U);
	EXPECT_EQ(pipeline.warnings().front().element, "heapalloc");
}

TEST_F(ZeroCopy, WhatASourceDrawsOrAnElementCutsIsNoCopy)
{
	for (const std::string &text :
	     {std::string("videotestsrc num-buffers=20 ! {1} ! heapkmssink name=sink sync=false"),
	      std::string(
		      "heapcamerasrc camera-name={0} num-buffers=20 heap=video@42000000 ! {1} ! "
		      "tee ! queue ! videocrop left=16 ! heapkmssink name=sink sync=false")}) {
		Pipeline pipeline(line(text));
		pipeline.run();
		EXPECT_TRUE(pipeline.reachedEnd()) << pipeline.errorText();
		EXPECT_EQ(pipeline.stat("copied-upstream"), 0) << text;
		EXPECT_TRUE(pipeline.warnings().empty()) << text;
	}
}

TEST_F(ZeroCopy, OtherwiseACopyIsSaidOnceWhileTheTracerRuns)
{
	const CommandResult run = runCommand(
		"GST_TRACERS='heapflow(table=none)' gst-launch-1.0 -m " +
		line("heapcamerasrc camera-name={0} num-buffers=20 heap=video@42000000 ! {1} ! "
		     "videoconvert name=convert ! video/x-raw,format=BGRx ! heapkmssink"));
	EXPECT_EQ(run.status, 0) << run.errors;
	const auto count = [&run](const std::string &text) {
		size_t times = 0;
		const std::string all = run.output + run.errors;
		for (size_t at = all.find(text); at != std::string::npos;
		     at = all.find(text, at + 1))
			times++;
		return times;
	};
	EXPECT_EQ(count("heapflow-copy, "), 1U) << run.output << run.errors;
	EXPECT_EQ(count("WARNING: from element"), 1U) << run.output << run.errors;
	EXPECT_EQ(count(": convert (videoconvert) copies frames by CPU"), 1U)
		<< run.output << run.errors;
}

} /* namespace */
