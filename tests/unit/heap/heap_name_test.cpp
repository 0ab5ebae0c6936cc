/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/heap_name.h"
#include "heapflow/heap/known_heap_names.h"

#include <set>

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

TEST(KnownHeapNames, EachStandsOnceAndSaysAll)
{
	std::set<std::string_view> names;
	for (const KnownHeapName &known : knownHeapNames()) {
		EXPECT_TRUE(names.insert(known.name).second) << known.name;
		EXPECT_EQ(knownHeapName(known.name), &known);
		EXPECT_TRUE(isPlausibleHeapName(known.name)) << known.name;
		for (const std::string_view text : {known.maker, known.meaning, known.source})
			EXPECT_FALSE(text.empty()) << known.name;
		if (!known.sameRegionAs.empty()) {
			EXPECT_TRUE(isPlausibleHeapName(known.sameRegionAs)) << known.name;
			EXPECT_NE(knownHeapName(known.sameRegionAs), &known);
		}

		const HeapName name = parseHeapName(known.name);
		EXPECT_EQ(name.contiguous, known.contiguous.value_or(false)) << known.name;
		EXPECT_EQ(name.cached, known.cached) << known.name;
		EXPECT_EQ(name.isProtected, known.isProtected) << known.name;
		EXPECT_EQ(name.addressLimit, known.addressLimit) << known.name;
	}
	for (const std::string &text : defaultRegionNames())
		EXPECT_TRUE(names.contains(text)) << text;
	EXPECT_EQ(knownHeapName("video@42000000"), nullptr);
	EXPECT_EQ(knownHeapName(""), nullptr);
}

TEST(HeapName, WordsOfVendorsInOtherNames)
{
	EXPECT_EQ(parseHeapName("video-uncached").cached, false);
	EXPECT_EQ(parseHeapName("video_cached@42000000").cached, true);
	EXPECT_EQ(parseHeapName("gpu-dma32").addressLimit, uint64_t{1} << 32);
	EXPECT_FALSE(parseHeapName("video@42000000").cached);
	EXPECT_FALSE(parseHeapName("cachedx").cached);
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
