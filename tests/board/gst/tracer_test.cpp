/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tracer's figures and those of the kernel, for pipelines with known copies and without. The
 * kernel sees the brackets around each access to a dma-buf; so these pipelines keep their frames in
 * heaps wherever something is copied or touched.
 */
#include "traced.h"
#include "vivid.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <format>
#include <fstream>
#include <iterator>

using namespace heapflow::test;
using testing::HasSubstr;
using testing::Not;

namespace
{

constexpr uint64_t nv12 = 640 * 360 * 3 / 2;
constexpr uint64_t pagedNv12 = (nv12 + 4095) / 4096 * 4096;
constexpr const char *caps = "video/x-raw,format=NV12,width=640,height=360";

class Tracer : public testing::Test
{
protected:
	Tracer() : node_(vivid_.node()) {}

	/* {0}: the camera, {1}: caps of a small picture */
	Traced run(const std::string &line)
	{
		return Traced(std::vformat(line, std::make_format_args(node_, caps)));
	}

	const Vivid vivid_{"0"};
	const std::string node_;
};

TEST_F(Tracer, NothingIsCopiedFromCameraToScreen)
{
	const Traced run = this->run("heapcamerasrc name=camera camera-name={0} num-buffers=30 "
				     "heap=video@42000000 ! {1} ! heapkmssink name=sink");
	EXPECT_EQ(run.outside.status, 0) << run.text();
	EXPECT_EQ(run.copies(), 0U) << run.text();
	EXPECT_EQ(run.mapsToRead() + run.mapsToWrite(), 0U) << run.text();
	EXPECT_EQ(run.outside.maps + run.outside.reads + run.outside.writes, 0U) << run.text();
	ASSERT_FALSE(run.element("camera").is_null()) << run.text();
	EXPECT_EQ(run.element("camera").at("frames-out"), 30);
	EXPECT_EQ(run.element("sink").at("frames-in"), 30);
	EXPECT_EQ(run.element("sink").at("age").at("count"), 30);
	EXPECT_THAT(run.element("sink").at("notes").dump(), HasSubstr("from capture to scan-out"));
	EXPECT_THAT(run.table, HasSubstr("no copy by the CPU was seen"));
	EXPECT_THAT(run.table, HasSubstr("heap video@42000000"));
	/* The sink meets each memory once, and imports it once; with one more it asked the device.
	 */
	const unsigned memories = run.element("sink").at("memories").get<unsigned>();
	EXPECT_THAT(run.element("sink").at("notes").dump(),
		    HasSubstr(std::format("imports {}\"", memories)));
	EXPECT_EQ(run.outside.imports, memories + 1) << run.text();
}

TEST_F(Tracer, V4l2srcIntoAHeapForKmssinkCopiesNothing)
{
	const Traced run = this->run("v4l2src device={0} io-mode=dmabuf-import num-buffers=30 ! "
				     "video/x-raw,format=NV12,width=1280,height=720 ! "
				     "heapalloc heap=video@42000000 ! "
				     "kmssink driver-name=vkms force-modesetting=true name=sink");
	EXPECT_EQ(run.outside.status, 0) << run.text();
	EXPECT_EQ(run.copies(), 0U) << run.text();
	EXPECT_EQ(run.outside.maps + run.outside.reads + run.outside.writes, 0U) << run.text();
	EXPECT_EQ(run.element("sink").at("frames-in"), 30) << run.text();
}

/* Its memory is a wrapper around a dumb buffer, and both are mapped for one copy. */
TEST_F(Tracer, AKmssinkThatCopiesDoesItOnceForEachFrame)
{
	const Traced run = this->run("v4l2src device={0} io-mode=mmap num-buffers=20 ! "
				     "video/x-raw,format=NV12,width=1280,height=720 ! "
				     "kmssink driver-name=vkms force-modesetting=true name=sink");
	EXPECT_EQ(run.outside.status, 0) << run.text();
	/* The first is shown, and copied, as preroll as well. */
	EXPECT_EQ(run.copies("sink"), 1 + run.element("sink").at("frames-in").get<unsigned>())
		<< run.text();
	EXPECT_EQ(run.copiedBytes(), run.copies() * 1280 * 720 * 3 / 2) << run.text();
}

/* A camera's own memory into the heap of a sink that may copy. */
TEST_F(Tracer, ASinkThatCopies)
{
	const Traced run = this->run("v4l2src device={0} io-mode=mmap num-buffers=20 ! {1} ! "
				     "heapkmssink name=sink copy=allow heap=video@42000000");
	EXPECT_EQ(run.outside.status, 0) << run.text();
	EXPECT_GE(run.copies("sink"), 20U) << run.text();
	EXPECT_EQ(run.copies(), run.copies("sink")) << run.text();
	/* Two planes of one memory are mapped one by one. */
	EXPECT_EQ(run.outside.writes, run.element("sink").at("maps-written").at("count"))
		<< run.text();
	EXPECT_EQ(run.copies(), run.outside.writes / 2) << run.text();
	EXPECT_EQ(run.copiedBytes(), run.copies() * nv12) << run.text();
	EXPECT_EQ(run.outside.writtenBytes, run.outside.writes * pagedNv12) << run.text();
	EXPECT_EQ(run.element("sink").at("copies-inside").at("count"), run.copies());
}

TEST_F(Tracer, AConverterBetweenTwoHeaps)
{
	const Traced run = this->run(
		"videotestsrc name=source num-buffers=20 ! {1} ! heapalloc heap=video@42000000 ! "
		"videoconvert name=convert ! video/x-raw,format=BGRx ! heapalloc heap=system ! "
		"fakesink name=sink");
	EXPECT_EQ(run.outside.status, 0) << run.text();
	EXPECT_EQ(run.copies("convert"), 20U) << run.text();
	EXPECT_EQ(run.copiedBytes(), 20 * 640 * 360 * 4U) << run.text();
	EXPECT_EQ(run.copies(), 20U) << run.text();
	EXPECT_EQ(run.mapsToRead(), run.outside.reads) << run.text();
	EXPECT_EQ(run.mapsToWrite(), run.outside.writes) << run.text();
	EXPECT_EQ(run.element("source").at("drawn").at("count"), 20) << run.text();
}

/* It links its chains first and takes them in later: they are in its pipeline all the same. */
TEST_F(Tracer, WhatPlaysinkTakesInLaterIsInItsPipeline)
{
	const Traced run = this->run(
		"videotestsrc num-buffers=10 ! video/x-raw,format=I420,width=640,height=360 ! "
		"p.video_raw_sink playsink name=p flags=0x51 "
		"video-sink='bin.( videoscale name=scale ! video/x-raw,width=320,height=180 ! "
		"heapkmssink name=sink sync=false )'");
	EXPECT_EQ(run.outside.status, 0) << run.text();
	EXPECT_EQ(run.copies("scale"), 10U) << run.text();
	EXPECT_EQ(run.copies(), 10U) << run.text();
	EXPECT_FALSE(run.element("sink").is_null()) << run.text();
	EXPECT_THAT(run.table, HasSubstr("heapflow: pipeline0"));
	EXPECT_THAT(run.table, Not(HasSubstr("no copy by the CPU")));
}

TEST_F(Tracer, ABranchThatEncodesReads)
{
	const Traced run = this->run(
		"heapcamerasrc camera-name={0} num-buffers=20 heap=video@42000000 ! {1} ! "
		"tee name=tee ! queue ! heapkmssink name=sink sync=false "
		"tee. ! queue ! jpegenc name=encoder ! fakesink sync=false async=false");
	EXPECT_EQ(run.outside.status, 0) << run.text();
	EXPECT_EQ(run.copies(), 0U) << run.text();
	EXPECT_GE(run.outside.reads, 20U) << run.text();
	EXPECT_EQ(run.element("encoder").at("maps-read").at("count"), run.outside.reads)
		<< run.text();
	EXPECT_EQ(run.element("encoder").at("maps-read").at("bytes"), 20 * nv12) << run.text();
	EXPECT_EQ(run.outside.writes, 0U) << run.text();
}

/* Other people's elements only, which is how a user finds the copy that he has. */
TEST_F(Tracer, FlipAndMixOfOtherPeoplesElements)
{
	const Traced run =
		this->run("v4l2src device={0} num-buffers=15 ! {1} ! videoflip name=flip "
			  "video-direction=180 ! compositor name=mix ! fakesink");
	EXPECT_EQ(run.outside.status, 0) << run.text();
	EXPECT_EQ(run.copies("flip"), 15U) << run.text();
	EXPECT_EQ(run.copiedBytes("flip"), 15 * nv12) << run.text();
	EXPECT_GE(run.copies("mix"), 15U) << run.text();
	EXPECT_THAT(run.table, HasSubstr("flip copies frames in"));
	EXPECT_THAT(run.svg, HasSubstr("class=\"link copies\""));
	EXPECT_THAT(run.svg, HasSubstr("class=\"link\""));
}

/* Interrupted, as most are who look for something; once, which is what --foreground is for. */
TEST_F(Tracer, ReportsWhenItIsInterrupted)
{
	const TemporaryDirectory directory;
	const std::string json = (directory.path() / "flow.json").string();
	const OutsideCount count = countOutside(std::format(
		"GST_TRACERS='heapflow(json={})' timeout --foreground --signal=INT 3 "
		"gst-launch-1.0 -q -e "
		"heapcamerasrc camera-name={} heap=video@42000000 ! {} ! heapkmssink 2>/dev/null",
		json, node_, caps));
	EXPECT_EQ(count.error, "");
	EXPECT_TRUE(std::filesystem::exists(json));
}

TEST(TracerParameters, WrongOnesAreSaidAndTheRestWorks)
{
	const TemporaryDirectory directory;
	const std::string errors = (directory.path() / "errors").string();
	const OutsideCount count = countOutside(std::format(
		"GST_TRACERS='heapflow(jsn=x.json,all=true)' gst-launch-1.0 -q videotestsrc "
		"num-buffers=2 ! fakesink 2>{}",
		errors));
	EXPECT_EQ(count.status, 0);
	std::ifstream file(errors);
	const std::string text{std::istreambuf_iterator<char>(file), {}};
	EXPECT_THAT(text, HasSubstr("no parameter is 'jsn'"));
	EXPECT_THAT(text, HasSubstr("no copy by the CPU was seen"));
}

TEST(TracerInspect, IsDescribed)
{
	EXPECT_EQ(countOutside("gst-inspect-1.0 heapflow | grep -q 'tracer.*\\|Tracer'").status, 0);
}

} /* namespace */
