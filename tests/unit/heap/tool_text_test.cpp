/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/heap/size_text.h"
#include "table.h"

#include <cerrno>

#include <gtest/gtest.h>

using namespace heapflow;
using namespace heapflow::tool;

TEST(SizeText, Parse)
{
	EXPECT_EQ(parseSize("4096"), 4096u);
	EXPECT_EQ(parseSize("8M"), 8u << 20);
	EXPECT_EQ(parseSize("8MiB"), 8u << 20);
	EXPECT_EQ(parseSize("1k"), 1024u);
	EXPECT_EQ(parseSize("3GiB"), uint64_t{3} << 30);
	EXPECT_EQ(parseSize("1T"), uint64_t{1} << 40);
	EXPECT_EQ(parseSize("18446744073709551615"), UINT64_MAX);
}

TEST(SizeText, ParseRefuses)
{
	for (const char *text :
	     {"", "M", "8MB", "8m", "8 M", " 8", "-1", "0", "0M", "1.5M", "0x10", "8MiBx",
	      "18446744073709551616", "18014398509481984K", "99999999T"}) {
		const auto size = parseSize(text);
		ASSERT_FALSE(size) << text;
		EXPECT_EQ(size.error().code, EINVAL) << text;
	}
}

TEST(SizeText, Print)
{
	EXPECT_EQ(sizeText(std::nullopt), "-");
	EXPECT_EQ(sizeText(0), "0");
	EXPECT_EQ(sizeText(1023), "1023 B");
	EXPECT_EQ(sizeText(1024), "1 KiB");
	EXPECT_EQ(sizeText(1536), "1.5 KiB");
	EXPECT_EQ(sizeText(67108864), "64 MiB");
	EXPECT_EQ(sizeText(67108863), "63.9 MiB");
	EXPECT_EQ(sizeText(UINT64_MAX), "15.9 EiB");
}

TEST(Table, ColumnsLineUp)
{
	Table table({{"A", Table::Align::Left}, {"BB", Table::Align::Right}, {"C"}});
	table.addRow({"long", "1", "x"});
	table.addRow({"s", "22222"});
	EXPECT_EQ(table.text(), "A        BB  C\n"
				"long      1  x\n"
				"s     22222\n");
}

TEST(Table, CellsCannotCommandTheTerminal)
{
	EXPECT_EQ(safeText("a\x1b[31m\n\xff"), "a\\x1b[31m\\x0a\\xff");
	Table table({{"A"}});
	table.addRow({"x\ny\t\x07"});
	EXPECT_EQ(table.text(), "A\nx\\x0ay\\x09\\x07\n");
}
