/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Choosing and falling back, on the board's heaps. */
#include "heapflow/heap/heap_choice.h"

#include "board_heaps.h"

#include <cerrno>

#include <gmock/gmock.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

namespace
{

std::string takenBy(const char *expression)
{
	const auto choice = chooseHeap(expression);
	return choice ? choice->taken().heap.name.text : choice.error().text();
}

} /* namespace */

TEST(Choice, NamesPatternsAndTheDefault)
{
	EXPECT_EQ(takenBy("system"), "system");
	EXPECT_EQ(takenBy("video@*:default"), "video@42000000");
	EXPECT_EQ(takenBy("*-contiguous"), "memory@48000000-contiguous");
	EXPECT_EQ(takenBy("default"), "default_cma_region");
	EXPECT_EQ(takenBy("linux,cma"), "linux,cma");
	EXPECT_EQ(takenBy("reserved"), "default_cma_region");
	EXPECT_EQ(takenBy("default-pool"), "default_cma_region");
	EXPECT_EQ(takenBy("gone:system"), "system");
}

TEST(Choice, AMissingHeapIsEnoentAndNamesTheOthers)
{
	const auto choice = chooseHeap("video@50000000");
	ASSERT_FALSE(choice);
	EXPECT_EQ(choice.error().code, ENOENT);
	EXPECT_THAT(choice.error().message, HasSubstr("video@50000000"));
	for (const char *name : kBoardHeaps)
		EXPECT_THAT(choice.error().message, HasSubstr(name));
}

TEST(AllocateBuffers, AllFromTheFirstThatFits)
{
	const auto choice = chooseHeap("video@*:default");
	ASSERT_TRUE(choice);
	const uint64_t free = freeBytes("video@42000000");
	{
		const auto got = allocateBuffers(*choice, 6, 3110400, "six");
		ASSERT_TRUE(got) << got.error().text();
		EXPECT_EQ(got->heap.name.text, "video@42000000");
		EXPECT_THAT(got->buffers, SizeIs(6));
		EXPECT_THAT(got->fallbacks, IsEmpty());
		EXPECT_EQ(freeBytes("video@42000000"), free - 6 * inPages(3110400));
	}
	EXPECT_EQ(freeBytes("video@42000000"), free);
}

TEST(AllocateBuffers, TheNextHeapServesAndThePartOfTheFirstIsGivenBack)
{
	/* 11 frames of 1080p: 10 fit in the 32 MiB of the first. */
	const auto choice = chooseHeap("memory@*:default");
	ASSERT_TRUE(choice);
	const uint64_t first = freeBytes("memory@48000000-contiguous");
	const uint64_t second = freeBytes("linux,cma");

	const auto got = allocateBuffers(*choice, 11, 3110400, "eleven");
	ASSERT_TRUE(got) << got.error().text();
	EXPECT_EQ(got->heap.name.text, "default_cma_region");
	EXPECT_THAT(got->buffers, SizeIs(11));
	for (const Buffer &buffer : got->buffers)
		EXPECT_EQ(buffer.heap(), "default_cma_region");
	ASSERT_THAT(got->fallbacks, SizeIs(1));
	EXPECT_THAT(got->fallbacks[0].text(), HasSubstr("buffer 11 of 11"));
	EXPECT_THAT(got->fallbacks[0].text(), HasSubstr("memory@48000000-contiguous"));
	EXPECT_THAT(got->fallbacks[0].text(), HasSubstr("ENOMEM"));
	EXPECT_EQ(freeBytes("memory@48000000-contiguous"), first);
	EXPECT_EQ(freeBytes("linux,cma"), second - 11 * inPages(3110400));
}

TEST(AllocateBuffers, WhenNoneServesTheErrorIsThatOfTheFirst)
{
	const auto choice = chooseHeap("memory@*:video@*:default");
	ASSERT_TRUE(choice);
	const uint64_t free = sumRegions(*listHeaps()).free;
	const auto got = allocateBuffers(*choice, 1, 100 * kMiB, "large");
	ASSERT_FALSE(got);
	EXPECT_EQ(got.error().code, ENOMEM);
	EXPECT_THAT(got.error().message, HasSubstr("memory@48000000-contiguous"));
	EXPECT_EQ(sumRegions(*listHeaps()).free, free);
}

TEST(AllocateBuffers, AHeapThatWentAwayIsPassedOver)
{
	auto choice = chooseHeap("video@*:default");
	ASSERT_TRUE(choice);
	choice->candidates[0].heap.node = "/dev/dma_heap/gone";
	const auto got = allocateBuffers(*choice, 1, 4096, "one");
	ASSERT_TRUE(got);
	EXPECT_EQ(got->heap.name.text, "default_cma_region");
	ASSERT_THAT(got->fallbacks, SizeIs(1));
	EXPECT_THAT(got->fallbacks[0].text(), HasSubstr("ENOENT"));
}
