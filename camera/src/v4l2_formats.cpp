/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "v4l2_formats.h"

#include "padding.h"

#include "heapflow/camera/camera.h"

#include <algorithm>
#include <cerrno>
#include <format>

#include <drm/drm_fourcc.h>

namespace heapflow
{

namespace
{

/* libcamera's modifiers of samples packed as on the wire (its drm_fourcc.h). */
constexpr uint64_t csi2Packed = 0x0b00000000000001;
constexpr uint64_t ipu3Packed = 0x010000000000000d;

/* libcamera's names are V4L2's, but for two. BGRA4444 has none: 'BA12' is SGRBG12 to libcamera. */
constexpr uint32_t srggb16 = fourcc_code('R', 'G', 'B', '6');

constexpr V4l2Format same(uint32_t fourcc, uint64_t modifier = 0)
{
	return {fourcc, fourcc, modifier};
}

} /* namespace */

/*
 * V4L2 names packed RGB and YUV by the order of the bytes in memory, DRM by the bits of a
 * little-endian word: hence the crossed names. The 16-bit ones are words in both.
 */
const std::vector<V4l2Format> &v4l2FormatTable()
{
	static const std::vector<V4l2Format> table = {
		{V4L2_PIX_FMT_NV12, DRM_FORMAT_NV12},
		{V4L2_PIX_FMT_NV21, DRM_FORMAT_NV21},
		{V4L2_PIX_FMT_NV16, DRM_FORMAT_NV16},
		{V4L2_PIX_FMT_NV61, DRM_FORMAT_NV61},
		{V4L2_PIX_FMT_NV24, DRM_FORMAT_NV24},
		{V4L2_PIX_FMT_NV42, DRM_FORMAT_NV42},
		same(DRM_FORMAT_NV15),
		same(DRM_FORMAT_NV20),
		{V4L2_PIX_FMT_P010, DRM_FORMAT_P010},
		{V4L2_PIX_FMT_P012, DRM_FORMAT_P012},
		{V4L2_PIX_FMT_YUV420, DRM_FORMAT_YUV420},
		{V4L2_PIX_FMT_YVU420, DRM_FORMAT_YVU420},
		{V4L2_PIX_FMT_YUV422P, DRM_FORMAT_YUV422},
		{V4L2_PIX_FMT_YUV411P, DRM_FORMAT_YUV411},
		{V4L2_PIX_FMT_YUV410, DRM_FORMAT_YUV410},
		{V4L2_PIX_FMT_YVU410, DRM_FORMAT_YVU410},
		{V4L2_PIX_FMT_YUYV, DRM_FORMAT_YUYV},
		{V4L2_PIX_FMT_YVYU, DRM_FORMAT_YVYU},
		{V4L2_PIX_FMT_UYVY, DRM_FORMAT_UYVY},
		{V4L2_PIX_FMT_VYUY, DRM_FORMAT_VYUY},
		{V4L2_PIX_FMT_Y210, DRM_FORMAT_Y210},
		{V4L2_PIX_FMT_Y212, DRM_FORMAT_Y212},
		{V4L2_PIX_FMT_Y216, DRM_FORMAT_Y216},
		{V4L2_PIX_FMT_VUYA32, DRM_FORMAT_AYUV},
		{V4L2_PIX_FMT_VUYX32, DRM_FORMAT_XYUV8888},
		{V4L2_PIX_FMT_YUVA32, DRM_FORMAT_AVUY8888},
		{V4L2_PIX_FMT_YUVX32, DRM_FORMAT_XVUY8888},
		{V4L2_PIX_FMT_YUV24, DRM_FORMAT_VUY888},
		{V4L2_PIX_FMT_RGB24, DRM_FORMAT_BGR888},
		{V4L2_PIX_FMT_BGR24, DRM_FORMAT_RGB888},
		{V4L2_PIX_FMT_XBGR32, DRM_FORMAT_XRGB8888},
		{V4L2_PIX_FMT_ABGR32, DRM_FORMAT_ARGB8888},
		{V4L2_PIX_FMT_RGBX32, DRM_FORMAT_XBGR8888},
		{V4L2_PIX_FMT_RGBA32, DRM_FORMAT_ABGR8888},
		{V4L2_PIX_FMT_XRGB32, DRM_FORMAT_BGRX8888},
		{V4L2_PIX_FMT_ARGB32, DRM_FORMAT_BGRA8888},
		{V4L2_PIX_FMT_BGRX32, DRM_FORMAT_RGBX8888},
		{V4L2_PIX_FMT_BGRA32, DRM_FORMAT_RGBA8888},
		{V4L2_PIX_FMT_RGB565, DRM_FORMAT_RGB565},
		{V4L2_PIX_FMT_RGB332, DRM_FORMAT_RGB332},
		{V4L2_PIX_FMT_XRGB444, DRM_FORMAT_XRGB4444},
		{V4L2_PIX_FMT_ARGB444, DRM_FORMAT_ARGB4444},
		{V4L2_PIX_FMT_RGBX444, DRM_FORMAT_RGBX4444},
		{V4L2_PIX_FMT_RGBA444, DRM_FORMAT_RGBA4444},
		{V4L2_PIX_FMT_XBGR444, DRM_FORMAT_XBGR4444},
		{V4L2_PIX_FMT_ABGR444, DRM_FORMAT_ABGR4444},
		{V4L2_PIX_FMT_BGRX444, DRM_FORMAT_BGRX4444},
		{V4L2_PIX_FMT_XRGB555, DRM_FORMAT_XRGB1555},
		{V4L2_PIX_FMT_ARGB555, DRM_FORMAT_ARGB1555},
		{V4L2_PIX_FMT_RGBX555, DRM_FORMAT_RGBX5551},
		{V4L2_PIX_FMT_RGBA555, DRM_FORMAT_RGBA5551},
		{V4L2_PIX_FMT_XBGR555, DRM_FORMAT_XBGR1555},
		{V4L2_PIX_FMT_ABGR555, DRM_FORMAT_ABGR1555},
		{V4L2_PIX_FMT_BGRX555, DRM_FORMAT_BGRX5551},
		{V4L2_PIX_FMT_BGRA555, DRM_FORMAT_BGRA5551},
		{V4L2_PIX_FMT_RGBX1010102, DRM_FORMAT_RGBX1010102},
		{V4L2_PIX_FMT_RGBA1010102, DRM_FORMAT_RGBA1010102},
		{V4L2_PIX_FMT_ARGB2101010, DRM_FORMAT_ARGB2101010},
		{V4L2_PIX_FMT_GREY, DRM_FORMAT_R8},
		{V4L2_PIX_FMT_Y10, DRM_FORMAT_R10},
		{V4L2_PIX_FMT_Y12, DRM_FORMAT_R12},
		{V4L2_PIX_FMT_Y16, DRM_FORMAT_R16},
		{V4L2_PIX_FMT_Y10P, DRM_FORMAT_R10, csi2Packed},
		{V4L2_PIX_FMT_Y12P, DRM_FORMAT_R12, csi2Packed},
		same(V4L2_PIX_FMT_SBGGR8),
		same(V4L2_PIX_FMT_SGBRG8),
		same(V4L2_PIX_FMT_SGRBG8),
		same(V4L2_PIX_FMT_SRGGB8),
		same(V4L2_PIX_FMT_SBGGR10),
		same(V4L2_PIX_FMT_SGBRG10),
		same(V4L2_PIX_FMT_SGRBG10),
		same(V4L2_PIX_FMT_SRGGB10),
		same(V4L2_PIX_FMT_SBGGR12),
		same(V4L2_PIX_FMT_SGBRG12),
		same(V4L2_PIX_FMT_SGRBG12),
		same(V4L2_PIX_FMT_SRGGB12),
		same(V4L2_PIX_FMT_SBGGR14),
		same(V4L2_PIX_FMT_SGBRG14),
		{V4L2_PIX_FMT_SGRBG14, fourcc_code('B', 'A', '1', '4')},
		same(V4L2_PIX_FMT_SRGGB14),
		same(V4L2_PIX_FMT_SBGGR16),
		same(V4L2_PIX_FMT_SGBRG16),
		same(V4L2_PIX_FMT_SGRBG16),
		{V4L2_PIX_FMT_SRGGB16, srggb16},
		{V4L2_PIX_FMT_SBGGR10P, V4L2_PIX_FMT_SBGGR10, csi2Packed},
		{V4L2_PIX_FMT_SGBRG10P, V4L2_PIX_FMT_SGBRG10, csi2Packed},
		{V4L2_PIX_FMT_SGRBG10P, V4L2_PIX_FMT_SGRBG10, csi2Packed},
		{V4L2_PIX_FMT_SRGGB10P, V4L2_PIX_FMT_SRGGB10, csi2Packed},
		{V4L2_PIX_FMT_SBGGR12P, V4L2_PIX_FMT_SBGGR12, csi2Packed},
		{V4L2_PIX_FMT_SGBRG12P, V4L2_PIX_FMT_SGBRG12, csi2Packed},
		{V4L2_PIX_FMT_SGRBG12P, V4L2_PIX_FMT_SGRBG12, csi2Packed},
		{V4L2_PIX_FMT_SRGGB12P, V4L2_PIX_FMT_SRGGB12, csi2Packed},
		{V4L2_PIX_FMT_SBGGR14P, V4L2_PIX_FMT_SBGGR14, csi2Packed},
		{V4L2_PIX_FMT_SGBRG14P, V4L2_PIX_FMT_SGBRG14, csi2Packed},
		{V4L2_PIX_FMT_SGRBG14P, fourcc_code('B', 'A', '1', '4'), csi2Packed},
		{V4L2_PIX_FMT_SRGGB14P, V4L2_PIX_FMT_SRGGB14, csi2Packed},
		{V4L2_PIX_FMT_IPU3_SBGGR10, V4L2_PIX_FMT_SBGGR10, ipu3Packed},
		{V4L2_PIX_FMT_IPU3_SGBRG10, V4L2_PIX_FMT_SGBRG10, ipu3Packed},
		{V4L2_PIX_FMT_IPU3_SGRBG10, V4L2_PIX_FMT_SGRBG10, ipu3Packed},
		{V4L2_PIX_FMT_IPU3_SRGGB10, V4L2_PIX_FMT_SRGGB10, ipu3Packed},
		{V4L2_PIX_FMT_MJPEG, fourccMjpeg},
		{V4L2_PIX_FMT_JPEG, fourccMjpeg},
	};
	return table;
}

const V4l2Format *v4l2Format(uint32_t pixelformat)
{
	const auto found = std::ranges::find(v4l2FormatTable(), pixelformat, &V4l2Format::v4l2);
	return found == v4l2FormatTable().end() ? nullptr : &*found;
}

uint32_t drmFromV4l2(uint32_t v4l2)
{
	const V4l2Format *format = v4l2Format(v4l2);
	return format ? format->drm : 0;
}

uint32_t v4l2FromDrm(uint32_t drm, uint64_t modifier)
{
	for (const V4l2Format &format : v4l2FormatTable())
		if (format.drm == drm && format.modifier == modifier)
			return format.v4l2;
	return 0;
}

namespace
{

ColorEncoding encodingFromV4l2(uint32_t encoding)
{
	switch (encoding) {
	case V4L2_YCBCR_ENC_601:
	case V4L2_YCBCR_ENC_XV601:
	case V4L2_YCBCR_ENC_SYCC:
		return ColorEncoding::BT601;
	case V4L2_YCBCR_ENC_709:
	case V4L2_YCBCR_ENC_XV709:
	/* KMS has no SMPTE 240M; its coefficients are those of BT.709 within 0.0005 to 0.015. */
	case V4L2_YCBCR_ENC_SMPTE240M:
		return ColorEncoding::BT709;
	case V4L2_YCBCR_ENC_BT2020:
	case V4L2_YCBCR_ENC_BT2020_CONST_LUM:
		return ColorEncoding::BT2020;
	default:
		return ColorEncoding::Unknown;
	}
}

bool isYuv(uint32_t drm)
{
	/* R8 is what V4L2 calls GREY: luma to the one, red to the other, one channel to both. */
	const FormatInfo *info = formatInfo(drm);
	return info && info->yuv;
}

} /* namespace */

Colorimetry colorimetryFromV4l2(uint32_t drm, uint32_t height, uint32_t colorspace,
				uint32_t ycbcrEncoding, uint32_t quantization)
{
	const bool yuv = isYuv(drm);

	if (colorspace == V4L2_COLORSPACE_DEFAULT)
		colorspace = static_cast<uint32_t>(
			V4L2_MAP_COLORSPACE_DEFAULT(yuv && height <= 576, yuv && height > 576));
	if (ycbcrEncoding == V4L2_YCBCR_ENC_DEFAULT)
		ycbcrEncoding = static_cast<uint32_t>(V4L2_MAP_YCBCR_ENC_DEFAULT(colorspace));
	if (quantization == V4L2_QUANTIZATION_DEFAULT)
		quantization = static_cast<uint32_t>(
			V4L2_MAP_QUANTIZATION_DEFAULT(!yuv, colorspace, ycbcrEncoding));

	return {yuv ? encodingFromV4l2(ycbcrEncoding) : ColorEncoding::Unknown,
		quantization == V4L2_QUANTIZATION_FULL_RANGE ? ColorRange::Full
							     : ColorRange::Limited};
}

V4l2Picture pictureFromFormat(const v4l2_format &format)
{
	if (V4L2_TYPE_IS_MULTIPLANAR(format.type)) {
		const v4l2_pix_format_mplane &pix = format.fmt.pix_mp;
		return {pix.pixelformat,
			pix.width,
			pix.height,
			pix.plane_fmt[0].bytesperline,
			pix.plane_fmt[0].sizeimage,
			pix.field,
			pix.colorspace,
			pix.ycbcr_enc,
			pix.quantization,
			pix.num_planes};
	}
	const v4l2_pix_format &pix = format.fmt.pix;
	/* Below this magic number the color fields after it are not to be read (videodev2.h). */
	const bool extended = pix.priv == V4L2_PIX_FMT_PRIV_MAGIC;
	return {pix.pixelformat,
		pix.width,
		pix.height,
		pix.bytesperline,
		pix.sizeimage,
		pix.field,
		pix.colorspace,
		extended ? pix.ycbcr_enc : uint32_t{V4L2_YCBCR_ENC_DEFAULT},
		extended ? pix.quantization : uint32_t{V4L2_QUANTIZATION_DEFAULT},
		1};
}

v4l2_format formatFromPicture(uint32_t bufferType, const V4l2Picture &picture)
{
	v4l2_format format{};
	format.type = bufferType;
	if (V4L2_TYPE_IS_MULTIPLANAR(bufferType)) {
		v4l2_pix_format_mplane &pix = format.fmt.pix_mp;
		pix.width = picture.width;
		pix.height = picture.height;
		pix.pixelformat = picture.pixelformat;
		pix.field = picture.field;
		pix.num_planes = 1;
		pix.plane_fmt[0].bytesperline = picture.bytesperline;
		pix.plane_fmt[0].sizeimage = picture.sizeimage;
		return format;
	}
	v4l2_pix_format &pix = format.fmt.pix;
	pix.width = picture.width;
	pix.height = picture.height;
	pix.pixelformat = picture.pixelformat;
	pix.field = picture.field;
	pix.bytesperline = picture.bytesperline;
	pix.sizeimage = picture.sizeimage;
	pix.priv = V4L2_PIX_FMT_PRIV_MAGIC;
	return format;
}

Result<FrameLayout> layoutFromV4l2(const V4l2Picture &picture)
{
	const V4l2Format *format = v4l2Format(picture.pixelformat);
	if (!format)
		return fail(ENOTSUP,
			    std::format("the V4L2 format {} has no DRM format of the same bytes",
					fourccToString(picture.pixelformat)));
	const uint32_t drm = format->drm;
	if (picture.planes != 1)
		return fail(ENOTSUP,
			    std::format("the V4L2 format {} takes {} buffers a frame, not one",
					fourccToString(picture.pixelformat), picture.planes),
			    "Ask for a format with all planes in one buffer, such as NV12");
	if (V4L2_FIELD_HAS_T_OR_B(picture.field))
		return fail(ENOTSUP, "the camera delivers single fields of an interlaced signal",
			    "Select a progressive input or timing, or an input that interleaves");

	if (drm == fourccMjpeg) {
		FrameLayout frame =
			compressedLayout(picture.width, picture.height, picture.sizeimage);
		frame.colorimetry = {ColorEncoding::BT601, ColorRange::Full}; /* JFIF */
		return frame;
	}
	/* 0 stands for formats of which V4L2 counts no lines; the smallest stride is meant. */
	LayoutRules rules;
	rules.stride = picture.bytesperline;
	rules.modifier = format->modifier;
	auto layout = makeFrameLayout(drm, picture.width, picture.height, rules);
	if (!layout)
		return layout;
	if (auto padded = padFrameLayout(*layout, picture.sizeimage); !padded)
		return std::unexpected(padded.error());
	layout->colorimetry = colorimetryFromV4l2(drm, picture.height, picture.colorspace,
						  picture.ycbcrEncoding, picture.quantization);
	return layout;
}

} /* namespace heapflow */
