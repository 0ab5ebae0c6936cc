/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapcamerapool.h"

#include "gst/heap/gstheapcamerameta.h"
#include "gst/heap/gstheapreleasefencemeta.h"
#include "gstheapformat.h"
#include "gstheapframeoriginprivate.h"
#include "gstheapi18n.h"
#include "gstheaptiming.h"

#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gst/allocators/gstfdmemory.h>
#include <poll.h>

GST_DEBUG_CATEGORY_STATIC(gst_heap_camera_pool_debug);
#define GST_CAT_DEFAULT gst_heap_camera_pool_debug

using heapflow::Fence;
using heapflow::Result;
using heapflow::gst::CameraReturn;

namespace heapflow::gst
{

Result<void> CameraReturn::give(unsigned index, std::optional<Fence> release)
{
	std::lock_guard lock(mutex_);

	return camera_ ? camera_->queue(index, stream_, std::move(release)) : Result<void>{};
}

bool CameraReturn::open() const
{
	std::lock_guard lock(mutex_);

	return camera_ != nullptr;
}

bool CameraReturn::waitsForFences() const
{
	std::lock_guard lock(mutex_);

	return camera_ && camera_->info().backend == CameraBackend::Libcamera;
}

void CameraReturn::close()
{
	std::lock_guard lock(mutex_);

	camera_ = nullptr;
}

} /* namespace heapflow::gst */

namespace
{

using heapflow::gst::PeerBuffers;

struct Slots {
	std::mutex mutex;
	std::vector<GstBuffer *> idle; /* by index; null while the buffer is downstream */
	std::vector<int> references;   /* by index: of the memory, when nobody uses it */
	gsize size = 0;                /* of a whole frame; MJPEG's are shorter */
	std::vector<unsigned> kept; /* indices of idle buffers whose memory is still referenced */
	size_t outstanding = 0;
	PeerBuffers peer; /* whose memory it is, if it is downstream's */
	std::shared_ptr<CameraReturn> camera;
};

GQuark indexQuark()
{
	static const GQuark quark = g_quark_from_static_string("heapflow-camera-index");
	return quark;
}

/*
 * Does nobody but the buffer refer to its memory? gst_buffer_is_all_memory_writable() does not
 * tell: it sees only memory that is locked, as another buffer does, and not a plain reference.
 */
bool memoryIsFree(GstBuffer *buffer, int references)
{
	return GST_MINI_OBJECT_REFCOUNT_VALUE(gst_buffer_peek_memory(buffer, 0)) <= references;
}

/*
 * What must be over before the camera may write: what was posted by a display that let go of the
 * buffer early, and a GPU that may still read what its program has let go of; the dma-buf knows of
 * that (POLLOUT: nobody works on it any more, dma_buf_poll()). One system call for a buffer that is
 * free. The fence says the same, so it is had also when poll() fails: else the camera would starve.
 */
Result<std::optional<Fence>> implicitFence(GstBuffer *buffer)
{
	const int fd = gst_fd_memory_get_fd(gst_buffer_peek_memory(buffer, 0));
	pollfd ready = {fd, POLLOUT, 0};

	if (fd < 0)
		return std::nullopt;
	if (poll(&ready, 1, 0) > 0)
		return std::nullopt;
	auto fence = Fence::exportFrom(fd, heapflow::Access::Write);
	if (!fence)
		return std::unexpected(fence.error());
	return std::move(*fence);
}

/* An error, as without a descriptor that is free, means: not now, ask again. */
Result<std::optional<Fence>> releaseFence(GstBuffer *buffer)
{
	auto implicit = implicitFence(buffer);
	if (!implicit)
		return implicit;
	GstHeapReleaseFenceMeta *box = gst_buffer_get_heap_release_fence_meta(buffer);
	heapflow::UniqueFd posted(box ? gst_heap_release_fence_meta_take(box) : -1);
	if (!posted.valid())
		return implicit;
	Fence fence(std::move(posted));
	if (!*implicit)
		return fence;
	auto both = Fence::merge(fence, **implicit);
	if (!both) {
		(void)gst_heap_release_fence_meta_post(box, fence.takeFd().release());
		return std::unexpected(both.error());
	}
	return std::move(*both);
}

} /* namespace */

struct _GstHeapCameraPool {
	GstBufferPool parent;
	Slots *slots;
};

G_DEFINE_TYPE_WITH_CODE(GstHeapCameraPool, gst_heap_camera_pool, GST_TYPE_BUFFER_POOL,
			GST_DEBUG_CATEGORY_INIT(gst_heap_camera_pool_debug, "heapcamerapool", 0,
						"pool of a camera's buffers"))

static void gst_heap_camera_pool_give(GstHeapCameraPool *self, unsigned index,
				      std::optional<Fence> release)
{
	auto given = self->slots->camera->give(index, std::move(release));
	if (!given)
		GST_WARNING_OBJECT(self, "buffer %u does not go back: %s", index,
				   given.error().text().c_str());
}

/* Nothing to preallocate: the buffers were there before the pool. */
static gboolean gst_heap_camera_pool_start(GstBufferPool *)
{
	return TRUE;
}

/* Called when the pool is inactive and the last buffer is home. */
static gboolean gst_heap_camera_pool_stop(GstBufferPool *pool)
{
	GstHeapCameraPool *self = GST_HEAP_CAMERA_POOL(pool);
	std::vector<GstBuffer *> idle;

	{
		std::lock_guard lock(self->slots->mutex);
		idle.swap(self->slots->idle);
		self->slots->kept.clear();
	}
	for (GstBuffer *buffer : idle)
		gst_clear_buffer(&buffer);
	return TRUE;
}

static GstFlowReturn gst_heap_camera_pool_acquire(GstBufferPool *pool, GstBuffer **buffer,
						  GstBufferPoolAcquireParams *params)
{
	Slots &slots = *GST_HEAP_CAMERA_POOL(pool)->slots;
	std::lock_guard lock(slots.mutex);
	const size_t index = size_t(params->start);

	if (index >= slots.idle.size() || !slots.idle[index])
		return GST_FLOW_ERROR;
	*buffer = std::exchange(slots.idle[index], nullptr);
	slots.outstanding++;
	return GST_FLOW_OK;
}

/* Not gst_memory_resize(): it wants sole ownership, and downstream's pool has a reference, too. */
void gst_heap_camera_pool_set_used(GstBuffer *buffer, gsize size)
{
	gst_buffer_peek_memory(buffer, 0)->size = size;
}

/*
 * Before the buffer is released. GstBufferPool gives it the size of the pool again, and where the
 * memory has another, and downstream's pool a reference to it, would exchange the memory for a
 * share of it (gst_buffer_resize_range()). The buffer would be lost to the camera.
 */
static void gst_heap_camera_pool_reset(GstBufferPool *pool, GstBuffer *buffer)
{
	const Slots &slots = *GST_HEAP_CAMERA_POOL(pool)->slots;

	if (!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_TAG_MEMORY))
		gst_heap_camera_pool_set_used(buffer, slots.size);
	GST_BUFFER_POOL_CLASS(gst_heap_camera_pool_parent_class)->reset_buffer(pool, buffer);
}

/*
 * The last reference of the buffer is gone. Its memory may still be referenced: gst_memory_share()
 * or gst_memory_ref() by somebody who then dropped the buffer. The camera must not write into that.
 */
static void gst_heap_camera_pool_release(GstBufferPool *pool, GstBuffer *buffer)
{
	GstHeapCameraPool *self = GST_HEAP_CAMERA_POOL(pool);
	Slots &slots = *self->slots;
	const unsigned index = GPOINTER_TO_UINT(
		gst_mini_object_get_qdata(GST_MINI_OBJECT_CAST(buffer), indexQuark()));
	const bool exchanged = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_TAG_MEMORY);
	GstBuffer *home = nullptr;
	Result<std::optional<Fence>> release;
	bool ready = false;

	{
		std::lock_guard lock(slots.mutex);
		slots.outstanding--;
		if (!exchanged && index < slots.idle.size()) {
			const bool free = memoryIsFree(buffer, slots.references[index]);
			home = std::exchange(buffer, nullptr);
			slots.idle[index] = home;
			if (free)
				release = releaseFence(home);
			ready = free && release;
			if (!ready)
				slots.kept.push_back(index);
		}
	}
	if (buffer) {
		GST_WARNING_OBJECT(self, "buffer %u came back with other memory and is retired",
				   index);
		gst_buffer_unref(buffer);
	} else if (ready) {
		/* Nobody takes it out before it is queued. */
		gst_heap_camera_pool_give(self, index, std::move(*release));
	}
}

static void gst_heap_camera_pool_finalize(GObject *object)
{
	GstHeapCameraPool *self = GST_HEAP_CAMERA_POOL(object);

	for (GstBuffer *buffer : self->slots->idle)
		gst_clear_buffer(&buffer);
	delete self->slots;
	G_OBJECT_CLASS(gst_heap_camera_pool_parent_class)->finalize(object);
}

static void gst_heap_camera_pool_class_init(GstHeapCameraPoolClass *klass)
{
	GstBufferPoolClass *pool = GST_BUFFER_POOL_CLASS(klass);

	G_OBJECT_CLASS(klass)->finalize = gst_heap_camera_pool_finalize;
	pool->start = gst_heap_camera_pool_start;
	pool->stop = gst_heap_camera_pool_stop;
	pool->acquire_buffer = gst_heap_camera_pool_acquire;
	pool->reset_buffer = gst_heap_camera_pool_reset;
	pool->release_buffer = gst_heap_camera_pool_release;
}

static void gst_heap_camera_pool_init(GstHeapCameraPool *self)
{
	self->slots = new Slots;
}

/* Stays when GstBufferPool resets the buffer. */
static void keepInPool(GstMeta *meta)
{
	meta->flags = GstMetaFlags(meta->flags | GST_META_FLAG_POOLED);
}

static GstBuffer *gst_heap_camera_pool_wrap(GstMemory *memory, const heapflow::FrameLayout &layout,
					    unsigned index, bool waitsForFences)
{
	GstBuffer *buffer = gst_buffer_new();

	gst_buffer_append_memory(buffer, memory);
	gst_heap_camera_pool_set_used(buffer, layout.size());
	/* Only what has lines has planes; GStreamer describes Bayer and JPEG by caps alone. */
	if (heapflow::isPicture(layout.fourcc, layout.modifier))
		keepInPool(&heapflow::gst::addVideoMeta(buffer, layout)->meta);
	keepInPool(&gst_buffer_add_heap_camera_meta(buffer)->meta);
	gst_buffer_add_heap_origin(buffer);
	if (waitsForFences)
		keepInPool(&gst_buffer_add_heap_release_fence_meta(buffer)->meta);
	GstCaps *reference = heapflow::gst::arrivalReference();
	keepInPool(
		&gst_buffer_add_reference_timestamp_meta(buffer, reference, 0, GST_CLOCK_TIME_NONE)
			 ->parent);
	gst_caps_unref(reference);
	gst_mini_object_set_qdata(GST_MINI_OBJECT_CAST(buffer), indexQuark(),
				  GUINT_TO_POINTER(index), nullptr);
	/* Set by append; from now on it means that somebody else changed the memory. */
	GST_BUFFER_FLAG_UNSET(buffer, GST_BUFFER_FLAG_TAG_MEMORY);
	return buffer;
}

Result<GstHeapCameraPool *>
gst_heap_camera_pool_new(GstHeapAllocator *allocator, const heapflow::Heap &heap,
			 std::span<const heapflow::Buffer> buffers,
			 const heapflow::CaptureConfiguration &configuration, GstCaps *caps,
			 std::shared_ptr<CameraReturn> camera)
{
	std::vector<GstMemory *> memories;

	for (const heapflow::Buffer &buffer : buffers) {
		heapflow::UniqueFd fd(fcntl(buffer.fd(), F_DUPFD_CLOEXEC, 3));
		if (!fd.valid()) {
			const int code = errno;
			for (GstMemory *memory : memories)
				gst_memory_unref(memory);
			return heapflow::fail(code,
					      _("cannot duplicate the descriptor of a buffer"));
		}
		memories.push_back(gst_heap_allocator_wrap(allocator, std::move(fd), heap,
							   buffer.size(),
							   configuration.layout.size()));
	}
	return gst_heap_camera_pool_new_wrapped(std::move(memories), configuration, caps,
						std::move(camera));
}

Result<GstHeapCameraPool *>
gst_heap_camera_pool_new_wrapped(std::vector<GstMemory *> memories,
				 const heapflow::CaptureConfiguration &configuration, GstCaps *caps,
				 std::shared_ptr<CameraReturn> camera)
{
	auto *self = GST_HEAP_CAMERA_POOL(g_object_new(GST_TYPE_HEAP_CAMERA_POOL, nullptr));
	gst_object_ref_sink(self);
	self->slots->camera = std::move(camera);
	self->slots->size = configuration.layout.size();

	for (GstMemory *memory : memories) {
		self->slots->references.push_back(GST_MINI_OBJECT_REFCOUNT_VALUE(memory));
		self->slots->idle.push_back(gst_heap_camera_pool_wrap(
			memory, configuration.layout, unsigned(self->slots->idle.size()),
			self->slots->camera->waitsForFences()));
	}

	const guint count = guint(memories.size());
	GstStructure *config = gst_buffer_pool_get_config(GST_BUFFER_POOL_CAST(self));
	gst_buffer_pool_config_set_params(config, caps, guint(configuration.layout.size()), count,
					  count);
	if (!gst_buffer_pool_set_config(GST_BUFFER_POOL_CAST(self), config) ||
	    !gst_buffer_pool_set_active(GST_BUFFER_POOL_CAST(self), TRUE)) {
		gst_object_unref(self);
		return heapflow::fail(EINVAL, _("the pool of the camera's buffers does not start"));
	}
	return self;
}

void gst_heap_camera_pool_keep_with(GstHeapCameraPool *self, heapflow::gst::PeerBuffers peer)
{
	self->slots->peer = std::move(peer);
}

GstBuffer *gst_heap_camera_pool_take(GstHeapCameraPool *self, unsigned index)
{
	GstBufferPoolAcquireParams params = {};
	GstBuffer *buffer = nullptr;

	params.format = GST_FORMAT_DEFAULT;
	params.start = index;
	if (gst_buffer_pool_acquire_buffer(GST_BUFFER_POOL_CAST(self), &buffer, &params) !=
	    GST_FLOW_OK)
		return nullptr;
	return buffer;
}

size_t gst_heap_camera_pool_collect(GstHeapCameraPool *self)
{
	Slots &slots = *self->slots;
	std::vector<std::pair<unsigned, std::optional<Fence>>> free;
	size_t left;

	{
		std::lock_guard lock(slots.mutex);
		std::erase_if(slots.kept, [&](unsigned index) {
			if (!memoryIsFree(slots.idle[index], slots.references[index]))
				return false;
			auto release = releaseFence(slots.idle[index]);
			if (release)
				free.emplace_back(index, std::move(*release));
			return release.has_value();
		});
		left = slots.kept.size();
	}
	for (auto &[index, release] : free)
		gst_heap_camera_pool_give(self, index, std::move(release));
	return left;
}

size_t gst_heap_camera_pool_count(GstHeapCameraPool *self)
{
	return self->slots->references.size();
}

size_t gst_heap_camera_pool_left(GstHeapCameraPool *self)
{
	std::lock_guard lock(self->slots->mutex);

	return self->slots->references.size() - self->slots->outstanding - self->slots->kept.size();
}

size_t gst_heap_camera_pool_outstanding(GstHeapCameraPool *self)
{
	std::lock_guard lock(self->slots->mutex);

	return self->slots->outstanding;
}
