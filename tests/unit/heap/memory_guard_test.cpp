/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../../../libheap/src/memory_guard.h"

#include <gtest/gtest.h>

using heapflow::MemoryGuard;

TEST(MemoryGuard, RefusesMoreThanThereIs)
{
	MemoryGuard guard([] { return 1000; });
	EXPECT_EQ(guard.refuse(1001), 1000u);
	EXPECT_FALSE(guard.refuse(1000));
}

TEST(MemoryGuard, SmallOnesPayForALookOnceInMany)
{
	int looks = 0;
	MemoryGuard guard([&looks] {
		looks++;
		return 1'600'000;
	});
	for (int i = 0; i < 1500; i++)
		EXPECT_FALSE(guard.refuse(100));
	EXPECT_EQ(looks, 2) << "one share in 16 is 100000 bytes";
}

TEST(MemoryGuard, NeverGivesMoreThanTheShareUnseen)
{
	uint64_t available = 16'000;
	uint64_t given = 0;
	MemoryGuard guard([&available] { return available; });
	ASSERT_FALSE(guard.refuse(1));
	/* Somebody else takes all: what is admitted from now on is within the share. */
	available = 0;
	while (!guard.refuse(10))
		given += 10;
	EXPECT_LE(given, 16'000 / MemoryGuard::kShare);
}

TEST(MemoryGuard, WhatIsUnknownIsAdmitted)
{
	MemoryGuard guard([] { return std::nullopt; });
	EXPECT_FALSE(guard.refuse(UINT64_MAX));
}
