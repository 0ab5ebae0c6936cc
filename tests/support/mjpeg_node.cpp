/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A V4L2 camera with MJPEG, which no driver of the board has: it answers the ioctls of /dev/null.
 *
 * Linked into a test, or preloaded into a program, its ioctl() stands before libc's. Each frame is
 * of another length (mjpegBytes()), and is written into the dma-buf when it is dequeued.
 */
#include "mjpeg_node.h"

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <vector>

#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

namespace
{

constexpr uint32_t longest = 100000;

uint32_t pixelformat = V4L2_PIX_FMT_MJPEG;
std::atomic<unsigned> sizesAsked = 0;

struct Node {
	std::mutex mutex;
	uint32_t width = 640, height = 480;
	std::vector<int> buffers; /* descriptors, borrowed as V4L2 borrows them */
	std::deque<uint32_t> queued;
	uint32_t sequence = 0;
	bool streaming = false;
};

Node &node()
{
	static Node &instance = *new Node;
	return instance;
}

int refuse(int code)
{
	errno = code;
	return -1;
}

int describe(v4l2_capability &capability)
{
	capability = {};
	std::strcpy(reinterpret_cast<char *>(capability.driver), "made-up");
	std::strcpy(reinterpret_cast<char *>(capability.card), "MJPEG camera");
	capability.device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
	capability.capabilities = capability.device_caps | V4L2_CAP_DEVICE_CAPS;
	return 0;
}

int enumerate(v4l2_fmtdesc &format)
{
	if (format.index > 0)
		return refuse(EINVAL);
	format.pixelformat = pixelformat;
	format.flags = V4L2_FMT_FLAG_COMPRESSED;
	return 0;
}

int enumerate(v4l2_frmsizeenum &size)
{
	if (size.index > 1)
		return refuse(EINVAL);
	size.type = V4L2_FRMSIZE_TYPE_DISCRETE;
	size.discrete =
		size.index ? v4l2_frmsize_discrete{1280, 720} : v4l2_frmsize_discrete{640, 480};
	return 0;
}

int settle(Node &state, v4l2_format &format, bool set)
{
	if (set && format.fmt.pix.pixelformat != pixelformat)
		return refuse(EINVAL);
	if (set) {
		state.width = format.fmt.pix.width > 640 ? 1280 : 640;
		state.height = format.fmt.pix.width > 640 ? 720 : 480;
	}
	format.fmt.pix = {};
	format.fmt.pix.width = state.width;
	format.fmt.pix.height = state.height;
	format.fmt.pix.pixelformat = pixelformat;
	format.fmt.pix.field = V4L2_FIELD_NONE;
	format.fmt.pix.sizeimage = longest;
	return 0;
}

int queue(Node &state, const v4l2_buffer &buffer)
{
	if (buffer.index >= state.buffers.size())
		return refuse(EINVAL);
	state.buffers[buffer.index] = buffer.m.fd;
	state.queued.push_back(buffer.index);
	return 0;
}

/* As a driver: the picture, and behind it what was there before. */
bool writePicture(int fd, uint32_t sequence)
{
	void *memory = mmap(nullptr, longest, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return false;
	const auto picture = heapflow::test::mjpegPicture(sequence);
	std::memcpy(memory, picture.data(), picture.size());
	munmap(memory, longest);
	return true;
}

int dequeue(Node &state, v4l2_buffer &buffer)
{
	if (!state.streaming || state.queued.empty())
		return refuse(EAGAIN);
	buffer.index = state.queued.front();
	state.queued.pop_front();
	if (!writePicture(state.buffers[buffer.index], state.sequence))
		return -1;
	buffer.bytesused = heapflow::test::mjpegBytes(state.sequence);
	buffer.sequence = state.sequence++;
	buffer.flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
	timespec now{};
	clock_gettime(CLOCK_MONOTONIC, &now);
	buffer.timestamp = {now.tv_sec, now.tv_nsec / 1000};
	return 0;
}

/* How the sensor is mounted and what the driver mirrors: "ROTATION HFLIP VFLIP". */
int control(v4l2_control &control)
{
	int rotation = 0, mirrored = 0, flipped = 0;
	const char *mounted = std::getenv(heapflow::test::mjpegMounted);
	if (!mounted || std::sscanf(mounted, "%d %d %d", &rotation, &mirrored, &flipped) != 3)
		return refuse(EINVAL);
	switch (control.id) {
	case V4L2_CID_CAMERA_SENSOR_ROTATION:
		control.value = rotation;
		return 0;
	case V4L2_CID_HFLIP:
		control.value = mirrored;
		return 0;
	case V4L2_CID_VFLIP:
		control.value = flipped;
		return 0;
	default:
		return refuse(EINVAL);
	}
}

int answer(unsigned long request, void *argument)
{
	Node &state = node();
	std::lock_guard lock(state.mutex);
	switch (request) {
	case VIDIOC_QUERYCAP:
		return describe(*static_cast<v4l2_capability *>(argument));
	case VIDIOC_ENUM_FMT:
		return enumerate(*static_cast<v4l2_fmtdesc *>(argument));
	case VIDIOC_ENUM_FRAMESIZES:
		sizesAsked++;
		return enumerate(*static_cast<v4l2_frmsizeenum *>(argument));
	case VIDIOC_G_FMT:
		return settle(state, *static_cast<v4l2_format *>(argument), false);
	case VIDIOC_S_FMT:
		return settle(state, *static_cast<v4l2_format *>(argument), true);
	case VIDIOC_REQBUFS:
		state.buffers.assign(static_cast<v4l2_requestbuffers *>(argument)->count, -1);
		state.queued.clear();
		return 0;
	case VIDIOC_G_CTRL:
		return control(*static_cast<v4l2_control *>(argument));
	case VIDIOC_PREPARE_BUF:
		return 0;
	case VIDIOC_QBUF:
		return queue(state, *static_cast<v4l2_buffer *>(argument));
	case VIDIOC_DQBUF:
		return dequeue(state, *static_cast<v4l2_buffer *>(argument));
	case VIDIOC_STREAMON:
		state.streaming = true;
		state.sequence = 0;
		return 0;
	case VIDIOC_STREAMOFF:
		state.streaming = false;
		state.queued.clear();
		return 0;
	default:
		return refuse(ENOTTY);
	}
}

bool isTheNode(int fd)
{
	struct stat status{};
	return fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) &&
	       status.st_rdev == makedev(1, 3);
}

} /* namespace */

void heapflow::test::setMjpegNodeFormat(uint32_t format)
{
	pixelformat = format;
}

unsigned heapflow::test::mjpegNodeSizesAsked()
{
	return sizesAsked;
}

extern "C" __attribute__((visibility("default"))) int ioctl(int fd, unsigned long request,
							    ...) noexcept
{
	va_list arguments;
	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	if (_IOC_TYPE(request) == 'V' && isTheNode(fd))
		return answer(request, argument);
	return static_cast<int>(syscall(SYS_ioctl, fd, request, argument));
}
