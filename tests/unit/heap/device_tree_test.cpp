/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Regions that only the device tree knows of: a kernel without CMA_SYSFS. */
#include "system_directory.h"

#include <gtest/gtest.h>

using namespace heapflow;
using heapflow::test::cells;
using heapflow::test::SystemDirectory;

namespace
{

constexpr const char *kName = "video@42000000";

/* The region of a heap with a `reg` of these bytes, below cells of these counts. */
Region regionWith(unsigned addressCells, unsigned sizeCells, std::string_view reg)
{
	const SystemDirectory system(false);
	system.addHeap(kName);
	system.setCells(addressCells, sizeCells);
	system.addReserved(kName, reg);
	const auto heap = system.find(kName);
	EXPECT_TRUE(heap);
	return heap ? heap->region : Region{};
}

} /* namespace */

TEST(DeviceTree, CellsSayHowLongANumberIs)
{
	const Region one = regionWith(1, 1, cells(0x42000000, 1) + cells(0x4000000, 1));
	EXPECT_EQ(one.base, 0x42000000u);
	EXPECT_EQ(one.total, 0x4000000u);
	EXPECT_TRUE(one.contiguous);

	const Region two = regionWith(2, 2, cells(0x842000000, 2) + cells(0x104000000, 2));
	EXPECT_EQ(two.base, 0x842000000u);
	EXPECT_EQ(two.total, 0x104000000u);

	const Region mixed = regionWith(2, 1, cells(0x842000000, 2) + cells(0x4000000, 1));
	EXPECT_EQ(mixed.base, 0x842000000u);
	EXPECT_EQ(mixed.total, 0x4000000u);
}

TEST(DeviceTree, AbsentCellsHaveTheDefaultsOfTheSpecification)
{
	const SystemDirectory system(false);
	system.addHeap(kName);
	system.addReserved(kName, cells(0x42000000, 2) + cells(0x4000000, 1));
	const Region region = system.find(kName)->region;
	EXPECT_EQ(region.base, 0x42000000u);
	EXPECT_EQ(region.total, 0x4000000u);
}

TEST(DeviceTree, AShortRegIsNotBelieved)
{
	const std::string whole = cells(0x42000000, 2) + cells(0x4000000, 2);
	for (size_t length = 1; length < whole.size(); length++) {
		const Region region = regionWith(2, 2, whole.substr(0, length));
		EXPECT_FALSE(region.base) << length;
		EXPECT_FALSE(region.total) << length;
		EXPECT_TRUE(region.contiguous) << length;
	}
	EXPECT_EQ(regionWith(2, 2, whole + whole).base, 0x42000000u);
}

TEST(DeviceTree, RubbishCellCountsAreNotBelieved)
{
	const std::string reg(64, '\x42');
	for (const unsigned count : {0u, 3u, 4u, 0x01000000u, 0xffffffffu}) {
		EXPECT_FALSE(regionWith(count, 2, reg).base) << count;
		EXPECT_FALSE(regionWith(2, count, reg).total) << count;
	}
	const SystemDirectory system(false);
	system.addHeap(kName);
	system.addReserved(kName, cells(0x42000000, 2) + cells(0x4000000, 1));
	system.write(SystemDirectory::reservedNode("#address-cells"), "\x02");
	EXPECT_FALSE(system.find(kName)->region.base);
}

TEST(DeviceTree, NodesThatBecomeNoHeapAreNoEvidence)
{
	const std::string node = SystemDirectory::reservedNode(kName);
	const std::string reg = cells(0x42000000, 2) + cells(0x4000000, 2);
	auto isEvidence = [&](auto change) {
		const SystemDirectory system(false);
		system.addHeap(kName);
		system.setCells(2, 2);
		system.addReserved(kName, reg);
		change(system);
		return system.find(kName)->region.contiguous;
	};
	const std::filesystem::path path(node);

	EXPECT_TRUE(isEvidence([](const SystemDirectory &) {}));
	EXPECT_FALSE(isEvidence([&](const SystemDirectory &s) { s.write(path / "no-map", ""); }));
	EXPECT_FALSE(isEvidence([&](const SystemDirectory &s) {
		std::filesystem::remove(s.path() / path / "reusable");
	}));
	EXPECT_FALSE(isEvidence(
		[&](const SystemDirectory &s) { s.write(path / "compatible", "other"); }));
	EXPECT_FALSE(
		isEvidence([&](const SystemDirectory &s) { s.write(path / "compatible", ""); }));
	EXPECT_FALSE(isEvidence([&](const SystemDirectory &s) {
		s.write(path / "status", std::string_view("disabled\0", 9));
	}));
	EXPECT_TRUE(isEvidence([&](const SystemDirectory &s) {
		s.write(path / "status", std::string_view("okay\0", 5));
	}));
	EXPECT_TRUE(isEvidence([&](const SystemDirectory &s) {
		s.write(path / "compatible",
			std::string_view("vendor,pool\0shared-dma-pool\0", 28));
	}));
}

TEST(DeviceTree, SysfsOverrulesIt)
{
	/* A node whose area the kernel did not make, because `cma=` was given or it did not fit. */
	const SystemDirectory system;
	system.addHeap(kName);
	system.setCells(2, 2);
	system.addReserved(kName, cells(0x42000000, 2) + cells(0x4000000, 2));
	const Region region = system.find(kName)->region;
	EXPECT_FALSE(region.contiguous);
	EXPECT_FALSE(region.base);
}
