/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kms_device.h"

#include "device_holder.h"
#include "drm_ptr.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <format>

#include <fcntl.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

namespace heapflow
{

namespace
{

std::string driverName(int drm)
{
	const DrmPtr<drmVersion, drmFreeVersion> version(drmGetVersion(drm));
	return version ? std::string(version->name, static_cast<size_t>(version->name_len)) : "";
}

bool isDisplay(int drm)
{
	const DrmPtr<drmModeRes, drmModeFreeResources> resources(drmModeGetResources(drm));
	return resources && resources->count_crtcs > 0 && resources->count_connectors > 0;
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

} /* namespace */

std::vector<std::string> listCardNodes()
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
	std::error_code ignored;
	for (const auto &entry : std::filesystem::directory_iterator("/dev/dri", ignored)) {
		const std::string node = entry.path().string();
		if (entry.path().filename().string().starts_with("card") &&
		    std::ranges::find(nodes, node) == nodes.end())
			nodes.push_back(node);
	}

	/* card10 is after card2. */
	std::ranges::sort(nodes, {},
			  [](const std::string &node) { return std::pair(node.size(), node); });
	return nodes;
}

std::string driverOfNode(const std::string &path)
{
	const UniqueFd node(open(path.c_str(), O_RDWR | O_CLOEXEC));
	return node.valid() ? driverName(node.get()) : "";
}

Result<KmsDevice> openKmsDevice(const std::string &path)
{
	KmsDevice device{.path = path};
	device.fd.reset(open(path.c_str(), O_RDWR | O_CLOEXEC));
	if (!device.fd.valid())
		return fail(errno, std::format("cannot open {}", path),
			    errno == EACCES ? "Displays belong to the group 'video' on most systems"
					    : "");

	const int drm = device.fd.get();
	device.driver = driverName(drm);
	if (device.driver.empty())
		return fail(ENODEV, std::format("{} is not a DRM device", path));
	if (!isDisplay(drm))
		return fail(ENODEV, std::format("{} ({}) is not a display: it has no connector",
						path, device.driver));
	if (drmSetClientCap(drm, DRM_CLIENT_CAP_ATOMIC, 1))
		return fail(ENOTSUP, std::format("{} ({}) has no atomic KMS", path, device.driver));
	/* Refused by kernels without it; then there is no writeback connector either. */
	drmSetClientCap(drm, DRM_CLIENT_CAP_WRITEBACK_CONNECTORS, 1);

	if (auto master = becomeMaster(drm, path); !master)
		return std::unexpected(master.error());

	uint64_t value = 0;
	device.modifiers = !drmGetCap(drm, DRM_CAP_ADDFB2_MODIFIERS, &value) && value;
	auto topology = readTopology(drm);
	if (!topology)
		return std::unexpected(topology.error());
	device.topology = std::move(*topology);
	return device;
}

} /* namespace heapflow */
