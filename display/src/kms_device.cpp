/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kms_device.h"

#include "device_holder.h"
#include "drm_ptr.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <format>

#include <fcntl.h>
#include <sys/stat.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

namespace heapflow
{

namespace
{

/* ENODEV: it is none. */
Result<std::string> driverName(int drm, const std::string &path)
{
	const DrmPtr<drmVersion, drmFreeVersion> version(drmGetVersion(drm));
	if (version)
		return std::string(version->name, static_cast<size_t>(version->name_len));
	/* What files and other devices say to an ioctl that they do not know. */
	if (errno == ENOTTY || errno == EINVAL || errno == ENODEV)
		return fail(ENODEV, std::format("{} is not a DRM device", path));
	return fail(errno, std::format("{} does not tell its driver", path));
}

/* The device's resources; ENODEV: it has nothing to show pictures with. */
Result<SizeLimits> readLimits(int drm, const std::string &path, const std::string &driver)
{
	const DrmPtr<drmModeRes, drmModeFreeResources> resources(drmModeGetResources(drm));
	/* Drivers without KMS say EOPNOTSUPP, old ones EINVAL (drm_mode_getresources()). */
	if (!resources && errno != EOPNOTSUPP && errno != EINVAL && errno != ENODEV)
		return fail(errno,
			    std::format("{} ({}) does not tell its connectors", path, driver));
	if (!resources || !resources->count_crtcs || !resources->count_connectors)
		return fail(ENODEV, std::format("{} ({}) is not a display: it has no connector",
						path, driver));
	return SizeLimits{resources->min_width, resources->min_height, resources->max_width,
			  resources->max_height};
}

Result<void> becomeAtomic(int drm, const std::string &path, const std::string &driver)
{
	if (!drmSetClientCap(drm, DRM_CLIENT_CAP_ATOMIC, 1))
		return {};
	if (errno == EOPNOTSUPP || errno == EINVAL)
		return fail(ENOTSUP, std::format("{} ({}) has no atomic KMS", path, driver));
	return fail(errno, std::format("{} ({}) does not turn on atomic KMS", path, driver));
}

Result<void> becomeMaster(int drm, const std::string &path)
{
	/* The first to open a node is its master already. */
	if (drmIsMaster(drm) || !drmSetMaster(drm))
		return {};
	const int code = errno;
	const std::string holder = describeHolder(path);
	return fail(code,
		    std::format("{} is in use by {}: it is master of the display", path,
				holder.empty() ? "another process" : holder),
		    "Stop that program, or name another display");
}

Result<UniqueFd> openNode(const std::string &path)
{
	/* Only read() heeds it (drm_read()): events are taken without being asked for first. */
	UniqueFd fd = openRetried(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (!fd.valid())
		return fail(errno, std::format("cannot open {}", path),
			    errno == EACCES ? "Displays belong to the group 'video' on most systems"
					    : "");
	return fd;
}

/* Makes a display of an open descriptor. */
Result<KmsDevice> setUp(UniqueFd fd, const std::string &path, bool mustBeMaster = true)
{
	KmsDevice device{.fd = std::move(fd), .path = path, .limits = {}};
	const int drm = device.fd.get();
	auto driver = driverName(drm, path);
	if (!driver)
		return std::unexpected(driver.error());
	device.driver = std::move(*driver);
	const auto limits = readLimits(drm, path, device.driver);
	if (!limits)
		return std::unexpected(limits.error());
	device.limits = *limits;
	struct stat status = {};
	if (!fstat(drm, &status))
		device.node = status.st_rdev;

	if (auto atomic = becomeAtomic(drm, path, device.driver); !atomic)
		return std::unexpected(atomic.error());
	/* Refused by kernels without it; then there is no writeback connector either. */
	drmSetClientCap(drm, DRM_CLIENT_CAP_WRITEBACK_CONNECTORS, 1);

	const auto master = becomeMaster(drm, path);
	device.master = master.has_value();
	if (!master && mustBeMaster)
		return std::unexpected(master.error());

	uint64_t value = 0;
	device.modifiers = !drmGetCap(drm, DRM_CAP_ADDFB2_MODIFIERS, &value) && value;
	value = 0;
	device.asyncFlips = !drmGetCap(drm, DRM_CAP_ATOMIC_ASYNC_PAGE_FLIP, &value) && value;
	return device;
}

} /* namespace */

Result<std::vector<std::string>> listCardNodes(const std::filesystem::path &directory)
{
	std::vector<std::string> nodes;
	drmDevicePtr devices[64];
	const int count = drmGetDevices2(0, devices, 64);
	for (int i = 0; i < count; i++) {
		if (devices[i]->available_nodes & (1 << DRM_NODE_PRIMARY))
			nodes.emplace_back(devices[i]->nodes[DRM_NODE_PRIMARY]);
	}
	if (count > 0)
		drmFreeDevices(devices, count);

	/*
	 * libdrm knows devices by their bus, and 2.4.124 does not know the faux bus that vkms and
	 * vgem sit on since Linux 6.15: it leaves them out without a word. The directory has them
	 * all.
	 */
	std::error_code error;
	std::filesystem::directory_iterator entry(directory, error);
	for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
		const std::string node = entry->path().string();
		if (entry->path().filename().string().starts_with("card") &&
		    std::ranges::find(nodes, node) == nodes.end())
			nodes.push_back(node);
	}
	if (error && error != std::errc::no_such_file_or_directory)
		return fail(error.value(),
			    std::format("cannot list the displays in {}", directory.string()));

	/* card10 is after card2. */
	std::ranges::sort(nodes, {},
			  [](const std::string &node) { return std::pair(node.size(), node); });
	return nodes;
}

std::string driverOfNode(const std::string &path)
{
	const UniqueFd node = openRetried(path.c_str(), O_RDWR | O_CLOEXEC);
	return node.valid() ? driverName(node.get(), path).value_or("") : "";
}

Result<KmsDevice> openKmsDevice(const std::string &path, UniqueFd fd)
{
	if (fd.valid())
		return setUp(std::move(fd), path);
	auto opened = openNode(path);
	if (!opened)
		return std::unexpected(opened.error());
	return setUp(std::move(*opened), path);
}

Result<KmsDevice> openKmsDeviceToLook(const std::string &path)
{
	auto opened = openNode(path);
	if (!opened)
		return std::unexpected(opened.error());
	return setUp(std::move(*opened), path, false);
}

Result<KmsDevice> adoptKmsDevice(UniqueFd fd)
{
	char *name = drmGetDeviceNameFromFd2(fd.get());
	const std::string path = name ? name : std::format("descriptor {}", fd.get());
	std::free(name);
	auto device = setUp(std::move(fd), path);
	if (device)
		device->adopted = true;
	return device;
}

} /* namespace heapflow */
