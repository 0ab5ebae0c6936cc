/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcamera_session.h"

#include "uevent_sockets.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <format>
#include <initializer_list>
#include <mutex>
#include <utility>

#include <dlfcn.h>
#include <libcamera/geometry.h>
#include <libcamera/logging.h>
#include <libcamera/property_ids.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace heapflow
{

namespace
{

struct Shared {
	std::mutex mutex;
	std::unique_ptr<libcamera::CameraManager> manager;
	unsigned users = 0;
	bool virtualIsQuiet = false;
	std::string tuningFile;
	std::set<int> monitors;     /* on which the manager hears of devices */
	std::set<std::string> lost; /* ids */
	std::vector<std::shared_ptr<libcamera::Camera>> abandoned;

	void lose(const std::string &id)
	{
		lost.insert(id);
		for (const int monitor : std::exchange(monitors, {}))
			deafen(monitor);
	}
};

/* Never destroyed: a manager must not end after main() while a camera is still open somewhere. */
Shared &shared()
{
	static Shared &instance = *new Shared;
	return instance;
}

/*
 * Is there a manager that is not ours, say libcamerasrc's? Making a second one aborts the process
 * ("Multiple CameraManager objects are not allowed", camera_manager.cpp), and libcamera has no call
 * to ask; its own pointer to the one there is can be read through the dynamic linker.
 */
bool foreignManagerExists()
{
	Dl_info info{};
	/* Any function of libcamera.so will do to find the library. */
	bool (*const function)(const libcamera::Size &, const libcamera::Size &) =
		&libcamera::operator==;
	if (!dladdr(reinterpret_cast<void *>(function), &info))
		return false;
	void *library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
	if (!library)
		return false;
	auto *self = static_cast<libcamera::CameraManager *const *>(
		dlsym(library, "_ZN9libcamera13CameraManager5self_E"));
	const bool exists = self && *self;
	dlclose(library);
	return exists;
}

/*
 * Each module that processes images looks at a variable of its own (IPAProxy::configurationFile()
 * and, for the Raspberry Pi's, PipeHandlerBase); which one will run is not known before.
 */
void publishTuningFile(const std::string &path)
{
	for (const char *module : {"RPI", "RKISP1", "IPU3", "SIMPLE", "MALI-C55", "VIMC"}) {
		const std::string name = std::format("LIBCAMERA_{}_TUNING_FILE", module);
		if (path.empty())
			unsetenv(name.c_str());
		else
			setenv(name.c_str(), path.c_str(), 1);
	}
}

/* Every configure() is an info message by default. A user who set levels gets what they ask for. */
void quieten(std::initializer_list<const char *> categories)
{
	if (getenv("LIBCAMERA_LOG_LEVELS"))
		return;
	for (const char *category : categories)
		libcamera::logSetLevel(category, "WARN");
}

} /* namespace */

void quietenVirtualCamera()
{
	Shared &state = shared();
	std::lock_guard lock(state.mutex);
	/* Once: others may be making categories meanwhile, and not every version has a lock for
	 * them. */
	if (!std::exchange(state.virtualIsQuiet, true))
		quieten({"Virtual"});
}

Result<void> LibcameraSession::setTuningFile(const std::string &path)
{
	Shared &state = shared();
	std::lock_guard lock(state.mutex);
	if (state.tuningFile == path)
		return {};
	if (state.manager)
		return fail(EBUSY,
			    "the tuning file cannot change while a camera of libcamera is open",
			    "libcamera reads it when it starts: set it for the first camera of the "
			    "program");
	publishTuningFile(path);
	state.tuningFile = path;
	return {};
}

Result<LibcameraSession> LibcameraSession::create()
{
	Shared &state = shared();
	std::lock_guard lock(state.mutex);
	if (!state.manager) {
		if (foreignManagerExists())
			return fail(EBUSY, "this program uses libcamera in another place already",
				    "libcamera allows one CameraManager a process: use either "
				    "heapflow's "
				    "camera or the other, such as libcamerasrc");
		auto manager = std::make_unique<libcamera::CameraManager>();
		const std::set<int> others = ueventSockets();
		if (const int ret = manager->start())
			return fail(-ret, "libcamera does not start",
				    "LIBCAMERA_LOG_LEVELS=*:DEBUG shows why");
		quieten({"Camera", "CameraManager", "IPAManager", "IPAProxy"});
		state.virtualIsQuiet = false;
		state.manager = std::move(manager);
		state.lost.clear();
		state.monitors = ueventSockets();
		for (const int other : others)
			state.monitors.erase(other);
	}
	++state.users;
	return LibcameraSession();
}

LibcameraSession::LibcameraSession(LibcameraSession &&other) noexcept
	: owner_(std::exchange(other.owner_, false))
{
}

LibcameraSession::~LibcameraSession()
{
	if (!owner_)
		return;
	Shared &state = shared();
	std::lock_guard lock(state.mutex);
	if (--state.users == 0)
		state.manager.reset();
}

std::vector<std::shared_ptr<libcamera::Camera>> LibcameraSession::cameras() const
{
	/* libcamera's own order is that of discovery, which hotplug changes. */
	auto cameras = shared().manager->cameras();
	/* It does not always notice that one has gone (vimc unbound, 0.7.1). */
	std::erase_if(cameras, [this](const auto &camera) {
		return !nodesExist(nodesOf(*camera)) || lost(camera->id());
	});
	std::ranges::sort(cameras, {}, [](const auto &camera) { return camera->id(); });
	return cameras;
}

std::shared_ptr<libcamera::Camera> LibcameraSession::find(const std::string &id) const
{
	return shared().manager->get(id);
}

bool LibcameraSession::isOnly() const
{
	Shared &state = shared();
	std::lock_guard lock(state.mutex);
	return owner_ && state.users == 1;
}

bool LibcameraSession::hasStaleCamera() const
{
	return std::ranges::any_of(shared().manager->cameras(), [this](const auto &camera) {
		return !nodesExist(nodesOf(*camera)) && !lost(camera->id());
	});
}

void LibcameraSession::loseStaleCameras()
{
	Shared &state = shared();
	std::lock_guard lock(state.mutex);
	if (!state.manager)
		return;
	for (const auto &camera : state.manager->cameras())
		if (!nodesExist(nodesOf(*camera)))
			state.lose(camera->id());
}

void LibcameraSession::abandon(std::shared_ptr<libcamera::Camera> camera)
{
	Shared &state = shared();
	std::lock_guard lock(state.mutex);
	++state.users; /* never given back */
	state.lose(camera->id());
	state.abandoned.push_back(std::move(camera));
}

bool LibcameraSession::lost(const std::string &id) const
{
	Shared &state = shared();
	std::lock_guard lock(state.mutex);
	return state.lost.contains(id);
}

libcamera::CameraManager *LibcameraSession::manager() const
{
	return shared().manager.get();
}

CameraInfo infoOf(const libcamera::Camera &camera)
{
	CameraInfo info;
	info.id = camera.id();
	info.backend = CameraBackend::Libcamera;
	const auto model = camera.properties().get(libcamera::properties::Model);
	info.model = model ? std::string(*model) : camera.id();
	const auto location = camera.properties().get(libcamera::properties::Location);
	if (location && *location == libcamera::properties::CameraLocationFront)
		info.location = CameraLocation::Front;
	else if (location && *location == libcamera::properties::CameraLocationBack)
		info.location = CameraLocation::Back;
	else if (location && *location == libcamera::properties::CameraLocationExternal)
		info.location = CameraLocation::External;
	return info;
}

/* One that cannot be looked at, as for want of memory, is there until the kernel says otherwise. */
bool nodesExist(const std::set<dev_t> &nodes)
{
	return std::ranges::all_of(nodes, [](dev_t node) {
		const auto path = std::format("/sys/dev/char/{}:{}", major(node), minor(node));
		return access(path.c_str(), F_OK) == 0 || errno != ENOENT;
	});
}

std::set<dev_t> nodesOf(const libcamera::Camera &camera)
{
	std::set<dev_t> nodes;
	if (const auto devices = camera.properties().get(libcamera::properties::SystemDevices))
		for (const int64_t device : *devices)
			nodes.insert(static_cast<dev_t>(device));
	return nodes;
}

} /* namespace heapflow */
