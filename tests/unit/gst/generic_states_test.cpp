/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What GStreamer's own suites demand of every element (tests/check/generic/states.c): alone,
 * without peers, it goes through any states. Here without a device, in board-gst-library with all
 * of them.
 */
#include "every_element.h"

#include <random>

using namespace heapflow::test;

namespace
{

using EveryElementsStates = EveryElement;

constexpr GstState null = GST_STATE_NULL, ready = GST_STATE_READY, paused = GST_STATE_PAUSED,
		   playing = GST_STATE_PLAYING;

/* A failure is an answer, as for a camera that is not there; a hang or a critical is not. */
void go(const AloneElement &element, GstState state)
{
	if (gst_element_set_state(element.get(), state) == GST_STATE_CHANGE_FAILURE) {
		gst_element_set_state(element.get(), GST_STATE_NULL);
	}
}

TEST_F(EveryElementsStates, AreOfTheseElements)
{
	/* Whoever adds an element reads this line, and then it is in all tests here. */
	EXPECT_EQ(names_, (std::vector<std::string>{"heapalloc", "heapcamerasrc", "heapkmssink"}));
}

TEST_F(EveryElementsStates, GoUpAndDown)
{
	const std::vector<GstState> sequences[] = {
		{ready, paused, playing, paused, ready, null, paused, ready, playing, paused, null},
		{ready, paused, ready, paused, playing, paused, ready, null},
		{ready, paused, playing, paused, playing, paused, ready, paused, playing, paused,
		 ready, null},
		{null, null, ready, ready, paused, paused, playing, playing, null, null},
	};
	for (const std::string &name : names_)
		for (const auto &sequence : sequences) {
			SCOPED_TRACE(name);
			const AloneElement element(name);
			ASSERT_TRUE(element);
			for (const GstState state : sequence)
				go(element, state);
		}
}

TEST_F(EveryElementsStates, MayBeAnyInAnyOrder)
{
	for (unsigned seed = 1; seed <= 3; seed++)
		for (const std::string &name : names_) {
			SCOPED_TRACE(name + " with seed " + std::to_string(seed));
			std::mt19937 random(seed);
			const AloneElement element(name);
			ASSERT_TRUE(element);
			for (int change = 0; change < 30; change++)
				go(element, GstState(GST_STATE_NULL + random() % 4));
		}
}

/* In the middle of a state change somebody asks what it came to. */
TEST_F(EveryElementsStates, AreToldWithoutWaiting)
{
	for (const std::string &name : names_) {
		SCOPED_TRACE(name);
		const AloneElement element(name);
		ASSERT_TRUE(element);
		for (const GstState state : {ready, paused, playing, null}) {
			go(element, state);
			GstState now = GST_STATE_VOID_PENDING, next = GST_STATE_VOID_PENDING;
			gst_element_get_state(element.get(), &now, &next, 0);
			EXPECT_NE(now, GST_STATE_VOID_PENDING);
		}
	}
}

/* Objects that are unreferenced without having been used have nothing half made. */
TEST_F(EveryElementsStates, CanBeMadeAndThrownAway)
{
	for (const std::string &name : names_)
		for (int i = 0; i < 20; i++) {
			SCOPED_TRACE(name);
			const AloneElement element(name);
			ASSERT_TRUE(element);
		}
}

} /* namespace */
