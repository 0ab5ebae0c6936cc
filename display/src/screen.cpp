/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding the screen that serves. */
#include "heapflow/display/screen.h"

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

/*
 * The nodes that the options allow. One that cannot be opened stays, whatever its driver: its error
 * says why.
 */
Result<std::vector<std::string>> nodesToTry(const ScreenOptions &options)
{
	const std::vector<std::string> all =
		options.device.empty() ? listCardNodes() : std::vector{options.device};
	if (all.empty())
		return fail(ENODEV, "there is no display: no DRM device is known",
			    "Is the driver of the display loaded?");
	if (options.driver.empty())
		return all;

	std::vector<std::string> nodes;
	std::string others;
	for (const std::string &path : all) {
		const std::string driver = driverOfNode(path);
		if (driver.empty() || driver == options.driver)
			nodes.push_back(path);
		else
			others +=
				std::format("{}{} ({})", others.empty() ? "" : ", ", path, driver);
	}
	if (nodes.empty())
		return fail(ENOENT, std::format("no display has the driver '{}'", options.driver),
			    "Looked at: " + others);
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
