/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which cameras there are, and the one that a name means. */
#include "heapflow/camera/camera.h"

#include "libcamera_camera.h"
#include "libcamera_session.h"
#include "v4l2_camera.h"
#include "v4l2_node.h"

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
	}
	return text;
}

const CameraInfo *findCamera(const std::vector<CameraInfo> &cameras, std::string_view name)
{
	if (name.empty())
		return cameras.empty() ? nullptr : &cameras.front();
	for (const CameraInfo &camera : cameras)
		if (camera.id == name)
			return &camera;
	for (const CameraInfo &camera : cameras)
		if (camera.model == name)
			return &camera;
	return nullptr;
}

std::unexpected<Error> noSuchCamera(const std::vector<CameraInfo> &cameras, std::string_view name)
{
	if (cameras.empty())
		return fail(ENOENT, "there is no camera",
			    "See what the system has with v4l2-ctl --list-devices and cam --list; "
			    "LIBCAMERA_LOG_LEVELS=*:INFO shows what libcamera found");
	return fail(ENOENT, std::format("there is no camera '{}'", name),
		    std::format("There are {}", listText(cameras)));
}

/* `session` may be one that failed: then libcamera has no cameras. */
std::vector<CameraInfo> list(const Result<LibcameraSession> &session)
{
	std::vector<CameraInfo> cameras;
	std::set<dev_t> handled;
	if (session) {
		for (const auto &camera : session->cameras()) {
			cameras.push_back(
				{camera->id(), modelOf(*camera), CameraBackend::Libcamera});
			handled.merge(nodesOf(*camera));
		}
	}
	/* A node that waits for somebody to set up its media pipeline is no camera by itself. */
	for (const V4l2Identity &node : listV4l2Cameras())
		if (!handled.contains(node.device) && !node.needsPipelineSetUp())
			cameras.push_back({node.path, node.card, CameraBackend::V4l2});
	return cameras;
}

Result<std::unique_ptr<Camera>> openLibcamera(LibcameraSession session, const std::string &id)
{
	auto camera = session.find(id);
	if (!camera)
		return fail(ENOENT, std::format("the camera {} has gone", id));
	return std::make_unique<LibcameraCamera>(std::move(session), std::move(camera));
}

} /* namespace */

Result<std::vector<CameraInfo>> listCameras()
{
	return list(LibcameraSession::create());
}

Result<std::unique_ptr<Camera>> openCamera(std::string_view name)
{
	/* A path needs no list, and so no libcamera; it may name a node that libcamera handles. */
	if (name.starts_with("/dev/"))
		return V4l2Camera::open(std::string(name));

	auto session = LibcameraSession::create();
	const std::vector<CameraInfo> cameras = list(session);
	const CameraInfo *camera = findCamera(cameras, name);
	if (!camera && !session)
		return std::unexpected(session.error());
	if (!camera)
		return noSuchCamera(cameras, name);
	if (camera->backend == CameraBackend::V4l2)
		return V4l2Camera::open(camera->id);
	return openLibcamera(std::move(*session), camera->id);
}

} /* namespace heapflow */
