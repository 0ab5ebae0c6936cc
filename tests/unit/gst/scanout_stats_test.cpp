/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapscanoutstats.h"

#include <gtest/gtest.h>

using namespace heapflow::gst;

namespace
{

constexpr int64_t ms = 1000000;
constexpr int64_t period = 16666667;

TEST(ScanoutStats, NothingIsKnownOfNoFrames)
{
	const ScanoutStats stats;
	EXPECT_EQ(stats.shownCount(), 0U);
	EXPECT_EQ(stats.framesPerSecond(), 0);
	EXPECT_FALSE(stats.latencyQuantile(0.5));
}

TEST(ScanoutStats, AFrameIsLateOneAndAHalfPeriodsAfterItWasDue)
{
	ScanoutStats stats;
	stats.shown({{}, 100 * ms}, 100 * ms + period, 101 * ms + period, period);
	EXPECT_EQ(stats.lateCount(), 0U) << "that is the wait for the vblank";
	stats.shown({{}, 200 * ms}, 200 * ms + 2 * period, 201 * ms + 2 * period, period);
	EXPECT_EQ(stats.lateCount(), 1U);
	EXPECT_EQ(stats.shownCount(), 2U);
}

/* The first flip after a modeset has timestamp 0 on vkms. */
TEST(ScanoutStats, WithoutTimestampTheArrivalCounts)
{
	ScanoutStats stats;
	stats.shown({{}, 100 * ms}, 0, 105 * ms, period);
	EXPECT_EQ(stats.lateCount(), 0U);
	stats.shown({{}, 100 * ms}, 0, 150 * ms, period);
	EXPECT_EQ(stats.lateCount(), 1U);
}

TEST(ScanoutStats, QuantilesAreOfCaptureToScanOut)
{
	ScanoutStats stats;
	for (int64_t i = 1; i <= 100; i++)
		stats.shown({1000 * ms, 0}, 0, 1000 * ms + i * ms, 0);
	stats.shown({{}, 0}, 0, 5000 * ms, 0);
	EXPECT_EQ(stats.latencyQuantile(0.5), 50 * ms);
	EXPECT_EQ(stats.latencyQuantile(0.99), 99 * ms);
	EXPECT_EQ(stats.latencyQuantile(1), 100 * ms);
	EXPECT_EQ(stats.latencyQuantile(0), 1 * ms);
}

TEST(ScanoutStats, QuantilesForgetWhatIsLongAgo)
{
	ScanoutStats stats;
	for (int i = 0; i < 4096; i++)
		stats.shown({1 * ms, 0}, 0, 1001 * ms, 0);
	for (int i = 0; i < 4096; i++)
		stats.shown({1 * ms, 0}, 0, 3 * ms, 0);
	EXPECT_EQ(stats.latencyQuantile(1), 2 * ms);
}

TEST(ScanoutStats, RateIsOfTheIntervalsBetweenFlips)
{
	ScanoutStats stats;
	for (int64_t i = 0; i < 61; i++)
		stats.shown({{}, 0}, 0, 7 * ms + i * period, period);
	EXPECT_NEAR(stats.framesPerSecond(), 60, 0.001);
}

} /* namespace */
