/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "v4l2_node.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <format>
#include <string_view>

#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

namespace heapflow
{

namespace
{

std::string text(const uint8_t *field, size_t size)
{
	const auto *begin = reinterpret_cast<const char *>(field);
	return {begin, strnlen(begin, size)};
}

std::unexpected<Error> openError(const std::string &path, int code)
{
	std::string hint;
	if (code == ENOENT)
		hint = "List the nodes with v4l2-ctl --list-devices";
	else if (code == EACCES)
		hint = "Video nodes usually belong to the group 'video': join it and log in again";
	return fail(code, std::format("cannot open the V4L2 node {}", path), hint);
}

int retriedIoctl(int fd, unsigned long request, void *argument)
{
	int ret;
	do
		ret = ::ioctl(fd, request, argument);
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? errno : 0;
}

CameraLocation readLocation(int fd)
{
	v4l2_control control{};
	control.id = V4L2_CID_CAMERA_ORIENTATION;
	if (retriedIoctl(fd, VIDIOC_G_CTRL, &control))
		return CameraLocation::Unknown;
	switch (control.value) {
	case V4L2_CAMERA_ORIENTATION_FRONT:
		return CameraLocation::Front;
	case V4L2_CAMERA_ORIENTATION_BACK:
		return CameraLocation::Back;
	case V4L2_CAMERA_ORIENTATION_EXTERNAL:
		return CameraLocation::External;
	default:
		return CameraLocation::Unknown;
	}
}

/* Not the node is the matter, but this process or the whole system. */
bool isOfProcess(int code)
{
	return code == EMFILE || code == ENFILE || code == ENOMEM;
}

/* The N of /dev/videoN, or -1. */
int nodeNumber(const std::string &name)
{
	constexpr std::string_view prefix = "video";
	if (!name.starts_with(prefix))
		return -1;
	int number = -1;
	const char *end = name.data() + name.size();
	const auto parsed = std::from_chars(name.data() + prefix.size(), end, number);
	return parsed.ec == std::errc() && parsed.ptr == end ? number : -1;
}

} /* namespace */

bool V4l2Identity::isCamera() const
{
	/*
	 * vicodec and vim2m carry the capture bit on none of their nodes, but other drivers of
	 * memory-to-memory devices do, next to the output bit. Touch screens "capture" as well.
	 */
	constexpr uint32_t other = V4L2_CAP_VIDEO_M2M | V4L2_CAP_VIDEO_M2M_MPLANE |
				   V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_VIDEO_OUTPUT_MPLANE |
				   V4L2_CAP_TOUCH;
	return bufferType() != 0 && (capabilities & V4L2_CAP_STREAMING) && !(capabilities & other);
}

bool V4l2Identity::needsPipelineSetUp() const
{
	return capabilities & V4L2_CAP_IO_MC;
}

uint32_t V4l2Identity::bufferType() const
{
	if (capabilities & V4L2_CAP_VIDEO_CAPTURE_MPLANE)
		return V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
	if (capabilities & V4L2_CAP_VIDEO_CAPTURE)
		return V4L2_BUF_TYPE_VIDEO_CAPTURE;
	return 0;
}

CameraInfo V4l2Identity::info() const
{
	return {path, card, CameraBackend::V4l2, location};
}

V4l2Node::V4l2Node(UniqueFd fd, V4l2Identity identity)
	: fd_(std::move(fd)), identity_(std::move(identity))
{
}

Result<V4l2Node> V4l2Node::open(const std::string &path)
{
	/* Only character devices: opening a FIFO would wait, and a disk is not a camera. */
	struct stat status{};
	if (stat(path.c_str(), &status) < 0)
		return openError(path, errno);
	if (!S_ISCHR(status.st_mode))
		return fail(ENODEV, std::format("{} is not a V4L2 node", path));

	/* Non-blocking, so that a frame that another poller took cannot hang DQBUF. */
	UniqueFd fd = openRetried(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (!fd.valid())
		return openError(path, errno);

	v4l2_capability caps{};
	if (const int code = retriedIoctl(fd.get(), VIDIOC_QUERYCAP, &caps)) {
		/* What other devices say to an ioctl that they do not know. */
		if (code == ENOTTY || code == EINVAL)
			return fail(ENODEV, std::format("{} is not a V4L2 node", path));
		return fail(code, std::format("{} does not tell what it is", path));
	}

	V4l2Identity identity;
	identity.path = path;
	identity.driver = text(caps.driver, sizeof(caps.driver));
	identity.card = text(caps.card, sizeof(caps.card));
	identity.capabilities =
		caps.capabilities & V4L2_CAP_DEVICE_CAPS ? caps.device_caps : caps.capabilities;
	identity.device = status.st_rdev;
	if (!identity.isCamera())
		return fail(ENODEV,
			    std::format("{} ({}) is not a camera: capabilities {:#x}", path,
					identity.card, identity.capabilities),
			    "List the nodes with v4l2-ctl --list-devices");

	identity.location = readLocation(fd.get());

	return V4l2Node(std::move(fd), std::move(identity));
}

int V4l2Node::ioctl(unsigned long request, void *argument) const
{
	return retriedIoctl(fd_.get(), request, argument);
}

Result<std::vector<V4l2Identity>> listV4l2Cameras()
{
	std::vector<std::pair<int, std::string>> nodes;
	std::error_code error;
	std::filesystem::directory_iterator entry("/dev", error), end;
	for (; !error && entry != end; entry.increment(error))
		if (const int number = nodeNumber(entry->path().filename()); number >= 0)
			nodes.emplace_back(number, entry->path());
	if (error)
		return fail(error.value(), "cannot look for V4L2 nodes in /dev");
	std::ranges::sort(nodes);

	std::vector<V4l2Identity> cameras;
	for (const auto &[number, path] : nodes) {
		auto node = V4l2Node::open(path);
		if (node)
			cameras.push_back(node->identity());
		else if (isOfProcess(node.error().code))
			return std::unexpected(node.error());
	}
	return cameras;
}

} /* namespace heapflow */
