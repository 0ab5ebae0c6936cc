/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapcameracaps.h"

#include "gstheapi18n.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <format>
#include <string_view>
#include <utility>

namespace heapflow::gst
{

namespace
{

constexpr int preferredWidth = 1280;
constexpr int preferredHeight = 720;
constexpr int preferredRate = 60;

/* A range of one value is not a range: GST_TYPE_INT_RANGE with min == max is a critical. */
void setSize(GstStructure *structure, const char *field, uint32_t minimum, uint32_t maximum,
	     uint32_t step)
{
	const int low = int(std::min<uint32_t>(minimum, INT_MAX));
	const int high = int(std::min<uint32_t>(maximum, INT_MAX));

	if (low >= high) {
		gst_structure_set(structure, field, G_TYPE_INT, low, nullptr);
		return;
	}

	/* A stepped range has bounds that are multiples of the step; other camera bounds lose it.
	 */
	const int every = int(std::max<uint32_t>(step, 1));
	GValue range = G_VALUE_INIT;
	g_value_init(&range, GST_TYPE_INT_RANGE);
	if (every > 1 && low % every == 0 && high % every == 0)
		gst_value_set_int_range_step(&range, low, high, every);
	else
		gst_value_set_int_range(&range, low, high);
	gst_structure_take_value(structure, field, &range);
}

bool isRate(const FrameRate &rate)
{
	return rate.numerator != 0 && rate.denominator != 0;
}

/* A range whose ends are one is a critical, as with setSize(). */
bool setRateRange(GstStructure *structure, const FrameRate &low, const FrameRate &high)
{
	if (!isRate(low) || !isRate(high) ||
	    gst_util_fraction_compare(int(low.numerator), int(low.denominator), int(high.numerator),
				      int(high.denominator)) >= 0)
		return false;
	gst_structure_set(structure, "framerate", GST_TYPE_FRACTION_RANGE, int(low.numerator),
			  int(low.denominator), int(high.numerator), int(high.denominator),
			  nullptr);
	return true;
}

void setRates(GstStructure *structure, const CaptureMode &mode)
{
	const std::vector<FrameRate> &rates = mode.rates;
	GValue list = G_VALUE_INIT;

	if (mode.ratesBetween && rates.size() == 2 && setRateRange(structure, rates[0], rates[1]))
		return;

	g_value_init(&list, GST_TYPE_LIST);
	for (const FrameRate &rate : rates) {
		if (!isRate(rate))
			continue;
		GValue value = G_VALUE_INIT;
		g_value_init(&value, GST_TYPE_FRACTION);
		gst_value_set_fraction(&value, int(rate.numerator), int(rate.denominator));
		gst_value_list_append_and_take_value(&list, &value);
	}
	if (gst_value_list_get_size(&list) > 1) {
		gst_structure_take_value(structure, "framerate", &list);
		return;
	}
	if (gst_value_list_get_size(&list) == 1) {
		gst_structure_set_value(structure, "framerate", gst_value_list_get_value(&list, 0));
		g_value_unset(&list);
		return;
	}
	g_value_unset(&list);
	gst_structure_set(structure, "framerate", GST_TYPE_FRACTION_RANGE, 0, 1, INT_MAX, 1,
			  nullptr);
}

/* GStreamer's names: "rggb" with 8 bits a sample, "rggb10le" with more, each in two bytes. */
std::string bayerName(const FormatInfo &info)
{
	if (info.kind != FormatKind::Bayer || info.modifier != 0)
		return {};
	std::string order = std::string(info.name).substr(1, 4);
	std::ranges::transform(order, order.begin(), g_ascii_tolower);
	return info.depth == 8 ? order : order + std::to_string(info.depth) + "le";
}

uint32_t fourccFromBayerName(std::string_view name)
{
	for (const FormatInfo &info : knownFormats())
		if (info.kind == FormatKind::Bayer && bayerName(info) == name)
			return info.fourcc;
	return 0;
}

GstStructure *structureFromMode(const CaptureMode &mode, const char *name = "video/x-raw")
{
	GstStructure *structure = gst_structure_new_empty(name);

	setSize(structure, "width", mode.minWidth, mode.maxWidth, mode.stepWidth);
	setSize(structure, "height", mode.minHeight, mode.maxHeight, mode.stepHeight);
	setRates(structure, mode);
	return structure;
}

/* Fixates the size and says how far it is from the preferred one. */
int64_t fixateSize(GstStructure *structure)
{
	gst_structure_fixate_field_nearest_int(structure, "width", preferredWidth);
	gst_structure_fixate_field_nearest_int(structure, "height", preferredHeight);

	int width = 0, height = 0;
	gst_structure_get_int(structure, "width", &width);
	gst_structure_get_int(structure, "height", &height);
	return std::llabs(int64_t(width) * height - int64_t(preferredWidth) * preferredHeight);
}

void fixateRate(GstStructure *structure)
{
	const GValue *rate = gst_structure_get_value(structure, "framerate");

	if (rate && GST_VALUE_HOLDS_FRACTION_RANGE(rate) &&
	    gst_value_get_fraction_numerator(gst_value_get_fraction_range_min(rate)) == 0)
		gst_structure_set(structure, "framerate", GST_TYPE_FRACTION, 0, 1, nullptr);
	else if (rate)
		gst_structure_fixate_field_nearest_fraction(structure, "framerate", preferredRate,
							    1);
	else
		gst_structure_set(structure, "framerate", GST_TYPE_FRACTION, 0, 1, nullptr);
}

/* What is no picture yet: MJPEG and the sensor's mosaic; packed mosaics have no name. */
void appendOther(const CaptureMode &mode, GstCaps *caps)
{
	if (mode.fourcc == fourccMjpeg) {
		gst_caps_append_structure(caps, structureFromMode(mode, "image/jpeg"));
		return;
	}
	const FormatInfo *info = formatInfo(mode.fourcc, mode.modifier);
	const std::string name = info ? bayerName(*info) : "";
	if (name.empty())
		return;
	GstStructure *structure = structureFromMode(mode, "video/x-bayer");
	gst_structure_set(structure, "format", G_TYPE_STRING, name.c_str(), nullptr);
	gst_caps_append_structure(caps, structure);
}

/* What is nearer to the screen first. */
int64_t kindRank(const GstStructure *structure, const GstCapsFeatures *features)
{
	if (gst_structure_has_name(structure, "image/jpeg"))
		return 2;
	if (gst_structure_has_name(structure, "video/x-bayer"))
		return 3;
	return gst_caps_features_contains(features, GST_CAPS_FEATURE_MEMORY_DMABUF) ? 0 : 1;
}

} /* namespace */

GstCaps *capsFromModes(const std::vector<CaptureMode> &modes)
{
	GstCaps *caps = gst_caps_new_empty();
	GstCaps *plain = gst_caps_new_empty();

	for (const CaptureMode &mode : modes) {
		if (!isPicture(mode.fourcc, mode.modifier)) {
			appendOther(mode, plain);
			continue;
		}
		GstStructure *structure = structureFromMode(mode);
		const GstVideoFormat video = videoFormatFromFourcc(mode.fourcc);
		if (video != GST_VIDEO_FORMAT_UNKNOWN) {
			GstStructure *raw = gst_structure_copy(structure);
			gst_structure_set(raw, "format", G_TYPE_STRING,
					  gst_video_format_to_string(video), nullptr);
			gst_caps_append_structure(plain, raw);
		}
		gst_structure_set(structure, "format", G_TYPE_STRING, "DMA_DRM", "drm-format",
				  G_TYPE_STRING, drmFormatString(mode.fourcc, 0).c_str(), nullptr);
		gst_caps_append_structure_full(
			caps, structure,
			gst_caps_features_new(GST_CAPS_FEATURE_MEMORY_DMABUF, nullptr));
	}
	gst_caps_append(caps, plain);
	return caps;
}

/* Of modes of one size and rate: the format into the list of the same kind of caps, if there is
 * one. */
static void joinFormat(GstCaps *caps, const GstStructure *structure,
		       const GstCapsFeatures *features)
{
	const char *field =
		gst_structure_has_field(structure, "drm-format") ? "drm-format" : "format";
	const GValue *format = gst_structure_get_value(structure, field);

	for (guint i = 0; format && i < gst_caps_get_size(caps); i++) {
		GstStructure *known = gst_caps_get_structure(caps, i);
		if (!gst_structure_has_name(known, gst_structure_get_name(structure)) ||
		    !gst_caps_features_is_equal(gst_caps_get_features(caps, i), features))
			continue;
		GValue both = G_VALUE_INIT;
		gst_value_list_merge(&both, gst_structure_get_value(known, field), format);
		gst_structure_take_value(known, field, &both);
		return;
	}
	gst_caps_append_structure_full(caps, gst_structure_copy(structure),
				       gst_caps_features_copy(features));
}

GstCaps *joinedCapsFromModes(const std::vector<CaptureMode> &modes)
{
	/* By all but the format, in the order of the camera. */
	std::vector<std::pair<CaptureMode, std::vector<CaptureMode>>> alike;
	for (const CaptureMode &mode : modes) {
		CaptureMode size = mode;
		size.fourcc = 0;
		size.modifier = 0;
		auto known =
			std::ranges::find(alike, size, [](const auto &one) { return one.first; });
		if (known == alike.end())
			known = alike.insert(alike.end(), {size, {}});
		known->second.push_back(mode);
	}
	GstCaps *caps = gst_caps_new_empty();
	for (const auto &[size, formats] : alike) {
		GstCaps *joined = gst_caps_new_empty();
		GstCaps *each = capsFromModes(formats);
		for (guint i = 0; i < gst_caps_get_size(each); i++)
			joinFormat(joined, gst_caps_get_structure(each, i),
				   gst_caps_get_features(each, i));
		gst_caps_unref(each);
		gst_caps_append(caps, joined);
	}
	return caps;
}

std::optional<std::vector<uint32_t>> formatsIn(const GstCaps *caps)
{
	if (gst_caps_is_any(caps))
		return {};
	std::vector<CaptureMode> modes;
	for (const FormatInfo &info : knownFormats())
		modes.push_back({.fourcc = info.fourcc, .modifier = info.modifier});
	modes.push_back({.fourcc = fourccMjpeg});
	std::vector<uint32_t> formats;
	for (CaptureMode &mode : modes) {
		mode.minWidth = mode.minHeight = mode.stepWidth = mode.stepHeight = 1;
		mode.maxWidth = mode.maxHeight = INT_MAX;
		GstCaps *own = capsFromModes({mode});
		if (gst_caps_can_intersect(own, caps) &&
		    !std::ranges::contains(formats, mode.fourcc))
			formats.push_back(mode.fourcc);
		gst_caps_unref(own);
	}
	return formats;
}

std::string summaryOfModes(const std::vector<CaptureMode> &modes)
{
	if (modes.empty())
		return "no format";
	std::vector<std::string> formats;
	CaptureMode least = modes.front(), most = modes.front();
	for (const CaptureMode &mode : modes) {
		const std::string name = mode.fourcc == fourccMjpeg
						 ? "MJPEG"
						 : drmFormatString(mode.fourcc, mode.modifier);
		if (!std::ranges::contains(formats, name))
			formats.push_back(name);
		if (uint64_t{mode.minWidth} * mode.minHeight <
		    uint64_t{least.minWidth} * least.minHeight)
			least = mode;
		if (uint64_t{mode.maxWidth} * mode.maxHeight >
		    uint64_t{most.maxWidth} * most.maxHeight)
			most = mode;
	}
	std::string text;
	for (const std::string &format : formats)
		text += (text.empty() ? "" : ", ") + format;
	return std::format("{} in {}x{} to {}x{}", text, least.minWidth, least.minHeight,
			   most.maxWidth, most.maxHeight);
}

std::vector<guint> rankCameraCaps(const GstCaps *caps)
{
	struct Ranked {
		std::pair<int64_t, int64_t> distance;
		guint number;
	};
	std::vector<Ranked> ranked;

	for (guint i = 0; i < gst_caps_get_size(caps); i++) {
		GstStructure *structure = gst_structure_copy(gst_caps_get_structure(caps, i));
		ranked.push_back({{kindRank(structure, gst_caps_get_features(caps, i)),
				   fixateSize(structure)},
				  i});
		gst_structure_free(structure);
	}
	std::ranges::stable_sort(ranked, {}, &Ranked::distance);
	std::vector<guint> numbers;
	for (const Ranked &one : ranked)
		numbers.push_back(one.number);
	return numbers;
}

GstCaps *fixateCameraStructure(const GstCaps *caps, guint number)
{
	GstStructure *structure = gst_structure_copy(gst_caps_get_structure(caps, number));
	fixateSize(structure);
	fixateRate(structure);
	GstCaps *fixed = gst_caps_new_empty();
	gst_caps_append_structure_full(fixed, structure,
				       gst_caps_features_copy(gst_caps_get_features(caps, number)));
	/* What is left, such as a list of formats in a capsfilter, has no preference. */
	return gst_caps_fixate(fixed);
}

GstCaps *fixateCameraCaps(GstCaps *caps)
{
	const std::vector<guint> ranked = rankCameraCaps(caps);
	if (ranked.empty())
		return caps;
	GstCaps *fixed = fixateCameraStructure(caps, ranked.front());
	gst_caps_unref(caps);
	return fixed;
}

static Result<CaptureRequest> requestFromOther(const GstStructure *structure, unsigned bufferCount)
{
	CaptureRequest request{.bufferCount = bufferCount};
	const char *format = gst_structure_get_string(structure, "format");
	int width = 0, height = 0, numerator = 0, denominator = 1;

	request.fourcc = gst_structure_has_name(structure, "image/jpeg") ? fourccMjpeg
			 : format ? fourccFromBayerName(format)
				  : 0;
	if (!request.fourcc || !gst_structure_get_int(structure, "width", &width) ||
	    !gst_structure_get_int(structure, "height", &height))
		return fail(EINVAL,
			    formatted(_("cannot read caps %s %s"),
				      gst_structure_get_name(structure), format ? format : ""));
	request.width = uint32_t(width);
	request.height = uint32_t(height);
	gst_structure_get_fraction(structure, "framerate", &numerator, &denominator);
	if (numerator > 0 && denominator > 0)
		request.rate = {uint32_t(numerator), uint32_t(denominator)};
	return request;
}

Result<CaptureRequest> requestFromCaps(const GstCaps *caps, unsigned bufferCount)
{
	const GstStructure *structure = gst_caps_get_structure(caps, 0);
	if (!gst_structure_has_name(structure, "video/x-raw"))
		return requestFromOther(structure, bufferCount);
	auto format = frameFormatFromCaps(caps);
	if (!format)
		return std::unexpected(format.error());

	CaptureRequest request{.fourcc = format->fourcc,
			       .width = uint32_t(format->info.width),
			       .height = uint32_t(format->info.height),
			       .bufferCount = bufferCount};
	if (format->info.fps_n > 0 && format->info.fps_d > 0)
		request.rate = {uint32_t(format->info.fps_n), uint32_t(format->info.fps_d)};
	return request;
}

/* The name of what the camera gives, in caps of the same kind; false when it is of another kind. */
static bool setFormat(GstCaps *caps, const FrameLayout &layout)
{
	const GstStructure *structure = gst_caps_get_structure(caps, 0);

	if (gst_structure_has_name(structure, "image/jpeg"))
		return layout.fourcc == fourccMjpeg;
	if (gst_structure_has_name(structure, "video/x-bayer")) {
		const FormatInfo *info = formatInfo(layout.fourcc, layout.modifier);
		const std::string name = info ? bayerName(*info) : "";
		if (!name.empty())
			gst_caps_set_simple(caps, "format", G_TYPE_STRING, name.c_str(), nullptr);
		return !name.empty();
	}
	if (!isPicture(layout.fourcc, layout.modifier))
		return false;
	if (gst_video_is_dma_drm_caps(caps)) {
		gst_caps_set_simple(caps, "drm-format", G_TYPE_STRING,
				    drmFormatString(layout.fourcc, layout.modifier).c_str(),
				    nullptr);
		return true;
	}
	const GstVideoFormat video = videoFormatFromFourcc(layout.fourcc);
	if (video != GST_VIDEO_FORMAT_UNKNOWN)
		gst_caps_set_simple(caps, "format", G_TYPE_STRING,
				    gst_video_format_to_string(video), nullptr);
	return video != GST_VIDEO_FORMAT_UNKNOWN;
}

GstCaps *capsFromConfiguration(const GstCaps *chosen, const CaptureConfiguration &configuration)
{
	const FrameLayout &layout = configuration.layout;
	GstCaps *caps = gst_caps_copy(chosen);

	if (!setFormat(caps, layout)) {
		gst_caps_unref(caps);
		return gst_caps_new_empty();
	}
	gst_caps_set_simple(caps, "width", G_TYPE_INT, int(layout.width), "height", G_TYPE_INT,
			    int(layout.height), nullptr);
	const bool raw = gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw");
	if (configuration.rate.numerator > 0 && configuration.rate.denominator > 0)
		gst_caps_set_simple(caps, "framerate", GST_TYPE_FRACTION,
				    int(configuration.rate.numerator),
				    int(configuration.rate.denominator), nullptr);

	const FormatInfo *known = formatInfo(layout.fourcc);
	const std::string colorimetry = colorimetryString(layout.colorimetry);
	const GstStructure *structure = gst_caps_get_structure(caps, 0);
	/* A colorimetry that downstream insists on was not ours to give; the intersection tells. */
	if (raw && known && known->yuv && !colorimetry.empty() &&
	    !gst_structure_has_field(structure, "colorimetry"))
		gst_caps_set_simple(caps, "colorimetry", G_TYPE_STRING, colorimetry.c_str(),
				    nullptr);
	return caps;
}

} /* namespace heapflow::gst */
