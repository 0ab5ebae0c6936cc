/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cameras that need contiguous memory (vivid.allocators=1 vimc.allocator=1). */
#include "board.h"
#include "pipeline.h"
#include "quiet_board.h"
#include "vivid.h"

#include <gtest/gtest.h>

#include <format>

using namespace heapflow::test;

namespace
{

std::string vividPipeline(const std::string &heap, unsigned frames)
{
	return std::format("heapcamerasrc name=source camera-name={} heap={} num-buffers={} ! "
			   "video/x-raw,format=NV12,width=1280,height=720 ! "
			   "heapkmssink name=sink sync=false",
			   vividNode(), heap, frames);
}

std::string vimcPipeline(const std::string &heap, unsigned frames)
{
	return std::format("heapcamerasrc name=source camera-name=\"platform/vimc.0 Sensor B\" "
			   "heap={} num-buffers={} ! "
			   "video/x-raw,format=RGB,width=640,height=480 ! "
			   "heapkmssink name=sink sync=false",
			   heap, frames);
}

class VividContiguousGst : public testing::TestWithParam<std::string>
{
};

TEST_P(VividContiguousGst, TakesAContiguousHeap)
{
	const Vivid vivid("1");
	const Resources before = quietBoard();
	{
		Pipeline pipeline(vividPipeline(GetParam(), 300));
		pipeline.run();
		expectAllShown(pipeline, 300);
	}
	EXPECT_EQ(settled(before), before);
}

INSTANTIATE_TEST_SUITE_P(Heaps, VividContiguousGst, testing::ValuesIn(contiguousHeaps),
			 [](const auto &test) { return nameForTest(test.param); });

TEST(ContiguousGst, VividRefusesSystemMemory)
{
	const Vivid vivid("1");
	Pipeline pipeline(vividPipeline("system", 10));
	pipeline.run();
	expectError(pipeline, "heapcamerasrc", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
	EXPECT_NE(pipeline.errorText().find("EFAULT"), std::string::npos) << pipeline.errorText();
	EXPECT_NE(pipeline.errorText().find("contiguous"), std::string::npos)
		<< pipeline.errorText();
}

TEST(ContiguousGst, WhatVividRefusesGivesWayToTheNextHeapAndSaysSo)
{
	const Vivid vivid("1");
	const Resources before = quietBoard();
	{
		Pipeline pipeline(vividPipeline("system:video@*", 20));
		pipeline.run();
		expectAllShown(pipeline, 20);
		EXPECT_EQ(pipeline.plan("source", "heap"), "video@42000000");
		ASSERT_EQ(pipeline.warnings().size(), 1U);
		EXPECT_NE(pipeline.warnings()[0].message.find("system"), std::string::npos);
	}
	EXPECT_EQ(settled(before), before);
}

TEST(ContiguousGst, VimcTakesAContiguousHeap)
{
	ASSERT_EQ(moduleParameter("vimc", "allocator"), "1") << "start with vimc.allocator=1";
	Pipeline pipeline(vimcPipeline("video@42000000", 10));
	pipeline.run();
	expectAllShown(pipeline, 10);
}

/* libcamera accepts the buffers and cancels the first frames: the refusal comes late. */
TEST(ContiguousGst, VimcRefusesSystemMemory)
{
	ASSERT_EQ(moduleParameter("vimc", "allocator"), "1") << "start with vimc.allocator=1";
	Pipeline pipeline(vimcPipeline("system", 10));
	pipeline.run();
	expectError(pipeline, "heapcamerasrc", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
	EXPECT_NE(pipeline.errorText().find("EFAULT"), std::string::npos) << pipeline.errorText();
}

TEST(ContiguousGst, WhatVimcRefusesGivesWayToTheNextHeapAndSaysSo)
{
	ASSERT_EQ(moduleParameter("vimc", "allocator"), "1") << "start with vimc.allocator=1";
	const Resources before = quietBoard();
	{
		Pipeline pipeline(vimcPipeline("system:video@*", 10));
		pipeline.run();
		expectAllShown(pipeline, 10);
		EXPECT_EQ(pipeline.plan("source", "heap"), "video@42000000");
		EXPECT_EQ(pipeline.warnings().size(), 1U);
	}
	EXPECT_EQ(settled(before), before);
}

} /* namespace */
