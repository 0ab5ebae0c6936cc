/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one table of pixel formats. */
#include "heapflow/heap/pixel_format.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include <drm/drm_fourcc.h>

namespace heapflow
{

namespace
{

struct Id {
	uint32_t fourcc;
	const char *name;
};

#define DRM(name)                        \
	Id                               \
	{                                \
		DRM_FORMAT_##name, #name \
	}

/* What a header older than the format does not define. */
#define NEW(a, b, c, d, name)                 \
	Id                                    \
	{                                     \
		fourcc_code(a, b, c, d), name \
	}

/* libcamera/formats.h: the packing of MIPI CSI-2, and that of Intel's IPU3. */
constexpr uint64_t kMipiPacked = (uint64_t{11} << 56) | 1;
constexpr uint64_t kIpu3Packed = (uint64_t{1} << 56) | 13;

enum class Alpha { No, Yes };

constexpr FormatInfo rgb(Id id, unsigned bytes, unsigned depth, Alpha alpha = Alpha::No)
{
	return {.fourcc = id.fourcc,
		.modifier = 0,
		.name = id.name,
		.kind = FormatKind::Rgb,
		.planes = 1,
		.yuv = false,
		.alpha = alpha == Alpha::Yes,
		.depth = depth,
		.horizontalSubsampling = 1,
		.verticalSubsampling = 1,
		.plane = {{bytes, 1, 1}, {}, {}}};
}

/* Alpha in a second plane of a byte a pixel. */
constexpr FormatInfo rgbAndAlpha(Id id, unsigned bytes, unsigned depth)
{
	FormatInfo info = rgb(id, bytes, depth, Alpha::Yes);
	info.planes = 2;
	info.plane[1] = {1, 1, 1};
	return info;
}

constexpr FormatInfo grey(Id id, unsigned bytes, unsigned depth)
{
	FormatInfo info = rgb(id, bytes, depth);
	info.kind = FormatKind::Grey;
	return info;
}

/* All three samples of a pixel in one group of bytes. */
constexpr FormatInfo packedYuv444(Id id, unsigned bytes, unsigned depth, Alpha alpha = Alpha::No)
{
	FormatInfo info = rgb(id, bytes, depth, alpha);
	info.kind = FormatKind::Yuv;
	info.yuv = true;
	return info;
}

/* Two pixels share one sample of each chroma: Y0 Cb Y1 Cr. */
constexpr FormatInfo packedYuv422(Id id, unsigned bytesPerPair, unsigned depth)
{
	FormatInfo info = packedYuv444(id, bytesPerPair, depth);
	info.horizontalSubsampling = 2;
	info.plane[0].pixelsPerBlock = 2;
	return info;
}

struct Shared {
	unsigned across;
	unsigned down;
};

/* A plane of `samples` luma samples in `bytes`, and one with as many pairs of chroma. */
constexpr FormatInfo semiPlanar(Id id, Shared shared, unsigned depth, unsigned bytes,
				unsigned samples = 1)
{
	FormatInfo info = packedYuv444(id, bytes, depth);
	info.planes = 2;
	info.horizontalSubsampling = shared.across;
	info.verticalSubsampling = shared.down;
	info.plane[0] = {bytes, samples, 1};
	/*
	 * Two samples a pair: twice the bytes for as many pairs. NV15 says it in halves, 5 bytes
	 * for two pairs, where P030 needs 8 bytes for three.
	 */
	const bool halves = samples % 2 == 0;
	info.plane[1] = {halves ? bytes : 2 * bytes,
			 (halves ? samples / 2 : samples) * shared.across, shared.down};
	return info;
}

constexpr FormatInfo planar(Id id, Shared shared, unsigned depth = 8, unsigned bytes = 1)
{
	FormatInfo info = packedYuv444(id, bytes, depth);
	info.planes = 3;
	info.horizontalSubsampling = shared.across;
	info.verticalSubsampling = shared.down;
	info.plane[1] = {bytes, shared.across, shared.down};
	info.plane[2] = info.plane[1];
	return info;
}

constexpr FormatInfo bayer(Id id, unsigned depth)
{
	FormatInfo info = rgb(id, depth > 8 ? 2 : 1, depth);
	info.kind = FormatKind::Bayer;
	return info;
}

/* As on the CSI-2 bus: the high bytes of some pixels, then a byte or more with their low bits. */
constexpr FormatInfo csi2Packed(Id id, FormatKind kind, unsigned depth)
{
	FormatInfo info = rgb(id, 0, depth);
	info.modifier = kMipiPacked;
	info.kind = kind;
	info.plane[0] = depth == 12   ? FormatInfo::Plane{3, 2, 1}
			: depth == 14 ? FormatInfo::Plane{7, 4, 1}
				      : FormatInfo::Plane{5, 4, 1};
	return info;
}

/* 25 pixels in 32 bytes, lines padded to 64 (V4L2_PIX_FMT_IPU3_SBGGR10). */
constexpr FormatInfo ipu3Packed(Id id)
{
	FormatInfo info = rgb(id, 0, 10);
	info.modifier = kIpu3Packed;
	info.kind = FormatKind::Bayer;
	info.plane[0] = {64, 50, 1};
	return info;
}

constexpr Shared k410{4, 4};
constexpr Shared k411{4, 1};
constexpr Shared k420{2, 2};
constexpr Shared k422{2, 1};
constexpr Shared k444{1, 1};

/* Bits of a sample against bytes: "10 of 16" is depth 10 in 2 bytes. */
constexpr FormatInfo kSemiPlanar[] = {
	semiPlanar(DRM(NV12), k420, 8, 1),
	semiPlanar(DRM(NV21), k420, 8, 1),
	semiPlanar(DRM(NV16), k422, 8, 1),
	semiPlanar(DRM(NV61), k422, 8, 1),
	semiPlanar(DRM(NV24), k444, 8, 1),
	semiPlanar(DRM(NV42), k444, 8, 1),
	semiPlanar(DRM(NV15), k420, 10, 5, 4),
	semiPlanar(DRM(NV20), k422, 10, 5, 4),
	semiPlanar(DRM(NV30), k444, 10, 5, 4),
	semiPlanar(DRM(P010), k420, 10, 2),
	semiPlanar(DRM(P012), k420, 12, 2),
	semiPlanar(DRM(P016), k420, 16, 2),
	semiPlanar(DRM(P210), k422, 10, 2),
	semiPlanar(DRM(P030), k420, 10, 4, 3),
	semiPlanar(NEW('P', '2', '3', '0', "P230"), k422, 10, 4, 3),
};

constexpr FormatInfo kPlanar[] = {
	planar(DRM(YUV420), k420),
	planar(DRM(YVU420), k420),
	planar(DRM(YUV422), k422),
	planar(DRM(YVU422), k422),
	planar(DRM(YUV444), k444),
	planar(DRM(YVU444), k444),
	planar(DRM(YUV411), k411),
	planar(DRM(YVU411), k411),
	planar(DRM(YUV410), k410),
	planar(DRM(YVU410), k410),
	planar(DRM(Q410), k444, 10, 2),
	planar(DRM(Q401), k444, 10, 2),
	/* Since Linux 6.17: what software decoders write, samples in the low bits. */
	planar(NEW('S', '0', '1', '0', "S010"), k420, 10, 2),
	planar(NEW('S', '2', '1', '0', "S210"), k422, 10, 2),
	planar(NEW('S', '4', '1', '0', "S410"), k444, 10, 2),
	planar(NEW('S', '0', '1', '2', "S012"), k420, 12, 2),
	planar(NEW('S', '2', '1', '2', "S212"), k422, 12, 2),
	planar(NEW('S', '4', '1', '2', "S412"), k444, 12, 2),
	planar(NEW('S', '0', '1', '6', "S016"), k420, 16, 2),
	planar(NEW('S', '2', '1', '6', "S216"), k422, 16, 2),
	planar(NEW('S', '4', '1', '6', "S416"), k444, 16, 2),
};

constexpr FormatInfo kPackedYuv[] = {
	packedYuv422(DRM(YUYV), 4, 8),
	packedYuv422(DRM(YVYU), 4, 8),
	packedYuv422(DRM(UYVY), 4, 8),
	packedYuv422(DRM(VYUY), 4, 8),
	packedYuv422(DRM(Y210), 8, 10),
	packedYuv422(DRM(Y212), 8, 12),
	packedYuv422(DRM(Y216), 8, 16),
	packedYuv444(DRM(AYUV), 4, 8, Alpha::Yes),
	packedYuv444(DRM(AVUY8888), 4, 8, Alpha::Yes),
	packedYuv444(DRM(XYUV8888), 4, 8),
	packedYuv444(DRM(XVUY8888), 4, 8),
	packedYuv444(DRM(VUY888), 3, 8),
	packedYuv444(DRM(Y410), 4, 10, Alpha::Yes),
	packedYuv444(DRM(Y412), 8, 12, Alpha::Yes),
	packedYuv444(DRM(Y416), 8, 16, Alpha::Yes),
	packedYuv444(DRM(XVYU2101010), 4, 10),
	packedYuv444(DRM(XVYU12_16161616), 8, 12),
	packedYuv444(DRM(XVYU16161616), 8, 16),
};

constexpr FormatInfo kRgb[] = {
	rgb(DRM(RGB888), 3, 8),
	rgb(DRM(BGR888), 3, 8),
	rgb(DRM(XRGB8888), 4, 8),
	rgb(DRM(ARGB8888), 4, 8, Alpha::Yes),
	rgb(DRM(XBGR8888), 4, 8),
	rgb(DRM(ABGR8888), 4, 8, Alpha::Yes),
	rgb(DRM(RGBX8888), 4, 8),
	rgb(DRM(RGBA8888), 4, 8, Alpha::Yes),
	rgb(DRM(BGRX8888), 4, 8),
	rgb(DRM(BGRA8888), 4, 8, Alpha::Yes),
	rgb(DRM(RGB565), 2, 6),
	rgb(DRM(BGR565), 2, 6),
	rgb(DRM(RGB332), 1, 3),
	rgb(DRM(BGR233), 1, 3),
	rgb(DRM(XRGB4444), 2, 4),
	rgb(DRM(XBGR4444), 2, 4),
	rgb(DRM(RGBX4444), 2, 4),
	rgb(DRM(BGRX4444), 2, 4),
	rgb(DRM(ARGB4444), 2, 4, Alpha::Yes),
	rgb(DRM(ABGR4444), 2, 4, Alpha::Yes),
	rgb(DRM(RGBA4444), 2, 4, Alpha::Yes),
	/* BGRA4444 is left out: libcamera gives its fourcc, BA12, to SGRBG12. */
	rgb(DRM(XRGB1555), 2, 5),
	rgb(DRM(XBGR1555), 2, 5),
	rgb(DRM(RGBX5551), 2, 5),
	rgb(DRM(BGRX5551), 2, 5),
	rgb(DRM(ARGB1555), 2, 5, Alpha::Yes),
	rgb(DRM(ABGR1555), 2, 5, Alpha::Yes),
	rgb(DRM(RGBA5551), 2, 5, Alpha::Yes),
	rgb(DRM(BGRA5551), 2, 5, Alpha::Yes),
	rgb(DRM(XRGB2101010), 4, 10),
	rgb(DRM(XBGR2101010), 4, 10),
	rgb(DRM(RGBX1010102), 4, 10),
	rgb(DRM(BGRX1010102), 4, 10),
	rgb(DRM(ARGB2101010), 4, 10, Alpha::Yes),
	rgb(DRM(ABGR2101010), 4, 10, Alpha::Yes),
	rgb(DRM(RGBA1010102), 4, 10, Alpha::Yes),
	rgb(DRM(BGRA1010102), 4, 10, Alpha::Yes),
	rgb(NEW('R', 'G', '4', '8', "RGB161616"), 6, 16),
	rgb(NEW('B', 'G', '4', '8', "BGR161616"), 6, 16),
	rgb(DRM(XRGB16161616), 8, 16),
	rgb(DRM(XBGR16161616), 8, 16),
	rgb(DRM(ARGB16161616), 8, 16, Alpha::Yes),
	rgb(DRM(ABGR16161616), 8, 16, Alpha::Yes),
	rgb(DRM(XRGB16161616F), 8, 16),
	rgb(DRM(XBGR16161616F), 8, 16),
	rgb(DRM(ARGB16161616F), 8, 16, Alpha::Yes),
	rgb(DRM(ABGR16161616F), 8, 16, Alpha::Yes),
	rgb(DRM(AXBXGXRX106106106106), 8, 10, Alpha::Yes),
	rgb(DRM(RG88), 2, 8),
	rgb(DRM(GR88), 2, 8),
	rgb(DRM(RG1616), 4, 16),
	rgb(DRM(GR1616), 4, 16),
	rgbAndAlpha(DRM(RGB888_A8), 3, 8),
	rgbAndAlpha(DRM(BGR888_A8), 3, 8),
	rgbAndAlpha(DRM(XRGB8888_A8), 4, 8),
	rgbAndAlpha(DRM(XBGR8888_A8), 4, 8),
	rgbAndAlpha(DRM(RGBX8888_A8), 4, 8),
	rgbAndAlpha(DRM(BGRX8888_A8), 4, 8),
	rgbAndAlpha(DRM(RGB565_A8), 2, 8),
	rgbAndAlpha(DRM(BGR565_A8), 2, 8),
};

constexpr FormatInfo kGrey[] = {
	grey(DRM(R8), 1, 8),
	grey(DRM(R10), 2, 10),
	grey(DRM(R12), 2, 12),
	grey(DRM(R16), 2, 16),
	grey(DRM(D8), 1, 8),
	csi2Packed(DRM(R10), FormatKind::Grey, 10),
	csi2Packed(DRM(R12), FormatKind::Grey, 12),
};

constexpr Id kBayer10[] = {NEW('R', 'G', '1', '0', "SRGGB10"), NEW('B', 'A', '1', '0', "SGRBG10"),
			   NEW('G', 'B', '1', '0', "SGBRG10"), NEW('B', 'G', '1', '0', "SBGGR10")};
constexpr Id kBayer12[] = {NEW('R', 'G', '1', '2', "SRGGB12"), NEW('B', 'A', '1', '2', "SGRBG12"),
			   NEW('G', 'B', '1', '2', "SGBRG12"), NEW('B', 'G', '1', '2', "SBGGR12")};
constexpr Id kBayer14[] = {NEW('R', 'G', '1', '4', "SRGGB14"), NEW('B', 'A', '1', '4', "SGRBG14"),
			   NEW('G', 'B', '1', '4', "SGBRG14"), NEW('B', 'G', '1', '4', "SBGGR14")};
constexpr Id kBayer8[] = {NEW('R', 'G', 'G', 'B', "SRGGB8"), NEW('G', 'R', 'B', 'G', "SGRBG8"),
			  NEW('G', 'B', 'R', 'G', "SGBRG8"), NEW('B', 'A', '8', '1', "SBGGR8")};
constexpr Id kBayer16[] = {NEW('R', 'G', 'B', '6', "SRGGB16"), NEW('G', 'R', '1', '6', "SGRBG16"),
			   NEW('G', 'B', '1', '6', "SGBRG16"), NEW('B', 'Y', 'R', '2', "SBGGR16")};

/* The four orders of a mosaic, in the fourccs of libcamera/formats.h: DRM has none. */
std::vector<FormatInfo> bayerFormats()
{
	std::vector<FormatInfo> formats;
	for (const Id &id : kBayer8)
		formats.push_back(bayer(id, 8));
	for (const Id &id : kBayer10)
		formats.push_back(bayer(id, 10));
	for (const Id &id : kBayer12)
		formats.push_back(bayer(id, 12));
	for (const Id &id : kBayer14)
		formats.push_back(bayer(id, 14));
	for (const Id &id : kBayer16)
		formats.push_back(bayer(id, 16));
	for (const Id &id : kBayer10)
		formats.push_back(csi2Packed(id, FormatKind::Bayer, 10));
	for (const Id &id : kBayer12)
		formats.push_back(csi2Packed(id, FormatKind::Bayer, 12));
	for (const Id &id : kBayer14)
		formats.push_back(csi2Packed(id, FormatKind::Bayer, 14));
	for (const Id &id : kBayer10)
		formats.push_back(ipu3Packed(id));
	return formats;
}

template<typename Formats>
void append(std::vector<FormatInfo> &table, const Formats &formats)
{
	table.insert(table.end(), std::begin(formats), std::end(formats));
}

std::vector<FormatInfo> wholeTable()
{
	std::vector<FormatInfo> table;
	append(table, kSemiPlanar);
	append(table, kPlanar);
	append(table, kPackedYuv);
	append(table, kRgb);
	append(table, kGrey);
	append(table, bayerFormats());
	return table;
}

} /* namespace */

const std::vector<FormatInfo> &knownFormats()
{
	static const std::vector<FormatInfo> formats = wholeTable();
	return formats;
}

const FormatInfo *formatInfo(uint32_t fourcc, uint64_t modifier)
{
	const auto &formats = knownFormats();
	const auto found = std::ranges::find_if(formats, [&](const FormatInfo &info) {
		return info.fourcc == fourcc && info.modifier == modifier;
	});
	return found == formats.end() ? nullptr : &*found;
}

bool isPicture(uint32_t fourcc, uint64_t modifier)
{
	const FormatInfo *info = formatInfo(fourcc, modifier);
	return info && info->kind != FormatKind::Bayer && modifier == DRM_FORMAT_MOD_LINEAR;
}

bool isCompressed(uint32_t fourcc)
{
	return fourcc == fourcc_code('M', 'J', 'P', 'G') ||
	       fourcc == fourcc_code('J', 'P', 'E', 'G');
}

const char *kindName(FormatKind kind)
{
	switch (kind) {
	case FormatKind::Yuv:
		return "yuv";
	case FormatKind::Rgb:
		return "rgb";
	case FormatKind::Grey:
		return "grey";
	case FormatKind::Bayer:
		return "bayer";
	}
	return "unknown";
}

std::string fourccToString(uint32_t fourcc)
{
	std::string text;
	for (unsigned shift = 0; shift < 32; shift += 8) {
		const auto byte = static_cast<unsigned char>(fourcc >> shift);
		text += byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '?';
	}
	return text;
}

Result<uint32_t> fourccFromString(std::string_view text)
{
	const bool printable =
		std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
	if (text.size() != 4 || !printable)
		return fail(EINVAL,
			    "a pixel format is four printable characters, not " +
				    std::to_string(text.size()) +
				    (printable ? " characters" : " bytes of something else"),
			    "Write it as in <drm/drm_fourcc.h>, such as NV12 or XR24");
	uint32_t fourcc = 0;
	for (size_t i = 0; i < 4; i++)
		fourcc |= static_cast<uint32_t>(static_cast<unsigned char>(text[i])) << (8 * i);
	return fourcc;
}

} /* namespace heapflow */
