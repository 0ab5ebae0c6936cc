/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heapalloc: the answer to the ALLOCATION query of the elements before it. */
#include "gstheapalloc_private.h"

#include "gstheapbufferpool.h"
#include "gstheaperror.h"
#include "gstheapi18n.h"
#include "gstheapneighbours.h"

#include <algorithm>
#include <memory>
#include <vector>

#define GST_CAT_DEFAULT gst_heap_alloc_debug

using heapflow::HeapAlternative;
using heapflow::MemoryProbe;
using heapflow::gst::DownstreamWishes;
using heapflow::gst::formatted;
using heapflow::gst::Injector;

namespace
{

/* What v4l2src and a sink need when neither says anything. */
constexpr guint minimumBuffers = 2;

/* Padding and stride alignment, from a "video-meta" structure or the configuration of a pool. */
std::optional<GstVideoAlignment> alignmentIn(const GstStructure *structure)
{
	GstVideoAlignment alignment;

	gst_video_alignment_reset(&alignment);
	if (!structure || !gst_buffer_pool_config_get_video_alignment(structure, &alignment))
		return std::nullopt;
	return alignment;
}

std::optional<GstVideoAlignment> alignmentOfPool(GstBufferPool *pool)
{
	GstStructure *config = gst_buffer_pool_get_config(pool);
	std::optional<GstVideoAlignment> alignment;

	if (gst_buffer_pool_config_has_option(config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT))
		alignment = alignmentIn(config);
	gst_structure_free(config);
	return alignment;
}

} /* namespace */

namespace heapflow::gst
{

/*
 * A sink says how it wants lines aligned beside GstVideoMeta (gstvideometa.h) or, when it would
 * have given a pool of its own, in the configuration of that.
 */
DownstreamWishes readWishes(GstQuery *query)
{
	DownstreamWishes wishes;
	guint index = 0;

	gst_allocation_params_init(&wishes.params);
	wishes.videoMeta = gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, &index);
	if (wishes.videoMeta) {
		const GstStructure *parameters = nullptr;
		gst_query_parse_nth_allocation_meta(query, index, &parameters);
		if (parameters && gst_structure_has_name(parameters, "video-meta"))
			wishes.alignment = alignmentIn(parameters);
	}
	for (guint i = 0; i < gst_query_get_n_allocation_pools(query); i++) {
		GstBufferPool *pool = nullptr;
		guint minimum = 0;
		gst_query_parse_nth_allocation_pool(query, i, &pool, nullptr, &minimum, nullptr);
		wishes.buffers = std::max(wishes.buffers, minimum);
		if (pool && wishes.videoMeta && !wishes.alignment)
			wishes.alignment = alignmentOfPool(pool);
		gst_clear_object(&pool);
	}
	for (guint i = 0; i < gst_query_get_n_allocation_params(query); i++) {
		GstAllocationParams params;
		gst_query_parse_nth_allocation_param(query, i, nullptr, &params);
		wishes.params.align |= params.align;
		wishes.params.padding = std::max(wishes.params.padding, params.padding);
	}
	return wishes;
}

} /* namespace heapflow::gst */

static bool usesAuto(const std::string &expression)
{
	const auto parsed = heapflow::parseHeapExpression(expression);
	return parsed && std::ranges::any_of(parsed->alternatives, [](const auto &alternative) {
		       return alternative.kind == HeapAlternative::Kind::Auto;
	       });
}

/* The devices on both sides, which `auto` asks whether they take a heap's memory. */
static std::vector<std::unique_ptr<MemoryProbe>> devicesAround(GstBaseTransform *base)
{
	auto probes = heapflow::gst::deviceProbes(GST_BASE_TRANSFORM_SRC_PAD(base));
	for (auto &probe : heapflow::gst::deviceProbes(GST_BASE_TRANSFORM_SINK_PAD(base)))
		probes.push_back(std::move(probe));
	return probes;
}

/* Memory of downstream must not come between the pool and its heap; what it asks for stays. */
static void replaceAllocation(GstQuery *query, const DownstreamWishes &wishes, GstBufferPool *pool,
			      guint size, guint minimum)
{
	while (gst_query_get_n_allocation_pools(query) > 0)
		gst_query_remove_nth_allocation_pool(query, 0);
	while (gst_query_get_n_allocation_params(query) > 0)
		gst_query_remove_nth_allocation_param(query, 0);
	if (wishes.params.align || wishes.params.padding)
		gst_query_add_allocation_param(query, nullptr, &wishes.params);
	gst_query_add_allocation_pool(query, pool, size, minimum, 0);
}

/* The pool keeps to them also when upstream passes on none. */
static bool applyParams(GstBufferPool *pool, const GstAllocationParams &params)
{
	GstStructure *config = gst_buffer_pool_get_config(pool);

	gst_buffer_pool_config_set_allocator(config, nullptr, &params);
	return gst_buffer_pool_set_config(pool, config);
}

static void noteAnswer(Injector &injector, std::string whyNot)
{
	std::lock_guard lock(injector.mutex);
	injector.asked = true;
	injector.counts.offers += whyNot.empty();
	injector.whyNot = std::move(whyNot);
	/* Who asks anew may have other elements behind it. */
	injector.copierStale = true;
}

/*
 * Only for frames that have planes: what is compressed, tiled or no video has no layout that a pool
 * in a heap could be offered for, and downstream's answer stays as it is.
 */
static std::string whyNoOffer(GstCaps *caps)
{
	if (!caps)
		return _("the elements before it named no caps");
	if (!gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw"))
		return formatted(_("%s is not raw video"),
				 gst_structure_get_name(gst_caps_get_structure(caps, 0)));
	const auto format = heapflow::gst::frameFormatFromCaps(caps);
	if (!format)
		return format.error().message;
	if (!format->planesKnown)
		return formatted(
			_("the planes of %s cannot be laid out"),
			heapflow::gst::drmFormatString(format->fourcc, format->modifier).c_str());
	return {};
}

gboolean gst_heap_alloc_propose_allocation(GstBaseTransform *base, GstQuery *decide,
					   GstQuery *query)
{
	GstHeapAlloc *self = GST_HEAP_ALLOC(base);
	GstCaps *caps = nullptr;
	gboolean needPool = FALSE;

	/* In passthrough this asks downstream and leaves its answer in the query. */
	GST_BASE_TRANSFORM_CLASS(g_type_class_peek_parent(GST_BASE_TRANSFORM_GET_CLASS(base)))
		->propose_allocation(base, decide, query);

	gst_query_parse_allocation(query, &caps, &needPool);
	if (std::string why = whyNoOffer(caps); !why.empty()) {
		GST_INFO_OBJECT(self, "nothing to offer: %s", why.c_str());
		noteAnswer(*self->injector, std::move(why));
		return TRUE;
	}

	std::string heap;
	{
		std::lock_guard lock(self->injector->mutex);
		heap = self->injector->heap;
	}
	std::vector<std::unique_ptr<MemoryProbe>> devices;
	if (usesAuto(heap))
		devices = devicesAround(base);
	std::vector<MemoryProbe *> probes;
	for (const auto &device : devices)
		probes.push_back(device.get());

	const DownstreamWishes wishes = heapflow::gst::readWishes(query);
	const guint minimum = std::max(wishes.buffers, minimumBuffers);
	auto offer = heapflow::gst::offerHeapPool(
		GST_ELEMENT_CAST(self), heap, caps, minimum,
		wishes.alignment ? &*wishes.alignment : nullptr, probes,
		heapflow::gst::wantsMemoryPerPlane(GST_BASE_TRANSFORM_SINK_PAD(base), caps));
	if (!offer) {
		HEAPFLOW_ELEMENT_ERROR(self, offer.error());
		noteAnswer(*self->injector, offer.error().message);
		return FALSE;
	}
	if ((wishes.params.align || wishes.params.padding) &&
	    !applyParams(offer->pool, wishes.params))
		GST_WARNING_OBJECT(self, "the pool does not take the parameters of downstream");
	/* Who needs no pool (tee) asks for numbers all the same. */
	replaceAllocation(query, wishes, needPool ? offer->pool : nullptr, offer->size, minimum);
	GST_DEBUG_OBJECT(self, "offer %" GST_PTR_FORMAT, static_cast<void *>(query));
	gst_object_unref(offer->pool);
	noteAnswer(*self->injector, {});
	return TRUE;
}
