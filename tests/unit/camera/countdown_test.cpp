/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "countdown.h"

#include <gtest/gtest.h>

#include <thread>

using namespace heapflow;
using namespace std::chrono_literals;

namespace
{

/* A wait that nothing interrupts asks once, and gets all of it whenever that is. */
TEST(Countdown, TheFirstPartIsAllOfIt)
{
	Countdown countdown(100ms);
	std::this_thread::sleep_for(5ms);
	EXPECT_EQ(countdown.left(), 100ms);
}

TEST(Countdown, ItRunsFromTheSecondPartOnAndEnds)
{
	Countdown countdown(60ms);
	countdown.left();
	const auto begin = std::chrono::steady_clock::now();
	EXPECT_EQ(countdown.left(), 60ms);
	auto before = 60ms;
	while (before > 0ms) {
		std::this_thread::sleep_for(2ms);
		const auto left = countdown.left();
		EXPECT_LT(left, before) << "after a sleep";
		before = left;
	}
	EXPECT_GE(std::chrono::steady_clock::now() - begin, 60ms) << "rounded up";
}

TEST(Countdown, NothingStaysNothing)
{
	Countdown countdown(0ms);
	for (unsigned part = 0; part < 3; ++part)
		EXPECT_EQ(countdown.left(), 0ms);
}

} /* namespace */
