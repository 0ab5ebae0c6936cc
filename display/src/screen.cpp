/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding the screen that serves. */
#include "heapflow/display/screen.h"

#include "bus_id.h"
#include "display_device.h"
#include "kms_screen.h"
#include "mode_choice.h"

#include <cerrno>
#include <format>
#include <optional>

namespace heapflow
{

namespace
{

Result<std::unique_ptr<Screen>> openOn(Result<std::shared_ptr<DisplayDevice>> device,
				       const ScreenOptions &options)
{
	if (!device)
		return std::unexpected(device.error());
	auto output = (*device)->output(options);
	if (!output)
		return std::unexpected(output.error());
	return std::make_unique<KmsScreen>(std::move(*output), options);
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
	if (auto readable = checkModeText(options.mode); !readable)
		return std::unexpected(readable.error());
	if (options.fd >= 0)
		return openOn(DisplayDevice::adopt(options.fd), options);
	const auto paths = nodesToTry(options);
	if (!paths)
		return std::unexpected(paths.error());

	std::optional<Error> nearest;
	std::string looked;
	for (const std::string &path : *paths) {
		auto screen = openOn(DisplayDevice::open(path, options.seat), options);
		if (screen)
			return screen;
		const Error &error = screen.error();
		looked += (looked.empty() ? "" : "; ") + error.message;
		if (!nearest || rank(error.code) > rank(nearest->code))
			nearest = error;
	}
	if (paths->size() > 1)
		nearest->hint += (nearest->hint.empty() ? "Looked at: " : ". Looked at: ") + looked;
	return std::unexpected(*nearest);
}

} /* namespace heapflow */
