/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nodes that may not be opened, lead elsewhere, or have nothing behind them. */
#include "board_heaps.h"
#include "heap_nodes.h"

#include "heapflow/heap/heap_choice.h"

#include <cerrno>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::HasSubstr;

TEST(Permission, WithoutItHeapsAreListedButNotAccessible)
{
	ASSERT_EQ(geteuid(), 0u);
	const AsNobody nobody;
	ASSERT_TRUE(nobody.entered());
	const auto heaps = listHeaps();
	ASSERT_TRUE(heaps) << heaps.error().text();
	ASSERT_EQ(heaps->size(), kBoardHeaps.size());
	for (const Heap &heap : *heaps)
		EXPECT_FALSE(heap.accessible) << heap.name.text;
	/* sysfs is open to everybody, debugfs is not. */
	EXPECT_TRUE(findHeap("video@42000000")->region.free);
	EXPECT_FALSE(findHeap("video@42000000")->region.largest);
}

TEST(Permission, OpeningIsEaccesWithOwnerModeAndRule)
{
	const auto heap = findHeap("video@42000000");
	ASSERT_TRUE(heap);
	const AsNobody nobody;
	ASSERT_TRUE(nobody.entered());

	const auto device = HeapDevice::open(*heap);
	ASSERT_FALSE(device);
	const auto choice = chooseHeap("video@*");
	ASSERT_FALSE(choice);
	for (const Error &error : {device.error(), choice.error()}) {
		EXPECT_EQ(error.code, EACCES);
		EXPECT_THAT(error.message, HasSubstr("root:root 0600"));
		EXPECT_THAT(error.hint, HasSubstr("KERNEL==\"video@42000000\""));
		EXPECT_THAT(error.hint, HasSubstr("--action=add"));
	}
}

TEST(Permission, TheHeapThatMayBeOpenedIsTaken)
{
	ASSERT_EQ(chmod("/dev/dma_heap/system", 0644), 0);
	{
		const AsNobody nobody;
		ASSERT_TRUE(nobody.entered());
		const auto choice = chooseHeap("video@*:system");
		EXPECT_TRUE(choice);
		if (choice) {
			EXPECT_EQ(choice->taken().heap.name.text, "system");
			/* Reading is enough: the ioctl does not look at the mode. */
			EXPECT_TRUE(allocateBuffers(*choice, 1, 4096, "read-only node"));
			ASSERT_EQ(choice->unmet.size(), 1u);
			EXPECT_THAT(choice->unmet[0].reason, HasSubstr("may not be opened"));
		}
	}
	EXPECT_EQ(chmod("/dev/dma_heap/system", 0600), 0);
}

TEST(Link, AllocatesFromItsTarget)
{
	const Entry link("vidbuf_cached");
	ASSERT_EQ(symlink("video@42000000", link.path()), 0);

	const auto choice = chooseHeap("vidbuf_cached");
	ASSERT_TRUE(choice) << choice.error().text();
	EXPECT_EQ(choice->taken().heap.linkTarget, "video@42000000");
	EXPECT_EQ(sumRegions(*listHeaps()).total, 160 * kMiB);

	const uint64_t free = freeBytes("video@42000000");
	const auto got = allocateBuffers(*choice, 1, kMiB, "by link");
	ASSERT_TRUE(got);
	EXPECT_EQ(got->buffers[0].heap(), "vidbuf_cached");
	EXPECT_EQ(freeBytes("video@42000000"), free - kMiB);
	EXPECT_EQ(freeBytes("vidbuf_cached"), free - kMiB);
}

TEST(Node, WithNothingBehindItIsSaid)
{
	const auto system = findHeap("system");
	ASSERT_TRUE(system);
	const Entry node("nothing-behind");
	ASSERT_EQ(mknod(node.path(), S_IFCHR | 0600, makedev(major(system->device), 127)), 0);

	const auto choice = chooseHeap("nothing-behind:system");
	ASSERT_TRUE(choice);
	const auto device = HeapDevice::open(choice->taken().heap);
	ASSERT_FALSE(device);
	EXPECT_THAT((std::array{ENODEV, ENXIO}), testing::Contains(device.error().code));
	EXPECT_THAT(device.error().message, HasSubstr("nothing is behind"));

	const auto got = allocateBuffers(*choice, 1, 4096, "fallback");
	ASSERT_TRUE(got);
	EXPECT_EQ(got->heap.name.text, "system");
}

TEST(Node, OfAnotherDriverIsNoHeap)
{
	const Entry node("null");
	ASSERT_EQ(mknod(node.path(), S_IFCHR | 0600, makedev(1, 3)), 0);
	const auto got = allocateBuffers(*chooseHeap("null"), 1, 4096, "null");
	ASSERT_FALSE(got);
	EXPECT_EQ(got.error().code, ENOTTY);
}

TEST(Node, FilesAndDirectoriesAreNotListed)
{
	const Entry file("plain-file");
	ASSERT_GE(UniqueFd(creat(file.path(), 0600)).get(), 0);
	EXPECT_FALSE(findHeap("plain-file"));
	EXPECT_EQ(listHeaps()->size(), kBoardHeaps.size());
}
