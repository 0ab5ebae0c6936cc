/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz_caps.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <gst/allocators/gstdmabuf.h>
#include <gst/video/video.h>

namespace heapflow::test
{

namespace
{

/* Most are small, so that most steps are quick; some are as large as caps may say. */
gint randomSize(Random &random)
{
	static constexpr std::array usual = {16, 64, 176, 320, 640, 1280, 1920, 3840};
	switch (pick(random, 8)) {
	case 0:
		return gint(1 + pick(random, 4096));
	case 1:
		return gint(1 + pick(random, 16));
	case 2:
		return pick(random, 40) ? 2 : 32767;
	default:
		return usual[pick(random, pick(random, 4) ? 4 : usual.size())];
	}
}

const std::vector<GstVideoFormat> &formats()
{
	static const std::vector<GstVideoFormat> all = [] {
		guint number = 0;
		const GstVideoFormat *list = gst_video_formats_raw(&number);
		return std::vector<GstVideoFormat>(list, list + number);
	}();
	return all;
}

/* What cameras and screens know comes up more often than what they do not. */
GstVideoFormat randomFormat(Random &random)
{
	static constexpr std::array known = {GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_I420,
					     GST_VIDEO_FORMAT_BGRx, GST_VIDEO_FORMAT_RGB16,
					     GST_VIDEO_FORMAT_RGB};
	return pick(random, 2) ? known[pick(random, known.size())]
			       : formats()[pick(random, unsigned(formats().size()))];
}

void addRate(Random &random, GstCaps *caps)
{
	static constexpr std::array<std::array<gint, 2>, 5> rates = {
		{{0, 1}, {30, 1}, {60, 1}, {30000, 1001}, {1, G_MAXINT}}};
	const auto &rate = rates[pick(random, rates.size())];
	gst_caps_set_simple(caps, "framerate", GST_TYPE_FRACTION, rate[0], rate[1], nullptr);
}

void addColour(Random &random, GstCaps *caps)
{
	static constexpr std::array names = {"bt601",     "bt709",   "bt2020",  "sRGB",
					     "smpte240m", "1:4:5:1", "2:3:16:4"};
	if (pick(random, 3) == 0)
		gst_caps_set_simple(caps, "colorimetry", G_TYPE_STRING,
				    names[pick(random, names.size())], nullptr);
	if (pick(random, 6) == 0)
		gst_caps_set_simple(caps, "pixel-aspect-ratio", GST_TYPE_FRACTION,
				    gint(1 + pick(random, 64)), gint(1 + pick(random, 64)),
				    nullptr);
	if (pick(random, 8) == 0)
		gst_caps_set_simple(caps, "interlace-mode", G_TYPE_STRING,
				    pick(random, 2) ? "interleaved" : "progressive", nullptr);
}

void setDmabuf(GstCaps *caps)
{
	gst_caps_set_features(caps, 0,
			      gst_caps_features_new(GST_CAPS_FEATURE_MEMORY_DMABUF, nullptr));
}

/* Textures, and memory with something beside it: what an element here must not take for its own. */
void setOtherMemory(Random &random, GstCaps *caps)
{
	static constexpr std::array features = {
		"memory:GLMemory", "memory:VAMemory", "meta:GstVideoOverlayComposition",
		"memory:SystemMemory, meta:GstVideoOverlayComposition",
		"memory:DMABuf, meta:GstVideoOverlayComposition"};
	const char *chosen = features[pick(random, features.size())];

	gst_caps_set_features(caps, 0, gst_caps_features_from_string(chosen));
	if (std::string_view(chosen) == "memory:GLMemory")
		gst_caps_set_simple(caps, "texture-target", G_TYPE_STRING,
				    pick(random, 2) ? "2D" : "external-oes", nullptr);
}

GstCaps *rawCaps(Random &random)
{
	GstCaps *caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING,
					    gst_video_format_to_string(randomFormat(random)),
					    "width", G_TYPE_INT, randomSize(random), "height",
					    G_TYPE_INT, randomSize(random), nullptr);
	if (pick(random, 5))
		addRate(random, caps);
	addColour(random, caps);
	if (pick(random, 6) == 0)
		setDmabuf(caps);
	else if (pick(random, 8) == 0)
		setOtherMemory(random, caps);
	return caps;
}

GstCaps *drmCaps(Random &random)
{
	static constexpr std::array codes = {"NV12", "XR24", "AR24", "YU12", "RG16",
					     "P010", "NV16", "YUYV", "XXXX"};
	static constexpr std::array modifiers = {
		"", "", "", ":0x0100000000000001", ":0x0800000000000001", ":0x00ffffffffffffff"};
	const std::string format = std::string(codes[pick(random, codes.size())]) +
				   modifiers[pick(random, modifiers.size())];
	GstCaps *caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "DMA_DRM",
					    "drm-format", G_TYPE_STRING, format.c_str(), "width",
					    G_TYPE_INT, randomSize(random), "height", G_TYPE_INT,
					    randomSize(random), nullptr);
	addRate(random, caps);
	addColour(random, caps);
	setDmabuf(caps);
	return caps;
}

} /* namespace */

GstCaps *randomCaps(Random &random)
{
	switch (pick(random, 12)) {
	case 0:
		return gst_caps_from_string("audio/x-raw,format=S16LE,rate=48000,channels=2,"
					    "layout=interleaved");
	case 1:
		return gst_caps_from_string("image/jpeg,width=640,height=480,framerate=30/1");
	case 2:
	case 3:
	case 4:
		return drmCaps(random);
	default:
		return rawCaps(random);
	}
}

GstCaps *randomFilter(Random &random)
{
	GstCaps *caps = nullptr;

	switch (pick(random, 5)) {
	case 0:
		return gst_caps_new_any();
	case 1:
		return gst_caps_new_empty();
	case 2:
		caps = gst_caps_from_string(
			"video/x-raw,format={NV12,BGRx,Y444_16LE},width=[1,4096],height=[16,2160];"
			"video/x-raw(memory:DMABuf),format=DMA_DRM");
		return caps;
	default:
		caps = randomCaps(random);
		gst_caps_append(caps, randomCaps(random));
		return caps;
	}
}

GstCaps *cameraFilter(Random &random)
{
	static constexpr std::array filters = {
		"ANY",
		"video/x-raw",
		"video/x-raw,format={NV12,BGRx,RGB}",
		"video/x-raw,width=[16,1280],height=[16,720]",
		"video/x-raw,format=NV12,width=640,height=360",
		"video/x-raw(memory:DMABuf),format=DMA_DRM",
		"video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format={NV12,XR24};video/x-raw"};
	return gst_caps_from_string(filters[pick(random, filters.size())]);
}

GstBuffer *randomBuffer(Random &random, const GstCaps *caps)
{
	GstVideoInfo info;
	gsize size = pick(random, 4096);
	const bool video = caps && gst_video_info_from_caps(&info, caps);

	/* Nobody sends gigabytes. */
	if (video && GST_VIDEO_INFO_SIZE(&info) < (64 << 20) && pick(random, 5))
		size = GST_VIDEO_INFO_SIZE(&info);
	GstBuffer *buffer = pick(random, 20) ? gst_buffer_new_allocate(nullptr, size, nullptr)
					     : gst_buffer_new();
	if (video && size == GST_VIDEO_INFO_SIZE(&info) && pick(random, 2))
		gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE,
					       GST_VIDEO_INFO_FORMAT(&info), guint(info.width),
					       guint(info.height), GST_VIDEO_INFO_N_PLANES(&info),
					       info.offset, info.stride);
	if (video && pick(random, 6) == 0) {
		GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta(buffer);
		crop->x = pick(random, guint(info.width));
		crop->y = pick(random, guint(info.height));
		crop->width = 1 + pick(random, guint(info.width) - crop->x);
		crop->height = 1 + pick(random, guint(info.height) - crop->y);
	}
	if (pick(random, 4)) {
		GST_BUFFER_PTS(buffer) = random() % (10 * GST_SECOND);
		GST_BUFFER_DURATION(buffer) = GST_SECOND / 30;
	}
	if (pick(random, 10) == 0)
		GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_GAP);
	if (pick(random, 10) == 0)
		GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
	return buffer;
}

} /* namespace heapflow::test */
