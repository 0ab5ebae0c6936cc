/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapbufferpool.h"

#include "gstheapformat.h"
#include "gstheapi18n.h"

#include <cerrno>

namespace heapflow::gst
{

static Result<HeapChoice> chooseFor(const std::string &heapExpression,
				    const std::vector<MemoryProbe *> &probes)
{
	const auto expression = parseHeapExpression(heapExpression);
	if (!expression)
		return std::unexpected(expression.error());
	const auto heaps = listHeaps();
	if (!heaps)
		return std::unexpected(heaps.error());
	return chooseProvenHeap(*expression, *heaps, {}, probes);
}

Result<PoolOffer> offerHeapPool(GstElement *element, const std::string &heapExpression,
				GstCaps *caps, guint minimum, const GstVideoAlignment *alignment,
				const std::vector<MemoryProbe *> &probes, bool memoryPerPlane)
{
	auto format = frameFormatFromCaps(caps);
	if (!format)
		return std::unexpected(format.error());
	if (!format->planesKnown)
		return fail(EINVAL,
			    formatted(_("the planes of %s cannot be laid out"),
				      drmFormatString(format->fourcc, format->modifier).c_str()));
	auto choice = chooseFor(heapExpression, probes);
	if (!choice)
		return std::unexpected(choice.error());

	GstVideoInfo info = format->info;
	GstVideoAlignment aligned;
	if (alignment) {
		aligned = *alignment;
		if (!gst_video_info_align(&info, &aligned))
			return fail(EINVAL, _("the alignment that was asked for cannot be met"));
	}

	g_autofree char *name = gst_object_get_name(GST_OBJECT_CAST(element));
	GstAllocator *allocator = gst_heap_allocator_new(std::move(*choice), name);
	PoolOffer offer{
		gst_heap_buffer_pool_new_for_element(GST_HEAP_ALLOCATOR(allocator), element),
		guint(GST_VIDEO_INFO_SIZE(&info))};
	gst_object_unref(allocator);

	GstStructure *config = gst_buffer_pool_get_config(offer.pool);
	gst_buffer_pool_config_set_params(config, caps, offer.size, minimum, 0);
	gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
	if (memoryPerPlane)
		gst_buffer_pool_config_add_option(config,
						  GST_BUFFER_POOL_OPTION_HEAP_MEMORY_PER_PLANE);
	if (alignment) {
		gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
		gst_buffer_pool_config_set_video_alignment(config, &aligned);
	}
	if (!gst_buffer_pool_set_config(offer.pool, config)) {
		gst_object_unref(offer.pool);
		return fail(EINVAL,
			    formatted(_("the pool refuses frames of %s"),
				      drmFormatString(format->fourcc, format->modifier).c_str()));
	}
	return offer;
}

} /* namespace heapflow::gst */
