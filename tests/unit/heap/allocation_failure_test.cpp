/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why the kernel refused, of systems in which it cannot be made to refuse on demand: what a board
 * shows by itself (too small, exhausted, fragmented) is in tests/board/heap.
 */
#include "system_directory.h"

#include "heapflow/heap/allocation_failure.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace heapflow;
using heapflow::test::SystemDirectory;
using testing::HasSubstr;

namespace
{

constexpr uint64_t kMiB = 1 << 20;
constexpr const char *kHeap = "video@42000000";
const auto kPage = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));

/* `words` words of 32 pages, the first `used` of them taken (u32_format_array, fs/debugfs/file.c).
 */
std::string bitmap(size_t words, size_t used)
{
	std::string text;
	for (size_t i = 0; i < words; i++)
		text += (i ? " " : "") + std::string(i < used ? "4294967295" : "0");
	return text + "\n";
}

class FailureIn : public testing::Test
{
protected:
	FailureIn() { system.makeBoard(); }

	/* A range of `words` words at the page `base`; the board's region has 16384 pages. */
	void addRange(unsigned number, uint64_t base, size_t words, size_t used) const
	{
		const std::string area = std::string("sys/kernel/debug/cma/") + kHeap;
		const std::string range = area + "/ranges/" + std::to_string(number);
		system.write(area + "/count", "16384\n");
		system.write(area + "/order_per_bit", "0\n");
		system.write(range + "/base_pfn", std::to_string(base) + "\n");
		system.write(range + "/bitmap", bitmap(words, used));
	}

	AllocationFailure fail(uint64_t size, int code = ENOMEM) const
	{
		return diagnoseAllocation(*system.find(kHeap), code, size, system.paths());
	}

	SystemDirectory system;
};

} /* namespace */

TEST_F(FailureIn, ARegionWithAFreeRunIsBusy)
{
	addRange(0, 0x42000, 512, 128);
	const AllocationFailure failure = fail(8 * kMiB);
	EXPECT_EQ(failure.cause, AllocationCause::Busy);
	EXPECT_THAT(failure.error().hint, HasSubstr("the kernel could not empty it"));
	EXPECT_THAT(failure.error().hint, HasSubstr("list of its pages"));
}

TEST_F(FailureIn, WithoutDebugfsItIsInPiecesOrBusy)
{
	const AllocationFailure failure = fail(8 * kMiB);
	EXPECT_EQ(failure.cause, AllocationCause::FreeButUnknown);
	EXPECT_THAT(failure.error().hint, HasSubstr("heapctl list --map"));
}

TEST_F(FailureIn, WithoutCountersNothingIsKnown)
{
	system.write(std::string("sys/kernel/mm/cma/") + kHeap + "/available_pages", "rubbish\n");
	const AllocationFailure failure = fail(8 * kMiB);
	EXPECT_EQ(failure.cause, AllocationCause::NothingKnown);
	EXPECT_THAT(failure.error().hint, HasSubstr("CONFIG_CMA_SYSFS"));
}

TEST_F(FailureIn, ARunDoesNotCrossTheRangesOfARegion)
{
	/* 24 MiB free in each of two ranges of 32 MiB: 48 MiB in all, with 4096-byte pages. */
	addRange(0, 0x42000, 256, 64);
	addRange(1, 0x60000, 256, 64);
	const AllocationFailure large = fail(6144 * kPage + kPage);
	EXPECT_EQ(large.cause, AllocationCause::Fragmented);
	EXPECT_EQ(large.region.largest, 6144 * kPage);
	EXPECT_EQ(fail(6144 * kPage).cause, AllocationCause::Busy);
	EXPECT_EQ(large.region.free, 12288 * kPage);
}

TEST_F(FailureIn, OtherCodesAreNoLackOfMemory)
{
	EXPECT_EQ(fail(kMiB, EMFILE).cause, AllocationCause::NoDescriptor);
	EXPECT_THAT(fail(kMiB, EMFILE).error().hint, HasSubstr("ulimit -n"));
	EXPECT_THAT(fail(kMiB, ENFILE).error().hint, HasSubstr("fs.file-max"));
	EXPECT_EQ(fail(kMiB, EINTR).cause, AllocationCause::Interrupted);
	EXPECT_EQ(fail(kMiB, ENOTTY).cause, AllocationCause::NotAHeap);
	EXPECT_EQ(fail(kMiB, EDOM).cause, AllocationCause::Other);
}
