/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bare limit that board/bench compares with: dma-bufs of a heap go round between a V4L2 camera
 * and an atomic KMS plane, and nothing else happens. Six system calls for a frame: poll() and
 * VIDIOC_DQBUF for the camera's, one commit, poll() and read() for the flip, VIDIOC_QBUF.
 *
 * No checks, no recovery, no other format, no second camera: less cannot be done, and nobody would
 * want to ship it. The camera's input and timings are set before, by v4l2-ctl.
 */
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <drm_fourcc.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

namespace
{

constexpr unsigned bufferCount = 4;

struct Options {
	std::string camera;
	std::string card;
	std::string heap = "video@42000000";
	unsigned width = 1280;
	unsigned height = 720;
	unsigned frames = 120;
	bool light = false;   /* set the mode, and leave */
	bool capture = false; /* no display */
};

[[noreturn]] void fail(const char *what)
{
	std::fprintf(stderr, "bare-loop: %s: %s\n", what, std::strerror(errno));
	std::exit(1);
}

[[noreturn]] void usage()
{
	std::fprintf(
		stderr,
		"usage: bare-loop --card NODE [--camera NODE] [--size WxH] [--frames N]\n"
		"                 [--heap NAME] [--light | --capture]\n"
		"Shows N frames of a V4L2 camera in NV12 on an atomic KMS plane, as cheaply as\n"
		"the kernel allows. --light: set the mode that holds WxH and leave the screen\n"
		"lit. --capture: without the display.\n");
	std::exit(2);
}

Options parse(int argc, char **argv)
{
	Options options;
	for (int i = 1; i < argc; i++) {
		const std::string word = argv[i];
		if (word == "--light" || word == "--capture") {
			(word == "--light" ? options.light : options.capture) = true;
			continue;
		}
		if (i + 1 >= argc)
			usage();
		const char *value = argv[++i];
		if (word == "--camera")
			options.camera = value;
		else if (word == "--card")
			options.card = value;
		else if (word == "--heap")
			options.heap = value;
		else if (word == "--frames")
			options.frames = unsigned(std::atoi(value));
		else if (word != "--size" ||
			 std::sscanf(value, "%ux%u", &options.width, &options.height) != 2)
			usage();
	}
	if (options.camera.empty() && !options.light)
		usage();
	return options;
}

void call(int fd, unsigned long request, void *argument, const char *what)
{
	if (ioctl(fd, request, argument) != 0)
		fail(what);
}

/* The camera: its queue filled with dma-bufs of the heap. */
struct Camera {
	int fd = -1;
	unsigned stride = 0;
	std::array<int, bufferCount> buffers{};

	explicit Camera(const Options &options);
	void queue(unsigned index) const;
	unsigned dequeue() const;
	void start() const;
};

Camera::Camera(const Options &options)
{
	fd = open(options.camera.c_str(), O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fail(options.camera.c_str());
	v4l2_format format{};
	format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	call(fd, VIDIOC_G_FMT, &format, "VIDIOC_G_FMT");
	format.fmt.pix.width = options.width;
	format.fmt.pix.height = options.height;
	format.fmt.pix.pixelformat = V4L2_PIX_FMT_NV12;
	format.fmt.pix.bytesperline = 0;
	call(fd, VIDIOC_S_FMT, &format, "VIDIOC_S_FMT");
	if (format.fmt.pix.width != options.width || format.fmt.pix.height != options.height) {
		errno = EINVAL;
		fail("the camera has another size");
	}
	stride = format.fmt.pix.bytesperline;

	v4l2_requestbuffers request{};
	request.count = bufferCount;
	request.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	request.memory = V4L2_MEMORY_DMABUF;
	call(fd, VIDIOC_REQBUFS, &request, "VIDIOC_REQBUFS");

	const int heap = open(("/dev/dma_heap/" + options.heap).c_str(), O_RDONLY | O_CLOEXEC);
	if (heap < 0)
		fail(options.heap.c_str());
	for (int &buffer : buffers) {
		dma_heap_allocation_data allocation{};
		allocation.len = format.fmt.pix.sizeimage;
		allocation.fd_flags = O_RDWR | O_CLOEXEC;
		call(heap, DMA_HEAP_IOCTL_ALLOC, &allocation, "DMA_HEAP_IOCTL_ALLOC");
		buffer = int(allocation.fd);
	}
	close(heap);
}

void Camera::queue(unsigned index) const
{
	v4l2_buffer buffer{};
	buffer.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	buffer.memory = V4L2_MEMORY_DMABUF;
	buffer.index = index;
	buffer.m.fd = buffers[index];
	call(fd, VIDIOC_QBUF, &buffer, "VIDIOC_QBUF");
}

unsigned Camera::dequeue() const
{
	v4l2_buffer buffer{};
	buffer.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	buffer.memory = V4L2_MEMORY_DMABUF;
	call(fd, VIDIOC_DQBUF, &buffer, "VIDIOC_DQBUF");
	return buffer.index;
}

void Camera::start() const
{
	for (unsigned i = 0; i < bufferCount; i++)
		queue(i);
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	call(fd, VIDIOC_STREAMON, &type, "VIDIOC_STREAMON");
}

/* Atomic state in the form of the ioctl, filled once; a flip changes one value of it. */
struct Request {
	std::vector<uint32_t> objects, counts, properties;
	std::vector<uint64_t> values;

	size_t add(uint32_t object, uint32_t property, uint64_t value)
	{
		if (objects.empty() || objects.back() != object) {
			objects.push_back(object);
			counts.push_back(0);
		}
		counts.back()++;
		properties.push_back(property);
		values.push_back(value);
		return values.size() - 1;
	}
	void commit(int fd, uint32_t flags)
	{
		drm_mode_atomic atomic{};
		atomic.flags = flags;
		atomic.count_objs = uint32_t(objects.size());
		atomic.objs_ptr = reinterpret_cast<uintptr_t>(objects.data());
		atomic.count_props_ptr = reinterpret_cast<uintptr_t>(counts.data());
		atomic.props_ptr = reinterpret_cast<uintptr_t>(properties.data());
		atomic.prop_values_ptr = reinterpret_cast<uintptr_t>(values.data());
		call(fd, DRM_IOCTL_MODE_ATOMIC, &atomic, "DRM_IOCTL_MODE_ATOMIC");
	}
};

struct Display {
	int fd = -1;
	uint32_t connector = 0, crtc = 0, plane = 0;
	drmModeModeInfo mode{};
	Request flip;
	size_t framebuffer = 0; /* place of FB_ID's value in `flip` */

	explicit Display(const Options &options);
	void light();
	void prepare(const Options &options);
	uint32_t property(uint32_t object, uint32_t type, const char *name) const;
	uint32_t import(int buffer, const Options &options, unsigned stride) const;
	void show(uint32_t id)
	{
		flip.values[framebuffer] = id;
		flip.commit(fd, DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT);
	}
};

uint32_t Display::property(uint32_t object, uint32_t type, const char *name) const
{
	uint32_t found = 0;
	drmModeObjectProperties *all = drmModeObjectGetProperties(fd, object, type);
	for (uint32_t i = 0; all && i < all->count_props; i++) {
		drmModePropertyRes *one = drmModeGetProperty(fd, all->props[i]);
		if (one && !std::strcmp(one->name, name))
			found = one->prop_id;
		drmModeFreeProperty(one);
	}
	drmModeFreeObjectProperties(all);
	return found;
}

/* The mode of this size with the rate nearest to 60 Hz, else the smallest that holds it. */
drmModeModeInfo modeFor(const drmModeConnector &connector, unsigned width, unsigned height)
{
	const auto badness = [&](const drmModeModeInfo &mode) {
		const bool holds = mode.hdisplay >= width && mode.vdisplay >= height;
		return std::pair(holds ? mode.hdisplay * mode.vdisplay : INT32_MAX,
				 std::abs(int(mode.vrefresh) - 60));
	};
	if (connector.count_modes == 0)
		return {};
	return *std::min_element(
		connector.modes, connector.modes + connector.count_modes,
		[&](const auto &a, const auto &b) { return badness(a) < badness(b); });
}

Display::Display(const Options &options)
{
	fd = open(options.card.c_str(), O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fail(options.card.c_str());
	drmSetClientCap(fd, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1);
	drmSetClientCap(fd, DRM_CLIENT_CAP_ATOMIC, 1);
	drmModeRes *resources = drmModeGetResources(fd);
	if (!resources || resources->count_connectors == 0 || resources->count_crtcs == 0)
		fail("no connector");
	connector = resources->connectors[0];
	crtc = resources->crtcs[0];
	drmModeConnector *info = drmModeGetConnector(fd, connector);
	mode = modeFor(*info, options.width, options.height);
	drmModeFreeConnector(info);
	drmModeFreeResources(resources);

	drmModePlaneRes *planes = drmModeGetPlaneResources(fd);
	for (uint32_t i = 0; i < planes->count_planes; i++) {
		const uint32_t id = planes->planes[i];
		drmModeObjectProperties *all =
			drmModeObjectGetProperties(fd, id, DRM_MODE_OBJECT_PLANE);
		const uint32_t type = property(id, DRM_MODE_OBJECT_PLANE, "type");
		for (uint32_t j = 0; j < all->count_props; j++)
			if (all->props[j] == type &&
			    all->prop_values[j] == DRM_PLANE_TYPE_PRIMARY && !plane)
				plane = id;
		drmModeFreeObjectProperties(all);
	}
	drmModeFreePlaneResources(planes);
}

void Display::light()
{
	uint32_t blob = 0;
	if (drmModeCreatePropertyBlob(fd, &mode, sizeof(mode), &blob) != 0)
		fail("mode");
	Request request;
	request.add(connector, property(connector, DRM_MODE_OBJECT_CONNECTOR, "CRTC_ID"), crtc);
	request.add(crtc, property(crtc, DRM_MODE_OBJECT_CRTC, "MODE_ID"), blob);
	request.add(crtc, property(crtc, DRM_MODE_OBJECT_CRTC, "ACTIVE"), 1);
	request.commit(fd, DRM_MODE_ATOMIC_ALLOW_MODESET);
}

void Display::prepare(const Options &options)
{
	const auto id = [&](const char *name) {
		return property(plane, DRM_MODE_OBJECT_PLANE, name);
	};
	framebuffer = flip.add(plane, id("FB_ID"), 0);
	flip.add(plane, id("CRTC_ID"), crtc);
	flip.add(plane, id("SRC_X"), 0);
	flip.add(plane, id("SRC_Y"), 0);
	flip.add(plane, id("SRC_W"), uint64_t(options.width) << 16);
	flip.add(plane, id("SRC_H"), uint64_t(options.height) << 16);
	flip.add(plane, id("CRTC_X"), 0);
	flip.add(plane, id("CRTC_Y"), 0);
	flip.add(plane, id("CRTC_W"), options.width);
	flip.add(plane, id("CRTC_H"), options.height);
}

uint32_t Display::import(int buffer, const Options &options, unsigned stride) const
{
	uint32_t handle = 0;
	if (drmPrimeFDToHandle(fd, buffer, &handle) != 0)
		fail("drmPrimeFDToHandle");
	const uint32_t handles[4] = {handle, handle};
	const uint32_t pitches[4] = {stride, stride};
	const uint32_t offsets[4] = {0, stride * options.height};
	uint32_t id = 0;
	if (drmModeAddFB2(fd, options.width, options.height, DRM_FORMAT_NV12, handles, pitches,
			  offsets, &id, 0) != 0)
		fail("drmModeAddFB2");
	drmCloseBufferHandle(fd, handle);
	return id;
}

void captureOnly(const Camera &camera, unsigned frames)
{
	camera.start();
	pollfd wait = {camera.fd, POLLIN, 0};
	for (unsigned i = 0; i < frames; i++) {
		poll(&wait, 1, -1);
		camera.queue(camera.dequeue());
	}
}

/*
 * One buffer waits for its flip, one is on the screen, the others are the camera's. A frame that
 * comes while a flip is under way waits; a newer one replaces it.
 */
unsigned show(const Camera &camera, Display &display, const std::vector<uint32_t> &ids,
	      unsigned frames)
{
	int shown = -1, flipping = -1, waiting = -1;
	unsigned captured = 0, flips = 0;
	std::array<pollfd, 2> wait = {{{camera.fd, POLLIN, 0}, {display.fd, POLLIN, 0}}};
	camera.start();
	while (captured < frames || flipping >= 0) {
		poll(wait.data(), wait.size(), -1);
		if (wait[1].revents & POLLIN) {
			std::array<char, 256> events;
			if (read(display.fd, events.data(), events.size()) <= 0)
				fail("flip");
			flips++;
			if (shown >= 0)
				camera.queue(unsigned(shown));
			shown = std::exchange(flipping, -1);
			if (waiting >= 0) {
				flipping = std::exchange(waiting, -1);
				display.show(ids[size_t(flipping)]);
			}
		}
		if ((wait[0].revents & POLLIN) && captured < frames) {
			const auto index = int(camera.dequeue());
			captured++;
			if (flipping < 0) {
				flipping = index;
				display.show(ids[size_t(index)]);
			} else {
				if (waiting >= 0)
					camera.queue(unsigned(waiting));
				waiting = index;
			}
		}
		if (captured == frames)
			wait[0].fd = -1;
	}
	return flips;
}

} /* namespace */

int main(int argc, char **argv)
{
	const Options options = parse(argc, argv);
	if (options.capture) {
		captureOnly(Camera(options), options.frames);
		return 0;
	}
	Display display(options);
	if (options.light) {
		display.light();
		std::printf("%ux%u %u\n", display.mode.hdisplay, display.mode.vdisplay,
			    display.mode.vrefresh);
		return 0;
	}
	const Camera camera(options);
	display.prepare(options);
	std::vector<uint32_t> ids;
	for (const int buffer : camera.buffers)
		ids.push_back(display.import(buffer, options, camera.stride));
	std::printf("shown %u\n", show(camera, display, ids, options.frames));
	return 0;
}
