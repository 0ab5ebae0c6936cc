/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pool of a camera's buffers: what downstream lets go of is queued to the camera again. */
#pragma once

#include "heapflow/camera/camera.h"
#include "heapflow/heap/heap.h"

#include "gstheapallocator.h"

#include <memory>
#include <mutex>
#include <span>

namespace heapflow::gst
{

/**
 * \brief The way back to the camera, which may be gone before the last buffer comes home
 *
 * Any thread may call any function.
 */
class CameraReturn
{
public:
	explicit CameraReturn(Camera *camera) : camera_(camera) {}

	/** \brief Queue the buffer; nothing happens after close() */
	Result<void> give(unsigned index);
	bool open() const;
	void close();

private:
	mutable std::mutex mutex_;
	Camera *camera_;
};

} /* namespace heapflow::gst */

G_BEGIN_DECLS

#define GST_TYPE_HEAP_CAMERA_POOL (gst_heap_camera_pool_get_type())
G_DECLARE_FINAL_TYPE(GstHeapCameraPool, gst_heap_camera_pool, GST, HEAP_CAMERA_POOL, GstBufferPool)

G_END_DECLS

/**
 * \brief GstBuffers for dma-bufs that the camera has imported, active
 *
 * A buffer returns to the camera when its last reference is dropped: a sink that keeps one until
 * the flip that replaced it is thereby safe (invariant 1).
 *
 * \param[in] buffers As imported; each GstMemory gets a descriptor of its own, because downstream
 * may keep it longer than the camera lives.
 */
heapflow::Result<GstHeapCameraPool *>
gst_heap_camera_pool_new(GstHeapAllocator *allocator, const heapflow::Heap &heap,
			 std::span<const heapflow::Buffer> buffers,
			 const heapflow::CaptureConfiguration &configuration, GstCaps *caps,
			 std::shared_ptr<heapflow::gst::CameraReturn> camera);

/** \brief The buffer that the camera has filled; nullptr when the pool has lost it */
GstBuffer *gst_heap_camera_pool_take(GstHeapCameraPool *self, unsigned index);

/**
 * \brief Queue buffers whose memory somebody kept beyond the buffer, as far as it is free now
 *
 * \return how many are still kept
 */
size_t gst_heap_camera_pool_collect(GstHeapCameraPool *self);

/** \brief How many buffers are downstream */
size_t gst_heap_camera_pool_outstanding(GstHeapCameraPool *self);
