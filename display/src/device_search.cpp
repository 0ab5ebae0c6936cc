/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device_search.h"

#include "bus_id.h"
#include "kms_device.h"

#include <cerrno>
#include <format>

namespace heapflow
{

namespace
{

/* "has the driver 'vkms' and the bus id 'faux:vkms'" */
std::string wantedDevice(const ScreenOptions &options)
{
	std::string text;
	if (!options.driver.empty())
		text = std::format("has the driver '{}'", options.driver);
	if (!options.busId.empty())
		text += std::format("{} the bus id '{}'", text.empty() ? "has" : " and",
				    options.busId);
	return text;
}

} /* namespace */

int nearness(int code)
{
	switch (code) {
	case EBUSY:
	case EACCES:
		return 4;
	case ENOTCONN:
		return 3;
	case ENOENT:
		return 2;
	case ENODEV:
		return 0;
	default:
		return 1;
	}
}

Result<std::vector<std::string>> nodesToTry(const ScreenOptions &options)
{
	const auto all = options.device.empty()
				 ? listCardNodes()
				 : Result<std::vector<std::string>>{{options.device}};
	if (!all)
		return std::unexpected(all.error());
	if (all->empty())
		return fail(ENODEV, "there is no display: no DRM device is known",
			    "Is the driver of the display loaded?");
	std::vector<std::string> nodes;
	std::string others;
	for (const std::string &path : *all) {
		const std::string bus = options.busId.empty() ? "" : busIdOfNode(path);
		const std::string driver = options.driver.empty() ? "" : driverOfNode(path);
		const bool isOnBus =
			options.busId.empty() || bus.empty() || isBusId(options.busId, bus);
		if (isOnBus && (driver.empty() || driver == options.driver))
			nodes.push_back(path);
		else
			others += std::format("{}{} ({})", others.empty() ? "" : ", ", path,
					      isOnBus ? driver : bus);
	}
	if (nodes.empty())
		return fail(ENOENT, "no display " + wantedDevice(options), "Looked at: " + others);
	return nodes;
}

} /* namespace heapflow */
