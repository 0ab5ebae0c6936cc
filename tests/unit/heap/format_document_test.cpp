/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* docs/formats.md shows the table of pixel_formats.cpp, and nothing else. */
#include "heapflow/heap/pixel_format.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

using namespace heapflow;

namespace
{

const char *const kBegin = "<!-- table: begin -->\n";
const char *const kEnd = "<!-- table: end -->\n";

std::string planeText(const FormatInfo::Plane &plane)
{
	std::string text = std::to_string(plane.bytesPerBlock) + " B";
	if (plane.pixelsPerBlock > 1)
		text += " / " + std::to_string(plane.pixelsPerBlock) + " px";
	if (plane.verticalSubsampling > 1)
		text += ", every " + std::to_string(plane.verticalSubsampling) + " lines";
	return text;
}

std::string modifierText(uint64_t modifier)
{
	char text[24];
	std::snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(modifier));
	return modifier ? text : "linear";
}

std::string table()
{
	std::ostringstream out;
	out << "| name | fourcc | modifier | kind | bits | colour shared by | alpha | planes |\n"
	    << "|---|---|---|---|---|---|---|---|\n";
	for (const FormatInfo &info : knownFormats()) {
		out << "| " << info.name << " | `" << fourccToString(info.fourcc) << "` | "
		    << modifierText(info.modifier) << " | " << kindName(info.kind) << " | "
		    << info.depth << " | "
		    << (info.yuv ? std::to_string(info.horizontalSubsampling) + "x" +
					   std::to_string(info.verticalSubsampling)
				 : "")
		    << " | " << (info.alpha ? "yes" : "") << " | ";
		for (unsigned i = 0; i < info.planes; i++)
			out << (i ? "; " : "") << planeText(info.plane[i]);
		out << " |\n";
	}
	return out.str();
}

std::string documentPath()
{
	const char *path = std::getenv("FORMATS_MD");
	return path ? path : "docs/formats.md";
}

/* HEAPFLOW_WRITE_FORMATS=1 brings the document up to date instead of comparing. */
TEST(FormatDocument, ShowsTheTable)
{
	std::ifstream in(documentPath());
	ASSERT_TRUE(in) << documentPath() << " (FORMATS_MD says where it is)";
	std::stringstream whole;
	whole << in.rdbuf();
	const std::string text = whole.str();
	const size_t begin = text.find(kBegin);
	const size_t end = text.find(kEnd);
	ASSERT_NE(begin, std::string::npos);
	ASSERT_NE(end, std::string::npos);

	const size_t first = begin + std::string(kBegin).size();
	if (std::getenv("HEAPFLOW_WRITE_FORMATS")) {
		std::ofstream out(documentPath());
		out << text.substr(0, first) << table() << text.substr(end);
		return;
	}
	EXPECT_EQ(text.substr(first, end - first), table())
		<< "Run this test with HEAPFLOW_WRITE_FORMATS=1 and commit docs/formats.md";
}

} /* namespace */
