/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What heapkmssink asks of memory, and the pool that it offers to upstream. */
#include "gstheapkmssink_private.h"

#include "gstheapbufferpool.h"
#include "gstheapneighbours.h"

#include "heapflow/display/display_probe.h"

#define GST_CAT_DEFAULT gst_heap_kms_sink_debug

using heapflow::Error;
using heapflow::MemoryProbe;
using heapflow::gst::DisplayTerms;
using heapflow::gst::Scanout;

namespace
{

/* One on the screen, one waiting for the vblank, one being filled. */
constexpr guint minimumBuffers = 3;

} /* namespace */

/* What the driver asks of framebuffers of a format. */
DisplayTerms gst_heap_kms_sink_terms(GstHeapKmsSink *self, Scanout &scanout, uint32_t fourcc,
				     uint32_t width, uint32_t height)
{
	std::string heap;
	{
		std::lock_guard lock(self->sink->mutex);
		heap = self->sink->heap;
	}
	const heapflow::SizeLimits limits = scanout.limits();
	g_autofree char *name = gst_object_get_name(GST_OBJECT_CAST(self));
	DisplayTerms terms{.name = std::string(name) + " (" + scanout.devicePath() + ")",
			   .device = scanout.devicePath(),
			   .buffersHeld = minimumBuffers,
			   .minimumWidth = limits.minimumWidth,
			   .maximumWidth = limits.maximumWidth,
			   .minimumHeight = limits.minimumHeight,
			   .maximumHeight = limits.maximumHeight};
	const auto pitch = scanout.pitchAlignment(fourcc, width, height, heap);
	if (pitch)
		terms.pitchAlignment = *pitch;
	else
		GST_INFO_OBJECT(self, "pitch alignment unknown: %s", pitch.error().text().c_str());
	return terms;
}

/* The same as GStreamer's alignment of strides, a mask for each plane. */
static GstVideoAlignment gst_heap_kms_sink_alignment(const DisplayTerms &terms)
{
	GstVideoAlignment alignment;
	gst_video_alignment_reset(&alignment);
	for (guint &plane : alignment.stride_align)
		plane = terms.pitchAlignment ? terms.pitchAlignment - 1 : 0;
	return alignment;
}

/*
 * A pool in a heap for those who would otherwise use memory of their own. Without a heap on the
 * system there is none to offer, and a camera that brings its own dma-bufs needs none.
 */
gboolean gst_heap_kms_sink_propose_allocation(GstBaseSink *base, GstQuery *query)
{
	GstHeapKmsSink *self = GST_HEAP_KMS_SINK(base);
	GstCaps *caps = nullptr;
	gboolean needPool = FALSE;

	gst_query_parse_allocation(query, &caps, &needPool);
	if (!caps)
		return FALSE;
	gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
	gst_query_add_allocation_meta(query, GST_VIDEO_CROP_META_API_TYPE, nullptr);
	std::shared_ptr<Scanout> scanout = gst_heap_kms_sink_scanout(self);
	const auto format = heapflow::gst::frameFormatFromCaps(caps);
	DisplayTerms terms;
	if (scanout && format && format->planesKnown) {
		terms = gst_heap_kms_sink_terms(self, *scanout, format->fourcc,
						guint(GST_VIDEO_INFO_WIDTH(&format->info)),
						guint(GST_VIDEO_INFO_HEIGHT(&format->info)));
		heapflow::gst::addScanout(query, terms);
	}
	if (!needPool)
		return TRUE;

	std::string heap;
	{
		std::lock_guard lock(self->sink->mutex);
		heap = self->sink->heap;
	}
	const GstVideoAlignment alignment = gst_heap_kms_sink_alignment(terms);
	std::unique_ptr<MemoryProbe> probe;
	std::vector<MemoryProbe *> probes;
	if (scanout) {
		if (auto opened = heapflow::openDisplayProbe(scanout->devicePath())) {
			probe = std::move(*opened);
			probes.push_back(probe.get());
		}
	}
	auto offer = heapflow::gst::offerHeapPool(
		GST_ELEMENT_CAST(self), heap, caps, minimumBuffers,
		alignment.stride_align[0] ? &alignment : nullptr, probes,
		heapflow::gst::wantsMemoryPerPlane(GST_BASE_SINK_PAD(self), caps));
	{
		std::lock_guard lock(self->sink->mutex);
		self->sink->asked = true;
		self->sink->whyNoPool = offer ? Error() : offer.error();
	}
	if (!offer) {
		GST_INFO_OBJECT(self, "no pool to offer: %s", offer.error().text().c_str());
		return TRUE;
	}
	gst_query_add_allocation_pool(query, offer->pool, offer->size, minimumBuffers, 0);
	gst_object_unref(offer->pool);
	return TRUE;
}
