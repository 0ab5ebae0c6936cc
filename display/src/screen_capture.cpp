/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "heapflow/display/screen_capture.h"

#include "composed_screenshot.h"
#include "device_search.h"
#include "kms_device.h"
#include "output_choice.h"
#include "writeback.h"

#include <cerrno>
#include <format>

namespace heapflow
{

namespace
{

Result<ScreenCapture> capture(Result<KmsDevice> device, const ScreenOptions &options)
{
	if (!device)
		return std::unexpected(device.error());
	const int drm = device->fd.get();
	const auto topology = readTopology(drm);
	if (!topology)
		return std::unexpected(topology.error());
	const auto connector = chooseConnector(*topology, options.connector);
	if (!connector)
		return std::unexpected(connector.error());
	const CrtcInfo *crtc = topology->crtc((*connector)->crtcId);
	if (!crtc || !crtc->active || !crtc->mode)
		return fail(ENODATA, std::format("{} of {} is dark: there is nothing to see",
						 (*connector)->name, device->path));

	const ConnectorInfo *writeback = writebackConnector(*topology, *crtc);
	const bool byDisplay = writeback && device->master;
	auto image = byDisplay ? readBack(drm, *writeback, *crtc, *crtc->mode)
			       : composeScreenshot(drm, *topology, *crtc, *crtc->mode);
	if (!image)
		return std::unexpected(image.error());
	return ScreenCapture{std::move(*image),
			     std::format("{} ({})", device->path, device->driver),
			     (*connector)->name, byDisplay ? "writeback" : "mapping"};
}

} /* namespace */

Result<ScreenCapture> captureScreen(const ScreenOptions &options)
{
	return firstThatOpens<ScreenCapture>(options, [&](const std::string &path) {
		return capture(openKmsDeviceToLook(path), options);
	});
}

} /* namespace heapflow */
