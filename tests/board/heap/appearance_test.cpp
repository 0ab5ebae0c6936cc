/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Heaps that come, go and change while a program runs.
 *
 * A heap driver that is loaded shows itself in this order: devtmpfs makes a node of root's (0600),
 * the kernel sends the uevent `add`, udevd applies its rules. The board's heap drivers are built
 * in, and neither can be unloaded; so the node of a real heap is taken away and made again with
 * its device number, and the kernel is made to send that uevent through sysfs. What is behind the
 * node is the kernel's own heap all the time.
 */
#include "heap_nodes.h"
#include "many_regions.h"
#include "run_command.h"

#include "heapflow/heap/heap_choice.h"

#include <cerrno>
#include <filesystem>

#include <gmock/gmock.h>

using namespace heapflow;
using namespace heapflow::test;
using testing::HasSubstr;
using testing::SizeIs;

namespace
{

constexpr const char *kHeap = "camera@45000000";
constexpr const char *kRule = "/run/udev/rules.d/70-dma-heap.rules";

std::string takenBy(const char *expression)
{
	const auto choice = chooseHeap(expression);
	return choice ? choice->taken().heap.name.text : choice.error().text();
}

class ManyRegionsAppearance : public ManyRegionsBoard
{
};

} /* namespace */

TEST_F(ManyRegionsAppearance, AHeapThatWentIsGoneFromListAndChoice)
{
	const NodeGuard node(kHeap);
	ASSERT_TRUE(node.remove());
	EXPECT_FALSE(findHeap(kHeap));
	EXPECT_THAT(*listHeaps(), SizeIs(kManyRegions.size() - 1));
	EXPECT_EQ(takenBy("camera@*:video@*"), "video@42000000");
	EXPECT_THAT(takenBy(kHeap), HasSubstr("ENOENT"));
	/* Its region is there still, and is not counted when no heap leads to it. */
	EXPECT_EQ(sumRegions(*listHeaps()).total, kManyRegionsTotal - 16 * kMiB);
}

TEST_F(ManyRegionsAppearance, AHeapThatCameIsTakenByTheNextChoice)
{
	const NodeGuard node(kHeap);
	ASSERT_TRUE(node.remove());
	ASSERT_EQ(takenBy("camera@*:video@*"), "video@42000000");
	ASSERT_TRUE(node.make());
	EXPECT_EQ(takenBy("camera@*:video@*"), kHeap);
	EXPECT_TRUE(openHeap(kHeap).allocate(kMiB)) << "the memory behind it is real";
}

TEST_F(ManyRegionsAppearance, AnOpenHeapOutlivesItsNode)
{
	const NodeGuard node(kHeap);
	const HeapDevice device = openHeap(kHeap);
	auto buffer = device.allocate(kMiB);
	ASSERT_TRUE(buffer);
	ASSERT_TRUE(node.remove());
	EXPECT_TRUE(buffer->map(Access::ReadWrite));
	EXPECT_TRUE(device.allocate(kMiB)) << "the kernel's heap did not go with its name";
	/* To open it again is another matter. */
	const auto again = HeapDevice::open(device.heap());
	ASSERT_FALSE(again);
	EXPECT_EQ(again.error().code, ENOENT);
}

TEST_F(ManyRegionsAppearance, BetweenChoiceAndAllocationItMayGo)
{
	const NodeGuard node(kHeap);
	const auto choice = chooseHeap("camera@*:video@*");
	ASSERT_TRUE(choice);
	ASSERT_EQ(choice->taken().heap.name.text, kHeap);
	ASSERT_TRUE(node.remove());
	const auto got = allocateBuffers(*choice, 2, kMiB, "two");
	ASSERT_TRUE(got) << got.error().text();
	EXPECT_EQ(got->heap.name.text, "video@42000000");
	ASSERT_THAT(got->fallbacks, SizeIs(1));
	EXPECT_THAT(got->fallbacks[0].text(), HasSubstr("ENOENT"));
}

TEST_F(ManyRegionsAppearance, UdevOpensANewHeapToTheGroupOfItsRule)
{
	const NodeGuard node(kHeap);
	std::filesystem::create_directories("/run/udev/rules.d");
	ASSERT_EQ(
		runCommand(std::string("printf '%s\\n' 'SUBSYSTEM==\"dma_heap\", "
				       "KERNEL==\"camera@*\", GROUP=\"video\", MODE=\"0660\"' >") +
			   kRule + " && udevadm control --reload")
			.status,
		0);
	ASSERT_TRUE(node.remove());
	ASSERT_TRUE(node.make());
	const std::string user = "setpriv --reuid=65534 --regid=65534 --groups=video -- ";
	const std::string asUser = user + "heapctl alloc 'camera@*' 4096";
	EXPECT_EQ(runCommand(asUser).status, 1) << "as devtmpfs makes it, it is root's";

	/* Not `udevadm settle`: it can look before udevd has taken up the event. */
	ASSERT_EQ(runCommand("echo add >/sys/class/dma_heap/camera@45000000/uevent && " + user +
			     "heapctl watch 'camera@*' --timeout 20")
			  .status,
		  0);
	EXPECT_EQ(describeAccess(*findHeap(kHeap)), "root:video 0660");
	EXPECT_EQ(runCommand(asUser).status, 0) << runCommand(asUser).errors;

	std::filesystem::remove(kRule);
	EXPECT_EQ(runCommand("udevadm control --reload").status, 0);
}
