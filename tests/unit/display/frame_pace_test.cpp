/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame_pace.h"

#include <gtest/gtest.h>

using namespace heapflow;

namespace
{

constexpr int64_t ms = 1'000'000;

/* A camera of 50 Hz whose last frame came at 1000 ms. */
FramePace fiftyHertz()
{
	FramePace pace;
	for (int64_t at = 900; at <= 1000; at += 20)
		pace.brought(at * ms);
	return pace;
}

} /* namespace */

TEST(FramePace, TheNextFrameIsExpectedAfterTheIntervalOfThoseBefore)
{
	const FramePace pace = fiftyHertz();
	EXPECT_TRUE(pace.expected(1001 * ms, 1020 * ms));
	EXPECT_TRUE(pace.expected(1001 * ms, 1100 * ms));
	EXPECT_TRUE(pace.expected(1001 * ms, 1015 * ms)) << "it may come a quarter sooner";
	EXPECT_FALSE(pace.expected(1001 * ms, 1014 * ms));
}

TEST(FramePace, OneThatComesAsThoseBeforeComesAfterAWholeInterval)
{
	const FramePace pace = fiftyHertz();
	EXPECT_EQ(pace.interval(), 20 * ms);
	EXPECT_TRUE(pace.comesBy(1001 * ms, 1020 * ms));
	EXPECT_FALSE(pace.comesBy(1001 * ms, 1019 * ms));
	EXPECT_FALSE(pace.comesBy(1040 * ms, 9000 * ms)) << "frames have stopped";
	EXPECT_FALSE(FramePace().comesBy(1000 * ms, 9000 * ms));
}

TEST(FramePace, OneThatIsLateIsExpectedForAWhile)
{
	const FramePace pace = fiftyHertz();
	EXPECT_TRUE(pace.expected(1039 * ms, 1050 * ms));
	EXPECT_FALSE(pace.expected(1040 * ms, 1050 * ms)) << "frames have stopped";
}

TEST(FramePace, NothingIsExpectedOfOneFrame)
{
	FramePace pace;
	EXPECT_FALSE(pace.expected(1000 * ms, 9000 * ms));
	pace.brought(1000 * ms);
	EXPECT_FALSE(pace.expected(1001 * ms, 9000 * ms));
}

TEST(FramePace, APauseIsNoInterval)
{
	FramePace pace = fiftyHertz();
	pace.brought(5000 * ms);
	EXPECT_FALSE(pace.expected(5001 * ms, 9000 * ms));
	pace.brought(5020 * ms);
	EXPECT_TRUE(pace.expected(5021 * ms, 5040 * ms));
}

TEST(FramePace, JitterIsSmoothed)
{
	FramePace pace = fiftyHertz();
	for (int64_t at = 1020; at < 1500; at += 40) {
		pace.brought((at - 4) * ms);
		pace.brought((at + 24) * ms);
	}
	/* The last came at 1484, 28 ms after the one before. */
	EXPECT_TRUE(pace.expected(1490 * ms, 1504 * ms));
	EXPECT_FALSE(pace.expected(1490 * ms, 1494 * ms));
}
