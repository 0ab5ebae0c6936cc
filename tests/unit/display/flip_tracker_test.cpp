/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invariant 1, as a state machine: which cookie comes back when. */
#include "flip_tracker.h"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

using namespace heapflow;
using namespace std::chrono_literals;

namespace
{

FlipEvent flip(FlipTracker &tracker, uint64_t cookie, uint32_t framebuffer)
{
	const uint64_t serial = tracker.begin(cookie, framebuffer);
	const auto event = tracker.complete({.serial = serial});
	EXPECT_TRUE(event);
	tracker.dispatched();
	return event.value_or(FlipEvent{});
}

} /* namespace */

TEST(FlipTracker, AFrameIsReleasedByTheFlipThatReplacedIt)
{
	FlipTracker tracker;
	EXPECT_EQ(flip(tracker, 1, 101).released, 0u);
	EXPECT_EQ(flip(tracker, 2, 102).released, 1u);
	EXPECT_EQ(flip(tracker, 3, 103).released, 2u);
}

TEST(FlipTracker, BothFramesAreInUseWhileTheFlipIsPending)
{
	FlipTracker tracker;
	flip(tracker, 1, 101);
	const uint64_t serial = tracker.begin(2, 102);
	EXPECT_TRUE(tracker.uses(101)) << "the display still reads it";
	EXPECT_TRUE(tracker.uses(102));
	ASSERT_TRUE(tracker.complete({.serial = serial}));
	EXPECT_FALSE(tracker.uses(101));
	EXPECT_TRUE(tracker.uses(102));
}

TEST(FlipTracker, TheSameCookieAgainIsNotReleased)
{
	FlipTracker tracker;
	flip(tracker, 1, 101);
	EXPECT_EQ(flip(tracker, 1, 101).released, 0u) << "it is on the screen";
	EXPECT_EQ(flip(tracker, 2, 102).released, 1u);
}

TEST(FlipTracker, ARefusedCommitReleasesNothing)
{
	FlipTracker tracker;
	flip(tracker, 1, 101);
	const uint64_t refused = tracker.begin(2, 102);
	tracker.cancel();
	EXPECT_FALSE(tracker.uses(102));
	EXPECT_FALSE(tracker.complete({.serial = refused}));
	EXPECT_EQ(flip(tracker, 3, 103).released, 1u);
}

TEST(FlipTracker, EventsOfOtherCommitsAreIgnored)
{
	FlipTracker tracker;
	EXPECT_FALSE(tracker.complete({.serial = 0}));
	const uint64_t serial = tracker.begin(1, 101);
	EXPECT_FALSE(tracker.complete({.serial = serial + 1}));
	tracker.clear();
	EXPECT_FALSE(tracker.complete({.serial = serial})) << "after hide()";
	EXPECT_FALSE(tracker.uses(101));
}

TEST(FlipTracker, IdleOnlyWhenTheEventWasHandedOn)
{
	FlipTracker tracker;
	EXPECT_TRUE(tracker.waitIdle(0ms));
	const uint64_t serial = tracker.begin(1, 101);
	EXPECT_FALSE(tracker.waitIdle(1ms));
	ASSERT_TRUE(tracker.complete({.serial = serial}));
	EXPECT_FALSE(tracker.waitIdle(1ms)) << "the handler is still running";
	tracker.dispatched();
	EXPECT_TRUE(tracker.waitIdle(0ms));
}

TEST(FlipTracker, WaiterIsWokenByAnotherThread)
{
	FlipTracker tracker;
	const uint64_t serial = tracker.begin(1, 101);
	std::thread events([&] {
		tracker.complete({.serial = serial});
		tracker.dispatched();
	});
	EXPECT_TRUE(tracker.waitIdle(10s));
	events.join();
}

TEST(FlipTracker, CarriesTheDriversNumbers)
{
	FlipTracker tracker;
	const uint64_t serial = tracker.begin(7, 101);
	const auto event = tracker.complete(
		{.serial = serial, .sequence = 4'000'000'000u, .timestamp = 12, .arrival = 34});
	ASSERT_TRUE(event);
	EXPECT_EQ(event->cookie, 7u);
	EXPECT_EQ(event->sequence, 4'000'000'000u);
	EXPECT_EQ(event->timestamp, 12);
	EXPECT_EQ(event->arrival, 34);
}
