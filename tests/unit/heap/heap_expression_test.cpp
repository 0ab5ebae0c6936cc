/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/heap_expression.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace heapflow;
using Kind = HeapAlternative::Kind;
using testing::HasSubstr;

namespace
{

/* The error of an expression that must not be understood. */
Error refused(std::string_view text)
{
	const auto expression = parseHeapExpression(text);
	EXPECT_FALSE(expression) << text;
	return expression ? Error{} : expression.error();
}

} /* namespace */

TEST(HeapExpression, OneName)
{
	const auto expression = parseHeapExpression("memory@48000000-contiguous");
	ASSERT_TRUE(expression);
	ASSERT_EQ(expression->alternatives.size(), 1u);
	EXPECT_EQ(expression->alternatives[0].kind, Kind::Name);
	EXPECT_EQ(expression->alternatives[0].text, "memory@48000000-contiguous");
	EXPECT_EQ(expression->text, "memory@48000000-contiguous");
}

TEST(HeapExpression, AlternativesKeepOrderKindAndPosition)
{
	const auto expression = parseHeapExpression("video@*:linux,cma:default:[!a]x:hea?");
	ASSERT_TRUE(expression);
	const auto &all = expression->alternatives;
	ASSERT_EQ(all.size(), 5u);
	EXPECT_EQ(all[0].kind, Kind::Glob);
	EXPECT_EQ(all[1].kind, Kind::Name);
	EXPECT_EQ(all[2].kind, Kind::Default);
	EXPECT_EQ(all[3].kind, Kind::Glob);
	EXPECT_EQ(all[4].kind, Kind::Glob);
	EXPECT_EQ(all[0].position, 0u);
	EXPECT_EQ(all[1].position, 8u);
	EXPECT_EQ(all[2].position, 18u);
	EXPECT_EQ(all[3].position, 26u);
	EXPECT_EQ(all[4].position, 32u);
}

TEST(HeapExpression, NamesOfEveryKernel)
{
	for (const char *name : {"system", "system_cc_shared", "default_cma_region", "reserved",
				 "linux,cma", "default-pool", "protected,secure-video",
				 "qcom,system", "a+b.c", "defaults", "automatic"}) {
		const auto expression = parseHeapExpression(name);
		ASSERT_TRUE(expression) << name;
		EXPECT_EQ(expression->alternatives[0].kind, Kind::Name) << name;
	}
}

TEST(HeapExpression, ErrorsSayWhere)
{
	struct Case {
		const char *text;
		const char *where;
	};
	const Case cases[] = {
		{":a", "character 1:"},           {"a:", "character 3:"},
		{"a::b", "character 3:"},         {"a b", "character 2:"},
		{"video@*:/dev", "character 9:"}, {"x:is=y", "character 5:"},
		{"a:auto", "character 3:"},       {"abc[d", "character 4:"},
		{"a\x01", "character 2:"},        {"a\xff", "character 2:"},
		{"[a:b]", "character 1:"},
	};
	for (const Case &one : cases) {
		const Error error = refused(one.text);
		EXPECT_EQ(error.code, EINVAL);
		EXPECT_THAT(error.message, HasSubstr(one.where)) << one.text;
		EXPECT_FALSE(error.hint.empty()) << one.text;
	}
}

TEST(HeapExpression, WhatIsNotUnderstoodSaysWhatIs)
{
	for (const char *text : {"auto", "is=contiguous,usage=video", "a:not=protected", ""}) {
		const Error error = refused(text);
		EXPECT_EQ(error.code, EINVAL);
		EXPECT_THAT(error.hint, HasSubstr("default")) << text;
	}
	EXPECT_THAT(refused("auto").message, HasSubstr("'auto' is not understood"));
	EXPECT_THAT(refused("is=x").message, HasSubstr("conditions ('=') are not understood"));
}

TEST(HeapExpression, ErrorsShowNothingThatCommandsATerminal)
{
	const Error error = refused("a\x1b[31mred\x9b");
	for (const char character : error.text())
		EXPECT_TRUE(character >= 0x20 && character < 0x7f) << error.text();
}

TEST(HeapExpression, Lengths)
{
	EXPECT_TRUE(parseHeapExpression(std::string(63, 'a')));
	EXPECT_THAT(refused(std::string(64, 'a')).message, HasSubstr("character 64:"));
	EXPECT_TRUE(parseHeapExpression(std::string(200, 'a') + "*"));
	EXPECT_THAT(refused(std::string(5000, 'a') + "*").message, HasSubstr("5001 characters"));
	EXPECT_LT(refused("=" + std::string(4000, 'a')).text().size(), 500u);
}

TEST(HeapExpression, EmbeddedNulIsAnError)
{
	EXPECT_THAT(refused(std::string_view("a\0b", 3)).message, HasSubstr("byte 0x00"));
}
