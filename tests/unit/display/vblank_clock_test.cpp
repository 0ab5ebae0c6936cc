/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vblank_clock.h"

#include <gtest/gtest.h>

using namespace heapflow;

namespace
{

constexpr int64_t ms = 1'000'000;

/* 50 Hz, with a vblank at 1000 ms. */
VblankClock fiftyHertz()
{
	VblankClock clock;
	clock.setRefresh(50'000);
	clock.seen(1000 * ms);
	return clock;
}

} /* namespace */

TEST(VblankClock, AFrameIsCommittedAfterTheVblankBeforeItsOwn)
{
	const VblankClock clock = fiftyHertz();
	EXPECT_EQ(clock.period(), 20 * ms);
	/* Due at 1060: vblanks at 1020, 1040 (commit after this), 1060. */
	EXPECT_EQ(clock.commitTime(1060 * ms), 1040 * ms + 20 * ms / 16);
	EXPECT_EQ(clock.commitTime(1065 * ms), 1040 * ms + 20 * ms / 16) << "1060 is nearest";
	EXPECT_EQ(clock.commitTime(1071 * ms), 1060 * ms + 20 * ms / 16) << "1080 is nearest";
}

TEST(VblankClock, WhatIsDueAtTheNextVblankOrBeforeIsCommittedAtOnce)
{
	const VblankClock clock = fiftyHertz();
	EXPECT_EQ(clock.commitTime(1020 * ms), 0);
	EXPECT_EQ(clock.commitTime(1029 * ms), 0);
	EXPECT_EQ(clock.commitTime(900 * ms), 0);
}

TEST(VblankClock, ACommitIsInTimeUntilAQuarterOfAPeriodBeforeTheVblank)
{
	const VblankClock clock = fiftyHertz();
	EXPECT_EQ(clock.next(1000 * ms), 1020 * ms);
	EXPECT_EQ(clock.next(1019 * ms), 1020 * ms);
	EXPECT_EQ(clock.next(1020 * ms), 1040 * ms) << "the vblank at that time is over";
	EXPECT_EQ(clock.next(990 * ms), 1000 * ms) << "one that was announced";
	EXPECT_EQ(clock.lastCommitTime(1001 * ms), 1015 * ms);
	EXPECT_EQ(clock.lastCommitTime(1018 * ms), 1015 * ms) << "it is over: at once";
	EXPECT_EQ(clock.lastCommitTime(clock.next(1001 * ms)), 1035 * ms);
}

TEST(VblankClock, KnowsNothingWithoutARateOrAVblank)
{
	VblankClock clock;
	EXPECT_EQ(clock.commitTime(5000 * ms), 0);
	EXPECT_EQ(clock.next(5000 * ms), 0);
	EXPECT_EQ(clock.lastCommitTime(5000 * ms), 0);
	EXPECT_TRUE(clock.stale(0));
	clock.seen(1000 * ms);
	EXPECT_EQ(clock.commitTime(5000 * ms), 0);
	clock.setRefresh(50'000);
	EXPECT_EQ(clock.commitTime(5000 * ms), 0) << "the vblanks of another mode";
	clock.seen(2000 * ms);
	EXPECT_GT(clock.commitTime(5000 * ms), 0);
	EXPECT_FALSE(clock.stale(2500 * ms));
	EXPECT_TRUE(clock.stale(3500 * ms));
}

TEST(VblankClock, TheSameRateKeepsWhatWasSeen)
{
	VblankClock clock = fiftyHertz();
	clock.setRefresh(50'000);
	EXPECT_GT(clock.commitTime(1060 * ms), 0);
	clock.seen(0); /* the first event after a modeset on some drivers */
	EXPECT_EQ(clock.commitTime(1060 * ms), 1040 * ms + 20 * ms / 16);
}
