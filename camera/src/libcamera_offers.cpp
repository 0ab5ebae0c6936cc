/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libcamera_offers.h"

#include "libcamera_formats.h"
#include "libcamera_session.h"
#include "request_fixation.h"

#include <algorithm>
#include <cerrno>
#include <format>
#include <iterator>
#include <utility>

namespace heapflow
{

namespace
{

std::vector<CaptureMode> modesOf(libcamera::CameraConfiguration &configuration)
{
	libcamera::StreamConfiguration &stream = configuration.at(0);
	const uint32_t byDefault = stream.pixelFormat.fourcc();
	const libcamera::StreamFormats formats = stream.formats();

	auto accepts = [&](libcamera::PixelFormat format, libcamera::Size size) {
		stream.pixelFormat = format;
		stream.size = size;
		stream.stride = 0;
		const auto status = configuration.validate();
		quietenVirtualCamera();
		return status != libcamera::CameraConfiguration::Invalid &&
		       stream.pixelFormat == format && stream.size == size;
	};
	auto modes = modesFromLibcamera(formats, accepts);
	sortByPreference(modes, byDefault);
	return modes;
}

} /* namespace */

libcamera::StreamRole roleToLibcamera(StreamRole role)
{
	switch (role) {
	case StreamRole::VideoRecording:
		return libcamera::StreamRole::VideoRecording;
	case StreamRole::StillCapture:
		return libcamera::StreamRole::StillCapture;
	case StreamRole::Raw:
		return libcamera::StreamRole::Raw;
	case StreamRole::Viewfinder:
		break;
	}
	return libcamera::StreamRole::Viewfinder;
}

Result<const RoleOffer *> LibcameraOffers::of(libcamera::Camera &camera, StreamRole role)
{
	const std::lock_guard lock(mutex_);
	if (const auto known = offers_.find(role); known != offers_.end())
		return &known->second;
	auto configuration = camera.generateConfiguration({roleToLibcamera(role)});
	if (!configuration || configuration->empty())
		return fail(
			role == StreamRole::Viewfinder ? ENODEV : ENOTSUP,
			std::format("the camera {} offers no stream in this role", camera.id()));
	const libcamera::StreamConfiguration &stream = configuration->at(0);
	RoleOffer offer{.modes = {},
			.width = stream.size.width,
			.height = stream.size.height,
			.bufferCount = stream.bufferCount};
	offer.modes = modesOf(*configuration);
	return &offers_.emplace(role, std::move(offer)).first->second;
}

Result<std::vector<CaptureMode>> LibcameraOffers::modes(libcamera::Camera &camera, StreamRole role,
							std::span<const uint32_t> formats)
{
	const auto offer = of(camera, role);
	if (!offer)
		return std::unexpected(offer.error());
	if (formats.empty())
		return (*offer)->modes;
	std::vector<CaptureMode> some;
	std::ranges::copy_if((*offer)->modes, std::back_inserter(some),
			     [&](const CaptureMode &mode) {
				     return std::ranges::contains(formats, mode.fourcc);
			     });
	return some;
}

} /* namespace heapflow */
