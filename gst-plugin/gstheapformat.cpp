/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapformat.h"

#include "gstheapi18n.h"

#include <algorithm>
#include <cerrno>
#include <limits>

#include <drm/drm_fourcc.h>

namespace heapflow::gst
{

namespace
{

std::string capsText(const GstCaps *caps)
{
	g_autofree char *text = gst_caps_to_string(caps);
	return text;
}

/* "memory:GLMemory" and the like: neither the CPU's nor a dma-buf; null when there is none. */
const char *foreignMemory(const GstCapsFeatures *features)
{
	if (gst_caps_features_is_any(features))
		return nullptr;
	for (guint i = 0; i < gst_caps_features_get_size(features); i++) {
		const char *name = gst_caps_features_get_nth(features, i);
		if (g_str_has_prefix(name, "memory:") &&
		    !g_str_equal(name, GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY) &&
		    !g_str_equal(name, GST_CAPS_FEATURE_MEMORY_DMABUF))
			return name;
	}
	return nullptr;
}

/* Length of a plane when nothing follows it in the dma-buf. */
uint64_t planeLines(const FormatInfo *known, unsigned plane, uint32_t height)
{
	const unsigned subsampling = known ? known->plane[plane].verticalSubsampling : 1;
	return (uint64_t{height} + subsampling - 1) / subsampling;
}

} /* namespace */

Result<FrameFormat> frameFormatFromCaps(const GstCaps *caps)
{
	FrameFormat format;

	if (!caps || !gst_caps_is_fixed(caps))
		return fail(EINVAL, formatted(_("caps are not fixed: %s"),
					      caps ? capsText(caps).c_str() : _("none")));

	const GstCapsFeatures *features = gst_caps_get_features(caps, 0);
	if (const char *memory = foreignMemory(features))
		return fail(
			EINVAL,
			formatted(_("frames in %s are no dma-bufs, and the CPU cannot read them"),
				  memory));
	format.dmabuf = gst_caps_features_contains(features, GST_CAPS_FEATURE_MEMORY_DMABUF);

	if (gst_video_is_dma_drm_caps(caps)) {
		GstVideoInfoDmaDrm drm;
		if (!gst_video_info_dma_drm_from_caps(&drm, caps))
			return fail(EINVAL,
				    formatted(_("cannot read caps %s"), capsText(caps).c_str()));
		format.fourcc = drm.drm_fourcc;
		format.modifier = drm.drm_modifier;
		format.info = drm.vinfo;
		/* Only a linear format has planes that strides and offsets describe
		 * (design/dmabuf.md). */
		GstVideoInfo planes;
		const GstVideoFormat video = videoFormatFromFourcc(format.fourcc);
		if (format.modifier == 0 && video != GST_VIDEO_FORMAT_UNKNOWN &&
		    gst_video_info_set_format(&planes, video, drm.vinfo.width, drm.vinfo.height)) {
			planes.fps_n = drm.vinfo.fps_n;
			planes.fps_d = drm.vinfo.fps_d;
			/* The fallback of set_format depends on the size; the caps know better. */
			if (drm.vinfo.colorimetry.matrix != GST_VIDEO_COLOR_MATRIX_UNKNOWN)
				planes.colorimetry = drm.vinfo.colorimetry;
			format.info = planes;
			format.planesKnown = true;
		}
		return format;
	}

	if (!gst_video_info_from_caps(&format.info, caps))
		return fail(EINVAL, formatted(_("cannot read caps %s"), capsText(caps).c_str()));
	format.fourcc = fourccFromVideoFormat(GST_VIDEO_INFO_FORMAT(&format.info));
	if (format.fourcc == 0)
		return fail(EINVAL, formatted(_("DRM has no format for %s"),
					      gst_video_format_to_string(
						      GST_VIDEO_INFO_FORMAT(&format.info))));
	format.planesKnown = true;
	return format;
}

GstVideoFormat videoFormatFromFourcc(uint32_t fourcc)
{
	/* GStreamer 1.26 answers with MT2110T, the tiled format of MediaTek. */
	if (fourcc == DRM_FORMAT_NV15)
		return GST_VIDEO_FORMAT_NV12_10LE40;
	return gst_video_dma_drm_fourcc_to_format(fourcc);
}

uint32_t fourccFromVideoFormat(GstVideoFormat format)
{
	/* DRM_FORMAT_INVALID is 0. */
	return gst_video_dma_drm_fourcc_from_format(format);
}

std::string drmFormatString(uint32_t fourcc, uint64_t modifier)
{
	g_autofree char *text = gst_video_dma_drm_fourcc_to_string(fourcc, modifier);
	return text ? text : fourccToString(fourcc);
}

std::string colorimetryString(const Colorimetry &colorimetry)
{
	GstVideoColorimetry video;
	const char *name = nullptr;

	switch (colorimetry.encoding) {
	case ColorEncoding::BT601:
		name = GST_VIDEO_COLORIMETRY_BT601;
		break;
	case ColorEncoding::BT709:
		name = GST_VIDEO_COLORIMETRY_BT709;
		break;
	case ColorEncoding::BT2020:
		name = GST_VIDEO_COLORIMETRY_BT2020;
		break;
	case ColorEncoding::Unknown:
		return {};
	}
	if (!gst_video_colorimetry_from_string(&video, name))
		return {};
	if (colorimetry.range == ColorRange::Full)
		video.range = GST_VIDEO_COLOR_RANGE_0_255;
	g_autofree char *text = gst_video_colorimetry_to_string(&video);
	return text ? text : "";
}

Colorimetry colorimetryFromVideo(const GstVideoColorimetry &video)
{
	Colorimetry colorimetry;

	switch (video.matrix) {
	case GST_VIDEO_COLOR_MATRIX_BT601:
		colorimetry.encoding = ColorEncoding::BT601;
		break;
	case GST_VIDEO_COLOR_MATRIX_BT709:
		colorimetry.encoding = ColorEncoding::BT709;
		break;
	case GST_VIDEO_COLOR_MATRIX_BT2020:
		colorimetry.encoding = ColorEncoding::BT2020;
		break;
	default:
		break;
	}
	if (video.range == GST_VIDEO_COLOR_RANGE_0_255)
		colorimetry.range = ColorRange::Full;
	else if (video.range == GST_VIDEO_COLOR_RANGE_16_235)
		colorimetry.range = ColorRange::Limited;
	return colorimetry;
}

Result<void> checkVideoMeta(const FrameFormat &format, const GstVideoMeta *meta)
{
	if (!meta || !format.planesKnown)
		return {};
	const GstVideoFormat wanted = GST_VIDEO_INFO_FORMAT(&format.info);
	const bool unsaid = meta->format == GST_VIDEO_FORMAT_UNKNOWN ||
			    meta->format == GST_VIDEO_FORMAT_ENCODED ||
			    meta->format == GST_VIDEO_FORMAT_DMA_DRM;
	if (!unsaid && meta->format != wanted)
		return fail(EINVAL,
			    formatted(_("the GstVideoMeta of a frame says %s, the caps say %s"),
				      gst_video_format_to_string(meta->format),
				      gst_video_format_to_string(wanted)));
	if (meta->n_planes != GST_VIDEO_INFO_N_PLANES(&format.info))
		return fail(EINVAL,
			    formatted(_("the GstVideoMeta of a frame has %u planes, %s has %u"),
				      meta->n_planes, gst_video_format_to_string(wanted),
				      GST_VIDEO_INFO_N_PLANES(&format.info)));
	return {};
}

/* Offsets of GstVideoMeta are in the whole buffer, those of a layout in the dma-buf of the plane.
 */
static Result<PlaneLayout> planeOfBuffer(GstBuffer *buffer, unsigned plane, gsize offset,
					 gint stride)
{
	guint index = 0, length = 0;
	gsize skip = offset, start = 0;

	if (gst_buffer_n_memory(buffer) > 1 &&
	    (!gst_buffer_find_memory(buffer, offset, 1, &index, &length, &skip) || index != plane))
		return fail(EINVAL,
			    formatted(_("plane %u begins in memory %u of %u"), plane, index,
				      gst_buffer_n_memory(buffer)),
			    _("heapflow takes one dma-buf for a frame, or one for each plane"));
	gst_memory_get_sizes(gst_buffer_peek_memory(buffer, index), &start, nullptr);
	skip += start;
	if (stride <= 0 || skip > std::numeric_limits<uint32_t>::max())
		return fail(EINVAL, formatted(_("plane %u has stride %d and offset %zu"), plane,
					      stride, skip));
	return PlaneLayout{.offset = uint32_t(skip), .stride = uint32_t(stride)};
}

Result<FrameLayout> layoutOfBuffer(const FrameFormat &format, GstBuffer *buffer)
{
	const GstVideoMeta *meta = gst_buffer_get_video_meta(buffer);
	const unsigned memories = gst_buffer_n_memory(buffer);

	if (!meta && !format.planesKnown)
		return fail(EINVAL,
			    formatted(_("no GstVideoMeta tells where the planes of %s are"),
				      drmFormatString(format.fourcc, format.modifier).c_str()));
	if (auto fits = checkVideoMeta(format, meta); !fits)
		return std::unexpected(fits.error());

	FrameLayout layout{.fourcc = format.fourcc,
			   .modifier = format.modifier,
			   .width = uint32_t(meta ? meta->width : unsigned(format.info.width)),
			   .height = uint32_t(meta ? meta->height : unsigned(format.info.height))};
	const FormatInfo *known = formatInfo(format.fourcc);
	if (known && known->yuv)
		layout.colorimetry = colorimetryFromVideo(format.info.colorimetry);

	const unsigned planes = meta ? meta->n_planes : GST_VIDEO_INFO_N_PLANES(&format.info);
	if (planes > GST_VIDEO_MAX_PLANES)
		return fail(EINVAL,
			    formatted(_("the GstVideoMeta of a frame has %u planes"), planes));
	if (memories != 1 && memories != planes)
		return fail(EINVAL, formatted(_("the frame is spread over %u memories"), memories),
			    _("heapflow takes one dma-buf for a frame, or one for each plane"));
	for (unsigned i = 0; i < planes; i++) {
		auto plane =
			planeOfBuffer(buffer, i, meta ? meta->offset[i] : format.info.offset[i],
				      meta ? meta->stride[i] : format.info.stride[i]);
		if (!plane)
			return std::unexpected(plane.error());
		layout.planes.push_back(*plane);
	}
	/* Padding between planes of one dma-buf counts for the plane before it, so that the lengths
	 * add up. */
	for (unsigned i = 0; i < planes; i++) {
		PlaneLayout &plane = layout.planes[i];
		const bool followed = memories == 1 && i + 1 < planes &&
				      layout.planes[i + 1].offset > plane.offset;
		const uint64_t length =
			followed ? layout.planes[i + 1].offset - plane.offset
				 : plane.stride * planeLines(known, i, layout.height);
		if (length > std::numeric_limits<uint32_t>::max())
			return fail(EINVAL,
				    formatted(_("plane %u has stride %u, for a picture of %ux%u"),
					      i, plane.stride, layout.width, layout.height));
		plane.length = uint32_t(length);
	}
	return layout;
}

GstVideoMeta *addVideoMeta(GstBuffer *buffer, const FrameLayout &layout)
{
	gsize offsets[GST_VIDEO_MAX_PLANES] = {};
	gint strides[GST_VIDEO_MAX_PLANES] = {};
	const size_t planes = std::min<size_t>(layout.planes.size(), GST_VIDEO_MAX_PLANES);

	for (size_t i = 0; i < planes; i++) {
		offsets[i] = layout.planes[i].offset;
		strides[i] = gint(layout.planes[i].stride);
	}
	const GstVideoFormat video = videoFormatFromFourcc(layout.fourcc);
	return gst_buffer_add_video_meta_full(
		buffer, GST_VIDEO_FRAME_FLAG_NONE,
		video == GST_VIDEO_FORMAT_UNKNOWN ? GST_VIDEO_FORMAT_DMA_DRM : video, layout.width,
		layout.height, guint(planes), offsets, strides);
}

bool isDefaultLayout(const FrameLayout &layout)
{
	GstVideoInfo info;
	const GstVideoFormat video = videoFormatFromFourcc(layout.fourcc);

	if (layout.modifier != 0 || video == GST_VIDEO_FORMAT_UNKNOWN ||
	    !gst_video_info_set_format(&info, video, layout.width, layout.height) ||
	    GST_VIDEO_INFO_N_PLANES(&info) != layout.planes.size())
		return false;
	for (size_t i = 0; i < layout.planes.size(); i++)
		if (info.offset[i] != layout.planes[i].offset ||
		    info.stride[i] != gint(layout.planes[i].stride))
			return false;
	return true;
}

GstCaps *templateCaps()
{
	GstCaps *caps = gst_caps_from_string(GST_VIDEO_DMA_DRM_CAPS_MAKE);
	GstStructure *raw = gst_structure_from_string("video/x-raw, width = " GST_VIDEO_SIZE_RANGE
						      ", height = " GST_VIDEO_SIZE_RANGE
						      ", framerate = " GST_VIDEO_FPS_RANGE,
						      nullptr);
	GValue formats = G_VALUE_INIT;

	g_value_init(&formats, GST_TYPE_LIST);
	for (const FormatInfo &known : knownFormats()) {
		const GstVideoFormat video = videoFormatFromFourcc(known.fourcc);
		if (video == GST_VIDEO_FORMAT_UNKNOWN || !isPicture(known.fourcc, known.modifier))
			continue;
		GValue name = G_VALUE_INIT;
		g_value_init(&name, G_TYPE_STRING);
		g_value_set_static_string(&name, gst_video_format_to_string(video));
		gst_value_list_append_and_take_value(&formats, &name);
	}
	gst_structure_take_value(raw, "format", &formats);
	gst_caps_append_structure(caps, raw);
	return caps;
}

} /* namespace heapflow::gst */
