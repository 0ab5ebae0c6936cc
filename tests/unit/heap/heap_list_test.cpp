/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system_directory.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace heapflow;
using heapflow::test::SystemDirectory;
using testing::ElementsAre;
using testing::HasSubstr;

namespace
{

std::vector<std::string> namesOf(const SystemDirectory &system)
{
	std::vector<std::string> names;
	for (const Heap &heap : listHeaps(system.paths()).value_or(std::vector<Heap>{}))
		names.push_back(heap.name.text);
	return names;
}

} /* namespace */

TEST(ListHeaps, SortedByName)
{
	const SystemDirectory system;
	system.makeBoard();
	EXPECT_THAT(namesOf(system),
		    ElementsAre("default_cma_region", "linux,cma", "memory@48000000-contiguous",
				"system", "video@42000000"));
}

TEST(ListHeaps, NoDirectoryIsEnoentWithANextStep)
{
	SystemPaths paths;
	paths.heapDirectory = "/nonexistent/dma_heap";
	const auto heaps = listHeaps(paths);
	ASSERT_FALSE(heaps);
	EXPECT_EQ(heaps.error().code, ENOENT);
	EXPECT_THAT(heaps.error().message, HasSubstr("/nonexistent/dma_heap"));
	EXPECT_THAT(heaps.error().hint, HasSubstr("modprobe"));
}

TEST(ListHeaps, AFileInTheirPlaceIsAnError)
{
	const SystemDirectory system;
	SystemPaths paths = system.paths();
	paths.heapDirectory = system.write("plain", "");
	const auto heaps = listHeaps(paths);
	ASSERT_FALSE(heaps);
	EXPECT_EQ(heaps.error().code, ENOTDIR);
}

TEST(ListHeaps, EmptyDirectoryIsAnEmptyList)
{
	const SystemDirectory system;
	const auto heaps = listHeaps(system.paths());
	ASSERT_TRUE(heaps);
	EXPECT_TRUE(heaps->empty());
}

TEST(ListHeaps, LinksAreResolvedAndShareTheRegion)
{
	const SystemDirectory system;
	system.makeBoard();
	const auto directory = system.paths().heapDirectory;
	std::filesystem::create_symlink("video@42000000", directory / "camera");
	std::filesystem::create_symlink("camera", directory / "frames");

	for (const char *name : {"camera", "frames"}) {
		const auto heap = system.find(name);
		ASSERT_TRUE(heap) << name;
		EXPECT_EQ(heap->linkTarget, "video@42000000");
		EXPECT_EQ(heap->region.id, "video@42000000");
		EXPECT_EQ(heap->region.total, 67108864u);
	}
	EXPECT_EQ(system.find("video@42000000")->linkTarget, "");
}

TEST(ListHeaps, LinksThatLeadNowhereOrOutAreSkipped)
{
	const SystemDirectory system;
	system.addHeap("system");
	const auto directory = system.paths().heapDirectory;
	std::filesystem::create_symlink("gone", directory / "dangling");
	std::filesystem::create_symlink("loop", directory / "loop");
	std::filesystem::create_symlink(system.write("outside", ""), directory / "out");
	EXPECT_THAT(namesOf(system), ElementsAre("system"));
}

TEST(ListHeaps, DirectoriesAndPipesAreNoHeaps)
{
	const SystemDirectory system;
	system.addHeap("system");
	system.write("dev/dma_heap/folder/inside", "");
	ASSERT_EQ(mkfifo((system.paths().heapDirectory / "pipe").c_str(), 0600), 0);
	EXPECT_THAT(namesOf(system), ElementsAre("system"));
}

TEST(ListHeaps, PlainFilesAreNoHeapsInTheRealDirectory)
{
	/* Whatever this machine has under /dev/dma_heap, all of it is character devices. */
	for (const Heap &heap : listHeaps().value_or(std::vector<Heap>{}))
		EXPECT_TRUE(S_ISCHR(heap.mode)) << heap.node;
}

TEST(ListHeaps, OwnerAndMode)
{
	const SystemDirectory system;
	system.addHeap("system");
	ASSERT_EQ(chmod((system.paths().heapDirectory / "system").c_str(), 0640), 0);
	const auto heap = system.find("system");
	ASSERT_TRUE(heap);
	EXPECT_EQ(heap->mode & 07777, 0640u);
	EXPECT_EQ(heap->owner, geteuid());
	EXPECT_TRUE(heap->accessible);
	EXPECT_THAT(describeAccess(*heap), HasSubstr(" 0640"));
}

TEST(ListHeaps, NamesWithAnyByteAreListed)
{
	const SystemDirectory system;
	system.addHeap("\x1b[31m\xff\xfe");
	EXPECT_THAT(namesOf(system), ElementsAre("\x1b[31m\xff\xfe"));
}

TEST(SumRegions, EachRegionOnce)
{
	const SystemDirectory system;
	system.makeBoard();
	std::filesystem::create_symlink("video@42000000", system.paths().heapDirectory / "camera");
	const auto heaps = listHeaps(system.paths());
	ASSERT_TRUE(heaps);
	ASSERT_EQ(heaps->size(), 6u);

	const RegionTotals totals = sumRegions(*heaps);
	EXPECT_EQ(totals.regions, 3u);
	EXPECT_EQ(totals.total, uint64_t{160} << 20);
	EXPECT_EQ(totals.free, uint64_t{144} << 20);
}

TEST(SumRegions, NothingIsNothing)
{
	EXPECT_EQ(sumRegions({}).regions, 0u);
	EXPECT_EQ(sumRegions({}).total, 0u);
}
