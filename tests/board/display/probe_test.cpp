/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vkms as a probe: it takes every heap, and nobody notices that it was asked. */
#include "display_fixture.h"

#include "heapflow/display/display_probe.h"

#include <cerrno>

#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::test;

TEST(DisplayProbe, TakesEveryHeapAndLeavesTheScreenAlone)
{
	const auto probe = openDisplayProbe(vkmsNode());
	ASSERT_TRUE(probe) << textOf(probe);
	const auto heaps = listHeaps();
	ASSERT_TRUE(heaps) << textOf(heaps);
	HeapProofs proofs;
	for (const Heap &heap : *heaps) {
		const ProbeAnswer answer = proofs.ask(**probe, heap);
		EXPECT_EQ(answer.accepted, Demand::Yes) << heap.name.text << ": " << answer.reason;
	}
	/* It is not master, so another may be. */
	EXPECT_TRUE(Screen::open({.device = vkmsNode()}));
}

TEST(DisplayProbe, ABufferThatIsTooSmallSaysNothingForTheHeap)
{
	const auto probe = openDisplayProbe(vkmsNode());
	ASSERT_TRUE(probe) << textOf(probe);
	const auto heaps = listHeaps();
	ASSERT_TRUE(heaps) << textOf(heaps);
	const auto device = HeapDevice::open(heaps->front());
	ASSERT_TRUE(device) << textOf(device);
	const auto small = device->allocate(4096);
	ASSERT_TRUE(small) << textOf(small);
	EXPECT_EQ((*probe)->tryBuffer(*small).accepted, Demand::Unknown);
}

TEST(DisplayProbe, WhatIsNoDisplayIsAnError)
{
	EXPECT_EQ(openDisplayProbe("/dev/dri/card99").error().code, ENOENT);
	EXPECT_EQ(openDisplayProbe("/dev/null").error().code, ENODEV);
}
