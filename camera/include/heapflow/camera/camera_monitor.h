/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells of cameras that come and go. */
#pragma once

#include "heapflow/camera/camera.h"

#include <functional>
#include <memory>
#include <vector>

namespace heapflow
{

/** \brief A camera is there now, or is not any more */
struct CameraEvent {
	bool added = false;
	CameraInfo camera;

	bool operator==(const CameraEvent &) const = default;
};

/** \brief Removals first, each in the order of its list; pure */
std::vector<CameraEvent> compareCameras(const std::vector<CameraInfo> &before,
					const std::vector<CameraInfo> &after);

/**
 * \brief Watches libcamera and the V4L2 nodes in /dev
 *
 * A camera has several nodes, and udev sets their owners a moment after they appear, so changes are
 * told when nothing more has happened for a fifth of a second.
 *
 * Threads: the handler is called in a thread of the monitor, one call at a time; it may open
 * cameras, but not destroy the monitor. All else from any thread. While a monitor lives, libcamera
 * is in use by this process (see openCamera()).
 */
class CameraMonitor
{
public:
	using Handler = std::function<void(const CameraEvent &)>;

	/** \brief Errors: EMFILE and the like, those of listCameras(), EAGAIN no thread */
	static Result<std::unique_ptr<CameraMonitor>> start(Handler handler);
	~CameraMonitor();

	CameraMonitor(const CameraMonitor &) = delete;
	CameraMonitor &operator=(const CameraMonitor &) = delete;

	/** \brief Those that are there, events told so far included */
	std::vector<CameraInfo> cameras() const;

private:
	struct Watch;

	explicit CameraMonitor(std::unique_ptr<Watch> watch);

	std::unique_ptr<Watch> watch_;
};

} /* namespace heapflow */
