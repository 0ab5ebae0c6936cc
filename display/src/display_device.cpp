/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "display_device.h"

#include "output.h"
#include "output_choice.h"
#include "seat.h"

#include <algorithm>
#include <cerrno>
#include <format>

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace heapflow
{

namespace
{

/* Of a timer: a system call that moves it costs less than a thread that it wakes in vain. */
constexpr int64_t farTooSoon = 200'000'000; /* ns */

/* What is open in this process. */
struct Registry {
	std::mutex mutex;
	std::vector<std::weak_ptr<DisplayDevice>> devices;
};

Registry &registry()
{
	static Registry only;
	return only;
}

/* Descriptors of one open file: the master is the file, not the device. */
bool isSameFile(int a, int b)
{
	return syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, static_cast<unsigned long>(a),
		       static_cast<unsigned long>(b)) == 0;
}

template<typename Matches, typename Make>
Result<std::shared_ptr<DisplayDevice>> sharedOrNew(Matches matches, Make make)
{
	const std::lock_guard lock(registry().mutex);
	std::erase_if(registry().devices, [](const auto &device) { return device.expired(); });
	for (const auto &reference : registry().devices) {
		auto device = reference.lock();
		if (device && matches(*device))
			return device;
	}
	auto device = make();
	if (device)
		registry().devices.push_back(*device);
	return device;
}

} /* namespace */

Result<std::shared_ptr<DisplayDevice>> DisplayDevice::open(const std::string &path, bool useSeat)
{
	struct stat wanted = {};
	if (stat(path.c_str(), &wanted))
		return fail(errno, std::format("cannot open {}", path));
	return sharedOrNew(
		[&](const DisplayDevice &device) {
			return device.kms().node == wanted.st_rdev && !device.kms().adopted;
		},
		[&]() -> Result<std::shared_ptr<DisplayDevice>> {
			std::unique_ptr<Seat> seat;
			UniqueFd fd;
			if (useSeat) {
				auto opened = Seat::open();
				if (!opened)
					return std::unexpected(opened.error());
				seat = std::move(*opened);
				auto device = seat->openDevice(path);
				if (!device)
					return std::unexpected(device.error());
				fd = std::move(*device);
			}
			auto kms = openKmsDevice(path, std::move(fd));
			if (!kms)
				return std::unexpected(kms.error());
			return start(std::move(*kms), std::move(seat));
		});
}

Result<std::shared_ptr<DisplayDevice>> DisplayDevice::adopt(int fd)
{
	return sharedOrNew(
		[&](const DisplayDevice &device) { return isSameFile(device.fd(), fd); },
		[&]() -> Result<std::shared_ptr<DisplayDevice>> {
			UniqueFd own(fcntl(fd, F_DUPFD_CLOEXEC, 3));
			if (!own.valid())
				return fail(errno,
					    std::format("{} is no descriptor of a display", fd));
			auto kms = adoptKmsDevice(std::move(own));
			if (!kms)
				return std::unexpected(kms.error());
			return start(std::move(*kms), nullptr);
		});
}

Result<std::shared_ptr<DisplayDevice>> DisplayDevice::start(KmsDevice kms,
							    std::unique_ptr<Seat> seat)
{
	std::shared_ptr<DisplayDevice> device(new DisplayDevice(std::move(kms)));
	DisplayDevice *self = device.get();
	device->seat_ = std::move(seat);
	EventLoop::Hooks hooks{
		.flip =
			[self](const RawFlip &flip) {
				self->forEachOutput([&](Output &output) { output.flipped(flip); });
			},
		.timer = [self] { self->timerFired(); },
		.woken = [self] { self->forEachOutput([](Output &output) { output.deliver(); }); },
		.hotplug =
			[self] { self->forEachOutput([](Output &output) { output.hotplug(); }); },
		.other = {},
		.failed =
			[self](const Error &error) {
				self->forEachOutput(
					[&](Output &output) { output.loopFailed(error); });
			},
	};
	if (Seat *manager = device->seat_.get()) {
		manager->setHandler([self](bool active) {
			self->forEachOutput([&](Output &output) { output.seatChanged(active); });
		});
		hooks.otherFd = manager->fd();
		hooks.other = [manager] {
			manager->dispatch();
		};
	}
	auto loop = EventLoop::start(device->fd(), std::move(hooks));
	if (!loop)
		return std::unexpected(loop.error());
	device->loop_ = std::move(*loop);
	return device;
}

DisplayDevice::DisplayDevice(KmsDevice kms) : kms_(std::move(kms)) {}

DisplayDevice::~DisplayDevice() = default;

template<typename Call>
void DisplayDevice::forEachOutput(Call call)
{
	const std::lock_guard lock(outputsMutex_);
	for (const Entry &entry : outputs_)
		call(*entry.output);
}

bool DisplayDevice::seatActive() const
{
	return !seat_ || seat_->active();
}

bool DisplayDevice::vanished() const
{
	struct stat status = {};
	return kms_.path.starts_with('/') && stat(kms_.path.c_str(), &status) && errno == ENOENT;
}

Result<std::shared_ptr<Output>> DisplayDevice::output(const ScreenOptions &options)
{
	/* Before the lock, so that it is let go of after it: the last reference calls remove(). */
	std::shared_ptr<Output> found;
	const std::lock_guard lock(outputsMutex_);
	/* Read again: a screen may have been plugged in since. */
	auto topology = readTopology(fd());
	if (!topology)
		return std::unexpected(topology.error());
	/* One that is not there yet, such as that of a dock, may be waited for as well. */
	const ConnectorInfo absent{.name = options.connector,
				   .connection = Connection::Disconnected};
	auto connector = chooseConnector(*topology, options.connector, options.waitForScreen);
	if (!connector && options.waitForScreen)
		connector = &absent;
	if (!connector)
		return std::unexpected(connector.error());

	for (const Entry &entry : outputs_) {
		const uint32_t id = entry.output->connectorId();
		if (id == (*connector)->id &&
		    (id || entry.output->wantedConnector() == options.connector))
			found = entry.reference.lock();
	}
	if (!found) {
		const CrtcInfo none;
		Result<const CrtcInfo *> crtc = &none;
		if ((*connector)->id)
			crtc = chooseCrtc(*topology, **connector);
		if (!crtc)
			return std::unexpected(crtc.error());
		/* Of a connector that is not there yet, it is taken when it comes. */
		auto saved = (*connector)->id ? SavedState::capture(fd(), *topology, **crtc)
					      : Result<SavedState>();
		if (!saved)
			return std::unexpected(saved.error());
		found = std::make_shared<Output>(shared_from_this(), *topology, **connector, **crtc,
						 std::move(*saved));
		outputs_.push_back({found.get(), found});
		const std::lock_guard wakeUps(wakeUpsMutex_);
		wakeUps_.push_back({found.get()});
	}
	if (options.planeId && !found->hasPlane(options.planeId))
		return fail(ENOENT,
			    std::format("{} has no plane {} that can be on {}", kms_.path,
					options.planeId, (*connector)->name),
			    "Planes: " + found->listPlanes());
	return found;
}

/*
 * The deadline of a flip moves on with each frame, which would be a system call a frame: the timer
 * follows when it would fire far too soon. One that fires too soon finds nothing to do.
 */
void DisplayDevice::setDeadline(const Output *output, int64_t at)
{
	const std::lock_guard lock(wakeUpsMutex_);
	int64_t nearest = 0;
	for (WakeUp &wakeUp : wakeUps_) {
		if (wakeUp.output == output)
			wakeUp.at = at;
		if (wakeUp.at && (!nearest || wakeUp.at < nearest))
			nearest = wakeUp.at;
	}
	if (nearest && (!timer_ || nearest < timer_ || nearest - timer_ >= farTooSoon))
		loop_->setTimer(timer_ = nearest);
}

void DisplayDevice::awaitFlips(const Output *output, bool wanted)
{
	const std::lock_guard lock(wakeUpsMutex_);
	bool any = false;
	for (WakeUp &wakeUp : wakeUps_) {
		if (wakeUp.output == output)
			wakeUp.flips = wanted;
		any = any || wakeUp.flips;
	}
	loop_->awaitFlips(any);
}

/*
 * Each output sets its deadline again, and with it the timer. Flips first: one that nobody has
 * read yet is not missing.
 */
void DisplayDevice::timerFired()
{
	{
		const std::lock_guard lock(wakeUpsMutex_);
		timer_ = 0;
	}
	takeFlips();
	forEachOutput([](Output &output) { output.timer(); });
}

void DisplayDevice::remove(const Output *output)
{
	{
		const std::lock_guard lock(outputsMutex_);
		std::erase_if(outputs_, [&](const Entry &entry) { return entry.output == output; });
	}
	const std::lock_guard lock(wakeUpsMutex_);
	std::erase_if(wakeUps_, [&](const WakeUp &entry) { return entry.output == output; });
}

} /* namespace heapflow */
