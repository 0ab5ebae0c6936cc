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
 * What the elements after it support (metas, alignment of lines and of memory, number of buffers)
 * is passed on. The place for it is directly after the element that allocates; a tee passes on no
 * pool, so heapalloc goes before it.
 *
 * Frames that come in other memory all the same are passed on, copied or refused, as
 * #heapalloc:mode says, and counted in #heapalloc:stats. Nothing of it is silent: the first such
 * frame of a stream is announced by a warning and an element message, `heapflow-foreign` when it is
 * passed on, with the fields `reason` and `hint`, or `heapflow-copy` when it is copied, which has
 * `element` and `bytes` as well; also when another element copied it before.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 v4l2src device=/dev/video7 io-mode=dmabuf-import ! heapalloc heap='video@*' !
 * heapkmssink
 * ]|
 * The V4L2 device captures into memory of a region whose name begins with `video@`.
 * |[
 * gst-launch-1.0 filesrc location=film.mkv ! decodebin ! heapalloc mode=copy ! heapkmssink
 * ]|
 * Frames of a decoder that brings its own memory are copied, and the copies are announced.
 *
 * Since: 0.1
 */
#include "gstheapalloc_private.h"

#include "gstheaperror.h"

GST_DEBUG_CATEGORY(gst_heap_alloc_debug);
#define GST_CAT_DEFAULT gst_heap_alloc_debug

using heapflow::gst::AllocCounts;
using heapflow::gst::ForeignMode;
using heapflow::gst::Injector;

namespace
{

/*
 * When the heap changes, frames of the one before are still on their way: in queues, in what a
 * decoder holds for reordering. After so many, whoever sends them did not take the new pool.
 */
constexpr unsigned framesInFlight = 64;

enum { PropHeap = 1, PropMode, PropStats, PropRequireZeroCopy };

} /* namespace */

G_DEFINE_TYPE_WITH_CODE(GstHeapAlloc, gst_heap_alloc, GST_TYPE_BASE_TRANSFORM,
			GST_DEBUG_CATEGORY_INIT(gst_heap_alloc_debug, "heapalloc", 0,
						"allocation in a dma-buf heap"))
GST_ELEMENT_REGISTER_DEFINE(heapalloc, "heapalloc", GST_RANK_NONE, GST_TYPE_HEAP_ALLOC)

static GstStaticPadTemplate sinkTemplate =
	GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate srcTemplate =
	GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

GType gst_heap_alloc_mode_get_type()
{
	static const GType type = [] {
		static const GEnumValue values[] = {
			{int(ForeignMode::Pass), "Pass it on as it is, and say so", "pass"},
			{int(ForeignMode::Copy), "Copy it into the heap, and say so", "copy"},
			{int(ForeignMode::Refuse), "End the stream with an error", "refuse"},
			{0, nullptr, nullptr},
		};
		return g_enum_register_static("GstHeapAllocMode", values);
	}();
	return type;
}

static std::string currentHeap(GstHeapAlloc *self)
{
	std::lock_guard lock(self->injector->mutex);
	return self->injector->heap;
}

/* A wrong heap is an error at once, not when the first element happens to ask for memory. */
static gboolean gst_heap_alloc_start(GstBaseTransform *base)
{
	GstHeapAlloc *self = GST_HEAP_ALLOC(base);
	Injector &injector = *self->injector;
	auto meant = heapflow::gst::meantHeaps(currentHeap(self));

	if (!meant) {
		HEAPFLOW_ELEMENT_ERROR(self, meant.error());
		return FALSE;
	}
	GST_INFO_OBJECT(self, "heap %s", meant->first.c_str());
	injector.contract.restart();
	std::lock_guard lock(injector.mutex);
	injector.meant = std::move(*meant);
	injector.earlier.clear();
	injector.earlierLeft = 0;
	injector.asked = injector.copierStale = false;
	injector.foreignSaid = injector.earlierCopySaid = false;
	injector.whyNot.clear();
	injector.counts = {};
	return TRUE;
}

static gboolean gst_heap_alloc_stop(GstBaseTransform *base)
{
	Injector &injector = *GST_HEAP_ALLOC(base)->injector;

	injector.copier.reset();
	injector.format.reset();
	gst_clear_caps(&injector.caps);
	std::lock_guard lock(injector.mutex);
	injector.meant = {};
	return TRUE;
}

/* Any caps will do: what is no raw video is only looked at. */
static gboolean gst_heap_alloc_set_caps(GstBaseTransform *base, GstCaps *caps, GstCaps *)
{
	Injector &injector = *GST_HEAP_ALLOC(base)->injector;

	gst_caps_replace(&injector.caps, caps);
	injector.format.reset();
	if (auto format = heapflow::gst::frameFormatFromCaps(caps))
		injector.format = std::move(*format);
	std::lock_guard lock(injector.mutex);
	injector.asked = false;
	injector.whyNot.clear();
	return TRUE;
}

/*
 * In play the elements before are asked to allocate anew, and what they sent before that is still
 * welcome. A heap that is not there changes nothing: the stream goes on in the one it has.
 */
static void gst_heap_alloc_change_heap(GstHeapAlloc *self, const std::string &heap)
{
	Injector &injector = *self->injector;
	{
		std::lock_guard lock(injector.mutex);
		if (injector.meant.names.empty()) {
			injector.heap = heap;
			return;
		}
		if (injector.heap == heap)
			return;
	}
	auto meant = heapflow::gst::meantHeaps(heap);
	if (!meant) {
		HEAPFLOW_ELEMENT_WARNING(self, meant.error());
		return;
	}
	{
		std::lock_guard lock(injector.mutex);
		GST_INFO_OBJECT(self, "heap %s after %s", meant->first.c_str(),
				injector.meant.first.c_str());
		injector.heap = heap;
		injector.earlier.merge(injector.meant.names);
		injector.earlierLeft = framesInFlight;
		injector.meant = std::move(*meant);
		injector.copierStale = true;
	}
	gst_base_transform_reconfigure_sink(GST_BASE_TRANSFORM(self));
}

static void gst_heap_alloc_set_property(GObject *object, guint id, const GValue *value,
					GParamSpec *spec)
{
	GstHeapAlloc *self = GST_HEAP_ALLOC(object);
	const char *heap = nullptr;

	switch (id) {
	case PropRequireZeroCopy:
		self->injector->contract.require(g_value_get_boolean(value));
		break;
	case PropHeap:
		heap = g_value_get_string(value);
		gst_heap_alloc_change_heap(self, heap ? heap : "");
		break;
	case PropMode: {
		std::lock_guard lock(self->injector->mutex);
		self->injector->mode = ForeignMode(g_value_get_enum(value));
		break;
	}
	default:
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
}

static GstStructure *gst_heap_alloc_statistics(GstHeapAlloc *self)
{
	std::lock_guard lock(self->injector->mutex);
	const AllocCounts &counts = self->injector->counts;

	return gst_structure_new(
		"heapalloc-stats", "from-heap", G_TYPE_UINT64, counts.fromHeap, "earlier-heap",
		G_TYPE_UINT64, counts.earlierHeap, "foreign", G_TYPE_UINT64, counts.foreign,
		"passed", G_TYPE_UINT64, counts.passed, "copied", G_TYPE_UINT64, counts.copied,
		"refused", G_TYPE_UINT64, counts.refused, "copied-bytes", G_TYPE_UINT64,
		counts.copiedBytes, "copied-upstream", G_TYPE_UINT64, counts.copiedUpstream,
		"offers", G_TYPE_UINT64, counts.offers, nullptr);
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
	case PropMode: {
		std::lock_guard lock(self->injector->mutex);
		g_value_set_enum(value, int(self->injector->mode));
		break;
	}
	case PropStats:
		g_value_take_boxed(value, gst_heap_alloc_statistics(self));
		break;
	default:
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
}

static void gst_heap_alloc_finalize(GObject *object)
{
	Injector *injector = GST_HEAP_ALLOC(object)->injector;

	gst_clear_caps(&injector->caps);
	delete injector;
	G_OBJECT_CLASS(gst_heap_alloc_parent_class)->finalize(object);
}

static void gst_heap_alloc_install_properties(GObjectClass *object)
{
	/**
	 * heapalloc:heap:
	 *
	 * Heap expression: names, globs or `default`, separated by colons, the preferred one first.
	 * `heapctl explain EXPRESSION` shows what it means on this system. With `auto` the devices
	 * on both sides are asked: heapkmssink's display, the capture nodes of V4L2 elements.
	 *
	 * It may be changed while the stream plays. The elements before are then asked to allocate
	 * anew (v4l2src does so only together with other caps); their frames that are in flight
	 * pass. A heap that is not there is a warning, and nothing changes.
	 */
	g_object_class_install_property(
		object, PropHeap,
		g_param_spec_string(
			"heap", "Heap",
			"Heaps to offer memory from, in the order of preference: names, "
			"globs, 'default', 'auto', separated by ':'",
			heapflow::gst::defaultHeapExpression,
			GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
				    GST_PARAM_MUTABLE_PLAYING)));
	/**
	 * heapalloc:mode:
	 *
	 * What happens to frames in other memory than that of the heap. The default passes them on:
	 * a pipeline that worked without heapalloc works with it, and its warning tells what is
	 * missing. With `copy` everything after heapalloc is in the heap. With `refuse` everything
	 * is, without a copy, or the stream ends.
	 */
	g_object_class_install_property(
		object, PropMode,
		g_param_spec_enum("mode", "Mode",
				  "What happens to frames in other memory than that of the heap",
				  gst_heap_alloc_mode_get_type(), int(ForeignMode::Pass),
				  GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
					      GST_PARAM_MUTABLE_PLAYING)));
	/**
	 * heapalloc:stats:
	 *
	 * Frames that passed, all of type guint64: `from-heap`, in memory of the heap;
	 * `earlier-heap`, of the one before #heapalloc:heap was changed; `foreign`, in any other,
	 * which is the sum of `passed`, `copied` and `refused`. `copied-bytes` were copied.
	 * `copied-upstream` are frames of any memory that the CPU had copied before they came.
	 * `offers` is how many times a pool was offered to the elements before.
	 */
	g_object_class_install_property(
		object, PropStats,
		g_param_spec_boxed("stats", "Statistics",
				   "Frames that passed, by the memory they were in",
				   GST_TYPE_STRUCTURE,
				   GParamFlags(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
	/**
	 * heapalloc:require-zero-copy:
	 *
	 * Makes it an error when the CPU maps or copies a frame in any element on the way from the
	 * sources before heapalloc to the screens after it. The message names the element and the
	 * reason. Branches that lead to no screen are free.
	 *
	 * The first use in a process adds hooks to a table of GStreamer's that has no lock: set it
	 * before any pipeline of the process plays.
	 */
	heapflow::gst::installRequireZeroCopy(object, PropRequireZeroCopy);
	gst_type_mark_as_plugin_api(gst_heap_alloc_mode_get_type(), GstPluginAPIFlags(0));
}

static void gst_heap_alloc_class_init(GstHeapAllocClass *klass)
{
	GObjectClass *object = G_OBJECT_CLASS(klass);
	GstElementClass *element = GST_ELEMENT_CLASS(klass);
	GstBaseTransformClass *base = GST_BASE_TRANSFORM_CLASS(klass);

	object->set_property = gst_heap_alloc_set_property;
	object->get_property = gst_heap_alloc_get_property;
	object->finalize = gst_heap_alloc_finalize;
	gst_heap_alloc_install_properties(object);

	gst_element_class_set_static_metadata(
		element, "dma-buf heap allocation", "Filter/Video",
		"Makes upstream elements allocate their frames in a dma-buf heap chosen by name",
		"The heapflow developers");
	gst_element_class_add_static_pad_template(element, &sinkTemplate);
	gst_element_class_add_static_pad_template(element, &srcTemplate);

	base->start = GST_DEBUG_FUNCPTR(gst_heap_alloc_start);
	base->stop = GST_DEBUG_FUNCPTR(gst_heap_alloc_stop);
	base->set_caps = GST_DEBUG_FUNCPTR(gst_heap_alloc_set_caps);
	base->propose_allocation = GST_DEBUG_FUNCPTR(gst_heap_alloc_propose_allocation);
	base->prepare_output_buffer = GST_DEBUG_FUNCPTR(gst_heap_alloc_prepare_output_buffer);
	base->passthrough_on_same_caps = TRUE;
}

static void gst_heap_alloc_init(GstHeapAlloc *self)
{
	self->injector = new Injector(GST_ELEMENT_CAST(self));
	gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), TRUE);
}
