/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Heap drivers that are loaded late (board/run --heaps-later). No heap driver can be removed, they
 * have no exit function, so the tests go forward only, in their order, on a board of their own.
 */
#include "run_command.h"

#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using namespace std::chrono_literals;
using heapflow::test::runCommand;
using testing::HasSubstr;
using testing::Not;

namespace
{

bool isLoaded(const char *module)
{
	return std::filesystem::exists(std::string("/sys/module/") + module);
}

void load(const char *module)
{
	const auto run = runCommand(std::string("modprobe ") + module);
	ASSERT_EQ(run.status, 0) << run.errors;
}

} /* namespace */

TEST(HeapModules, WithoutADriverEveryCommandSaysWhatToLoad)
{
	ASSERT_FALSE(isLoaded("system_heap")) << "start the board with --heaps-later";
	for (const char *command : {"list", "explain default", "alloc system 4096",
				    "fit --bytes 1M --frames 1 default", "bench", "top --once"}) {
		const auto run = runCommand(std::string("heapctl ") + command);
		EXPECT_EQ(run.status, 1) << command;
		EXPECT_THAT(run.errors, HasSubstr("modprobe system_heap cma_heap")) << command;
	}
}

TEST(HeapModules, DoctorKnowsThatTheyAreModules)
{
	ASSERT_FALSE(isLoaded("cma_heap")) << "start the board with --heaps-later";
	const auto run = runCommand("heapctl doctor --only 'heaps.*' --only 'kernel.*'");
	EXPECT_EQ(run.status, 1);
	EXPECT_THAT(run.output, HasSubstr("CONFIG_DMABUF_HEAPS_CMA"));
	EXPECT_THAT(run.output, HasSubstr("modprobe"));
}

TEST(HeapModules, AWaitEndsWhenTheDriverIsLoaded)
{
	ASSERT_FALSE(isLoaded("system_heap")) << "start the board with --heaps-later";
	std::thread loader([] {
		std::this_thread::sleep_for(300ms);
		load("system_heap");
	});
	const auto run = runCommand("heapctl watch system --timeout 20");
	loader.join();
	EXPECT_EQ(run.status, 0) << run.errors;
	EXPECT_THAT(run.output, HasSubstr("appeared"));
	EXPECT_THAT(run.output, HasSubstr("system takes system"));
	EXPECT_EQ(runCommand("heapctl alloc system 1M").status, 0);
}

TEST(HeapModules, ARegionIsMissedByItsDriver)
{
	ASSERT_TRUE(isLoaded("system_heap")) << "the tests run in their order";
	ASSERT_FALSE(isLoaded("cma_heap"));
	const auto run = runCommand("heapctl alloc video@42000000 1M");
	EXPECT_EQ(run.status, 1);
	EXPECT_THAT(run.errors, HasSubstr("Its driver is not loaded: modprobe cma_heap"));
	const auto other = runCommand("heapctl explain 'video@*:system'");
	EXPECT_EQ(other.status, 0);
	EXPECT_THAT(other.output, HasSubstr("takes system"));
}

TEST(HeapModules, AProgramThatWatchesSeesEveryRegionAppear)
{
	ASSERT_FALSE(isLoaded("cma_heap")) << "start the board with --heaps-later";
	std::thread loader([] {
		std::this_thread::sleep_for(300ms);
		load("cma_heap");
	});
	const auto run = runCommand("heapctl watch --timeout 3");
	loader.join();
	EXPECT_EQ(run.status, 0) << run.errors;
	for (const char *heap :
	     {"default_cma_region", "linux,cma", "video@42000000", "memory@48000000-contiguous"})
		EXPECT_THAT(run.output, HasSubstr(std::string("appeared        ") + heap));
	EXPECT_EQ(runCommand("heapctl alloc 'video@*' 8M").status, 0);
	EXPECT_THAT(runCommand("heapctl alloc nix 4096").errors, Not(HasSubstr("modprobe")));
}
