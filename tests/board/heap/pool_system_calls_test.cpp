/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A warm pool makes no system call: strace looks on. */
#include "board_heaps.h"
#include "run_command.h"

#include "heapflow/heap/buffer_pool.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

constexpr const char *kTraced = "HEAPFLOW_TEST_TRACED";
/* Two calls that nothing else makes, around what is looked at. */
constexpr int kBegin = -7001;
constexpr int kEnd = -7002;

void recycle()
{
	auto pool = BufferPool::create(openHeap("video@42000000"), 2 * kMiB,
				       {.name = "traced", .count = 3});
	ASSERT_TRUE(pool) << pool.error().text();
	for (int i = 0; i < 3; i++)
		ASSERT_TRUE(pool->acquire({.holder = "camera"}));
	close(kBegin);
	bool got = true;
	for (int i = 0; i < 1000; i++) {
		const auto one = pool->acquire({.holder = "camera"});
		const auto two = pool->acquire({.holder = "screen"});
		got = got && one && two;
	}
	close(kEnd);
	EXPECT_TRUE(got);
}

std::string thisProgram()
{
	char path[4096];
	const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
	return length > 0 ? std::string(path, static_cast<size_t>(length)) : "";
}

} /* namespace */

TEST(PoolSystemCalls, AWarmPoolMakesNone)
{
	if (std::getenv(kTraced))
		return recycle();

	const TemporaryDirectory directory;
	const auto log = directory.path() / "calls";
	const auto run =
		runCommand(std::string(kTraced) + "=1 strace -f -o " + log.string() + " " +
			   thisProgram() + " --gtest_filter=PoolSystemCalls.AWarmPoolMakesNone");
	ASSERT_EQ(run.status, 0) << run.output << run.errors;

	std::ifstream lines(log);
	bool within = false;
	int begins = 0;
	int ends = 0;
	std::string between;
	for (std::string line; std::getline(lines, line);) {
		if (line.find("close(" + std::to_string(kBegin) + ")") != std::string::npos) {
			within = true;
			begins++;
		} else if (line.find("close(" + std::to_string(kEnd) + ")") != std::string::npos) {
			within = false;
			ends++;
		} else if (within) {
			between += line + "\n";
		}
	}
	EXPECT_EQ(begins, 1);
	EXPECT_EQ(ends, 1);
	EXPECT_EQ(between, "");
}
