/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The buffers of a camera's streams, and the requests that carry them. */
#pragma once

#include "heapflow/camera/camera.h"

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include <libcamera/camera.h>
#include <libcamera/fence.h>
#include <libcamera/framebuffer.h>
#include <libcamera/request.h>
#include <libcamera/stream.h>

namespace heapflow
{

/** \brief What became of a request that the camera gave back cancelled */
enum class Cancelled {
	Refused,   /**< the driver did not take a buffer, or stopped */
	FenceLate, /**< libcamera waits 300 ms for a fence (PipelineHandler); tried again */
	FenceDead, /**< and again, until nobody can expect that it is ever signalled */
};

/**
 * \brief Imported buffers, who has each of them, and the requests they travel in
 *
 * Threads: completed() and cancelled() are called in libcamera's thread, everything else by the
 * owner, queue() and setControls() from any thread. The mutex is never held while libcamera calls
 * back: queueRequest() only sends a message.
 */
class LibcameraRequests
{
public:
	explicit LibcameraRequests(std::shared_ptr<libcamera::Camera> camera);

	/** \brief Let go of all buffers and requests, and expect `streams` of them */
	void reset(size_t streams);

	/**
	 * \brief The buffers of one stream, replacing those it had
	 *
	 * Errors: EMFILE and the like; ENODEV the camera makes no requests.
	 */
	Result<void> import(unsigned index, libcamera::Stream *stream, const FrameLayout &layout,
			    std::span<const Buffer> buffers);
	/** \brief Does every stream have its buffers? */
	bool imported() const;
	size_t count(unsigned stream) const;
	size_t streams() const { return streams_.size(); }
	/** \brief The heap of a stream's buffers */
	const std::string &heap(unsigned stream) const { return streams_[stream].heap; }

	/** \brief All buffers to the camera. \return 0 or the errno of libcamera */
	int start();
	/** \brief From here on queue() refuses; to be called before Camera::stop() */
	bool beginStop();
	/** \brief No buffer is in the camera any more */
	void endStop();
	bool streaming() const;

	/** \brief As Camera::queue() */
	Result<void> queue(unsigned index, unsigned stream, std::optional<Fence> release,
			   const std::string &camera);
	/** \brief Send requests that were held back, as far as they should go now */
	int pump();
	/** \brief The caller has this buffer now */
	void taken(unsigned index, unsigned stream);

	/** \brief For the next request that is queued, or for start() */
	void setControls(const libcamera::ControlList &controls);
	/** \brief What is to hold from the first frame on; taken out */
	libcamera::ControlList takeControls();

	/** \brief Number of the stream; streams() when it is none of ours */
	unsigned streamOf(const libcamera::Stream *stream) const;
	/** \brief The request is back; its buffers are the caller's once it knows of them */
	void completed(libcamera::Request *request);
	/** \brief Where the values of the frame in this buffer are kept */
	FrameControls &metadata(unsigned index, unsigned stream);
	const FrameControls &metadata(unsigned index, unsigned stream) const;
	/** \brief A cancelled request is back; buffers whose fence is late are queued again */
	Cancelled cancelled(libcamera::Request *request);
	/** \brief Why FenceDead: the fence, in words */
	std::string deadFence() const;

	/** \brief Not of one that was abandoned, which may still complete */
	bool owns(const libcamera::Request *request) const;
	/** \brief Has the camera still a request of ours? */
	bool pending() const;
	/** \brief Leak what the camera may still touch; new buffers can be imported */
	void abandon();

private:
	enum class Owner { Caller, Waiting, Camera };
	struct Slot {
		std::unique_ptr<libcamera::FrameBuffer> buffer;
		Owner owner = Owner::Caller;
		std::unique_ptr<libcamera::Fence> fence; /* while it waits */
		int64_t fenceSince = 0;                  /* ns, CLOCK_MONOTONIC; 0: no fence */
		FrameControls metadata;
	};
	struct StreamSlots {
		libcamera::Stream *stream = nullptr;
		std::string heap;
		std::vector<Slot> slots;
		std::deque<unsigned> waiting; /* indices, the oldest first */

		StreamSlots() = default;
		StreamSlots(StreamSlots &&) = default;
		StreamSlots &operator=(StreamSlots &&) = default;
	};

	Result<void> makeRequests();
	int pumpLocked();
	libcamera::Request *chooseRequest();
	bool carriesTheNext(const libcamera::Request &request) const;
	int sendLocked(libcamera::Request *request);
	void takeBackLocked(const libcamera::Request &request);
	void putBackLocked(libcamera::Request *request);

	std::shared_ptr<libcamera::Camera> camera_;

	mutable std::mutex mutex_; /* guards what follows */
	std::vector<StreamSlots> streams_;
	std::vector<std::unique_ptr<libcamera::Request>> requests_;
	size_t mostInFlight_ = 0;
	std::deque<libcamera::Request *> free_; /* the one that came back first in front */
	libcamera::ControlList controls_;
	std::vector<size_t> waitingCounts_; /* kept, not to allocate for each frame */
	std::string deadFence_;
	bool streaming_ = false;
};

} /* namespace heapflow */
