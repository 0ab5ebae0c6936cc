/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pool of a camera's buffers: what downstream lets go of is queued to the camera again. */
#pragma once

#include "heapflow/camera/camera.h"
#include "heapflow/heap/heap.h"

#include "gstheapallocator.h"
#include "gstheappeerpool.h"

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

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
	explicit CameraReturn(Camera *camera, unsigned stream = 0)
		: camera_(camera), stream_(stream)
	{
	}

	/**
	 * \brief Queue the buffer; nothing happens after close()
	 *
	 * \param[in] release What must be over before the camera may write
	 */
	Result<void> give(unsigned index, std::optional<Fence> release = {});
	bool open() const;
	/**
	 * \brief Does the camera itself wait for fences? V4L2 has none: there this process would
	 * wait for them instead, which is no better than to give the buffer back later
	 */
	bool waitsForFences() const;
	void close();

private:
	mutable std::mutex mutex_;
	Camera *camera_;
	unsigned stream_;
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
 * \param[in] memories As imported, taken over; dma-bufs, of whatever allocator. Who else has a
 * reference now may keep it: only later ones hold a buffer back.
 */
heapflow::Result<GstHeapCameraPool *>
gst_heap_camera_pool_new_wrapped(std::vector<GstMemory *> memories,
				 const heapflow::CaptureConfiguration &configuration, GstCaps *caps,
				 std::shared_ptr<heapflow::gst::CameraReturn> camera);

/** \brief The same for buffers of a heap; each memory gets a descriptor of its own */
heapflow::Result<GstHeapCameraPool *>
gst_heap_camera_pool_new(GstHeapAllocator *allocator, const heapflow::Heap &heap,
			 std::span<const heapflow::Buffer> buffers,
			 const heapflow::CaptureConfiguration &configuration, GstCaps *caps,
			 std::shared_ptr<heapflow::gst::CameraReturn> camera);

/** \brief Keep downstream's buffers for as long as one of the pool's is out */
void gst_heap_camera_pool_keep_with(GstHeapCameraPool *self, heapflow::gst::PeerBuffers peer);

/** \brief The buffer that the camera has filled; nullptr when the pool has lost it */
GstBuffer *gst_heap_camera_pool_take(GstHeapCameraPool *self, unsigned index);

/** \brief How many bytes of a buffer of the pool are the frame, until it comes home (MJPEG) */
void gst_heap_camera_pool_set_used(GstBuffer *buffer, gsize size);

/**
 * \brief Queue buffers whose memory somebody kept beyond the buffer, as far as it is free now
 *
 * \return how many are still kept
 */
size_t gst_heap_camera_pool_collect(GstHeapCameraPool *self);

/** \brief How many buffers the camera and downstream have together */
size_t gst_heap_camera_pool_count(GstHeapCameraPool *self);

/** \brief How many the camera has: neither downstream, nor with memory that somebody keeps */
size_t gst_heap_camera_pool_left(GstHeapCameraPool *self);

/** \brief How many buffers are downstream */
size_t gst_heap_camera_pool_outstanding(GstHeapCameraPool *self);
