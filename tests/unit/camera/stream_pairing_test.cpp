/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams travel together, unless one of them keeps its buffers. */
#include "stream_pairing.h"

#include <array>

#include <gtest/gtest.h>

using namespace heapflow;

namespace
{

TEST(StreamPairing, OneStreamNeverWaitsForAnother)
{
	const std::array<size_t, 1> waiting = {1};
	for (const size_t inFlight : {0U, 1U, 4U})
		EXPECT_EQ(pairStreams(waiting, inFlight), Pairing::All);
	EXPECT_EQ(pairStreams(std::array<size_t, 1>{0}, 0), Pairing::Wait);
	EXPECT_EQ(pairStreams({}, 0), Pairing::Wait);
}

TEST(StreamPairing, StreamsGoTogether)
{
	EXPECT_EQ(pairStreams(std::array<size_t, 2>{1, 3}, 0), Pairing::All);
	/* The other one's buffer is probably on its way back. */
	EXPECT_EQ(pairStreams(std::array<size_t, 2>{1, 0}, 2), Pairing::Wait);
	EXPECT_EQ(pairStreams(std::array<size_t, 3>{4, 4, 0}, 3), Pairing::Wait);
}

TEST(StreamPairing, AStreamThatKeepsItsBuffersIsLeftBehind)
{
	EXPECT_EQ(pairStreams(std::array<size_t, 2>{1, 0}, 1), Pairing::Partial);
	EXPECT_EQ(pairStreams(std::array<size_t, 2>{0, 2}, 0), Pairing::Partial);
	EXPECT_EQ(pairStreams(std::array<size_t, 2>{0, 0}, 0), Pairing::Wait);
}

/*
 * Two streams with four buffers each; the consumer of one keeps all it gets. The other must go on
 * at the camera's pace, and both together again when the slow one wakes up.
 */
TEST(StreamPairing, TheFastStreamGoesOnWhileTheSlowOneSleeps)
{
	std::array<size_t, 2> waiting = {4, 4};
	size_t inFlight = 0, slowOnTheWay = 0, fastFrames = 0, slowHeld = 0;
	const auto pump = [&] {
		for (;;) {
			const Pairing pairing = pairStreams(waiting, inFlight);
			if (pairing == Pairing::Wait)
				break;
			if (waiting[1]) {
				--waiting[1];
				++slowOnTheWay;
			}
			ASSERT_GT(waiting[0], 0U);
			--waiting[0];
			++inFlight;
		}
	};
	pump();
	EXPECT_EQ(inFlight, 4U);
	for (unsigned frame = 0; frame < 100; ++frame) {
		ASSERT_GT(inFlight, 0U) << "the camera starves at frame " << frame;
		--inFlight;
		if (slowOnTheWay) {
			--slowOnTheWay;
			++slowHeld;
		}
		++fastFrames;
		++waiting[0]; /* shown and back at once */
		pump();
	}
	EXPECT_EQ(fastFrames, 100U);
	EXPECT_EQ(slowHeld, 4U);
	waiting[1] = std::exchange(slowHeld, 0);
	pump();
	EXPECT_GT(slowOnTheWay, 0U);
}

} /* namespace */
