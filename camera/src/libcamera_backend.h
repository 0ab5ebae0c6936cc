/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libcamera does for this library, without a header or a symbol of libcamera's. */
#pragma once

#include "heapflow/camera/camera.h"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <sys/types.h>

namespace heapflow
{

/** \brief A camera that libcamera lists */
struct LibcameraEntry {
	CameraInfo info;
	std::set<dev_t> nodes; /**< the V4L2 nodes behind it; none: without hardware (virtual) */
};

/** \brief A share in libcamera's CameraManager, which ends with the last; any thread */
class LibcameraShare
{
public:
	virtual ~LibcameraShare() = default;

	/** \brief All that are there, sorted by id */
	virtual std::vector<LibcameraEntry> cameras() const = 0;
	/** \brief Errors: ENOENT it has gone */
	virtual Result<std::unique_ptr<Camera>> open(const std::string &id) const = 0;
	/** \brief Was it unplugged, so that this CameraManager cannot have it again? */
	virtual bool lost(const std::string &id) const = 0;
	/** \brief Does nobody else in this process have a share? */
	virtual bool isOnly() const = 0;
	/** \brief Does libcamera list one whose nodes are gone, and that is not lost yet? */
	virtual bool hasStaleCamera() const = 0;
	/** \brief From now on cameras whose nodes are gone count as lost */
	virtual void loseStaleCameras() const = 0;
	/** \brief Calls `changed` in libcamera's thread when a camera comes or goes; once a share
	 */
	virtual void watch(std::function<void()> changed) = 0;
};

/**
 * \brief The module with all that uses libcamera, loaded when it is first asked for
 *
 * libcamera and the thirty libraries behind it take most of the time in which a program with this
 * library starts, and who opens V4L2 nodes by their paths needs none of them. The module is never
 * unloaded: libcamera's threads and atexit() handlers would run into nothing.
 */
class LibcameraBackend
{
public:
	virtual ~LibcameraBackend() = default;

	/** \brief Errors: EBUSY a part of the program that is not heapflow has a manager */
	virtual Result<std::unique_ptr<LibcameraShare>> join() const = 0;
	virtual std::vector<ControlDescription> knownControls() const = 0;
	virtual Result<void> setTuningFile(const std::string &path) const = 0;
};

/** \brief What the module exports, as "heapflowLibcameraBackend" */
using LibcameraBackendFunction = const LibcameraBackend &();

/** \brief Loads the module. Errors: ENOPKG it, or libcamera, is not installed. Any thread */
Result<const LibcameraBackend *> libcameraBackend();

/** \brief A share of libcamera's, if there is a libcamera */
Result<std::unique_ptr<LibcameraShare>> joinLibcamera();

} /* namespace heapflow */
