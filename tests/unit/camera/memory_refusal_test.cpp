/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "memory_refusal.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

namespace
{

Heap heap(const std::string &name, const std::string &region, bool contiguous)
{
	Heap result;
	result.name = parseHeapName(name);
	result.region.id = region;
	result.region.contiguous = contiguous;
	return result;
}

std::vector<Heap> board()
{
	return {heap("default_cma_region", "linux,cma", true), heap("linux,cma", "linux,cma", true),
		heap("system", "system", false), heap("video@42000000", "video@42000000", true)};
}

TEST(Refusal, OfScatteredMemoryNamesTheContiguousHeaps)
{
	const Error error = describeRefusal(EFAULT, "vimc", "system", board());
	EXPECT_EQ(error.code, EFAULT);
	EXPECT_THAT(error.message, HasSubstr("vimc refused the memory of heap 'system'"));
	EXPECT_THAT(error.message, HasSubstr("contiguous"));
	/* Each region once: linux,cma is default_cma_region. */
	EXPECT_EQ(error.hint, "Try a contiguous heap (default_cma_region, video@42000000)");
}

TEST(Refusal, OfContiguousMemoryDoesNotBlameContiguity)
{
	const Error error = describeRefusal(EFAULT, "vivid", "linux,cma", board());
	EXPECT_THAT(error.message, Not(HasSubstr("needs memory")));
	EXPECT_THAT(error.hint,
		    AllOf(HasSubstr("video@42000000"), Not(HasSubstr("default_cma_region"))));
}

TEST(Refusal, WithoutAContiguousHeapSaysHowToGetOne)
{
	const Error error =
		describeRefusal(EFAULT, "vivid", "system", {heap("system", "system", false)});
	EXPECT_THAT(error.hint, HasSubstr("CONFIG_DMABUF_HEAPS_CMA"));
}

TEST(Refusal, OfMemoryThatNobodyNamed)
{
	const Error error = describeRefusal(EFAULT, "vivid", "", board());
	EXPECT_THAT(error.message, HasSubstr("the memory it was given"));
}

} /* namespace */
