/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/heap_name.h"

#include <gtest/gtest.h>

using namespace heapflow;

TEST(HeapName, UsageAndUnitAddress)
{
	const HeapName name = parseHeapName("video@42000000");
	EXPECT_EQ(name.text, "video@42000000");
	EXPECT_EQ(name.usage, "video");
	EXPECT_EQ(name.unitAddress, 0x42000000u);
	EXPECT_FALSE(name.contiguous);
	EXPECT_FALSE(name.isProtected);
}

TEST(HeapName, MemoryIsNoUsage)
{
	const HeapName name = parseHeapName("memory@48000000-contiguous");
	EXPECT_EQ(name.usage, "");
	EXPECT_EQ(name.unitAddress, 0x48000000u);
	EXPECT_TRUE(name.contiguous);
}

TEST(HeapName, ProtectedInFront)
{
	/* The names of drivers/tee/tee_heap.c. */
	const HeapName name = parseHeapName("protected,secure-video-record");
	EXPECT_TRUE(name.isProtected);
	EXPECT_EQ(name.usage, "secure-video-record");
	EXPECT_TRUE(parseHeapName("protected,trusted-ui").isProtected);
	EXPECT_TRUE(parseHeapName("video@42000000-contiguous-protected").isProtected);
	EXPECT_TRUE(parseHeapName("video-protected@42000000").isProtected);
	EXPECT_FALSE(parseHeapName("unprotected@42000000").isProtected);
}

TEST(HeapName, SystemAndItsVariants)
{
	EXPECT_EQ(parseHeapName("system").usage, "");
	EXPECT_FALSE(parseHeapName("system").contiguous);
	EXPECT_TRUE(parseHeapName("system_cc_shared").ccShared);
	EXPECT_FALSE(parseHeapName("system").ccShared);
	for (const char *text : {"system", "system_cc_shared", "system-uncached", "qcom,system"})
		EXPECT_TRUE(isSystemHeapName(text)) << text;
	for (const char *text :
	     {"systematic", "system@42000000", "video", "", "my-system", "qcom,"})
		EXPECT_FALSE(isSystemHeapName(text)) << text;
}

TEST(HeapName, DefaultRegionNames)
{
	ASSERT_FALSE(defaultRegionNames().empty());
	EXPECT_EQ(defaultRegionNames().front(), "default_cma_region");
	for (const std::string &text : defaultRegionNames()) {
		const HeapName name = parseHeapName(text);
		EXPECT_EQ(name.usage, "") << text;
		EXPECT_TRUE(name.contiguous) << text;
	}
}

TEST(HeapName, RubbishAddressesAreNone)
{
	for (const char *text : {"video@", "video@zz", "video@42zz", "video@-contiguous",
				 "video@fffffffffffffffff", "video@0x42000000", "@"})
		EXPECT_FALSE(parseHeapName(text).unitAddress) << text;
	EXPECT_EQ(parseHeapName("video@ffffffffffffffff").unitAddress, UINT64_MAX);
	EXPECT_EQ(parseHeapName("video@42,protected").unitAddress, 0x42u);
	EXPECT_EQ(parseHeapName("").text, "");
}

TEST(HeapName, Plausible)
{
	EXPECT_TRUE(isPlausibleHeapName("video@42000000"));
	EXPECT_TRUE(isPlausibleHeapName(std::string(63, 'a')));
	EXPECT_FALSE(isPlausibleHeapName(std::string(64, 'a')));
	EXPECT_FALSE(isPlausibleHeapName(""));
	EXPECT_FALSE(isPlausibleHeapName("."));
	EXPECT_FALSE(isPlausibleHeapName(".."));
	EXPECT_FALSE(isPlausibleHeapName("a/b"));
	EXPECT_FALSE(isPlausibleHeapName("a\nb"));
	EXPECT_FALSE(isPlausibleHeapName("a\x7f"));
	EXPECT_FALSE(isPlausibleHeapName(std::string_view("a\0b", 3)));
}
