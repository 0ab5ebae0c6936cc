/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "v4l2_modes.h"

#include <algorithm>
#include <cerrno>
#include <format>
#include <numeric>
#include <optional>

namespace heapflow
{

namespace
{

/* One interval is 1/rate. */
FrameRate rateFromInterval(const v4l2_fract &interval)
{
	if (!interval.numerator || !interval.denominator)
		return {};
	const uint32_t divisor = std::gcd(interval.numerator, interval.denominator);
	return {interval.denominator / divisor, interval.numerator / divisor};
}

/*
 * Of the selected input, when it has DV timings (HDMI): what it receives, or what is set when it
 * cannot tell. The format follows a new signal only when it is settled (followSignal()).
 */
std::optional<v4l2_bt_timings> signalTimings(const V4l2Node &node)
{
	v4l2_input input{};
	int index = 0;
	v4l2_dv_timings timings{};
	if (node.ioctl(VIDIOC_G_INPUT, &index))
		return {};
	input.index = static_cast<uint32_t>(index);
	if (node.ioctl(VIDIOC_ENUMINPUT, &input) || !(input.capabilities & V4L2_IN_CAP_DV_TIMINGS))
		return {};
	if (node.ioctl(VIDIOC_QUERY_DV_TIMINGS, &timings)) {
		timings = {};
		if (node.ioctl(VIDIOC_G_DV_TIMINGS, &timings))
			return {};
	}
	if (timings.type != V4L2_DV_BT_656_1120)
		return {};
	return timings.bt;
}

/* 0/1 without DV timings. */
FrameRate signalRate(const V4l2Node &node)
{
	const auto timings = signalTimings(node);
	return timings ? rateFromTimings(*timings) : FrameRate();
}

/* All formats by ENUM_FMT, as far as they are known; the code that ended it: EINVAL. */
template<typename Visit>
int enumerateFormats(const V4l2Node &node, Visit visit)
{
	v4l2_fmtdesc description{};
	description.type = node.identity().bufferType();
	int code = 0;
	for (; !(code = node.ioctl(VIDIOC_ENUM_FMT, &description)); ++description.index)
		if (const V4l2Format *format = v4l2Format(description.pixelformat))
			visit(*format);
	return code;
}

void enumerateRates(const V4l2Node &node, CaptureMode &mode)
{
	const auto append = [&](const v4l2_fract &interval) {
		if (const FrameRate rate = rateFromInterval(interval); rate.numerator)
			mode.rates.push_back(rate);
	};
	v4l2_frmivalenum interval{};
	interval.pixel_format = v4l2FromDrm(mode.fourcc, mode.modifier);
	interval.width = mode.maxWidth;
	interval.height = mode.maxHeight;
	/* Its other name, if it has one; not asked for all of hundreds of modes. */
	if (node.ioctl(VIDIOC_ENUM_FRAMEINTERVALS, &interval))
		interval.pixel_format = pixelformatOf(node, mode.fourcc, mode.modifier);
	interval.index = 0;
	for (; !node.ioctl(VIDIOC_ENUM_FRAMEINTERVALS, &interval); ++interval.index) {
		if (interval.type != V4L2_FRMIVAL_TYPE_DISCRETE) {
			/* A range: its ends; the longest interval is the lowest rate. */
			append(interval.stepwise.max);
			append(interval.stepwise.min);
			mode.ratesBetween = mode.rates.size() == 2;
			break;
		}
		append(interval.discrete);
	}
}

void listRates(const V4l2Node &node, std::vector<CaptureMode> &modes)
{
	if (const FrameRate signal = signalRate(node); signal.numerator) {
		for (CaptureMode &mode : modes)
			mode.rates = {signal};
		return;
	}
	for (CaptureMode &mode : modes)
		enumerateRates(node, mode);
}

CaptureMode discrete(const V4l2Format &format, uint32_t width, uint32_t height)
{
	return {format.drm, width, width, 1, height, height, 1, {}, format.modifier};
}

void appendSizes(const V4l2Node &node, const V4l2Format &format, const V4l2Picture &current,
		 std::vector<CaptureMode> &modes)
{
	v4l2_frmsizeenum size{};
	size.pixel_format = format.v4l2;
	for (; !node.ioctl(VIDIOC_ENUM_FRAMESIZES, &size); ++size.index) {
		if (size.type != V4L2_FRMSIZE_TYPE_DISCRETE) {
			const v4l2_frmsize_stepwise &range = size.stepwise;
			modes.push_back({format.drm,
					 range.min_width,
					 range.max_width,
					 range.step_width,
					 range.min_height,
					 range.max_height,
					 range.step_height,
					 {},
					 format.modifier});
			return;
		}
		modes.push_back(discrete(format, size.discrete.width, size.discrete.height));
	}
	/* A driver without this ioctl (frame grabbers) has the size of its signal. */
	if (size.index > 0)
		return;
	const auto signal = signalTimings(node);
	modes.push_back(discrete(format, signal ? signal->width : current.width,
				 signal ? signal->height : current.height));
}

} /* namespace */

Result<V4l2Picture> currentPicture(const V4l2Node &node)
{
	v4l2_format format{};
	format.type = node.identity().bufferType();
	if (const int code = node.ioctl(VIDIOC_G_FMT, &format))
		return fail(code, std::format("{} does not say its format", node.identity().path));
	return pictureFromFormat(format);
}

V4l2Source currentSource(const V4l2Node &node)
{
	V4l2Source source;
	v4l2_frmsizeenum size{};
	/* Calls that a driver does not have leave what is there. */
	if (node.ioctl(VIDIOC_G_INPUT, &source.input))
		source.input = -1;
	if (node.ioctl(VIDIOC_G_STD, &source.standard))
		source.standard = 0;
	if (const auto timings = signalTimings(node)) {
		source.signalWidth = timings->width;
		source.signalHeight = timings->height;
		source.signalRate = rateFromTimings(*timings);
	}
	const auto current = currentPicture(node);
	size.pixel_format = current ? current->pixelformat : 0;
	if (current && node.ioctl(VIDIOC_ENUM_FRAMESIZES, &size)) {
		source.width = current->width;
		source.height = current->height;
	}
	return source;
}

uint32_t pixelformatOf(const V4l2Node &node, uint32_t fourcc, uint64_t modifier)
{
	const uint32_t best = v4l2FromDrm(fourcc, modifier);
	/* Only where there are two names is it worth to ask (JPEG and MJPG, RGB4 and BX24). */
	if (std::ranges::count_if(v4l2FormatTable(), [&](const V4l2Format &format) {
		    return format.drm == fourcc && format.modifier == modifier;
	    }) < 2)
		return best;
	uint32_t found = 0;
	enumerateFormats(node, [&](const V4l2Format &format) {
		const bool same = format.drm == fourcc && format.modifier == modifier;
		if (same && (!found || format.v4l2 == best))
			found = format.v4l2;
	});
	return found ? found : best;
}

Result<std::vector<CaptureMode>> enumerateModes(const V4l2Node &node,
						const std::function<bool(uint32_t fourcc)> &wanted)
{
	const auto current = currentPicture(node);
	if (!current)
		return std::unexpected(current.error());

	std::vector<CaptureMode> modes;
	const int code = enumerateFormats(node, [&](const V4l2Format &format) {
		const bool known =
			format.drm == fourccMjpeg || formatInfo(format.drm, format.modifier);
		if (known && wanted(format.drm))
			appendSizes(node, format, *current, modes);
	});
	if (code != EINVAL)
		return fail(code,
			    std::format("{} does not list its formats", node.identity().path));

	listRates(node, modes);
	return modes;
}

FrameRate rateFromTimings(const v4l2_bt_timings &timings)
{
	uint64_t clock = timings.pixelclock;
	uint64_t frame =
		uint64_t{V4L2_DV_BT_FRAME_WIDTH(&timings)} * V4L2_DV_BT_FRAME_HEIGHT(&timings);
	if (!clock || !frame)
		return {};
	const uint64_t divisor = std::gcd(clock, frame);
	clock /= divisor;
	frame /= divisor;
	while (clock > UINT32_MAX || frame > UINT32_MAX) {
		clock >>= 1;
		frame >>= 1;
	}
	return {static_cast<uint32_t>(clock), static_cast<uint32_t>(frame)};
}

FrameRate currentRate(const V4l2Node &node)
{
	if (const FrameRate signal = signalRate(node); signal.numerator)
		return signal;

	v4l2_streamparm parameters{};
	parameters.type = node.identity().bufferType();
	if (node.ioctl(VIDIOC_G_PARM, &parameters))
		return {};
	return rateFromInterval(parameters.parm.capture.timeperframe);
}

void requestRate(const V4l2Node &node, FrameRate rate)
{
	if (!rate.numerator || !rate.denominator)
		return;
	v4l2_streamparm parameters{};
	parameters.type = node.identity().bufferType();
	parameters.parm.capture.timeperframe = {rate.denominator, rate.numerator};
	/* Inputs with a signal of their own refuse (ENOTTY, EINVAL): their rate stays as it is. */
	node.ioctl(VIDIOC_S_PARM, &parameters);
}

} /* namespace heapflow */
