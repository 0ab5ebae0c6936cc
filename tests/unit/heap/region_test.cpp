/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of a region from sysfs and debugfs, true and damaged. */
#include "system_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace heapflow;
using heapflow::test::SystemDirectory;
using testing::Contains;
using testing::HasSubstr;

namespace
{

const auto kPage = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));

} /* namespace */

TEST(Region, NumbersAndTheirSources)
{
	const SystemDirectory system;
	system.makeBoard();
	system.addDebug("video@42000000", 4096, 0x42000);
	const Region region = system.find("video@42000000")->region;

	EXPECT_EQ(region.id, "video@42000000");
	EXPECT_EQ(region.base, 0x42000000u);
	EXPECT_EQ(region.total, 16384 * kPage);
	EXPECT_EQ(region.free, 12288 * kPage);
	EXPECT_EQ(region.largest, 4096 * kPage);
	EXPECT_TRUE(region.contiguous);
	EXPECT_FALSE(region.isDefault);
	EXPECT_THAT(region.sources, Contains(HasSubstr("available_pages")));
	EXPECT_THAT(region.sources, Contains(HasSubstr("maxchunk")));
	EXPECT_THAT(region.sources, Contains(HasSubstr("reserved-memory/video@42000000")));
}

TEST(Region, DebugfsKnowsTheBaseThatTheKernelChose)
{
	const SystemDirectory system;
	system.makeBoard();
	EXPECT_FALSE(system.find("linux,cma")->region.base);
	system.addDebug("linux,cma", 16384, 375808);
	EXPECT_EQ(system.find("linux,cma")->region.base, 375808 * kPage);
	EXPECT_EQ(system.find("default_cma_region")->region.base, 375808 * kPage);
}

TEST(Region, SystemIsNoRegion)
{
	const SystemDirectory system;
	system.makeBoard();
	const Region region = system.find("system")->region;
	EXPECT_EQ(region.id, "system");
	EXPECT_FALSE(region.contiguous);
	EXPECT_FALSE(region.total || region.free || region.largest || region.base);
}

TEST(Region, ANameIsNoEvidence)
{
	const SystemDirectory system;
	system.addHeap("memory@48000000-contiguous");
	const auto heap = system.find("memory@48000000-contiguous");
	EXPECT_TRUE(heap->name.contiguous);
	EXPECT_FALSE(heap->region.contiguous);
	EXPECT_FALSE(heap->region.total);
	EXPECT_FALSE(heap->region.base);
}

TEST(Region, RubbishNumbersAreUnknown)
{
	const char *const rubbish[] = {"",
				       "\n",
				       "abc\n",
				       "-1\n",
				       "16384x\n",
				       "1 2\n",
				       " 1\n",
				       "0x10\n",
				       "99999999999999999999999\n",
				       "18446744073709551615\n"};
	for (const char *text : rubbish) {
		const SystemDirectory system;
		system.addHeap("video@42000000");
		system.write("sys/kernel/mm/cma/video@42000000/total_pages", text);
		system.write("sys/kernel/mm/cma/video@42000000/available_pages", text);
		system.write("sys/kernel/debug/cma/video@42000000/maxchunk", text);
		system.write("sys/kernel/debug/cma/video@42000000/base_pfn", text);
		const auto heap = system.find("video@42000000");
		ASSERT_TRUE(heap) << text;
		const Region &region = heap->region;
		EXPECT_FALSE(region.total || region.free || region.largest || region.base) << text;
		EXPECT_TRUE(region.contiguous) << text;
	}
}

TEST(Region, MoreFreeThanThereIsCannotBeTrue)
{
	const SystemDirectory system;
	system.addHeap("video@42000000");
	system.addArea("video@42000000", 100, 101);
	system.addDebug("video@42000000", 200, 1);
	const Region region = system.find("video@42000000")->region;
	EXPECT_EQ(region.total, 100 * kPage);
	EXPECT_FALSE(region.free);
	EXPECT_FALSE(region.largest);
}

TEST(Region, FilesThatAreNoneDoNoHarm)
{
	const SystemDirectory system;
	system.addHeap("video@42000000");
	const auto area = system.paths().cmaDirectory / "video@42000000";
	std::filesystem::create_directories(area / "total_pages");
	ASSERT_EQ(mkfifo((area / "available_pages").c_str(), 0600), 0);
	system.write("sys/kernel/debug/cma/video@42000000/maxchunk", std::string(200000, '1'));
	const Region region = system.find("video@42000000")->region;
	EXPECT_FALSE(region.total || region.free || region.largest);
}

TEST(AvailableMemory, WithoutWhatTheSystemHeapCannotHave)
{
	const SystemDirectory system;
	system.write("proc/meminfo", "MemTotal:        1024000 kB\nMemFree:          900000 kB\n"
				     "MemAvailable:     800000 kB\nCmaTotal:         163840 kB\n"
				     "CmaFree:          100000 kB\n");
	EXPECT_EQ(availableMemory(system.paths()), (800000ull - 100000 - 16000) * 1024);
}

TEST(AvailableMemory, NeverBelowZero)
{
	const SystemDirectory system;
	system.write("proc/meminfo", "MemTotal: 1024000 kB\nMemAvailable: 10 kB\n");
	EXPECT_EQ(availableMemory(system.paths()), 0u);
}

TEST(AvailableMemory, RubbishIsUnknown)
{
	for (const char *text :
	     {"", "MemTotal: 5 kB\n", "MemTotal: 5 kB\nMemAvailable: kB\n",
	      "MemTotal: 5 kB\nMemAvailable: 5 MB\n", "MemTotal: 5 kB\nMemAvailable: 5",
	      "MemTotal: 5 kB\nMemAvailable: 99999999999999999999 kB\n",
	      "MemTotal:\nMemAvailable:\n",
	      "MemTotal: 5 kB\nMemAvailable: 18446744073709551615 kB\n"}) {
		const SystemDirectory system;
		system.write("proc/meminfo", text);
		EXPECT_FALSE(availableMemory(system.paths())) << text;
	}
	EXPECT_FALSE(availableMemory(SystemDirectory().paths()));
}
