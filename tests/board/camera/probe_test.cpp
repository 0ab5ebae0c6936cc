/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vivid says which heaps it takes, and `auto` follows it. */
#include "capture.h"
#include "result.h"
#include "vivid.h"

#include "heapflow/camera/camera_probe.h"
#include "heapflow/heap/heap_choice.h"

#include <algorithm>

#include <drm/drm_fourcc.h>
#include <gmock/gmock.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::HasSubstr;

namespace
{

/* A probe that counts how often the device was really asked. */
class CountedProbe : public MemoryProbe
{
public:
	explicit CountedProbe(MemoryProbe &probe) : probe_(probe) {}
	std::string device() const override { return probe_.device(); }
	uint64_t smallestBuffer() const override { return probe_.smallestBuffer(); }
	ProbeAnswer tryBuffer(const Buffer &buffer) override
	{
		asked++;
		return probe_.tryBuffer(buffer);
	}

	int asked = 0;

private:
	MemoryProbe &probe_;
};

std::vector<Heap> heapsHere()
{
	auto heaps = listHeaps();
	EXPECT_TRUE(heaps) << textOf(heaps);
	return heaps.value_or(std::vector<Heap>{});
}

/* A board without a region that is made for frames: that one would go before all others. */
std::vector<Heap> undedicatedHeaps()
{
	auto heaps = heapsHere();
	std::erase_if(heaps, [](const Heap &heap) { return heap.name.usage == "video"; });
	return heaps;
}

ProbeAnswer ask(MemoryProbe &probe, const std::string &name)
{
	const auto heaps = heapsHere();
	const auto heap =
		std::ranges::find(heaps, name, [](const Heap &one) { return one.name.text; });
	HeapProofs proofs;
	return heap == heaps.end() ? ProbeAnswer{Demand::Unknown, "no such heap"}
				   : proofs.ask(probe, *heap);
}

/* What `auto` takes of `heaps` when vivid is the only device. */
std::string automatic(MemoryProbe &probe, HeapProofs &proofs, const std::vector<Heap> &heaps)
{
	MemoryNeeds needs;
	needs.who = probe.device();
	const auto choice =
		chooseProvenHeap(*parseHeapExpression("auto"), heaps, {needs}, {&probe}, proofs);
	EXPECT_TRUE(choice) << textOf(choice);
	return choice ? choice->taken().heap.name.text + ": " + choice->taken().reason : "";
}

} /* namespace */

TEST(VividContiguousProbe, RefusesScatteredMemoryAndTakesEveryRegion)
{
	const Vivid vivid("1");
	const auto probe = openCameraProbe(vivid.node());
	ASSERT_TRUE(probe) << textOf(probe);
	const ProbeAnswer system = ask(**probe, "system");
	EXPECT_EQ(system.accepted, Demand::No);
	EXPECT_THAT(system.reason, HasSubstr("EFAULT"));
	for (const char *heap : {"default_cma_region", "video@42000000"})
		EXPECT_EQ(ask(**probe, heap).accepted, Demand::Yes) << heap;
}

TEST(VividContiguousProbe, AutoTakesARegionAndAsksOnce)
{
	const Vivid vivid("1");
	const auto probe = openCameraProbe(vivid.node());
	ASSERT_TRUE(probe) << textOf(probe);
	CountedProbe counted(**probe);
	HeapProofs proofs;
	EXPECT_THAT(automatic(counted, proofs, heapsHere()), HasSubstr("video@42000000: "));
	EXPECT_THAT(automatic(counted, proofs, undedicatedHeaps()),
		    HasSubstr("default_cma_region: "));
	const int asked = counted.asked;
	EXPECT_EQ(asked, 3); /* system refused; both regions taken */
	EXPECT_THAT(automatic(counted, proofs, undedicatedHeaps()),
		    HasSubstr("default_cma_region: "));
	EXPECT_EQ(counted.asked, asked);
}

TEST(VividVmallocProbe, TakesEveryHeap)
{
	const Vivid vivid("0");
	const auto probe = openCameraProbe(vivid.node());
	ASSERT_TRUE(probe) << textOf(probe);
	for (const Heap &heap : heapsHere()) {
		const ProbeAnswer answer = ask(**probe, heap.name.text);
		EXPECT_EQ(answer.accepted, Demand::Yes) << heap.name.text << ": " << answer.reason;
	}
}

TEST(VividVmallocProbe, AutoSparesTheRegionsThatNobodyNeeds)
{
	const Vivid vivid("0");
	const auto probe = openCameraProbe(vivid.node());
	ASSERT_TRUE(probe) << textOf(probe);
	HeapProofs proofs;
	EXPECT_THAT(automatic(**probe, proofs, undedicatedHeaps()),
		    HasSubstr("system: every device takes scattered memory"));
}

TEST(VividVmallocProbe, ABusyCameraIsUnknownAndAskedAgain)
{
	const Vivid vivid("0");
	const auto probe = openCameraProbe(vivid.node());
	ASSERT_TRUE(probe) << textOf(probe);
	{
		const auto capture =
			startCapture(vivid.node(), Vivid::request720p(DRM_FORMAT_NV12), "system");
		ASSERT_TRUE(capture) << textOf(capture);
		const ProbeAnswer busy = ask(**probe, "system");
		EXPECT_EQ(busy.accepted, Demand::Unknown);
		EXPECT_THAT(busy.reason, HasSubstr("another program"));
	}
	EXPECT_EQ(ask(**probe, "system").accepted, Demand::Yes);
	/* And the probe has let go of the camera. */
	EXPECT_TRUE(startCapture(vivid.node(), Vivid::request720p(DRM_FORMAT_NV12), "system"));
}

TEST(VividVmallocProbe, WhatIsNoCameraIsAnError)
{
	EXPECT_EQ(codeOf(openCameraProbe("/dev/null")), ENODEV);
	EXPECT_EQ(codeOf(openCameraProbe("/dev/video99")), ENOENT);
}
