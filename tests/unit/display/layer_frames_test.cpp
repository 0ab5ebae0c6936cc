/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invariant 1, as a state machine: which cookie comes back when. */
#include "layer_frames.h"

#include <gtest/gtest.h>

using namespace heapflow;

namespace
{

LayerFrame frame(uint64_t cookie)
{
	return {.cookie = cookie, .framebuffer = static_cast<uint32_t>(100 + cookie)};
}

uint64_t flip(LayerFrames &frames, uint64_t cookie)
{
	EXPECT_EQ(frames.offer(frame(cookie)), 0u);
	frames.commit();
	return frames.flipped();
}

} /* namespace */

TEST(LayerFrames, AFrameIsReleasedByTheFlipThatReplacedIt)
{
	LayerFrames frames;
	EXPECT_EQ(flip(frames, 1), 0u);
	EXPECT_EQ(flip(frames, 2), 1u);
	EXPECT_EQ(flip(frames, 3), 2u);
}

TEST(LayerFrames, AllThreeAreInUseWhileAFlipIsPending)
{
	LayerFrames frames;
	flip(frames, 1);
	frames.offer(frame(2));
	frames.commit();
	frames.offer(frame(3));
	EXPECT_TRUE(frames.uses(101)) << "the display still reads it";
	EXPECT_TRUE(frames.uses(102));
	EXPECT_TRUE(frames.uses(103)) << "it waits";
	EXPECT_EQ(frames.flipped(), 1u);
	EXPECT_FALSE(frames.uses(101));
	EXPECT_TRUE(frames.uses(102));
}

TEST(LayerFrames, ANewerFrameReplacesTheWaitingOne)
{
	LayerFrames frames;
	flip(frames, 1);
	EXPECT_EQ(frames.offer(frame(2)), 0u);
	EXPECT_EQ(frames.offer(frame(3)), 2u);
	EXPECT_EQ(frames.nextReleased(), 1u);
	frames.commit();
	EXPECT_EQ(frames.flipped(), 1u);
}

TEST(LayerFrames, TheSameCookieAgainIsNotReleased)
{
	LayerFrames frames;
	flip(frames, 1);
	EXPECT_EQ(frames.offer(frame(1)), 0u);
	EXPECT_EQ(frames.offer(frame(1)), 0u) << "the same loan waits";
	EXPECT_EQ(frames.nextReleased(), 0u);
	frames.commit();
	EXPECT_EQ(frames.flipped(), 0u) << "it is on the screen";
	EXPECT_EQ(flip(frames, 2), 1u);
}

TEST(LayerFrames, ARefusedFrameComesBackAndNothingElse)
{
	LayerFrames frames;
	flip(frames, 1);
	frames.offer(frame(2));
	EXPECT_EQ(frames.refuse(), 2u);
	EXPECT_FALSE(frames.uses(102));
	EXPECT_EQ(frames.refuse(), 0u);
	EXPECT_EQ(frames.flipped(), 0u) << "nothing was pending";
	EXPECT_EQ(flip(frames, 3), 1u);
	frames.offer(frame(3));
	EXPECT_EQ(frames.refuse(), 0u) << "it is still on the screen";
}

TEST(LayerFrames, ClearForgetsAll)
{
	LayerFrames frames;
	flip(frames, 1);
	frames.offer(frame(2));
	frames.commit();
	frames.offer(frame(3));
	frames.clear();
	EXPECT_FALSE(frames.shown() || frames.pending() || frames.waiting());
	EXPECT_EQ(frames.flipped(), 0u) << "an event after hide()";
	EXPECT_EQ(flip(frames, 4), 0u);
}
