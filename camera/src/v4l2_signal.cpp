/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "v4l2_signal.h"

#include <cerrno>
#include <cstring>
#include <format>

#include <linux/videodev2.h>

namespace heapflow
{

namespace
{

struct Input {
	uint32_t index = 0;
	std::string name;
	bool timings = false;  /* it has DV timings */
	bool noSignal = false; /* says the driver, of an analog one */
};

Input selectedInput(const V4l2Node &node)
{
	Input input;
	int index = 0;
	v4l2_input description{};
	if (node.ioctl(VIDIOC_G_INPUT, &index))
		return input;
	input.index = description.index = static_cast<uint32_t>(index);
	if (node.ioctl(VIDIOC_ENUMINPUT, &description))
		return input;
	const auto *name = reinterpret_cast<const char *>(description.name);
	input.name = std::string(name, strnlen(name, sizeof(description.name)));
	input.timings = description.capabilities & V4L2_IN_CAP_DV_TIMINGS;
	input.noSignal = description.status & (V4L2_IN_ST_NO_SIGNAL | V4L2_IN_ST_NO_SYNC);
	return input;
}

bool same(const v4l2_dv_timings &one, const v4l2_dv_timings &other)
{
	return one.type == other.type && one.bt.width == other.bt.width &&
	       one.bt.height == other.bt.height && one.bt.interlaced == other.bt.interlaced &&
	       one.bt.pixelclock == other.bt.pixelclock;
}

std::string timingsText(const v4l2_dv_timings &timings)
{
	return std::format("{}x{}{}", timings.bt.width, timings.bt.height,
			   timings.bt.interlaced ? " interlaced" : "");
}

Error lost(const std::string &name, const Input &input, int code)
{
	const char *why = code == ENOLCK   ? "a signal that it cannot lock to"
			  : code == ERANGE ? "a signal beyond what it can receive"
					   : "no signal";
	return {ENOLINK, std::format("{} has {} at its input {}", name, why, input.name),
		"Connect and switch on the source, or select another input with v4l2-ctl -i"};
}

/* 0 and the timings, or the errno that says what is wrong with the signal. */
int received(const V4l2Node &node, v4l2_dv_timings &timings)
{
	timings = {};
	return node.ioctl(VIDIOC_QUERY_DV_TIMINGS, &timings);
}

bool isBadSignal(int code)
{
	return code == ENOLINK || code == ENOLCK || code == ERANGE;
}

} /* namespace */

Result<void> followSignal(const V4l2Node &node, const std::string &name)
{
	const Input input = selectedInput(node);
	if (!input.timings)
		return {};
	v4l2_dv_timings now{}, set{};
	if (const int code = received(node, now); isBadSignal(code))
		return std::unexpected(lost(name, input, code));
	else if (code)
		return {}; /* it does not say; what is set stays */
	if (!node.ioctl(VIDIOC_G_DV_TIMINGS, &set) && same(now, set))
		return {};
	/* EBUSY: somebody else streams; the format that is asked for next says so better. */
	node.ioctl(VIDIOC_S_DV_TIMINGS, &now);
	return {};
}

void watchSignal(const V4l2Node &node)
{
	v4l2_event_subscription subscription{};
	subscription.type = V4L2_EVENT_SOURCE_CHANGE;
	subscription.id = selectedInput(node).index;
	/* Sensors have no such event (EINVAL, ENOTTY); a second subscription changes nothing. */
	if (node.ioctl(VIDIOC_SUBSCRIBE_EVENT, &subscription))
		return;
	v4l2_event old{};
	while (node.ioctl(VIDIOC_DQEVENT, &old) == 0)
		;
}

std::optional<Error> signalChange(const V4l2Node &node, const std::string &name)
{
	bool changed = false;
	v4l2_event event{};
	while (node.ioctl(VIDIOC_DQEVENT, &event) == 0)
		changed = changed || (event.type == V4L2_EVENT_SOURCE_CHANGE &&
				      (event.u.src_change.changes & V4L2_EVENT_SRC_CH_RESOLUTION));
	if (!changed)
		return {};

	const Input input = selectedInput(node);
	if (!input.timings) {
		if (input.noSignal)
			return lost(name, input, ENOLINK);
		return Error{
			ESTALE,
			std::format("the signal at the input {} of {} changed", input.name, name),
			"Call stop() and configure() for the new one"};
	}
	v4l2_dv_timings now{}, set{};
	if (const int code = received(node, now); isBadSignal(code))
		return lost(name, input, code);
	if (!node.ioctl(VIDIOC_G_DV_TIMINGS, &set) && same(now, set))
		return {};
	return Error{ESTALE,
		     std::format("the signal at the input {} of {} changed from {} to {}",
				 input.name, name, timingsText(set), timingsText(now)),
		     "Call stop() and configure() for the new one"};
}

} /* namespace heapflow */
