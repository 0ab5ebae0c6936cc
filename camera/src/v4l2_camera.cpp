/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "v4l2_camera.h"

#include "buffer_check.h"
#include "clock.h"
#include "countdown.h"
#include "request_fixation.h"
#include "v4l2_controls.h"
#include "v4l2_formats.h"
#include "v4l2_modes.h"
#include "v4l2_signal.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <format>

#include <sys/eventfd.h>

namespace heapflow
{

namespace
{

constexpr unsigned defaultBufferCount = 4;

/* A time that is further away from the arrival is of no clock that we could know (vivid can wrap
 * its own). */
constexpr int64_t implausible = 10'000'000'000;

UniqueFd makeEvent()
{
	return UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

} /* namespace */

V4l2Camera::V4l2Camera(V4l2Node node, UniqueFd wakeup, UniqueFd kick)
	: node_(std::move(node)),
	  wakeup_(std::move(wakeup)),
	  kick_(std::move(kick)),
	  info_(node_.identity().info()),
	  queue_(node_, name())
{
}

/* Closing the node stops the stream and lets go of the buffers (vb2_fop_release). */
V4l2Camera::~V4l2Camera() = default;

Result<std::unique_ptr<Camera>> V4l2Camera::open(const std::string &path)
{
	auto node = V4l2Node::open(path);
	if (!node)
		return std::unexpected(node.error());
	UniqueFd wakeup = makeEvent();
	UniqueFd kick = makeEvent();
	if (!wakeup.valid() || !kick.valid())
		return fail(errno, "cannot make an eventfd");
	return std::unique_ptr<Camera>(
		new V4l2Camera(std::move(*node), std::move(wakeup), std::move(kick)));
}

std::string V4l2Camera::name() const
{
	return std::format("{} ({})", node_.identity().driver, node_.identity().path);
}

Result<std::vector<CaptureMode>> V4l2Camera::modes(StreamRole role,
						   std::span<const uint32_t> formats)
{
	auto modes = modes_.list(node_, formats);
	if (!modes || role != StreamRole::Raw)
		return modes;
	std::erase_if(*modes, [](const CaptureMode &mode) {
		const FormatInfo *info = formatInfo(mode.fourcc, mode.modifier);
		return !info || info->kind != FormatKind::Bayer;
	});
	if (modes->empty() && formats.empty())
		return fail(ENOTSUP, std::format("{} has no raw format", name()));
	return modes;
}

Result<void> V4l2Camera::setFormat(const CaptureRequest &request)
{
	V4l2Picture picture;
	picture.pixelformat = pixelformatOf(node_, request.fourcc, request.modifier);
	picture.width = request.width;
	picture.height = request.height;
	picture.bytesperline = request.stride;

	v4l2_format format = formatFromPicture(node_.identity().bufferType(), picture);
	if (const int code = node_.ioctl(VIDIOC_S_FMT, &format)) {
		if (code == ENODEV)
			return v4l2Gone(name());
		return fail(code,
			    std::format("{} does not take the format {} {}x{}", name(),
					fourccToString(request.fourcc), request.width,
					request.height),
			    code == EBUSY ? "Another program, or another part of this one, is "
					    "using the camera"
					  : "");
	}

	picture = pictureFromFormat(format);
	auto layout = layoutFromV4l2(picture);
	if (!layout)
		return std::unexpected(layout.error());
	/* What a frame must hold at least: the padding of the last plane is nobody's. */
	LayoutRules rules;
	rules.stride = layout->planes.front().stride;
	rules.modifier = layout->modifier;
	const auto bare = makeFrameLayout(layout->fourcc, layout->width, layout->height, rules);
	pictureBytes_ = bare ? static_cast<uint32_t>(bare->size()) : 0;
	configuration_.layout = std::move(*layout);
	return {};
}

/* What is asked, completed by what the node has. */
Result<CaptureRequest> V4l2Camera::fix(const CaptureRequest &request)
{
	const auto current = currentPicture(node_);
	if (!current)
		return std::unexpected(current.error());
	CaptureRequest defaults;
	defaults.width = current->width;
	defaults.height = current->height;
	if (request.fourcc) {
		const auto some = modes_.list(node_, std::array{request.fourcc});
		if (!some)
			return std::unexpected(some.error());
		if (auto fixed = fixRequest(*some, request, defaults))
			return fixed;
	}
	/* An error says what there is. */
	const auto modes = modes_.list(node_, {});
	if (!modes)
		return std::unexpected(modes.error());
	return fixRequest(*modes, request, defaults);
}

Orientation V4l2Camera::orientation() const
{
	/* Of the sensor, counterclockwise (V4L2_CID_CAMERA_SENSOR_ROTATION); a driver that turns
	 * the picture itself says so by its flips, which cancel out at 180 degrees. */
	const int rotation = readV4l2Control(node_, V4L2_CID_CAMERA_SENSOR_ROTATION).value_or(0);
	const bool mirrored = readV4l2Control(node_, V4L2_CID_HFLIP).value_or(0) != 0;
	const bool flipped = readV4l2Control(node_, V4L2_CID_VFLIP).value_or(0) != 0;
	const bool upsideDown = (rotation == 180) != (mirrored && flipped);
	if (rotation == 90)
		return Orientation::Rotate90;
	if (rotation == 270)
		return Orientation::Rotate270;
	return upsideDown ? Orientation::Rotate180 : Orientation::Rotate0;
}

Result<std::vector<CaptureConfiguration>>
V4l2Camera::configureStreams(std::span<const CaptureRequest> streams, const SensorRequest &sensor)
{
	if (queue_.streaming())
		return fail(EBUSY, std::format("{} is streaming", name()), "Call stop() first");
	if (streams.size() != 1)
		return fail(ENOTSUP,
			    std::format("{} has one stream, not {}", name(), streams.size()));
	if (sensor != SensorRequest())
		return fail(ENOTSUP, std::format("{} has no sensor mode to choose", name()),
			    "Only cameras of libcamera have");

	/* The format is locked while there are slots, and the slots hold the old dma-bufs. */
	if (queue_.count())
		if (auto freed = queue_.request(0); !freed)
			return std::unexpected(freed.error());
	if (auto followed = followSignal(node_, name()); !followed)
		return std::unexpected(followed.error());
	const auto fixed = fix(streams[0]);
	if (!fixed)
		return std::unexpected(fixed.error());
	if (auto set = setFormat(*fixed); !set)
		return std::unexpected(set.error());
	requestRate(node_, fixed->rate);

	/* Slots make the node ours: from here on others get EBUSY. */
	const unsigned wanted = fixed->bufferCount ? fixed->bufferCount : defaultBufferCount;
	const auto granted = queue_.request(std::min<unsigned>(wanted, VIDEO_MAX_FRAME));
	if (!granted)
		return std::unexpected(granted.error());

	configuration_.bufferCount = *granted;
	configuration_.rate = currentRate(node_);
	configuration_.needs = {};
	configuration_.needs.who = node_.identity().driver;
	configuration_.orientation = orientation();
	return std::vector{configuration_};
}

Result<void> V4l2Camera::importBuffers(std::span<const Buffer> buffers, unsigned stream)
{
	if (queue_.streaming())
		return fail(EBUSY, std::format("{} is streaming", name()), "Call stop() first");
	if (queue_.count() == 0 || stream != 0)
		return fail(EINVAL, std::format("{} is not configured", name()));
	if (auto usable = checkBuffers(buffers, configuration_, name()); !usable)
		return usable;
	return queue_.import(buffers, static_cast<uint32_t>(configuration_.layout.size()));
}

Result<void> V4l2Camera::start()
{
	if (queue_.streaming())
		return fail(EBUSY, std::format("{} is streaming already", name()));
	if (!queue_.imported())
		return fail(EINVAL, std::format("{} has no buffers", name()),
			    "Call importBuffers() first");

	watchSignal(node_);
	if (const int code = queue_.start()) {
		const std::string message = std::format("{} does not start to stream {}", name(),
							describe(configuration_.layout));
		if (code == ENODEV)
			return v4l2Gone(name());
		if (code == EPIPE)
			return fail(
				code, message,
				"The links of its media pipeline disagree on the format: set it up "
				"with media-ctl, or try another format");
		return fail(code, message,
			    "The kernel log may say why; start() may be tried again");
	}
	sequence_.reset();
	failure_.reset();
	return {};
}

Result<CapturedFrame> V4l2Camera::dequeue()
{
	V4l2Queue::Filled filled;
	if (const int code = queue_.dequeue(filled)) {
		if (code == ENODEV)
			return v4l2Gone(name());
		return fail(code, std::format("{} delivers no frame", name()),
			    code == EIO ? "Its driver met an error: stop() and start() again" : "");
	}

	CapturedFrame frame;
	frame.arrival = monotonicNow();
	frame.index = filled.index;
	frame.sequence = sequence_.extend(filled.sequence);
	/* Any other clock is one that nobody names; then the arrival is the best there is. */
	const bool known =
		filled.monotonic && std::llabs(filled.timestamp - frame.arrival) < implausible;
	frame.timestamp = known ? filled.timestamp : frame.arrival;
	frame.bytesUsed = filled.bytesUsed;
	frame.corrupted = filled.error || filled.bytesUsed < std::max(pictureBytes_, 1U);
	return frame;
}

std::optional<Error> V4l2Camera::readEvents()
{
	return signalChange(node_, name());
}

Result<CapturedFrame> V4l2Camera::serve(const std::vector<pollfd> &descriptors)
{
	const short node = descriptors[2].revents;
	if (descriptors[0].revents)
		return fail(ECANCELED, "waiting for a frame was interrupted");
	if (descriptors[1].revents) {
		eventfd_t count = 0;
		eventfd_read(kick_.get(), &count);
	}
	if (auto sent = queue_.sendPending(); !sent)
		return std::unexpected(*(failure_ = sent.error()));
	if (node & POLLPRI) {
		if (auto changed = readEvents())
			return std::unexpected(*(failure_ = *changed));
	}
	if (node & (POLLIN | POLLERR | POLLHUP)) {
		auto frame = dequeue();
		/* EAGAIN: readable no more. With an error pending it would spin. */
		if (frame)
			return frame;
		if (frame.error().code != EAGAIN)
			return std::unexpected(*(failure_ = frame.error()));
		/* vb2_poll() says POLLERR for an error and when no buffer is queued. */
		if ((node & (POLLERR | POLLHUP)) && !queue_.starved())
			return std::unexpected(
				*(failure_ = Error{EIO, std::format("{} reports an error", name()),
						   "Call stop() and start() again"}));
	}
	return fail(0, "");
}

Result<CapturedFrame> V4l2Camera::waitFrame(std::chrono::milliseconds timeout, unsigned stream)
{
	if (!queue_.streaming() || stream != 0)
		return fail(EINVAL, std::format("{} is not streaming", name()),
			    "Call start() first");

	Countdown countdown(timeout);
	while (true) {
		descriptors_.clear();
		descriptors_.push_back({wakeup_.get(), POLLIN, 0});
		descriptors_.push_back({kick_.get(), POLLIN, 0});
		/* Without a buffer in its queue a node is "in error" all the time (vb2_poll). */
		const bool starved = queue_.starved();
		descriptors_.push_back(
			{starved || failure_ ? -1 : node_.fd(), POLLIN | POLLPRI, 0});
		const int again = queue_.watchPending(descriptors_);
		const int left = static_cast<int>(countdown.left().count());
		int wait = left;
		if (again >= 0)
			wait = std::min(wait, again);
		if (failure_)
			wait = 0;
		const int ready = poll(descriptors_.data(), descriptors_.size(), wait);
		if (ready < 0 && errno != EINTR)
			return fail(errno, std::format("cannot wait for {}", name()));
		if (ready < 0)
			continue;
		auto frame = serve(descriptors_);
		if (frame || frame.error().code)
			return frame;
		if (failure_)
			return std::unexpected(*failure_);
		if (left == 0 || (ready == 0 && wait == left))
			return timedOut(timeout);
	}
}

std::unexpected<Error> V4l2Camera::timedOut(std::chrono::milliseconds timeout) const
{
	/* As FrameQueue::wait(). */
	if (timeout.count() == 0)
		return fail(ETIMEDOUT, "no frame yet");
	std::string hint;
	if (const int code = queue_.refusal())
		hint = std::format("It refuses a buffer that was given to it ({})",
				   errnoName(code));
	else if (queue_.starved())
		hint = "None of its buffers is queued: they are all in use";
	return fail(ETIMEDOUT,
		    std::format("no frame from {} within {} ms", name(), timeout.count()), hint);
}

const FrameControls &V4l2Camera::metadata(unsigned, unsigned) const
{
	/* V4L2 tells nothing of single frames beyond their times. */
	static const FrameControls none;
	return none;
}

Result<void> V4l2Camera::queue(unsigned index, unsigned stream, std::optional<Fence> release)
{
	if (stream != 0)
		return fail(EINVAL, std::format("{} has no stream {}", name(), stream));
	auto queued = queue_.queue(index, std::move(release));
	if (!queued)
		return std::unexpected(queued.error());
	/* Who waits for frames may have to wait for this one's fence, or for the first buffer. */
	if (*queued)
		eventfd_write(kick_.get(), 1);
	return {};
}

std::vector<ControlDescription> V4l2Camera::controls()
{
	std::vector<ControlDescription> controls;
	for (V4l2Control &control : listV4l2Controls(node_))
		controls.push_back(std::move(control.description));
	return controls;
}

Result<void> V4l2Camera::setControls(const ControlList &controls)
{
	return setV4l2Controls(node_, controls);
}

void V4l2Camera::interrupt(bool interrupted, std::optional<unsigned> stream)
{
	if (stream.value_or(0) != 0)
		return;
	/* Never read by waitFrame(): the state stays until it is taken back. */
	eventfd_t count = 0;
	if (interrupted)
		eventfd_write(wakeup_.get(), 1);
	else
		eventfd_read(wakeup_.get(), &count);
}

Result<void> V4l2Camera::stop()
{
	failure_.reset();
	const int code = queue_.stop();
	/* A node that is gone streams no more. */
	if (code && code != ENODEV)
		return fail(code, std::format("{} does not stop", name()));
	return {};
}

} /* namespace heapflow */
