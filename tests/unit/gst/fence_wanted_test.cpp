/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapfencewanted.h"

#include <gtest/gtest.h>

using namespace heapflow::gst;

namespace
{

TEST(FenceWanted, NeverByACameraThatHasTwoToFill)
{
	FenceWanted wanted;
	for (unsigned frame = 0; frame < 100; ++frame)
		EXPECT_FALSE(wanted.next(true)) << frame;
}

TEST(FenceWanted, AtOnceByOneThatHasFewer)
{
	FenceWanted wanted;
	wanted.next(true);
	EXPECT_TRUE(wanted.next(false));
}

/* With its fences it has two, and without them one again. */
TEST(FenceWanted, ForAWhileByOneThatHasTwoSince)
{
	FenceWanted wanted;
	wanted.next(false);
	for (unsigned frame = 1; frame < FenceWanted::framesInARow; ++frame)
		EXPECT_TRUE(wanted.next(true)) << frame;
	EXPECT_FALSE(wanted.next(true));

	EXPECT_TRUE(wanted.next(false)) << "again";
	wanted.next(true);
	wanted.next(false);
	for (unsigned frame = 1; frame < FenceWanted::framesInARow; ++frame)
		EXPECT_TRUE(wanted.next(true)) << "counted from the last one with fewer";
}

} /* namespace */
