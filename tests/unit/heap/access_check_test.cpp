/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* HEAPFLOW_CHECK: what is reported. It is read once a process, so each case is a process of its
 * own. */
#include "heapflow/heap/access_check.h"
#include "heapflow/heap/buffer_pool.h"

#include "made_up_heap.h"
#include "scripted_ioctl.h"
#include "temporary_directory.h"

#include <cstdio>
#include <cstdlib>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace heapflow;
using namespace heapflow::test;

namespace
{

constexpr uint64_t kSize = 2 * 4096;

UniqueFd makeMemory()
{
	UniqueFd fd(memfd_create("checked", MFD_CLOEXEC));
	EXPECT_EQ(ftruncate(fd.get(), kSize), 0);
	return fd;
}

/* "threadsafe" runs the test's own program anew, in which nobody has read the variable yet. */
class CheckDeathTest : public testing::Test
{
protected:
	CheckDeathTest() { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
	static void checking(const char *value) { setenv("HEAPFLOW_CHECK", value, 1); }
	~CheckDeathTest() override { unsetenv("HEAPFLOW_CHECK"); }
};

} /* namespace */

TEST(CheckSettings, Values)
{
	EXPECT_FALSE(readAccessCheckSettings("").on);
	EXPECT_FALSE(readAccessCheckSettings("0").on);
	EXPECT_TRUE(readAccessCheckSettings("1").guards);
	EXPECT_FALSE(readAccessCheckSettings("1").endsProgram);
	EXPECT_TRUE(readAccessCheckSettings("abort").endsProgram);
	EXPECT_FALSE(readAccessCheckSettings("abort,no-guard").guards);
	for (const char *text : {"yes", "2", "1,guard", ",", "abort,", "1,no-guard,x"}) {
		const AccessCheckSettings settings = readAccessCheckSettings(text);
		EXPECT_TRUE(settings.on) << text;
		EXPECT_FALSE(settings.complaint.empty()) << text;
	}
}

TEST_F(CheckDeathTest, ABracketEndedTwice)
{
	checking("abort");
	EXPECT_DEATH(
		{
			const MemoryHeap memory;
			const UniqueFd fd = makeMemory();
			static_cast<void>(syncBegin(fd.get(), Access::Read));
			static_cast<void>(syncEnd(fd.get(), Access::Read));
			static_cast<void>(syncEnd(fd.get(), Access::Read));
		},
		"heapflow check: ");
}

TEST_F(CheckDeathTest, ABracketEndedInAnotherDirection)
{
	checking("abort");
	EXPECT_DEATH(
		{
			const MemoryHeap memory;
			const UniqueFd fd = makeMemory();
			static_cast<void>(syncBegin(fd.get(), Access::Read));
			static_cast<void>(syncEnd(fd.get(), Access::Write));
		},
		"heapflow check: ");
}

TEST_F(CheckDeathTest, ABracketThatIsNeverEnded)
{
	checking("abort");
	EXPECT_DEATH(
		{
			const MemoryHeap memory;
			const UniqueFd fd = makeMemory();
			static_cast<void>(syncBegin(fd.get(), Access::Write));
			std::exit(0);
		},
		"heapflow check: ");
}

TEST_F(CheckDeathTest, TouchingBytesOutsideABracket)
{
	checking("1");
	EXPECT_DEATH(
		{
			const MemoryHeap memory;
			const UniqueFd fd = makeMemory();
			auto view = CpuView::create(fd.get(), {0, kSize});
			volatile std::byte *stale = nullptr;
			{
				auto scope = view->begin(Access::ReadWrite);
				stale = scope->bytes().data();
				*stale = std::byte{1};
			}
			*stale = std::byte{2};
		},
		"heapflow check: .*outside");
}

TEST_F(CheckDeathTest, WritingInABracketForReading)
{
	checking("1");
	EXPECT_DEATH(
		{
			const MemoryHeap memory;
			const UniqueFd fd = makeMemory();
			auto view = CpuView::create(fd.get(), {0, kSize});
			auto scope = view->begin(Access::Read);
			volatile std::byte *bytes = scope->bytes().data();
			*bytes = std::byte{2};
		},
		"heapflow check: ");
}

TEST_F(CheckDeathTest, TouchingABufferThatWasGivenBack)
{
	checking("1");
	EXPECT_DEATH(
		{
			const MemoryHeap memory;
			const TemporaryDirectory directory;
			Heap heap = cmaHeap("video@42000000", 0x42000000, 1 << 26, 1 << 26);
			heap.node = directory.write("heap", "");
			auto device = HeapDevice::open(heap);
			auto pool = BufferPool::create(std::move(*device), kSize, {.count = 1});
			auto lease = pool->acquire({.holder = "viewer"});
			volatile std::byte *stale = nullptr;
			{
				auto scope = lease->access(Access::Write);
				stale = scope->bytes().data();
			}
			lease->giveBack();
			*stale = std::byte{1};
		},
		"heapflow check: .*given back");
}

TEST_F(CheckDeathTest, ABadValueIsSaidAndChecksAllTheSame)
{
	checking("perhaps");
	EXPECT_EXIT(
		{
			const MemoryHeap memory;
			const UniqueFd fd = makeMemory();
			static_cast<void>(syncBegin(fd.get(), Access::Read));
			static_cast<void>(syncEnd(fd.get(), Access::Read));
			std::exit(0);
		},
		testing::ExitedWithCode(0), "HEAPFLOW_CHECK='perhaps' is not understood");
}

TEST_F(CheckDeathTest, CorrectUseIsSilent)
{
	checking("abort");
	EXPECT_EXIT(
		{
			const MemoryHeap memory;
			const UniqueFd fd = makeMemory();
			for (int i = 0; i < 3; i++) {
				auto mapping = Mapping::create(fd.get(), kSize, Access::Write);
				mapping->bytes()[0] = std::byte{1};
			}
			std::exit(0);
		},
		testing::ExitedWithCode(0), "^$");
}
