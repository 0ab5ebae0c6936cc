/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/heap_expression.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

using heapflow::matchGlob;

TEST(Glob, PlainText)
{
	EXPECT_TRUE(matchGlob("", ""));
	EXPECT_FALSE(matchGlob("", "a"));
	EXPECT_FALSE(matchGlob("a", ""));
	EXPECT_TRUE(matchGlob("linux,cma", "linux,cma"));
	EXPECT_FALSE(matchGlob("linux,cma", "linux,cma2"));
	EXPECT_FALSE(matchGlob("linux,cma", "linux.cma"));
}

TEST(Glob, Star)
{
	EXPECT_TRUE(matchGlob("*", ""));
	EXPECT_TRUE(matchGlob("video@*", "video@42000000"));
	EXPECT_TRUE(matchGlob("video@*", "video@"));
	EXPECT_FALSE(matchGlob("video@*", "xvideo@42000000"));
	EXPECT_TRUE(matchGlob("*-contiguous", "memory@48000000-contiguous"));
	EXPECT_FALSE(matchGlob("*-contiguous", "memory-contiguous-x"));
	EXPECT_TRUE(matchGlob("*a*b*", "xxaxxbxx"));
	EXPECT_FALSE(matchGlob("*a*b*", "xxbxxaxx"));
	EXPECT_TRUE(matchGlob("a**b", "ab"));
	/* The last star must be tried at a later place. */
	EXPECT_TRUE(matchGlob("*ab", "aab"));
	EXPECT_TRUE(matchGlob("*aba", "ababaaba"));
}

TEST(Glob, QuestionMark)
{
	EXPECT_TRUE(matchGlob("c?a", "cma"));
	EXPECT_FALSE(matchGlob("c?a", "ca"));
	EXPECT_FALSE(matchGlob("?", ""));
	EXPECT_TRUE(matchGlob("*?", "x"));
}

TEST(Glob, Sets)
{
	EXPECT_TRUE(matchGlob("heap[0-9]", "heap7"));
	EXPECT_FALSE(matchGlob("heap[0-9]", "heapx"));
	EXPECT_TRUE(matchGlob("heap[!0-9]", "heapx"));
	EXPECT_FALSE(matchGlob("heap[!0-9]", "heap7"));
	EXPECT_FALSE(matchGlob("heap[!0-9]", "heap"));
	EXPECT_TRUE(matchGlob("[abc]*", "cma"));
	EXPECT_TRUE(matchGlob("[a-cx-z]", "y"));
	EXPECT_TRUE(matchGlob("[]]", "]"));
	EXPECT_TRUE(matchGlob("[!]]", "a"));
	EXPECT_FALSE(matchGlob("[!]]", "]"));
	EXPECT_TRUE(matchGlob("[a-]", "-"));
	EXPECT_TRUE(matchGlob("[-a]", "-"));
	EXPECT_FALSE(matchGlob("[z-a]", "m"));
}

TEST(Glob, ASetThatIsNotClosedIsTheBracketItself)
{
	EXPECT_TRUE(matchGlob("a[b", "a[b"));
	EXPECT_FALSE(matchGlob("a[b", "ab"));
}

TEST(Glob, BytesAboveAsciiAreCharacters)
{
	EXPECT_TRUE(matchGlob("*\xff", "heap\xff"));
	EXPECT_TRUE(matchGlob("[\x80-\xff]", "\xa0"));
}

TEST(Glob, NeverExplodes)
{
	/* A matcher that goes back to every star needs 2^64 steps for this. */
	std::string pattern;
	for (int i = 0; i < 64; i++)
		pattern += "a*";
	pattern += "b";
	const auto start = std::chrono::steady_clock::now();
	EXPECT_FALSE(matchGlob(pattern, std::string(4096, 'a')));
	EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}
