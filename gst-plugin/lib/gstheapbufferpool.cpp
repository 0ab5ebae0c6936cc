/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapbufferpoolprivate.h"

#include "gstheaperror.h"
#include "gstheapformat.h"

GST_DEBUG_CATEGORY_STATIC(gst_heap_buffer_pool_debug);
#define GST_CAT_DEFAULT gst_heap_buffer_pool_debug

/*
 * Not a subclass of GstVideoBufferPool: before GStreamer 1.28 that takes DMA_DRM caps for a format
 * without planes, and the GstVideoMeta it makes has none (gstvideopool.c, commit a374bd51fb).
 */
struct _GstHeapBufferPool {
	GstBufferPool parent;
	GstHeapAllocator *allocator;
	GWeakRef element;

	/* Of the configuration. */
	GstVideoInfo info;
	GstVideoAlignment alignment;
	GstAllocationParams params;
	guint size;
	bool addMeta;
};

G_DEFINE_TYPE_WITH_CODE(GstHeapBufferPool, gst_heap_buffer_pool, GST_TYPE_BUFFER_POOL,
			GST_DEBUG_CATEGORY_INIT(gst_heap_buffer_pool_debug, "heapbufferpool", 0,
						"buffer pool in a dma-buf heap"))

#define parent_pool_class GST_BUFFER_POOL_CLASS(gst_heap_buffer_pool_parent_class)

/* A pool has no bus; the element that offered it has. */
static void gst_heap_buffer_pool_report(GstHeapBufferPool *self, const heapflow::Error &error)
{
	GST_ERROR_OBJECT(self, "%s", error.text().c_str());
	auto *element = static_cast<GstElement *>(g_weak_ref_get(&self->element));
	if (!element)
		return;
	HEAPFLOW_ELEMENT_ERROR(element, error);
	gst_object_unref(element);
}

static void gst_heap_buffer_pool_tell(GstHeapBufferPool *self,
				      const std::vector<heapflow::HeapFallback> &fallbacks)
{
	auto *element = static_cast<GstElement *>(g_weak_ref_get(&self->element));
	if (!element)
		return;
	for (const heapflow::HeapFallback &fallback : fallbacks)
		HEAPFLOW_ELEMENT_WARNING(element,
					 (heapflow::Error{fallback.error.code, fallback.text(),
							  fallback.error.hint}));
	gst_object_unref(element);
}

static const gchar **gst_heap_buffer_pool_get_options(GstBufferPool *)
{
	static const gchar *options[] = {GST_BUFFER_POOL_OPTION_VIDEO_META,
					 GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT, nullptr};
	return options;
}

/* Where the planes are when whoever configures the pool wants them aligned. */
static bool gst_heap_buffer_pool_align(GstHeapBufferPool *self, GstStructure *config)
{
	gst_video_alignment_reset(&self->alignment);
	if (!self->addMeta ||
	    !gst_buffer_pool_config_has_option(config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT))
		return true;
	gst_buffer_pool_config_get_video_alignment(config, &self->alignment);
	if (!gst_video_info_align(&self->info, &self->alignment))
		return false;
	gst_buffer_pool_config_set_video_alignment(config, &self->alignment);
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
	GstCaps *caps = nullptr;
	guint size = 0, minimum = 0, maximum = 0;

	if (!gst_buffer_pool_config_get_params(config, &caps, &size, &minimum, &maximum))
		return FALSE;
	auto format = heapflow::gst::frameFormatFromCaps(caps);
	if (!format || !format->planesKnown) {
		GST_WARNING_OBJECT(self, "no layout for %" GST_PTR_FORMAT,
				   static_cast<void *>(caps));
		return FALSE;
	}
	self->info = format->info;
	self->addMeta =
		gst_buffer_pool_config_has_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
	if (!gst_heap_buffer_pool_align(self, config))
		return FALSE;

	if (!gst_buffer_pool_config_get_allocator(config, nullptr, &self->params))
		gst_allocation_params_init(&self->params);
	self->params.prefix = 0;
	gst_buffer_pool_config_set_allocator(config, GST_ALLOCATOR_CAST(self->allocator),
					     &self->params);

	/* A larger size is the device's wish (sizeimage of V4L2); a smaller one holds no frame. */
	const bool fits = size >= GST_VIDEO_INFO_SIZE(&self->info);
	self->size = fits ? size : guint(GST_VIDEO_INFO_SIZE(&self->info));
	gst_buffer_pool_config_set_params(config, caps, self->size, minimum, maximum);
	return parent_pool_class->set_config(pool, config) && fits;
}

/* All buffers that are surely needed, before the first is used. */
static gboolean gst_heap_buffer_pool_start(GstBufferPool *pool)
{
	GstHeapBufferPool *self = GST_HEAP_BUFFER_POOL(pool);
	GstStructure *config = gst_buffer_pool_get_config(pool);
	guint minimum = 0;

	gst_buffer_pool_config_get_params(config, nullptr, nullptr, &minimum, nullptr);
	gst_structure_free(config);
	if (minimum > 0) {
		auto reserved = gst_heap_allocator_reserve(self->allocator, minimum,
							   self->size + self->params.padding);
		if (!reserved) {
			gst_heap_buffer_pool_report(self, reserved.error());
			return FALSE;
		}
		gst_heap_buffer_pool_tell(self, *reserved);
	}

	const gboolean started = parent_pool_class->start(pool);
	gst_heap_allocator_drop_reserve(self->allocator);
	return started;
}

static GstFlowReturn gst_heap_buffer_pool_alloc_buffer(GstBufferPool *pool, GstBuffer **buffer,
						       GstBufferPoolAcquireParams *)
{
	GstHeapBufferPool *self = GST_HEAP_BUFFER_POOL(pool);
	GstMemory *memory =
		gst_allocator_alloc(GST_ALLOCATOR_CAST(self->allocator), self->size, &self->params);

	if (!memory) {
		gst_heap_buffer_pool_report(self,
					    gst_heap_allocator_get_last_error(self->allocator));
		return GST_FLOW_ERROR;
	}
	*buffer = gst_buffer_new();
	gst_buffer_append_memory(*buffer, memory);
	if (!self->addMeta)
		return GST_FLOW_OK;

	GstVideoMeta *meta = gst_buffer_add_video_meta_full(
		*buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(&self->info),
		GST_VIDEO_INFO_WIDTH(&self->info), GST_VIDEO_INFO_HEIGHT(&self->info),
		GST_VIDEO_INFO_N_PLANES(&self->info), self->info.offset, self->info.stride);
	gst_video_meta_set_alignment(meta, self->alignment);
	return GST_FLOW_OK;
}

static void gst_heap_buffer_pool_finalize(GObject *object)
{
	GstHeapBufferPool *self = GST_HEAP_BUFFER_POOL(object);

	g_weak_ref_clear(&self->element);
	gst_clear_object(&self->allocator);
	G_OBJECT_CLASS(gst_heap_buffer_pool_parent_class)->finalize(object);
}

static void gst_heap_buffer_pool_class_init(GstHeapBufferPoolClass *klass)
{
	GstBufferPoolClass *pool = GST_BUFFER_POOL_CLASS(klass);

	G_OBJECT_CLASS(klass)->finalize = gst_heap_buffer_pool_finalize;
	pool->get_options = gst_heap_buffer_pool_get_options;
	pool->set_config = gst_heap_buffer_pool_set_config;
	pool->start = gst_heap_buffer_pool_start;
	pool->alloc_buffer = gst_heap_buffer_pool_alloc_buffer;
}

static void gst_heap_buffer_pool_init(GstHeapBufferPool *self)
{
	g_weak_ref_init(&self->element, nullptr);
}

GstBufferPool *gst_heap_buffer_pool_new(GstHeapAllocator *allocator, GstElement *element)
{
	auto *self = GST_HEAP_BUFFER_POOL(g_object_new(GST_TYPE_HEAP_BUFFER_POOL, nullptr));

	gst_object_ref_sink(self);
	self->allocator = GST_HEAP_ALLOCATOR(gst_object_ref(allocator));
	g_weak_ref_set(&self->element, element);
	return GST_BUFFER_POOL_CAST(self);
}
