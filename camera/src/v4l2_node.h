/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An open V4L2 capture node. */
#pragma once

#include "heapflow/camera/camera.h"
#include "heapflow/heap/unique_fd.h"

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace heapflow
{

/** \brief What a V4L2 node says it is */
struct V4l2Identity {
	std::string path;
	std::string driver; /**< "vivid" */
	std::string card;   /**< for people */
	uint32_t capabilities = 0;
	dev_t device = 0;
	CameraLocation location = CameraLocation::Unknown;

	/** \brief Captures pictures into queued buffers, and does nothing else */
	bool isCamera() const;
	/** \brief Part of a media pipeline that somebody has to set up first */
	bool needsPipelineSetUp() const;
	/** \brief V4L2_BUF_TYPE_VIDEO_CAPTURE or its multi-planar twin */
	uint32_t bufferType() const;
	CameraInfo info() const;
};

/** \brief An open V4L2 node. Movable; ioctl() may be called from any thread. */
class V4l2Node
{
public:
	/** \brief Errors: ENOENT, EACCES, EBUSY as open() says, ENODEV not a camera */
	static Result<V4l2Node> open(const std::string &path);

	const V4l2Identity &identity() const { return identity_; }
	int fd() const { return fd_.get(); }

	/** \brief \return 0, or the errno; repeated on EINTR */
	int ioctl(unsigned long request, void *argument) const;

private:
	V4l2Node(UniqueFd fd, V4l2Identity identity);

	UniqueFd fd_;
	V4l2Identity identity_;
};

/**
 * \brief Every V4L2 node that can be opened and is a camera, by number
 *
 * Errors: what has nothing to do with a node, and would make the list too short: EMFILE, ENFILE,
 * ENOMEM, and those of reading /dev.
 */
Result<std::vector<V4l2Identity>> listV4l2Cameras();

} /* namespace heapflow */
