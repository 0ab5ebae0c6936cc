/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which cameras there are, and the one that a name means. */
#include "heapflow/camera/camera.h"

#include "libcamera_backend.h"
#include "v4l2_camera.h"
#include "v4l2_node.h"

#include <algorithm>
#include <cerrno>
#include <format>
#include <set>

namespace heapflow
{

namespace
{

std::string listText(const std::vector<CameraInfo> &cameras)
{
	std::string text;
	for (const CameraInfo &camera : cameras) {
		text += (text.empty() ? "" : ", ") + std::format("'{}'", camera.id);
		if (camera.model != camera.id)
			text += std::format(" ({})", camera.model);
		if (camera.location != CameraLocation::Unknown)
			text += std::format(" at the {}", locationName(camera.location));
	}
	return text;
}

bool fits(const CameraInfo &camera, const CameraSelector &selector, bool byModel)
{
	if (selector.location != CameraLocation::Unknown && camera.location != selector.location)
		return false;
	return selector.name.empty() || (byModel ? camera.model : camera.id) == selector.name;
}

/* An id means one camera; only a name that is none is looked for among the models. */
const CameraInfo *findCamera(const std::vector<CameraInfo> &cameras, const CameraSelector &selector)
{
	for (const bool byModel : {false, true}) {
		unsigned left = selector.index.value_or(0);
		for (const CameraInfo &camera : cameras)
			if (fits(camera, selector, byModel) && left-- == 0)
				return &camera;
	}
	return nullptr;
}

bool hasId(const LibcameraShare &share, const CameraSelector &selector)
{
	if (selector.index || selector.location != CameraLocation::Unknown)
		return false;
	return std::ranges::any_of(share.cameras(), [&](const LibcameraEntry &camera) {
		return camera.info.id == selector.name;
	});
}

std::string describe(const CameraSelector &selector)
{
	std::string text = selector.name.empty() ? "" : std::format(" '{}'", selector.name);
	if (selector.location != CameraLocation::Unknown)
		text += std::format(" at the {}", locationName(selector.location));
	if (selector.index)
		text += std::format(" with the index {}", *selector.index);
	return text;
}

std::unexpected<Error> noSuchCamera(const std::vector<CameraInfo> &cameras,
				    const CameraSelector &selector)
{
	if (cameras.empty())
		return fail(ENOENT, "there is no camera",
			    "See what the system has with v4l2-ctl --list-devices and cam --list; "
			    "LIBCAMERA_LOG_LEVELS=*:INFO shows what libcamera found");
	return fail(ENOENT, std::format("there is no camera{}", describe(selector)),
		    std::format("There are {}", listText(cameras)));
}

/* `share` may be one that failed: then libcamera has no cameras. */
Result<std::vector<CameraInfo>> list(const Result<std::unique_ptr<LibcameraShare>> &share)
{
	std::vector<CameraInfo> cameras;
	std::set<dev_t> handled;
	if (share) {
		for (LibcameraEntry &camera : (*share)->cameras()) {
			cameras.push_back(std::move(camera.info));
			handled.merge(camera.nodes);
		}
	}
	/* A node that waits for somebody to set up its media pipeline is no camera by itself. */
	const auto nodes = listV4l2Cameras();
	if (!nodes)
		return std::unexpected(nodes.error());
	for (const V4l2Identity &node : *nodes)
		if (!handled.contains(node.device) && !node.needsPipelineSetUp())
			cameras.push_back(node.info());
	return cameras;
}

} /* namespace */

Result<std::vector<CameraInfo>> listCameras()
{
	return list(joinLibcamera());
}

const char *locationName(CameraLocation location)
{
	switch (location) {
	case CameraLocation::Front:
		return "front";
	case CameraLocation::Back:
		return "back";
	case CameraLocation::External:
		return "external";
	case CameraLocation::Unknown:
		break;
	}
	return "unknown";
}

Result<CaptureConfiguration> Camera::configure(const CaptureRequest &request)
{
	auto configurations = configureStreams({&request, 1});
	if (!configurations)
		return std::unexpected(configurations.error());
	return std::move(configurations->front());
}

Result<std::unique_ptr<Camera>> openCamera(const CameraSelector &selector)
{
	/* A path needs no list, and so no libcamera; it may name a node that libcamera handles. */
	if (selector.name.starts_with("/dev/"))
		return V4l2Camera::open(selector.name);

	auto share = joinLibcamera();
	/* An id of libcamera's means that camera, whatever V4L2 nodes there are to be opened. */
	if (share && hasId(**share, selector))
		return (*share)->open(selector.name);
	const auto cameras = list(share);
	if (!cameras)
		return std::unexpected(cameras.error());
	const CameraInfo *camera = findCamera(*cameras, selector);
	if (!camera && !share)
		return std::unexpected(share.error());
	if (!camera && (*share)->lost(selector.name))
		return fail(
			ENOTRECOVERABLE,
			std::format("the camera {} was unplugged, and libcamera cannot have it a "
				    "second time before it starts anew",
				    selector.name),
			"Close all cameras of libcamera in this program; one that was streaming "
			"when it was unplugged needs a new process");
	if (!camera)
		return noSuchCamera(*cameras, selector);
	if (camera->backend == CameraBackend::V4l2)
		return V4l2Camera::open(camera->id);
	return (*share)->open(camera->id);
}

Result<std::unique_ptr<Camera>> openCamera(std::string_view name)
{
	return openCamera(CameraSelector{.name = std::string(name), .location = {}, .index = {}});
}

} /* namespace heapflow */
