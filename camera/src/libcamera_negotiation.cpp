/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcamera_negotiation.h"

#include "libcamera_offers.h"
#include "request_fixation.h"

#include <cerrno>
#include <format>

namespace heapflow
{

namespace
{

std::vector<libcamera::StreamRole> rolesOf(std::span<const CaptureRequest> requests)
{
	std::vector<libcamera::StreamRole> roles;
	for (const CaptureRequest &request : requests)
		roles.push_back(roleToLibcamera(request.role));
	return roles;
}

libcamera::SensorConfiguration sensorToLibcamera(const SensorRequest &request)
{
	libcamera::SensorConfiguration sensor;
	sensor.bitDepth = request.bitDepth;
	sensor.outputSize = {request.outputWidth, request.outputHeight};
	sensor.analogCrop = {static_cast<int>(request.analogCrop[0]),
			     static_cast<int>(request.analogCrop[1]), request.analogCrop[2],
			     request.analogCrop[3]};
	sensor.binning.binX = request.binning[0];
	sensor.binning.binY = request.binning[1];
	sensor.skipping.xOddInc = request.skipping[0];
	sensor.skipping.xEvenInc = request.skipping[1];
	sensor.skipping.yOddInc = request.skipping[2];
	sensor.skipping.yEvenInc = request.skipping[3];
	return sensor;
}

/*
 * Most handlers never look at sensorConfig (0.7: only those of the Raspberry Pi and of rkisp1 do,
 * and uvcvideo refuses it), and libcamera has no call to ask. One that accepts a mode which no
 * sensor has does not look.
 */
bool heedsSensorConfiguration(libcamera::Camera &camera)
{
	auto configuration = camera.generateConfiguration({libcamera::StreamRole::Viewfinder});
	if (!configuration || configuration->empty())
		return false;
	libcamera::SensorConfiguration impossible;
	impossible.bitDepth = 1;
	impossible.outputSize = {1, 1};
	configuration->sensorConfig = impossible;
	return configuration->validate() == libcamera::CameraConfiguration::Invalid;
}

Result<void> setSensor(libcamera::Camera &camera, libcamera::CameraConfiguration &configuration,
		       const SensorRequest &sensor)
{
	if (sensor == SensorRequest())
		return {};
	configuration.sensorConfig = sensorToLibcamera(sensor);
	if (!configuration.sensorConfig->isValid())
		return fail(EINVAL, "the mode of the sensor is not complete",
			    "It needs a size, a bit depth, and factors of at least 1");
	if (!heedsSensorConfiguration(camera))
		return fail(
			ENOTSUP,
			std::format("the camera {} does not let the mode of its sensor be chosen",
				    camera.id()),
			"Leave it to the camera");
	return {};
}

/* What is asked of one stream, completed by what the camera has. */
Result<void> fillStream(libcamera::Camera &camera, LibcameraOffers &offers,
			libcamera::StreamConfiguration &stream, const CaptureRequest &request)
{
	const auto offer = offers.of(camera, request.role);
	if (!offer)
		return std::unexpected(offer.error());
	CaptureRequest defaults;
	defaults.width = (*offer)->width;
	defaults.height = (*offer)->height;
	const auto fixed = fixRequest((*offer)->modes, request, defaults);
	if (!fixed)
		return std::unexpected(fixed.error());

	stream.pixelFormat = libcamera::PixelFormat(fixed->fourcc, fixed->modifier);
	stream.size = {fixed->width, fixed->height};
	/* A stride left over from an earlier validate() would count as a wish (invariant 4). */
	stream.stride = fixed->stride;
	stream.bufferCount = fixed->bufferCount ? fixed->bufferCount : (*offer)->bufferCount;
	stream.colorSpace.reset();
	return {};
}

} /* namespace */

/* Agree on all streams. */
Result<std::unique_ptr<libcamera::CameraConfiguration>>
settleStreams(libcamera::Camera &camera, LibcameraOffers &offers,
	      std::span<const CaptureRequest> requests, const SensorRequest &sensor)
{
	const auto roles = rolesOf(requests);
	auto configuration = camera.generateConfiguration(roles);
	if (!configuration || configuration->size() != requests.size())
		return fail(requests.size() > 1 ? ENOTSUP : ENODEV,
			    requests.size() > 1
				    ? std::format("the camera {} does not have {} streams in these "
						  "roles at once",
						  camera.id(), requests.size())
				    : std::format("the camera {} offers no stream", camera.id()));

	for (unsigned i = 0; i < requests.size(); ++i)
		if (auto filled = fillStream(camera, offers, configuration->at(i), requests[i]);
		    !filled)
			return std::unexpected(filled.error());
	if (auto set = setSensor(camera, *configuration, sensor); !set)
		return std::unexpected(set.error());
	if (configuration->validate() == libcamera::CameraConfiguration::Invalid)
		return fail(EINVAL,
			    std::format("the camera {} takes no {}", camera.id(),
					configuration->at(0).toString()),
			    sensor == SensorRequest() ? "" : "It may not have this sensor mode");
	if (configuration->size() != requests.size())
		return fail(ENOTSUP, std::format("the camera {} does not have {} streams at once",
						 camera.id(), requests.size()));
	if (const int ret = camera.configure(configuration.get()))
		return fail(-ret,
			    std::format("the camera {} does not take {}", camera.id(),
					configuration->at(0).toString()),
			    ret == -EBUSY ? "Another program, or another part of this one, is "
					    "using it; stop that first"
					  : "");
	return configuration;
}

} /* namespace heapflow */
