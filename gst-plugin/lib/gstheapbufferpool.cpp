/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pool as GStreamer sees it: configuration, memory, GstVideoMeta. Who gets a buffer when is in
 * gstheapbufferpool_recycling.cpp.
 */
#include "gstheapbufferpool_state.h"

#include "gstheaperror.h"
#include "gstheapformat.h"
#include "gstheapframeoriginprivate.h"
#include "gstheapi18n.h"

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <utility>

#include <sys/stat.h>

GST_DEBUG_CATEGORY(gst_heap_buffer_pool_debug);
#define GST_CAT_DEFAULT gst_heap_buffer_pool_debug

using heapflow::AllocatedBuffers;
using heapflow::Error;
using heapflow::gst::PoolState;

/*
 * Not a subclass of GstVideoBufferPool: before GStreamer 1.28 that takes DMA_DRM caps for a format
 * without planes, and the GstVideoMeta it makes has none (gstvideopool.c, commit a374bd51fb).
 */
G_DEFINE_TYPE_WITH_CODE(GstHeapBufferPool, gst_heap_buffer_pool, GST_TYPE_BUFFER_POOL,
			GST_DEBUG_CATEGORY_INIT(gst_heap_buffer_pool_debug, "heapbufferpool", 0,
						"buffer pool in a dma-buf heap"))

#define parent_pool_class GST_BUFFER_POOL_CLASS(gst_heap_buffer_pool_parent_class)

namespace
{

enum { PropElement = 1, PropHeap, PropStarvationTimeout, PropStats };

constexpr guint defaultStarvationTimeout = 1000;

ino_t inodeOf(GstMemory *memory)
{
	struct stat status = {};
	return fstat(gst_fd_memory_get_fd(memory), &status) == 0 ? status.st_ino : 0;
}

/* For whoever activates the pool, and as messages of its element: a pool has no bus. */
void report(GstHeapBufferPool *self, const Error &error)
{
	GST_ERROR_OBJECT(self, "%s", error.text().c_str());
	{
		std::lock_guard lock(self->state->mutex);
		self->state->lastError = error;
	}
	GstElement *element = self->state->element();
	if (!element)
		return;
	HEAPFLOW_ELEMENT_ERROR(element, error);
	gst_object_unref(element);
}

void tell(GstHeapBufferPool *self, const std::vector<heapflow::HeapFallback> &fallbacks)
{
	GstElement *element = self->state->element();

	for (const heapflow::HeapFallback &fallback : fallbacks) {
		GST_WARNING_OBJECT(self, "%s", fallback.text().c_str());
		if (element)
			HEAPFLOW_ELEMENT_WARNING(
				element,
				(Error{fallback.error.code, fallback.text(), fallback.error.hint}));
	}
	gst_clear_object(&element);
}

/*
 * Bytes of each memory of a frame; none when the planes do not fill it. What a device wants beyond
 * the planes belongs to the last memory.
 */
std::vector<uint64_t> memorySizes(const PoolState &state, guint size)
{
	if (!state.perPlane)
		return {size};

	GstVideoInfo info = state.info;
	GstVideoAlignment alignment = state.alignment;
	gsize planes[GST_VIDEO_MAX_PLANES] = {};
	if (!gst_video_info_align_full(&info, &alignment, planes))
		return {};
	std::vector<uint64_t> sizes(planes, planes + GST_VIDEO_INFO_N_PLANES(&info));
	const uint64_t all = std::accumulate(sizes.begin(), sizes.end(), uint64_t(0));
	if (sizes.empty() || all != GST_VIDEO_INFO_SIZE(&state.info))
		return {};
	sizes.back() += size - all;
	return sizes;
}

void addVideoMeta(const PoolState &state, GstBuffer *buffer)
{
	const GstVideoInfo &info = state.info;
	GstVideoMeta *meta = gst_buffer_add_video_meta_full(
		buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(&info),
		GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info),
		GST_VIDEO_INFO_N_PLANES(&info), info.offset, info.stride);
#if GST_CHECK_VERSION(1, 28, 0)
	gst_video_meta_set_alignment_full(meta, &state.alignment);
#else
	gst_video_meta_set_alignment(meta, state.alignment);
#endif
}

} /* namespace */

static const gchar **gst_heap_buffer_pool_get_options(GstBufferPool *)
{
	static const gchar *options[] = {GST_BUFFER_POOL_OPTION_VIDEO_META,
					 GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT,
					 GST_BUFFER_POOL_OPTION_HEAP_MEMORY_PER_PLANE, nullptr};
	return options;
}

/* Where the planes are when whoever configures the pool wants them aligned. */
static bool gst_heap_buffer_pool_align(PoolState &state, GstStructure *config)
{
	gst_video_alignment_reset(&state.alignment);
	if (!state.addMeta ||
	    !gst_buffer_pool_config_has_option(config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT))
		return true;
	gst_buffer_pool_config_get_video_alignment(config, &state.alignment);
	if (!gst_video_info_align(&state.info, &state.alignment))
		return false;
	gst_buffer_pool_config_set_video_alignment(config, &state.alignment);
	return true;
}

/*
 * Elements pass on the allocator of the query's allocation parameters, or none (v4l2src does so for
 * the pool it imports from): ours is put back. A prefix would move the first plane from offset 0
 * (invariant 2).
 */
static gboolean gst_heap_buffer_pool_set_config(GstBufferPool *pool, GstStructure *config)
{
	GstHeapBufferPool *self = GST_HEAP_BUFFER_POOL(pool);
	PoolState &state = *self->state;
	GstCaps *caps = nullptr;
	guint size = 0, minimum = 0, maximum = 0;

	if (!self->allocator) {
		GST_WARNING_OBJECT(self, "a pool is made by gst_heap_buffer_pool_new(), "
					 "with an allocator");
		return FALSE;
	}
	if (!gst_buffer_pool_config_get_params(config, &caps, &size, &minimum, &maximum))
		return FALSE;
	auto format = heapflow::gst::frameFormatFromCaps(caps);
	if (!format || !format->planesKnown) {
		GST_WARNING_OBJECT(self, "no layout for %" GST_PTR_FORMAT,
				   static_cast<void *>(caps));
		return FALSE;
	}
	state.info = format->info;
	state.addMeta =
		gst_buffer_pool_config_has_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
	state.perPlane = gst_buffer_pool_config_has_option(
		config, GST_BUFFER_POOL_OPTION_HEAP_MEMORY_PER_PLANE);
	if (!gst_heap_buffer_pool_align(state, config))
		return FALSE;

	if (!gst_buffer_pool_config_get_allocator(config, nullptr, &state.params))
		gst_allocation_params_init(&state.params);
	state.params.prefix = 0;
	gst_buffer_pool_config_set_allocator(config, GST_ALLOCATOR_CAST(self->allocator),
					     &state.params);

	/* A larger size is the device's wish (sizeimage of V4L2); a smaller one holds no frame. */
	const bool fits = size >= GST_VIDEO_INFO_SIZE(&state.info);
	const guint used = fits ? size : guint(GST_VIDEO_INFO_SIZE(&state.info));
	state.sizes = memorySizes(state, used);
	if (state.sizes.empty()) {
		GST_WARNING_OBJECT(self, "the planes of %" GST_PTR_FORMAT " do not fill a frame",
				   static_cast<void *>(caps));
		return FALSE;
	}
	gst_buffer_pool_config_set_params(config, caps, used, minimum, maximum);
	return parent_pool_class->set_config(pool, config) && fits;
}

/* All buffers that are surely needed, before the first is used. */
static gboolean gst_heap_buffer_pool_start(GstBufferPool *pool)
{
	GstHeapBufferPool *self = GST_HEAP_BUFFER_POOL(pool);
	PoolState &state = *self->state;
	GstStructure *config = gst_buffer_pool_get_config(pool);
	guint minimum = 0;

	gst_buffer_pool_config_get_params(config, nullptr, nullptr, &minimum, nullptr);
	gst_structure_free(config);
	if (!state.fenced.usable()) {
		report(self, {EMFILE, _("no file descriptor is left for a buffer pool"),
			      _("Close files, or raise the limit of open files (ulimit -n)")});
		return FALSE;
	}
	if (minimum > 0) {
		std::vector<uint64_t> sizes;
		for (guint i = 0; i < minimum; i++)
			for (const uint64_t size : state.sizes)
				sizes.push_back(size + state.params.padding);
		auto taken = gst_heap_allocator_take(self->allocator, sizes);
		if (!taken) {
			report(self, taken.error());
			return FALSE;
		}
		tell(self, taken->fallbacks);
		std::ranges::reverse(taken->buffers);
		state.reserve = std::move(*taken);
	}

	/* Calls alloc_buffer for each of them. Nobody else does before the pool is active. */
	const gboolean started = parent_pool_class->start(pool);
	state.reserve.buffers.clear();
	return started;
}

/* One memory of a frame: from what start() took, else from the allocator. */
static GstMemory *gst_heap_buffer_pool_alloc_memory(GstHeapBufferPool *self, uint64_t size)
{
	PoolState &state = *self->state;

	if (state.reserve.buffers.empty())
		return gst_allocator_alloc(GST_ALLOCATOR_CAST(self->allocator), size,
					   &state.params);

	heapflow::Buffer buffer = std::move(state.reserve.buffers.back());
	state.reserve.buffers.pop_back();
	const gsize maxsize = buffer.size();
	GstMemory *memory = gst_heap_allocator_wrap(self->allocator, buffer.takeFd(),
						    state.reserve.heap, maxsize, size);
	memory->align = state.params.align;
	return memory;
}

/* The heap is full. That is no error while a buffer is about to be free: it is waited for. */
static GstFlowReturn gst_heap_buffer_pool_without_memory(GstHeapBufferPool *self)
{
	const Error error = gst_heap_allocator_get_last_error(self->allocator);

	if (self->state->fenced.count() > 0) {
		GST_INFO_OBJECT(self, "wait for a device: %s", error.text().c_str());
		return GST_FLOW_EOS;
	}
	report(self, error);
	return GST_FLOW_ERROR;
}

static GstFlowReturn gst_heap_buffer_pool_alloc_buffer(GstBufferPool *pool, GstBuffer **buffer,
						       GstBufferPoolAcquireParams *)
{
	GstHeapBufferPool *self = GST_HEAP_BUFFER_POOL(pool);
	PoolState &state = *self->state;
	GstBuffer *made = gst_buffer_new();

	for (const uint64_t size : state.sizes) {
		GstMemory *memory = gst_heap_buffer_pool_alloc_memory(self, size);
		if (!memory) {
			gst_buffer_unref(made);
			return gst_heap_buffer_pool_without_memory(self);
		}
		gst_buffer_append_memory(made, memory);
		std::lock_guard lock(state.mutex);
		state.inodes.push_back(inodeOf(memory));
	}
	if (state.addMeta)
		addVideoMeta(state, made);
	gst_buffer_add_heap_origin(made);
	*buffer = made;
	return GST_FLOW_OK;
}

static void gst_heap_buffer_pool_free_buffer(GstBufferPool *pool, GstBuffer *buffer)
{
	PoolState &state = *GST_HEAP_BUFFER_POOL(pool)->state;

	for (guint i = 0; i < gst_buffer_n_memory(buffer); i++) {
		GstMemory *memory = gst_buffer_peek_memory(buffer, i);
		if (!gst_is_heap_memory(memory))
			continue;
		std::lock_guard lock(state.mutex);
		std::erase(state.inodes, inodeOf(memory));
	}
	parent_pool_class->free_buffer(pool, buffer);
}

/*
 * The parent makes a frame of one memory whole again, whatever an element cut off of it. It counts
 * the bytes of all memories together, so those of several are ours to mend, and so is the meta.
 */
static void gst_heap_buffer_pool_reset_buffer(GstBufferPool *pool, GstBuffer *buffer)
{
	const PoolState &state = *GST_HEAP_BUFFER_POOL(pool)->state;

	const bool several =
		state.sizes.size() > 1 && gst_buffer_n_memory(buffer) == state.sizes.size();
	for (guint i = 0; several && i < state.sizes.size(); i++) {
		const GstMemory *memory = gst_buffer_peek_memory(buffer, i);
		if (memory->offset != 0 || memory->size != state.sizes[i])
			gst_buffer_resize_range(buffer, i, 1, -gssize(memory->offset),
						gssize(state.sizes[i]));
	}

	GstVideoMeta *meta = state.addMeta ? gst_buffer_get_video_meta(buffer) : nullptr;
	if (meta) {
		meta->width = guint(GST_VIDEO_INFO_WIDTH(&state.info));
		meta->height = guint(GST_VIDEO_INFO_HEIGHT(&state.info));
		std::copy_n(state.info.offset, GST_VIDEO_MAX_PLANES, meta->offset);
		std::copy_n(state.info.stride, GST_VIDEO_MAX_PLANES, meta->stride);
	}

	gst_buffer_forget_cpu_writes(buffer);
	parent_pool_class->reset_buffer(pool, buffer);
}

static void gst_heap_buffer_pool_set_property(GObject *object, guint id, const GValue *value,
					      GParamSpec *spec)
{
	GstHeapBufferPool *self = GST_HEAP_BUFFER_POOL(object);

	switch (id) {
	case PropElement:
		g_weak_ref_set(&self->state->owner, g_value_get_object(value));
		break;
	case PropStarvationTimeout:
		self->state->starvationTimeout = std::chrono::milliseconds(g_value_get_uint(value));
		break;
	default:
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
}

static void gst_heap_buffer_pool_get_property(GObject *object, guint id, GValue *value,
					      GParamSpec *spec)
{
	GstHeapBufferPool *self = GST_HEAP_BUFFER_POOL(object);

	switch (id) {
	case PropElement:
		g_value_take_object(value, self->state->element());
		break;
	case PropHeap:
		g_value_take_string(value, gst_heap_allocator_dup_heap_name(self->allocator));
		break;
	case PropStarvationTimeout:
		g_value_set_uint(value, guint(self->state->starvationTimeout.load().count()));
		break;
	case PropStats:
		g_value_take_boxed(value, self->state->statistics());
		break;
	default:
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
}

static void gst_heap_buffer_pool_finalize(GObject *object)
{
	GstHeapBufferPool *self = GST_HEAP_BUFFER_POOL(object);

	/* Of a pool that nobody deactivated. */
	for (GstBuffer *buffer : self->state->fenced.takeAll())
		gst_buffer_unref(buffer);
	delete self->state;
	gst_clear_object(&self->allocator);
	G_OBJECT_CLASS(gst_heap_buffer_pool_parent_class)->finalize(object);
}

static void gst_heap_buffer_pool_install_properties(GObjectClass *object)
{
	g_object_class_install_property(
		object, PropElement,
		g_param_spec_object("element", "Element",
				    "Whose messages errors and reports of the pool become",
				    GST_TYPE_ELEMENT,
				    GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)));
	g_object_class_install_property(
		object, PropHeap,
		g_param_spec_string(
			"heap", "Heap", "Heap that the buffers come from, once that is settled",
			nullptr, GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
	g_object_class_install_property(
		object, PropStarvationTimeout,
		g_param_spec_uint("starvation-timeout", "Starvation timeout",
				  "Milliseconds without a free buffer until it is reported who has "
				  "them (0 = never)",
				  0, G_MAXUINT, defaultStarvationTimeout,
				  GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)));
	g_object_class_install_property(
		object, PropStats,
		g_param_spec_boxed("stats", "Statistics",
				   "Buffers held and fenced, waits for fences, starvations",
				   GST_TYPE_STRUCTURE,
				   GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
}

static void gst_heap_buffer_pool_class_init(GstHeapBufferPoolClass *klass)
{
	GObjectClass *object = G_OBJECT_CLASS(klass);
	GstBufferPoolClass *pool = GST_BUFFER_POOL_CLASS(klass);

	heapflow::gst::bindTranslations();
	object->set_property = gst_heap_buffer_pool_set_property;
	object->get_property = gst_heap_buffer_pool_get_property;
	object->finalize = gst_heap_buffer_pool_finalize;
	gst_heap_buffer_pool_install_properties(object);

	pool->get_options = gst_heap_buffer_pool_get_options;
	pool->set_config = gst_heap_buffer_pool_set_config;
	pool->start = gst_heap_buffer_pool_start;
	pool->alloc_buffer = gst_heap_buffer_pool_alloc_buffer;
	pool->free_buffer = gst_heap_buffer_pool_free_buffer;
	pool->reset_buffer = gst_heap_buffer_pool_reset_buffer;
	gst_heap_buffer_pool_class_init_recycling(pool);
}

static void gst_heap_buffer_pool_init(GstHeapBufferPool *self)
{
	self->state = new PoolState;
	self->state->starvationTimeout = std::chrono::milliseconds(defaultStarvationTimeout);
}
