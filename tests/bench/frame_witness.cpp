/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into a program that shows a camera (LD_PRELOAD), whoever wrote it: notes when each
 * frame left the camera and when it was on the screen, by the calls that all such programs make.
 *
 * The way of a frame is followed by the inode of its dma-buf, which is one for all descriptors of
 * it (dma-buf.c, dma_buf_getfile()):
 *
 *   captured   VIDIOC_DQBUF has returned it, with the time at which it was filled; or munmap() has
 *              taken the mapping away through which it was drawn (libcamera's virtual camera)
 *   shown      DRM_IOCTL_MODE_ATOMIC, DRM_IOCTL_MODE_SETPLANE or DRM_IOCTL_MODE_PAGE_FLIP names a
 *              framebuffer of it
 *   on screen  read() gives the event of that flip, with the time of its vblank, whenever it is
 *              read; or the call has returned, when it was one that waits for the vblank:
 *              DRM_IOCTL_MODE_SETPLANE, a commit without an event
 *
 * Each is a record of 40 bytes in the file FRAME_WITNESS, which is a shared mapping: a program that
 * crashes at its end loses none. board/benchmarks/witness.py reads them.
 */
#include <array>
#include <atomic>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>
#include <unordered_map>

#include <drm.h>
#include <drm_mode.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace
{

enum Kind : uint32_t { None, Started, Captured, Shown, OnScreen, ShownAtOnce, Drawn };

struct Record {
	uint32_t kind;
	uint32_t thread;
	uint64_t time;  /* CLOCK_MONOTONIC, ns */
	uint64_t inode; /* of the dma-buf; 0: unknown, so ordinary memory */
	uint64_t
		id; /* framebuffer; captured: when it was filled; on screen: the vblank; ns, or 0 */
	uint64_t begin; /* when the call began, ns */
};
static_assert(sizeof(Record) == 40);

constexpr size_t capacity = 1 << 17;
constexpr int mostDescriptors = 4096;

uint64_t now()
{
	timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return uint64_t(time.tv_sec) * 1000000000 + uint64_t(time.tv_nsec);
}

class Witness
{
public:
	static Witness &get()
	{
		/* Never destroyed: threads outlive main(). */
		static Witness *witness = new Witness;
		return *witness;
	}

	void note(Kind kind, uint64_t inode, uint64_t id, uint64_t begin)
	{
		const size_t place = next_.fetch_add(1);
		if (records_ && place < capacity)
			records_[place] = {kind, uint32_t(gettid()), now(), inode, id, begin};
	}

	std::mutex mutex;
	std::unordered_map<uint64_t, uint64_t> exported;     /* camera, index: inode */
	std::unordered_map<uint64_t, uint64_t> handles;      /* card, handle: inode */
	std::unordered_map<uint64_t, uint64_t> framebuffers; /* inode */
	uint32_t framebufferProperty = 0;
	std::array<std::atomic<bool>, mostDescriptors> isCard{};

private:
	Witness()
	{
		const char *path = getenv("FRAME_WITNESS");
		const int file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644) : -1;
		if (file < 0 || ftruncate(file, capacity * sizeof(Record)) != 0)
			return;
		void *memory = mmap(nullptr, capacity * sizeof(Record), PROT_READ | PROT_WRITE,
				    MAP_SHARED, file, 0);
		close(file);
		if (memory != MAP_FAILED)
			records_ = static_cast<Record *>(memory);
	}

	Record *records_ = nullptr;
	std::atomic<size_t> next_{0};
};

/* Where files are mapped to write; without memory of its own, as malloc() calls mmap(). */
class Mappings
{
public:
	static Mappings &get()
	{
		static constinit Mappings mappings;
		return mappings;
	}

	void add(uint64_t address, uint64_t inode)
	{
		for (Place &place : places_) {
			uint64_t none = 0;
			if (place.address.compare_exchange_strong(none, address)) {
				place.inode = inode;
				return;
			}
		}
	}
	/* The inode of what is mapped there, once; 0: nothing that was added */
	uint64_t take(uint64_t address)
	{
		for (Place &place : places_) {
			const uint64_t inode = place.inode;
			uint64_t wanted = address;
			if (place.address.compare_exchange_strong(wanted, 0))
				return inode;
		}
		return 0;
	}

private:
	struct Place {
		std::atomic<uint64_t> address{0};
		std::atomic<uint64_t> inode{0};
	};
	std::array<Place, 64> places_;
};

uint64_t key(int fd, uint32_t number)
{
	return uint64_t(uint32_t(fd)) << 32 | number;
}

uint64_t inodeOf(int fd)
{
	struct stat info;
	return fstat(fd, &info) == 0 ? info.st_ino : 0;
}

uint64_t find(const std::unordered_map<uint64_t, uint64_t> &map, uint64_t wanted)
{
	const auto found = map.find(wanted);
	return found == map.end() ? 0 : found->second;
}

int descriptorOf(const v4l2_buffer &buffer)
{
	return V4L2_TYPE_IS_MULTIPLANAR(buffer.type) ? buffer.m.planes[0].m.fd : buffer.m.fd;
}

void afterCameraCall(Witness &witness, int fd, unsigned long request, void *argument,
		     uint64_t begin)
{
	if (request == VIDIOC_EXPBUF) {
		const auto &buffer = *static_cast<v4l2_exportbuffer *>(argument);
		const std::lock_guard lock(witness.mutex);
		witness.exported[key(fd, buffer.index)] = inodeOf(buffer.fd);
		return;
	}
	const auto &buffer = *static_cast<v4l2_buffer *>(argument);
	if (V4L2_TYPE_IS_OUTPUT(buffer.type))
		return;
	uint64_t inode = 0;
	if (buffer.memory == V4L2_MEMORY_DMABUF) {
		inode = inodeOf(descriptorOf(buffer));
	} else {
		const std::lock_guard lock(witness.mutex);
		inode = find(witness.exported, key(fd, buffer.index));
	}
	const bool monotonic =
		(buffer.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
	const uint64_t filled = uint64_t(buffer.timestamp.tv_sec) * 1000000000 +
				uint64_t(buffer.timestamp.tv_usec) * 1000;
	witness.note(Captured, inode, monotonic ? filled : 0, begin);
}

/* The framebuffers that a commit shows; not in one that only tries. */
void noteAtomic(Witness &witness, const drm_mode_atomic &atomic, uint64_t begin)
{
	if (atomic.flags & DRM_MODE_ATOMIC_TEST_ONLY)
		return;
	const Kind kind = atomic.flags & DRM_MODE_PAGE_FLIP_EVENT ? Shown : ShownAtOnce;
	const auto *counts = reinterpret_cast<const uint32_t *>(atomic.count_props_ptr);
	const auto *properties = reinterpret_cast<const uint32_t *>(atomic.props_ptr);
	const auto *values = reinterpret_cast<const uint64_t *>(atomic.prop_values_ptr);
	for (uint32_t i = 0, at = 0; i < atomic.count_objs; i++)
		for (uint32_t j = 0; j < counts[i]; j++, at++)
			if (properties[at] == witness.framebufferProperty && values[at])
				witness.note(kind, find(witness.framebuffers, values[at]),
					     values[at], begin);
}

void afterCardCall(Witness &witness, int fd, unsigned long request, void *argument, uint64_t begin)
{
	if (fd < mostDescriptors)
		witness.isCard[size_t(fd)] = true;
	const std::lock_guard lock(witness.mutex);
	switch (request) {
	case DRM_IOCTL_PRIME_FD_TO_HANDLE: {
		const auto &prime = *static_cast<drm_prime_handle *>(argument);
		witness.handles[key(fd, prime.handle)] = inodeOf(prime.fd);
		break;
	}
	case DRM_IOCTL_GEM_CLOSE:
		witness.handles.erase(key(fd, static_cast<drm_gem_close *>(argument)->handle));
		break;
	case DRM_IOCTL_MODE_ADDFB2: {
		const auto &framebuffer = *static_cast<drm_mode_fb_cmd2 *>(argument);
		witness.framebuffers[framebuffer.fb_id] =
			find(witness.handles, key(fd, framebuffer.handles[0]));
		break;
	}
	case DRM_IOCTL_MODE_GETPROPERTY: {
		const auto &property = *static_cast<drm_mode_get_property *>(argument);
		if (!std::strcmp(property.name, "FB_ID"))
			witness.framebufferProperty = property.prop_id;
		break;
	}
	case DRM_IOCTL_MODE_ATOMIC:
		noteAtomic(witness, *static_cast<drm_mode_atomic *>(argument), begin);
		break;
	case DRM_IOCTL_MODE_PAGE_FLIP: {
		const uint64_t id = static_cast<drm_mode_crtc_page_flip *>(argument)->fb_id;
		witness.note(Shown, find(witness.framebuffers, id), id, begin);
		break;
	}
	case DRM_IOCTL_MODE_SETPLANE: {
		const uint64_t id = static_cast<drm_mode_set_plane *>(argument)->fb_id;
		if (id)
			witness.note(ShownAtOnce, find(witness.framebuffers, id), id, begin);
		break;
	}
	default:
		break;
	}
}

void noteEvents(Witness &witness, const char *data, size_t size, uint64_t begin)
{
	drm_event event;
	for (size_t at = 0; at + sizeof(event) <= size; at += event.length) {
		std::memcpy(&event, data + at, sizeof(event));
		if (event.length < sizeof(event))
			return;
		if (event.type != DRM_EVENT_FLIP_COMPLETE ||
		    event.length < sizeof(drm_event_vblank))
			continue;
		drm_event_vblank flip;
		std::memcpy(&flip, data + at, sizeof(flip));
		witness.note(OnScreen, 0,
			     uint64_t(flip.tv_sec) * 1000000000 + uint64_t(flip.tv_usec) * 1000,
			     begin);
	}
}

__attribute__((constructor)) void begin()
{
	Witness::get().note(Started, 0, 0, 0);
}

} /* namespace */

extern "C" {

__attribute__((visibility("default"))) int ioctl(int fd, unsigned long request, ...) noexcept
{
	va_list arguments;
	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);

	/* Callers pass the request as int at times: libcamera and GStreamer sign-extend it. */
	request = uint32_t(request);
	const bool camera = request == VIDIOC_DQBUF || request == VIDIOC_EXPBUF;
	const bool card = _IOC_TYPE(request) == DRM_IOCTL_BASE;
	const uint64_t begin = camera || card ? now() : 0;
	const long result = syscall(SYS_ioctl, fd, request, argument);
	if (result < 0)
		return int(result);
	if (camera)
		afterCameraCall(Witness::get(), fd, request, argument, begin);
	else if (card)
		afterCardCall(Witness::get(), fd, request, argument, begin);
	return int(result);
}

__attribute__((visibility("default"))) void *mmap(void *address, size_t size, int protection,
						  int flags, int fd, off_t offset) noexcept
{
	const long result = syscall(SYS_mmap, address, size, protection, flags, fd, offset);
	if (result != -1 && fd >= 0 && (protection & PROT_WRITE) && (flags & MAP_SHARED))
		Mappings::get().add(uint64_t(result), inodeOf(fd));
	return reinterpret_cast<void *>(result);
}

__attribute__((visibility("default"))) int munmap(void *address, size_t size) noexcept
{
	const uint64_t inode = Mappings::get().take(uint64_t(address));
	if (inode)
		Witness::get().note(Drawn, inode, 0, 0);
	return int(syscall(SYS_munmap, address, size));
}

__attribute__((visibility("default"))) ssize_t read(int fd, void *buffer, size_t size)
{
	const bool card = fd >= 0 && fd < mostDescriptors && Witness::get().isCard[size_t(fd)];
	const uint64_t begin = card ? now() : 0;
	const ssize_t result = syscall(SYS_read, fd, buffer, size);
	if (card && result > 0)
		noteEvents(Witness::get(), static_cast<const char *>(buffer), size_t(result),
			   begin);
	return result;
}

} /* extern "C" */
