/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The independent count, held to what is known: pipelines whose every bracket can be told. */
#include "outside_count.h"
#include "vivid.h"

#include <format>

#include <gtest/gtest.h>

using namespace heapflow::test;

namespace
{

constexpr uint64_t pages(uint64_t bytes)
{
	return (bytes + 4095) / 4096 * 4096;
}

TEST(OutsideCount, APictureDrawnByCpuIsABracketForEachPlane)
{
	const OutsideCount count = countOutside("gst-launch-1.0 -q videotestsrc num-buffers=10 ! "
						"video/x-raw,format=NV12,width=320,height=240 ! "
						"heapalloc heap=video@42000000 ! fakesink");
	EXPECT_EQ(count.error, "");
	EXPECT_EQ(count.status, 0);
	EXPECT_EQ(count.writes, 20U) << describe(count);
	EXPECT_EQ(count.writtenBytes, 20 * pages(320 * 240 * 3 / 2));
	EXPECT_EQ(count.reads, 0U);
	EXPECT_GT(count.maps, 0U);
	EXPECT_GE(count.allocations, count.maps);
}

TEST(OutsideCount, NothingWhereNothingIsTouched)
{
	const Vivid vivid("0");
	const OutsideCount count = countOutside(
		std::format("gst-launch-1.0 -q heapcamerasrc camera-name={} num-buffers=10 "
			    "heap=video@42000000 ! heapkmssink",
			    vivid.node()));
	EXPECT_EQ(count.error, "");
	EXPECT_EQ(count.status, 0);
	EXPECT_EQ(count.maps + count.reads + count.writes, 0U) << describe(count);
	EXPECT_GT(count.allocations, 0U);
	EXPECT_GT(count.imports, 0U);
	EXPECT_EQ(count.framebuffers, count.imports);
}

TEST(OutsideCount, TheStatusIsTheCommands)
{
	EXPECT_EQ(countOutside("exit 3").status, 3);
	EXPECT_EQ(countOutside("kill -9 $$").status, 128 + 9);
	EXPECT_EQ(countOutside(std::vector<std::string>{"/no/such/command"}).status, 127);
}

} /* namespace */
