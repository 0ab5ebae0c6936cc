/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers of the pool that downstream proposes, for a camera to fill. */
#pragma once

#include "heapflow/camera/camera.h"
#include "heapflow/heap/buffer.h"

#include <string>
#include <vector>

#include <gst/gst.h>

namespace heapflow::gst
{

/** \brief What downstream proposed in the ALLOCATION query; borrowed */
struct PeerOffer {
	GstBufferPool *pool = nullptr;
	GstAllocator *allocator = nullptr;
	GstAllocationParams parameters = {};
};

/** \brief All buffers of a pool that is downstream's, held; the pool ends with this */
class PeerBuffers
{
public:
	/**
	 * \brief Take `configuration.bufferCount` buffers and see whether they fit
	 *
	 * Errors: ENOTSUP not dma-bufs, or several memories a frame; ENOMEM it has not so many;
	 * ERANGE other strides or offsets than the camera's (see stride()); EINVAL it refuses the
	 * configuration.
	 *
	 * \param[out] stride On ERANGE: of the pool's first plane, for the camera to try
	 */
	static Result<PeerBuffers> take(const PeerOffer &offer, GstCaps *caps,
					const CaptureConfiguration &configuration,
					uint32_t &stride);

	PeerBuffers() = default;
	PeerBuffers(PeerBuffers &&other) noexcept;
	PeerBuffers &operator=(PeerBuffers &&other) noexcept;
	~PeerBuffers();

	/** \brief Duplicates of their descriptors, for the camera */
	Result<std::vector<Buffer>> forCamera() const;
	/** \brief A reference to each; the memory of buffer i is in buffer i */
	const std::vector<GstBuffer *> &buffers() const { return buffers_; }
	/** \brief "heap 'system' of GstHeapBufferPool", "GstVideoDmabufPool" */
	std::string description() const;
	/** \brief The heap, when they are heapflow's; else empty */
	std::string heap() const;

private:
	Result<void> check(const CaptureConfiguration &configuration, uint32_t &stride) const;
	void release();

	GstBufferPool *pool_ = nullptr;
	std::vector<GstBuffer *> buffers_;
};

} /* namespace heapflow::gst */
