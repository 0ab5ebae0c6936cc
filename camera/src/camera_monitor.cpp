/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/camera/camera_monitor.h"

#include "libcamera_backend.h"
#include "v4l2_node.h"

#include "heapflow/heap/unique_fd.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <thread>

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace heapflow
{

namespace
{

constexpr int settlingTime = 200; /* ms */

/* Reads all events. \return whether one of them was about a video node */
bool sawVideoNode(int inotify)
{
	alignas(inotify_event) char buffer[4096];
	bool seen = false;
	for (ssize_t size; (size = read(inotify, buffer, sizeof(buffer))) > 0;) {
		for (ssize_t at = 0; at < size;) {
			const auto *event = reinterpret_cast<const inotify_event *>(buffer + at);
			const bool lost = event->mask & IN_Q_OVERFLOW;
			seen = seen || lost ||
			       (event->len && std::string_view(event->name).starts_with("video"));
			at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
		}
	}
	return seen;
}

} /* namespace */

std::vector<CameraEvent> compareCameras(const std::vector<CameraInfo> &before,
					const std::vector<CameraInfo> &after)
{
	std::vector<CameraEvent> events;
	for (const CameraInfo &camera : before)
		if (!std::ranges::contains(after, camera))
			events.push_back({false, camera});
	for (const CameraInfo &camera : after)
		if (!std::ranges::contains(before, camera))
			events.push_back({true, camera});
	return events;
}

struct CameraMonitor::Watch {
	explicit Watch(Handler toTell)
		: handler(std::move(toTell)),
		  stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
		  kick(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
		  inotify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK))
	{
	}

	void run();
	bool stopped() const;
	bool tell();
	void join();
	void leave() { share.reset(); }
	void joinAnew();
	void lookForMissed();
	std::optional<std::set<dev_t>> nodesWithoutCamera() const;

	Handler handler;
	/* None: another part of the program has libcamera, and V4L2 is what is left. */
	std::unique_ptr<LibcameraShare> share;
	std::set<dev_t> orphans; /* nodesWithoutCamera() that a new CameraManager did not want */
	UniqueFd stop;
	UniqueFd kick;
	UniqueFd inotify;
	std::thread thread;

	std::mutex mutex;
	std::vector<CameraInfo> known;
};

void CameraMonitor::Watch::join()
{
	auto fresh = joinLibcamera();
	if (!fresh)
		return;
	share = std::move(*fresh);
	share->watch([this] { eventfd_write(kick.get(), 1); });
}

/* If nobody else uses libcamera, this ends it, and a new CameraManager sees what there is. */
void CameraMonitor::Watch::joinAnew()
{
	leave();
	join();
}

/* What somebody would have to set up a media pipeline for, and libcamera does not. None: unknown */
std::optional<std::set<dev_t>> CameraMonitor::Watch::nodesWithoutCamera() const
{
	const auto all = listV4l2Cameras();
	if (!share || !all)
		return {};
	std::set<dev_t> nodes;
	for (const V4l2Identity &node : *all)
		if (node.needsPipelineSetUp())
			nodes.insert(node.device);
	for (const LibcameraEntry &camera : share->cameras())
		for (const dev_t node : camera.nodes)
			nodes.erase(node);
	return nodes;
}

/*
 * libcamera looks at a media device once, when udev tells of it, which may be before the driver has
 * made all nodes ("Skip Scaler: no device node", device_enumerator.cpp). While others use it, the
 * next change is another occasion.
 */
void CameraMonitor::Watch::lookForMissed()
{
	auto now = nodesWithoutCamera();
	if (!now)
		return;
	if (!std::ranges::includes(orphans, *now)) {
		if (!share->isOnly())
			return;
		joinAnew();
		now = nodesWithoutCamera();
	}
	if (now)
		orphans = std::move(*now);
}

/* False: what there is could not be looked at. */
bool CameraMonitor::Watch::tell()
{
	/* What it was refused for may be over. */
	if (!share)
		join();
	/*
	 * libcamera 0.7 does not notice that vimc is unbound, and aborts when it is bound again
	 * ("duplicated ID"). While others use it that camera is lost, until they have let go of it
	 * and there is another change.
	 */
	if (share && share->hasStaleCamera()) {
		joinAnew();
		if (share && share->hasStaleCamera())
			share->loseStaleCameras();
	}
	lookForMissed();
	const auto now = listCameras();
	if (!now)
		return false;
	std::vector<CameraEvent> events;
	{
		std::lock_guard lock(mutex);
		events = compareCameras(known, *now);
		known = *now;
	}
	for (const CameraEvent &event : events)
		handler(event);
	return true;
}

bool CameraMonitor::Watch::stopped() const
{
	eventfd_t count = 0;
	return eventfd_read(stop.get(), &count) == 0;
}

void CameraMonitor::Watch::run()
{
	pollfd descriptors[] = {
		{stop.get(), POLLIN, 0}, {kick.get(), POLLIN, 0}, {inotify.get(), POLLIN, 0}};
	for (bool settling = false;;) {
		const int ready = poll(descriptors, 3, settling ? settlingTime : -1);
		/* Memory, or descriptors, may be there again in a while. */
		if (ready < 0 && errno != EINTR && errno != EAGAIN) {
			if (stopped())
				return;
			std::this_thread::sleep_for(std::chrono::milliseconds(settlingTime));
			settling = true;
		}
		if (ready < 0)
			continue;
		if (descriptors[0].revents)
			return;
		if (ready == 0) {
			settling = !tell();
			continue;
		}
		eventfd_t count = 0;
		if (descriptors[1].revents && eventfd_read(kick.get(), &count) == 0)
			settling = true;
		if (descriptors[2].revents && sawVideoNode(inotify.get()))
			settling = true;
	}
}

Result<std::unique_ptr<CameraMonitor>> CameraMonitor::start(Handler handler)
{
	auto watch = std::make_unique<Watch>(std::move(handler));
	if (!watch->stop.valid() || !watch->kick.valid() || !watch->inotify.valid())
		return fail(errno, "cannot watch for cameras");
	/* Before the list is made, or a camera in between were missed. */
	if (inotify_add_watch(watch->inotify.get(), "/dev", IN_CREATE | IN_DELETE | IN_ATTRIB) < 0)
		return fail(errno, "cannot watch /dev for cameras");
	watch->join();
	auto cameras = listCameras();
	if (!cameras) {
		watch->leave();
		return std::unexpected(cameras.error());
	}
	watch->known = std::move(*cameras);
	watch->orphans = watch->nodesWithoutCamera().value_or(std::set<dev_t>{});
	std::unique_ptr<CameraMonitor> self(new CameraMonitor(std::move(watch)));
	try {
		self->watch_->thread = std::thread(&Watch::run, self->watch_.get());
	} catch (const std::system_error &error) {
		return fail(error.code().value(), "cannot start the thread that watches cameras");
	}
	pthread_setname_np(self->watch_->thread.native_handle(), "heapflow-camera");
	return self;
}

CameraMonitor::CameraMonitor(std::unique_ptr<Watch> watch) : watch_(std::move(watch)) {}

CameraMonitor::~CameraMonitor()
{
	/* Else the thread would never be told, and join() never return. */
	while (eventfd_write(watch_->stop.get(), 1) < 0 && errno == EINTR)
		;
	if (watch_->thread.joinable())
		watch_->thread.join();
	watch_->leave();
}

std::vector<CameraInfo> CameraMonitor::cameras() const
{
	std::lock_guard lock(watch_->mutex);
	return watch_->known;
}

} /* namespace heapflow */
