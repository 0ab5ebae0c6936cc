/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding the screen that serves. */
#include "heapflow/display/screen.h"

#include "bus_id.h"
#include "kms_device.h"
#include "kms_screen.h"
#include "output_choice.h"
#include "plane_choice.h"

#include <cerrno>
#include <format>
#include <optional>

namespace heapflow
{

namespace
{

Result<KmsOutput> findOutput(const std::string &path, const ScreenOptions &options)
{
	auto device = openKmsDevice(path);
	if (!device)
		return std::unexpected(device.error());
	const auto connector = chooseConnector(device->topology, options.connector);
	if (!connector)
		return std::unexpected(connector.error());
	const auto crtc = chooseCrtc(device->topology, **connector);
	if (!crtc)
		return std::unexpected(crtc.error());
	if (options.planeId) {
		const PlaneInfo *plane = device->topology.plane(options.planeId);
		if (!plane || !(plane->possibleCrtcs & (1u << (*crtc)->index)))
			return fail(ENOENT, std::format("{} has no plane {} for CRTC {}", path,
							options.planeId, (*crtc)->id));
	}

	KmsOutput output{.connector = **connector, .crtc = **crtc, .planeId = options.planeId};
	output.device = std::move(*device);
	return output;
}

/* Of several failures the one nearest to success is told first. */
int rank(int code)
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

/*
 * The nodes that the options allow. One of which neither driver nor bus can be told stays: its
 * error says why.
 */
Result<std::vector<std::string>> nodesToTry(const ScreenOptions &options)
{
	const std::vector<std::string> all =
		options.device.empty() ? listCardNodes() : std::vector{options.device};
	if (all.empty())
		return fail(ENODEV, "there is no display: no DRM device is known",
			    "Is the driver of the display loaded?");
	std::vector<std::string> nodes;
	std::string others;
	for (const std::string &path : all) {
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

} /* namespace */

Result<std::unique_ptr<Screen>> Screen::open(const ScreenOptions &options)
{
	const auto paths = nodesToTry(options);
	if (!paths)
		return std::unexpected(paths.error());

	std::optional<Error> nearest;
	std::string looked;
	for (const std::string &path : *paths) {
		auto output = findOutput(path, options);
		if (output)
			return KmsScreen::create(std::move(*output));
		const Error &error = output.error();
		looked += (looked.empty() ? "" : "; ") + error.message;
		if (!nearest || rank(error.code) > rank(nearest->code))
			nearest = error;
	}
	if (paths->size() > 1)
		nearest->hint += (nearest->hint.empty() ? "Looked at: " : ". Looked at: ") + looked;
	return std::unexpected(*nearest);
}

} /* namespace heapflow */
