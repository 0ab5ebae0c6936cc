/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * heapflow's table of formats against what libdrm knows of them.
 *
 * libdrm has no table: drmGetFormatName() spells the fourcc, and drm_format_info is the kernel's
 * alone. What it knows stands in its drm_fourcc.h: the names, the bits of a pixel and the
 * subsampling, in comments of a fixed form. So the header is read as text.
 */
#include "heapflow/heap/pixel_format.h"

#include <fstream>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include <drm_fourcc.h>
#include <gtest/gtest.h>

using namespace heapflow;

namespace
{

struct HeaderFormat {
	std::string name;
	uint32_t fourcc;
	std::string comment;
};

std::vector<HeaderFormat> readHeader()
{
	std::vector<HeaderFormat> formats;
	std::ifstream header(DRM_FOURCC_HEADER);
	EXPECT_TRUE(header) << DRM_FOURCC_HEADER;
	const std::regex define(
		R"(^#define DRM_FORMAT_(\w+)\s+fourcc_code\('(.)', '(.)', '(.)', '(.)'\)(.*)$)");
	for (std::string line; std::getline(header, line);) {
		std::smatch match;
		if (!std::regex_match(line, match, define))
			continue;
		formats.push_back(
			{match[1],
			 fourcc_code(uint32_t(match[2].str()[0]), uint32_t(match[3].str()[0]),
				     uint32_t(match[4].str()[0]), uint32_t(match[5].str()[0])),
			 match[6]});
	}
	return formats;
}

/* Formats of the header that heapflow leaves out, and why. */
const std::map<std::string, std::string> &leftOut()
{
	const char *palette = "needs a palette, which no camera fills";
	const char *bits = "several pixels a byte, which no camera fills";
	const char *tiles = "tiles of 2x2 pixels: its lines are pairs of lines";
	const char *undefined = "has no linear layout";
	static const std::map<std::string, std::string> formats = {
		{"C1", palette},
		{"C2", palette},
		{"C4", palette},
		{"C8", palette},
		{"D1", bits},
		{"D2", bits},
		{"D4", bits},
		{"R1", bits},
		{"R2", bits},
		{"R4", bits},
		{"Y0L0", tiles},
		{"X0L0", tiles},
		{"Y0L2", tiles},
		{"X0L2", tiles},
		{"VUY101010", undefined},
		{"YUV420_8BIT", undefined},
		{"YUV420_10BIT", undefined},
		{"BGRA4444", "libcamera gives its fourcc to SGRBG12, which cameras do fill"},
	};
	return formats;
}

TEST(FormatHeader, EveryFormatIsInTheTableOrLeftOutForAReason)
{
	const auto formats = readHeader();
	EXPECT_GE(formats.size(), 120u);
	for (const HeaderFormat &format : formats) {
		const FormatInfo *info = formatInfo(format.fourcc);
		if (leftOut().contains(format.name)) {
			EXPECT_TRUE(!info || info->kind == FormatKind::Bayer) << format.name;
			continue;
		}
		ASSERT_TRUE(info) << format.name;
		EXPECT_EQ(info->name, format.name);
	}
}

/* "[31:0] x:R:G:B 8:8:8:8 little endian": the bits of a block. */
TEST(FormatHeader, BitsOfABlock)
{
	unsigned compared = 0;
	const std::regex bits(R"(.*\[(\d+):0\] (\S+) ([\d:]+) .*)");
	for (const HeaderFormat &format : readHeader()) {
		const FormatInfo *info = formatInfo(format.fourcc);
		std::smatch match;
		if (!info || leftOut().contains(format.name) ||
		    !std::regex_match(format.comment, match, bits))
			continue;
		EXPECT_EQ(info->plane[0].bytesPerBlock * 8, std::stoul(match[1]) + 1)
			<< format.name;
		EXPECT_EQ(info->planes, 1u) << format.name;
		/* Y1 is the luma of a second pixel. */
		const bool pair = match[2].str().find("Y1") != std::string::npos;
		EXPECT_EQ(info->plane[0].pixelsPerBlock, pair ? 2u : 1u) << format.name;
		EXPECT_EQ(info->alpha, match[2].str().find('A') != std::string::npos)
			<< format.name;
		compared++;
	}
	EXPECT_GE(compared, 60u);
}

/* "2x2 subsampled Cr:Cb plane 10 bits per channel" */
TEST(FormatHeader, SubsamplingAndDepth)
{
	unsigned compared = 0;
	const std::regex shared(R"(.*(\d)x(\d) subsampled (\S+).*)");
	const std::regex depth(R"(.* (\d+) bits? per channel.*)");
	for (const HeaderFormat &format : readHeader()) {
		const FormatInfo *info = formatInfo(format.fourcc);
		std::smatch match;
		const bool none = format.comment.find("non-subsampled") != std::string::npos;
		if (!info || (!none && !std::regex_match(format.comment, match, shared)))
			continue;
		compared++;
		const unsigned across = none ? 1 : unsigned(std::stoul(match[1]));
		const unsigned down = none ? 1 : unsigned(std::stoul(match[2]));
		EXPECT_EQ(info->horizontalSubsampling, across) << format.name;
		EXPECT_EQ(info->verticalSubsampling, down) << format.name;
		EXPECT_EQ(info->plane[1].verticalSubsampling, down) << format.name;
		/* One plane of pairs, or two planes: as many samples, in as many bytes. */
		const bool pairs = format.comment.find(':') != std::string::npos;
		EXPECT_EQ(info->planes, pairs ? 2u : 3u) << format.name;
		EXPECT_EQ(info->plane[1].bytesPerBlock * info->plane[0].pixelsPerBlock * across,
			  (pairs ? 2u : 1u) * info->plane[0].bytesPerBlock *
				  info->plane[1].pixelsPerBlock)
			<< format.name;
		if (std::regex_match(format.comment, match, depth)) {
			EXPECT_EQ(info->depth, std::stoul(match[1])) << format.name;
		}
	}
	EXPECT_GE(compared, 22u);
}

} /* namespace */
