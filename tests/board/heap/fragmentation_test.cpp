/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Free memory, but no run of it that is long enough. */
#include "many_regions.h"

#include "heapflow/heap/cma.h"
#include "heapflow/heap/heap_choice.h"

#include <cerrno>

#include <gmock/gmock.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::HasSubstr;
using testing::SizeIs;

namespace
{

constexpr uint64_t kKiB = 1024;

/* A region full of buffers of 1 MiB, taken by turns through `names`: heaps of one region. */
std::vector<Buffer> fillInPieces(const std::vector<const char *> &names, size_t count)
{
	std::vector<HeapDevice> devices;
	for (const char *name : names)
		devices.push_back(openHeap(name));
	std::vector<Buffer> held;
	for (size_t i = 0; i < count; i++) {
		auto buffer = devices[i % devices.size()].allocate(kMiB);
		EXPECT_TRUE(buffer) << i << ": " << buffer.error().text();
		if (buffer)
			held.push_back(std::move(*buffer));
	}
	return held;
}

class ManyRegionsFragmentation : public ManyRegionsBoard
{
};

} /* namespace */

TEST_F(ManyRegionsFragmentation, HalfOfItFreeAndNotTwoPiecesTogether)
{
	auto held = fillInPieces({"default_cma_region", "display@48000000"}, 32);
	ASSERT_THAT(held, SizeIs(32));
	/* All that came through one of the twins goes: every other MiB. */
	for (size_t i = 0; i < held.size(); i += 2)
		held[i].takeFd().reset();

	const auto region = findHeap("display@48000000")->region;
	EXPECT_EQ(region.free, 16 * kMiB);
	EXPECT_EQ(region.largest, kMiB);
	for (const char *name : {"default_cma_region", "display@48000000"}) {
		const auto buffer = openHeap(name).allocate(kMiB + 1);
		ASSERT_FALSE(buffer);
		EXPECT_EQ(buffer.error().code, ENOMEM);
		EXPECT_THAT(buffer.error().message, HasSubstr("16777216 of 33554432 bytes"));
		EXPECT_THAT(buffer.error().message, HasSubstr("largest run is 1048576"));
		EXPECT_THAT(buffer.error().hint, HasSubstr("in pieces"));
	}
	EXPECT_TRUE(openHeap("default_cma_region").allocate(kMiB)) << "the pieces themselves serve";

	/* One more free piece joins its neighbours to a run of three. */
	held[1].takeFd().reset();
	EXPECT_EQ(findHeap("display@48000000")->region.largest, 3 * kMiB);
	EXPECT_TRUE(openHeap("default_cma_region").allocate(3 * kMiB));
}

TEST_F(ManyRegionsFragmentation, AnotherHeapServesAndItIsSaid)
{
	auto held = fillInPieces({"camera@45000000"}, 16);
	ASSERT_THAT(held, SizeIs(16));
	for (size_t i = 0; i < held.size(); i += 2)
		held[i].takeFd().reset();

	const auto choice = chooseHeap("camera@*:video@*");
	ASSERT_TRUE(choice);
	/* 3 MiB of the 8 that are free, but in one piece. */
	const auto got = allocateBuffers(*choice, 1, 3 * kMiB, "frame");
	ASSERT_TRUE(got) << got.error().text();
	EXPECT_EQ(got->heap.name.text, "video@42000000");
	ASSERT_THAT(got->fallbacks, SizeIs(1));
	EXPECT_THAT(got->fallbacks[0].text(), HasSubstr("largest run is 1048576"));
}

TEST_F(ManyRegionsFragmentation, AlignmentAloneLeavesMemoryThatNoFrameCanHave)
{
	/* Each begins at a multiple of 1 MiB (CONFIG_CMA_ALIGNMENT), so each takes 2 MiB but the
	 * last. */
	const uint64_t size = 1280 * kKiB;
	EXPECT_EQ(cmaAlignment(size), kMiB);
	EXPECT_LE(cmaSpace(size, 8), 16 * kMiB);
	EXPECT_GT(cmaSpace(size, 9), 16 * kMiB);

	const HeapDevice device = openHeap("video@44000000");
	std::vector<Buffer> held;
	for (size_t i = 0; i < 8; i++) {
		auto buffer = device.allocate(size);
		ASSERT_TRUE(buffer) << i << ": " << buffer.error().text();
		held.push_back(std::move(*buffer));
	}
	const auto ninth = device.allocate(size);
	ASSERT_FALSE(ninth);
	EXPECT_EQ(ninth.error().code, ENOMEM);

	/* 6 MiB are free: enough for four more by number, for none by place. */
	const auto region = findHeap("video@44000000")->region;
	EXPECT_EQ(region.free, 16 * kMiB - 8 * size);
	EXPECT_EQ(region.largest, 768 * kKiB);
	EXPECT_TRUE(device.allocate(512 * kKiB)) << "what fits between them is given";
}
