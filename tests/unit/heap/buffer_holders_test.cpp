/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who holds buffers, in a /proc of the test's own making. */
#include "heapflow/heap/buffer_holders.h"

#include "system_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using heapflow::test::SystemDirectory;
using testing::ElementsAre;
using testing::HasSubstr;

namespace
{

constexpr uint64_t kMiB = uint64_t{1} << 20;

std::string fdinfo(uint64_t inode, uint64_t size, const std::string &heap, const std::string &name)
{
	return "pos:\t0\nflags:\t02000002\nmnt_id:\t10\nino:\t" + std::to_string(inode) +
	       "\nsize:\t" + std::to_string(size) + "\ncount:\t2\nexp_name:\t" + heap +
	       (name.empty() ? "\n" : "\nname:\t" + name + "\n");
}

/* A process with a dma-buf on each descriptor from 3 on. */
void addProcess(const SystemDirectory &system, int id, const std::string &name,
		const std::vector<std::string> &buffers)
{
	const std::string process = "proc/" + std::to_string(id);
	system.write(process + "/comm", name + "\n");
	system.write(process + "/maps", "");
	std::filesystem::create_directories(system.path() / process / "fd");
	std::filesystem::create_symlink("/dev/null", system.path() / process / "fd/0");
	for (size_t i = 0; i < buffers.size(); i++) {
		const std::string number = std::to_string(3 + i);
		std::filesystem::create_symlink("/dmabuf:x (deleted)",
						system.path() / process / "fd" / number);
		system.write(process + "/fdinfo/" + number, buffers[i]);
	}
}

} /* namespace */

TEST(BufferInfo, OfAHeap)
{
	const auto info = parseBufferInfo(fdinfo(77, 4096, "video@42000000", "cam"));
	ASSERT_TRUE(info);
	EXPECT_EQ(info->inode, 77u);
	EXPECT_EQ(info->size, 4096u);
	EXPECT_EQ(info->references, 2u);
	EXPECT_EQ(info->exporter, "video@42000000");
	EXPECT_EQ(info->name, "cam");
	EXPECT_FALSE(parseBufferInfo("pos:\t0\nflags:\t0100000\n"));
	EXPECT_FALSE(parseBufferInfo(""));
}

TEST(BufferInfo, ANameCannotPretendToBeAnotherField)
{
	const auto info =
		parseBufferInfo(fdinfo(1, 4096, "system", "a\nexp_name:\tvideo@42000000"));
	ASSERT_TRUE(info);
	EXPECT_EQ(info->exporter, "system");
}

TEST(BufferMappings, OnlyThoseOfDmaBufs)
{
	const auto mappings = parseBufferMappings(
		"7f0000000000-7f0000300000 rw-s 00000000 00:0a 77    /dmabuf:cam (deleted)\n"
		"7f0000400000-7f0000401000 r--p 00000000 fe:01 12    /usr/lib/x.so\n"
		"rubbish\n");
	ASSERT_EQ(mappings.size(), 1u);
	EXPECT_EQ(mappings[0].inode, 77u);
	EXPECT_EQ(mappings[0].end - mappings[0].begin, 3 * kMiB);
}

TEST(BufferHolders, ASharedBufferIsCountedOnce)
{
	const SystemDirectory system;
	addProcess(system, 10, "camera",
		   {fdinfo(1, 3 * kMiB, "video@42000000", "cam"),
		    fdinfo(2, 3 * kMiB, "video@42000000", "cam"),
		    fdinfo(9, kMiB, "system", "scratch")});
	addProcess(system, 20, "weston", {fdinfo(2, 3 * kMiB, "video@42000000", "cam")});

	const BufferHolders all = readBufferHolders(system.paths());
	EXPECT_EQ(all.buffers.size(), 3u);
	const RegionHolders video = holdersOf(all, {"video@42000000"});
	EXPECT_EQ(video.buffers, 2u);
	EXPECT_EQ(video.bytes, 6 * kMiB);
	ASSERT_EQ(video.holders.size(), 2u);
	EXPECT_EQ(video.holders[0].process.name, "camera");
	EXPECT_EQ(video.holders[0].bytes, 6 * kMiB);
	EXPECT_EQ(video.holders[1].bytes, 3 * kMiB);
	EXPECT_THAT(video.holders[1].names, ElementsAre("cam"));
	EXPECT_THAT(describeHolders(video), HasSubstr("camera[10]"));
}

TEST(BufferHolders, WhatOnlyTheKernelHoldsIsTheRest)
{
	const SystemDirectory system;
	addProcess(system, 10, "camera", {fdinfo(1, 3 * kMiB, "video@42000000", "cam")});
	heapflow::Region region;
	region.total = 64 * kMiB;
	region.free = 60 * kMiB;
	const auto holders = holdersOf(readBufferHolders(system.paths()), {"video@42000000"});
	EXPECT_EQ(holders.unseen(region), kMiB);
	region.free = 62 * kMiB;
	EXPECT_EQ(holders.unseen(region), 0u) << "numbers of two moments may not agree";
}

TEST(BufferHolders, NoProcIsNobodyAndIncomplete)
{
	const heapflow::test::TemporaryDirectory empty;
	const BufferHolders all = readBufferHolders(SystemPaths::below(empty.path()));
	EXPECT_TRUE(all.buffers.empty());
	EXPECT_FALSE(all.complete);
}
