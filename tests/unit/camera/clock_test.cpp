/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invariant 13: timestamps come out in CLOCK_MONOTONIC. */
#include "clock.h"

#include <gtest/gtest.h>

using namespace heapflow;

namespace
{

constexpr int64_t second = 1'000'000'000;
constexpr int64_t arrival = 5000 * second;
constexpr int64_t age = 40'000'000; /* between exposure and arrival */

TEST(Clock, BootTimeIsConverted)
{
	const int64_t suspended = 3600 * second;
	EXPECT_EQ(monotonicFromSensor(arrival - age + suspended, arrival, suspended),
		  arrival - age);
}

TEST(Clock, MonotonicStaysThoughTheSystemWasSuspended)
{
	EXPECT_EQ(monotonicFromSensor(arrival - age, arrival, 3600 * second), arrival - age);
}

TEST(Clock, NothingChangesOnASystemThatNeverSlept)
{
	EXPECT_EQ(monotonicFromSensor(arrival - age, arrival, 0), arrival - age);
}

TEST(Clock, AShortSuspensionIsToldFromTheAgeOfAFrame)
{
	const int64_t suspended = second;
	EXPECT_EQ(monotonicFromSensor(arrival - age + suspended, arrival, suspended),
		  arrival - age);
	EXPECT_EQ(monotonicFromSensor(arrival - age, arrival, suspended), arrival - age);
}

TEST(Clock, MonotonicNowGoesForward)
{
	const int64_t first = monotonicNow();
	EXPECT_GT(first, 0);
	EXPECT_GE(monotonicNow(), first);
}

TEST(Clock, SuspendedTimeIsNotNegativeAndSteady)
{
	const int64_t first = suspendedTime();
	EXPECT_GE(first, 0);
	EXPECT_NEAR(static_cast<double>(suspendedTime()), static_cast<double>(first), 1e7);
}

} /* namespace */
