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
		{"video@*:/dev", "character 9:"}, {"x:is=y", "character 6:"},
		{"abc[d", "character 4:"},        {"a\x01", "character 2:"},
		{"a\xff", "character 2:"},        {"[a:b]", "character 1:"},
	};
	for (const Case &one : cases) {
		const Error error = refused(one.text);
		EXPECT_EQ(error.code, EINVAL);
		EXPECT_THAT(error.message, HasSubstr(one.where)) << one.text;
		EXPECT_FALSE(error.hint.empty()) << one.text;
	}
}

TEST(HeapExpression, Conditions)
{
	const auto expression = parseHeapExpression(
		"is=contiguous,not=protected,usage=video*,min-free=64M,below=4G:auto");
	ASSERT_TRUE(expression);
	ASSERT_EQ(expression->alternatives.size(), 2u);
	EXPECT_EQ(expression->alternatives[0].kind, Kind::Conditions);
	EXPECT_EQ(expression->alternatives[1].kind, Kind::Auto);

	const auto &conditions = expression->alternatives[0].conditions;
	ASSERT_EQ(conditions.size(), 5u);
	using Key = HeapCondition::Key;
	EXPECT_EQ(conditions[0].key, Key::Is);
	EXPECT_EQ(conditions[0].property, HeapProperty::Contiguous);
	EXPECT_EQ(conditions[1].key, Key::Not);
	EXPECT_EQ(conditions[1].property, HeapProperty::Protected);
	EXPECT_EQ(conditions[2].usage, "video*");
	EXPECT_EQ(conditions[3].bytes, uint64_t{64} << 20);
	EXPECT_EQ(conditions[4].bytes, uint64_t{4} << 30);
	EXPECT_EQ(conditions[4].text, "below=4G");
}

TEST(HeapExpression, EveryPropertyHasAWordThatIsRead)
{
	for (const HeapProperty property :
	     {HeapProperty::Contiguous, HeapProperty::Protected, HeapProperty::Cached,
	      HeapProperty::CcShared, HeapProperty::Dedicated}) {
		const auto expression =
			parseHeapExpression("is=" + std::string(propertyName(property)));
		ASSERT_TRUE(expression) << propertyName(property);
		EXPECT_EQ(expression->alternatives[0].conditions[0].property, property);
	}
}

TEST(HeapExpression, WrongConditionsPointAtTheCharacter)
{
	struct Case {
		const char *text;
		size_t position;
		const char *message;
		const char *hint;
	};
	const Case cases[] = {
		{"is=contigous", 3, "no property 'contigous'", "did you mean 'contiguous'?"},
		{"is=cc-shared", 3, "no property", "did you mean 'cc_shared'?"},
		{"a:si=cached", 2, "no condition 'si'", "did you mean 'is'?"},
		{"minfree=4M", 0, "no condition 'minfree'", "did you mean 'min-free'?"},
		{"is=cached,", 10, "a condition is missing", "is, not, usage"},
		{"is=cached,video", 10, "has no '='", "KEY=VALUE"},
		{"is=", 3, "needs a value", ""},
		{"=x", 0, "no condition ''", "is, not, usage"},
		{"min-free=lots", 9, "is no size", "64M"},
		{"min-free=0", 9, "0 bytes", "64M"},
		{"below=99999999999999999999T", 6, "beyond 64 bits", "4G"},
		{"usage=v[", 7, "has no ']'", ""},
		{"is=cached=x", 9, "a second '='", "','"},
	};
	for (const Case &one : cases) {
		const auto expression = readHeapExpression(one.text);
		ASSERT_FALSE(expression) << one.text;
		const HeapExpressionError &failure = expression.error();
		EXPECT_EQ(failure.position, one.position) << one.text;
		EXPECT_EQ(failure.error.code, EINVAL);
		EXPECT_THAT(failure.error.message, HasSubstr(one.message));
		EXPECT_THAT(failure.error.hint, HasSubstr(one.hint)) << one.text;
	}
}

TEST(HeapExpression, ThePointerStandsBelowTheCharacter)
{
	const std::string text = "video@*:is=contigous";
	const auto expression = readHeapExpression(text);
	ASSERT_FALSE(expression);
	EXPECT_EQ(expression.error().pointer(text), "video@*:is=contigous\n           ^\n");
}

TEST(HeapExpression, ThePointerOfALongExpressionShowsTheSurroundings)
{
	const std::string text =
		std::string(60, 'a') + ":" + std::string(60, 'b') + ":/" + std::string(200, 'c');
	const auto expression = readHeapExpression(text);
	ASSERT_FALSE(expression);
	const std::string pointer = expression.error().pointer(text);
	const size_t end = pointer.find('\n');
	const size_t column = pointer.find('^') - end - 1;
	EXPECT_EQ(pointer[column], '/') << pointer;
	EXPECT_LT(end, 90u);
}

TEST(HeapExpression, AnEmptyExpressionSaysWhatIsUnderstood)
{
	const Error error = refused("");
	EXPECT_EQ(error.code, EINVAL);
	EXPECT_THAT(error.hint, HasSubstr("default"));
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
