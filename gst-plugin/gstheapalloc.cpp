/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-heapalloc
 * @title: heapalloc
 * @short_description: makes upstream elements allocate their frames in a chosen dma-buf heap
 * @see_also: heapcamerasrc, heapkmssink, v4l2src
 *
 * heapalloc passes buffers through untouched. What it does is answer the ALLOCATION query of the
 * elements before it with a buffer pool in the heap that #heapalloc:heap names. Any element that
 * takes a pool from downstream then works in that memory, with no change to it.
 *
 * What the elements after it support (metas, alignment of lines, number of buffers) is passed on.
 * Buffers that come from elsewhere all the same are counted in #heapalloc:stats.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 v4l2src device=/dev/video7 io-mode=dmabuf-import ! heapalloc heap='video@*' !
 * heapkmssink
 * ]|
 * The V4L2 device captures into memory of a region whose name begins with `video@`.
 */
#include "gstheapalloc.h"

#include "gstheapbufferpool.h"
#include "gstheaperror.h"
#include "gstheapzerocopy.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <string>

GST_DEBUG_CATEGORY_STATIC(gst_heap_alloc_debug);
#define GST_CAT_DEFAULT gst_heap_alloc_debug

namespace
{

/* What v4l2src and a sink need when neither says anything. */
constexpr guint minimumBuffers = 2;

struct Injector {
	explicit Injector(GstElement *element)
		: contract(element, heapflow::gst::ContractScope::Through)
	{
	}

	heapflow::gst::ZeroCopyContract contract;
	std::mutex mutex;
	std::string heap = heapflow::gst::defaultHeapExpression;
	std::atomic<uint64_t> fromHeap = 0;
	std::atomic<uint64_t> foreign = 0;
};

enum { PropHeap = 1, PropStats, PropRequireZeroCopy };

} /* namespace */

struct _GstHeapAlloc {
	GstBaseTransform parent;
	Injector *injector;
};

G_DEFINE_TYPE_WITH_CODE(GstHeapAlloc, gst_heap_alloc, GST_TYPE_BASE_TRANSFORM,
			GST_DEBUG_CATEGORY_INIT(gst_heap_alloc_debug, "heapalloc", 0,
						"allocation in a dma-buf heap"))
GST_ELEMENT_REGISTER_DEFINE(heapalloc, "heapalloc", GST_RANK_NONE, GST_TYPE_HEAP_ALLOC)

static GstStaticPadTemplate sinkTemplate =
	GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate srcTemplate =
	GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static std::string currentHeap(GstHeapAlloc *self)
{
	std::lock_guard lock(self->injector->mutex);
	return self->injector->heap;
}

/* A wrong heap is an error at once, not when the first element happens to ask for memory. */
static gboolean gst_heap_alloc_start(GstBaseTransform *base)
{
	GstHeapAlloc *self = GST_HEAP_ALLOC(base);
	auto choice = heapflow::chooseHeap(currentHeap(self));

	if (!choice) {
		HEAPFLOW_ELEMENT_ERROR(self, choice.error());
		return FALSE;
	}
	GST_INFO_OBJECT(self, "heap %s: %s", choice->taken().heap.name.text.c_str(),
			choice->taken().reason.c_str());
	self->injector->fromHeap = 0;
	self->injector->foreign = 0;
	self->injector->contract.restart();
	return TRUE;
}

/* Padding and stride alignment that downstream put beside GstVideoMeta (gstvideometa.h). */
static std::optional<GstVideoAlignment> downstreamAlignment(GstQuery *query)
{
	const GstStructure *parameters = nullptr;
	GstVideoAlignment alignment;
	guint index;

	if (!gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, &index))
		return std::nullopt;
	gst_query_parse_nth_allocation_meta(query, index, &parameters);
	gst_video_alignment_reset(&alignment);
	if (!parameters || !gst_structure_has_name(parameters, "video-meta") ||
	    !gst_buffer_pool_config_get_video_alignment(parameters, &alignment))
		return std::nullopt;
	return alignment;
}

/* The most buffers that any pool of downstream wants; the pools themselves are replaced. */
static guint takePoolsOut(GstQuery *query)
{
	guint wanted = 0;

	while (gst_query_get_n_allocation_pools(query) > 0) {
		GstBufferPool *pool = nullptr;
		guint minimum = 0;
		gst_query_parse_nth_allocation_pool(query, 0, &pool, nullptr, &minimum, nullptr);
		gst_clear_object(&pool);
		wanted = std::max(wanted, minimum);
		gst_query_remove_nth_allocation_pool(query, 0);
	}
	return wanted;
}

static gboolean gst_heap_alloc_propose_allocation(GstBaseTransform *base, GstQuery *decide,
						  GstQuery *query)
{
	GstHeapAlloc *self = GST_HEAP_ALLOC(base);
	GstCaps *caps = nullptr;

	/* In passthrough this asks downstream and leaves its answer in the query. */
	GST_BASE_TRANSFORM_CLASS(gst_heap_alloc_parent_class)
		->propose_allocation(base, decide, query);

	gst_query_parse_allocation(query, &caps, nullptr);
	if (!caps || !gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw"))
		return TRUE;

	const std::optional<GstVideoAlignment> alignment = downstreamAlignment(query);
	const guint minimum = std::max(takePoolsOut(query), minimumBuffers);
	auto offer = heapflow::gst::offerHeapPool(GST_ELEMENT_CAST(self), currentHeap(self), caps,
						  minimum, alignment ? &*alignment : nullptr);
	if (!offer) {
		HEAPFLOW_ELEMENT_ERROR(self, offer.error());
		return FALSE;
	}
	/* Allocators of downstream must not come between the pool and its heap. */
	while (gst_query_get_n_allocation_params(query) > 0)
		gst_query_remove_nth_allocation_param(query, 0);
	gst_query_add_allocation_pool(query, offer->pool, offer->size, minimum, 0);
	GST_DEBUG_OBJECT(self, "offer %" GST_PTR_FORMAT, static_cast<void *>(query));
	gst_object_unref(offer->pool);
	return TRUE;
}

static GstFlowReturn gst_heap_alloc_transform_ip(GstBaseTransform *base, GstBuffer *buffer)
{
	Injector &injector = *GST_HEAP_ALLOC(base)->injector;
	const bool ours = gst_buffer_n_memory(buffer) > 0 &&
			  GST_IS_HEAP_ALLOCATOR(gst_buffer_peek_memory(buffer, 0)->allocator);

	(ours ? injector.fromHeap : injector.foreign)++;
	return injector.contract.isBroken() ? GST_FLOW_ERROR : GST_FLOW_OK;
}

static void gst_heap_alloc_set_property(GObject *object, guint id, const GValue *value,
					GParamSpec *spec)
{
	Injector &injector = *GST_HEAP_ALLOC(object)->injector;

	if (id == PropRequireZeroCopy) {
		injector.contract.require(g_value_get_boolean(value));
		return;
	}
	if (id != PropHeap) {
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
		return;
	}
	const char *heap = g_value_get_string(value);
	std::lock_guard lock(injector.mutex);
	injector.heap = heap ? heap : "";
}

static void gst_heap_alloc_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
	GstHeapAlloc *self = GST_HEAP_ALLOC(object);

	switch (id) {
	case PropHeap:
		g_value_set_string(value, currentHeap(self).c_str());
		break;
	case PropRequireZeroCopy:
		g_value_set_boolean(value, self->injector->contract.isRequired());
		break;
	case PropStats:
		g_value_take_boxed(value,
				   gst_structure_new("heapalloc-stats", "from-heap", G_TYPE_UINT64,
						     self->injector->fromHeap.load(), "foreign",
						     G_TYPE_UINT64, self->injector->foreign.load(),
						     nullptr));
		break;
	default:
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
}

static void gst_heap_alloc_finalize(GObject *object)
{
	delete GST_HEAP_ALLOC(object)->injector;
	G_OBJECT_CLASS(gst_heap_alloc_parent_class)->finalize(object);
}

static void gst_heap_alloc_class_init(GstHeapAllocClass *klass)
{
	GObjectClass *object = G_OBJECT_CLASS(klass);
	GstElementClass *element = GST_ELEMENT_CLASS(klass);
	GstBaseTransformClass *base = GST_BASE_TRANSFORM_CLASS(klass);

	object->set_property = gst_heap_alloc_set_property;
	object->get_property = gst_heap_alloc_get_property;
	object->finalize = gst_heap_alloc_finalize;

	/**
	 * heapalloc:heap:
	 *
	 * Heap expression: names, globs or `default`, separated by colons, the preferred one first.
	 * `heapctl explain EXPRESSION` shows what it means on this system.
	 */
	g_object_class_install_property(
		object, PropHeap,
		g_param_spec_string(
			"heap", "Heap",
			"Heaps to offer memory from, in the order of preference: names, "
			"globs, 'default', separated by ':'",
			heapflow::gst::defaultHeapExpression,
			GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
				    GST_PARAM_MUTABLE_READY)));
	/**
	 * heapalloc:stats:
	 *
	 * Buffers that passed: from-heap, in memory of a heap, and foreign, in any other.
	 */
	g_object_class_install_property(
		object, PropStats,
		g_param_spec_boxed("stats", "Statistics",
				   "Buffers that passed: from-heap and foreign", GST_TYPE_STRUCTURE,
				   GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));

	/**
	 * heapalloc:require-zero-copy:
	 *
	 * Makes it an error when the CPU maps or copies a frame in any element on the way from the
	 * sources before heapalloc to the screens after it. The message names the element and the
	 * reason. Branches that lead to no screen are free.
	 */
	heapflow::gst::installRequireZeroCopy(object, PropRequireZeroCopy);

	gst_element_class_set_static_metadata(
		element, "dma-buf heap allocation", "Filter/Video",
		"Makes upstream elements allocate their frames in a dma-buf heap chosen by name",
		"The heapflow developers");
	gst_element_class_add_static_pad_template(element, &sinkTemplate);
	gst_element_class_add_static_pad_template(element, &srcTemplate);

	base->start = GST_DEBUG_FUNCPTR(gst_heap_alloc_start);
	base->propose_allocation = GST_DEBUG_FUNCPTR(gst_heap_alloc_propose_allocation);
	base->transform_ip = GST_DEBUG_FUNCPTR(gst_heap_alloc_transform_ip);
	base->passthrough_on_same_caps = TRUE;
}

static void gst_heap_alloc_init(GstHeapAlloc *self)
{
	self->injector = new Injector(GST_ELEMENT_CAST(self));
	gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), TRUE);
}
