/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one libcamera::CameraManager of the process. */
#pragma once

#include "heapflow/camera/camera.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

#include <libcamera/camera.h>
#include <libcamera/camera_manager.h>
#include <sys/types.h>

namespace heapflow
{

/**
 * \brief Warnings and errors only, of the virtual camera, unless the user set levels
 *
 * To be called when it has logged something: before, its category has no level to set
 * (logSetLevel()). Of each manager the first call counts. Any thread.
 */
void quietenVirtualCamera();

/**
 * \brief A share in the CameraManager
 *
 * libcamera allows one manager per process and aborts on a second; it is started with the first
 * share and ends with the last. A Camera must be let go of before its share. Any thread.
 */
class LibcameraSession
{
public:
	/** \brief Errors: EBUSY a part of the program that is not heapflow has a manager */
	static Result<LibcameraSession> create();

	/** \brief As heapflow::setTuningFile(), of a file that can be read */
	static Result<void> setTuningFile(const std::string &path);

	LibcameraSession(LibcameraSession &&other) noexcept;
	LibcameraSession &operator=(LibcameraSession &&other) = delete;
	~LibcameraSession();

	/** \brief All cameras, sorted by id */
	std::vector<std::shared_ptr<libcamera::Camera>> cameras() const;
	std::shared_ptr<libcamera::Camera> find(const std::string &id) const;
	/** \brief Does the manager end with this one? */
	bool isOnly() const;
	/** \brief Does libcamera list one whose nodes are gone, and that is not lost yet? */
	bool hasStaleCamera() const;

	/**
	 * \brief Cameras whose nodes are gone are lost, as long as there is this manager
	 *
	 * It hears of no device any more: it would abort when one came back under its id
	 * (CameraManager::Private::addCamera()), as handlers other than uvcvideo's never let go of
	 * a camera that was unplugged.
	 */
	static void loseStaleCameras();
	/** \brief One that streams cannot even be stopped: it and its manager are for ever */
	static void abandon(std::shared_ptr<libcamera::Camera> camera);
	/** \brief Was it lost? */
	bool lost(const std::string &id) const;
	/** \brief For its signals; borrowed, not null */
	libcamera::CameraManager *manager() const;

private:
	LibcameraSession() = default;

	bool owner_ = true;
};

/** \brief Id, properties::Model or the id again, properties::Location */
CameraInfo infoOf(const libcamera::Camera &camera);

/** \brief Does every one of these nodes still exist? */
bool nodesExist(const std::set<dev_t> &nodes);

/** \brief The V4L2 nodes behind a camera; empty for one without hardware (virtual) */
std::set<dev_t> nodesOf(const libcamera::Camera &camera);

} /* namespace heapflow */
