/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one default CMA region behind its many names, on kernels old and new. */
#include "system_directory.h"

#include <gtest/gtest.h>

using namespace heapflow;
using heapflow::test::cells;
using heapflow::test::SystemDirectory;

namespace
{

/* A kernel whose heaps have these names and whose CMA areas those. */
void fill(const SystemDirectory &system, const std::vector<const char *> &heaps,
	  const std::vector<const char *> &areas)
{
	for (const char *heap : heaps)
		system.addHeap(heap);
	for (const char *area : areas)
		system.addArea(area, 16384, 8192);
}

void expectDefault(const SystemDirectory &system, const char *heap, const char *area)
{
	const auto found = system.find(heap);
	ASSERT_TRUE(found) << heap;
	EXPECT_EQ(found->region.id, area) << heap;
	EXPECT_TRUE(found->region.isDefault) << heap;
}

} /* namespace */

TEST(DefaultRegion, TwinsAreOneRegion)
{
	const SystemDirectory system;
	system.makeBoard();
	expectDefault(system, "default_cma_region", "linux,cma");
	expectDefault(system, "linux,cma", "linux,cma");
	EXPECT_EQ(system.find("default_cma_region")->region.total,
		  system.find("linux,cma")->region.total);
	EXPECT_FALSE(system.find("video@42000000")->region.isDefault);
	EXPECT_FALSE(system.find("system")->region.isDefault);
}

TEST(DefaultRegion, OfTheCommandLineIsCalledReserved)
{
	const SystemDirectory system;
	fill(system, {"default_cma_region", "reserved"}, {"reserved"});
	expectDefault(system, "default_cma_region", "reserved");
	expectDefault(system, "reserved", "reserved");
}

TEST(DefaultRegion, TheCommandLineOverrulesTheDeviceTree)
{
	/* With `cma=` the kernel skips the node with linux,cma-default: it has no area. */
	const SystemDirectory system;
	fill(system, {"default_cma_region", "reserved"}, {"reserved"});
	system.setCells(2, 2);
	system.addReserved("linux,cma", "", true);
	expectDefault(system, "default_cma_region", "reserved");
}

TEST(DefaultRegion, OldKernelsHaveOneName)
{
	for (const char *name : {"reserved", "linux,cma", "default-pool"}) {
		const SystemDirectory system;
		fill(system, {name, "system"}, {name});
		expectDefault(system, name, name);
	}
}

TEST(DefaultRegion, ThePropertyMakesAnyNodeTheDefault)
{
	const SystemDirectory system;
	fill(system, {"default_cma_region", "linux,cma", "video@42000000"},
	     {"linux,cma", "video@42000000"});
	system.setCells(2, 2);
	system.addReserved("video@42000000", cells(0x42000000, 2) + cells(0x4000000, 2), true);
	system.addReserved("linux,cma", cells(0x50000000, 2) + cells(0x4000000, 2));
	expectDefault(system, "default_cma_region", "video@42000000");
	expectDefault(system, "video@42000000", "video@42000000");
	EXPECT_FALSE(system.find("linux,cma")->region.isDefault);
	EXPECT_EQ(system.find("linux,cma")->region.id, "linux,cma");
}

TEST(DefaultRegion, AVendorsUncachedHeapIsTheSameRegion)
{
	const SystemDirectory nxp;
	nxp.addHeap("linux,cma");
	nxp.addHeap("linux,cma-uncached");
	nxp.addArea("linux,cma", 16384, 8192);
	const auto heaps = listHeaps(nxp.paths());
	ASSERT_TRUE(heaps);
	EXPECT_EQ(sumRegions(*heaps).regions, 1u);
	EXPECT_EQ((*heaps)[1].region.id, "linux,cma");
	EXPECT_EQ((*heaps)[1].name.cached, false);

	/* Also where the kernel shows no areas. */
	const SystemDirectory rockchip(false);
	rockchip.addHeap("cma");
	rockchip.addHeap("cma-uncached");
	const auto others = listHeaps(rockchip.paths());
	ASSERT_TRUE(others);
	EXPECT_EQ(sumRegions(*others).regions, 1u);
}

TEST(DefaultRegion, WithoutSysfsTheDeviceTreeTells)
{
	const SystemDirectory system(false);
	fill(system, {"default_cma_region", "linux,cma"}, {});
	system.setCells(2, 2);
	system.addReserved("linux,cma", "", true);
	system.write(SystemDirectory::reservedNode("linux,cma") + "/size", cells(0x4000000, 2));
	expectDefault(system, "default_cma_region", "linux,cma");
	expectDefault(system, "linux,cma", "linux,cma");
	EXPECT_EQ(system.find("default_cma_region")->region.total, 0x4000000u);
}

TEST(DefaultRegion, WithoutAnyEvidenceTheNamesAreCountedAsOne)
{
	const SystemDirectory system(false);
	fill(system, {"default_cma_region", "reserved", "system"}, {});
	expectDefault(system, "default_cma_region", "default_cma_region");
	expectDefault(system, "reserved", "default_cma_region");
	EXPECT_FALSE(system.find("reserved")->region.contiguous);
	EXPECT_EQ(sumRegions(*listHeaps(system.paths())).regions, 1u);
}
