/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What heapkmssink has counted, while it runs and after. */
#include "gstheapkmssink_private.h"

#define GST_CAT_DEFAULT gst_heap_kms_sink_debug

using heapflow::gst::KmsSink;

/* average-rate, dropped and rendered, as of any sink, but since READY */
static GstStructure *gst_heap_kms_sink_base_statistics(GstHeapKmsSink *self)
{
	GstStructure *statistics = gst_base_sink_get_stats(GST_BASE_SINK(self));
	guint64 rendered = 0, dropped = 0;

	gst_structure_get_uint64(statistics, "rendered", &rendered);
	gst_structure_get_uint64(statistics, "dropped", &dropped);
	std::lock_guard lock(self->sink->mutex);
	gst_structure_set(statistics, "rendered", G_TYPE_UINT64,
			  rendered + self->sink->renderedBefore, "dropped", G_TYPE_UINT64,
			  dropped + self->sink->droppedBefore, nullptr);
	return statistics;
}

/* GstBaseSink sets its counts to 0 with each segment, each flush and each pause. */
void gst_heap_kms_sink_carry_counts(GstHeapKmsSink *self)
{
	GstStructure *statistics = gst_heap_kms_sink_base_statistics(self);
	std::lock_guard lock(self->sink->mutex);

	gst_structure_get_uint64(statistics, "rendered", &self->sink->renderedBefore);
	gst_structure_get_uint64(statistics, "dropped", &self->sink->droppedBefore);
	gst_structure_free(statistics);
}

GstStructure *gst_heap_kms_sink_statistics(GstHeapKmsSink *self)
{
	KmsSink &sink = *self->sink;
	{
		std::lock_guard lock(sink.mutex);
		if (sink.lastStatistics)
			return gst_structure_copy(sink.lastStatistics);
	}
	GstStructure *statistics = gst_heap_kms_sink_base_statistics(self);
	if (auto scanout = gst_heap_kms_sink_scanout(self))
		scanout->addStatistics(statistics);
	return statistics;
}

/* What was counted can still be read in READY and NULL. */
void gst_heap_kms_sink_keep_statistics(GstHeapKmsSink *self)
{
	KmsSink &sink = *self->sink;
	GstStructure *statistics = gst_heap_kms_sink_statistics(self);

	GST_INFO_OBJECT(self, "%" GST_PTR_FORMAT, static_cast<void *>(statistics));
	std::lock_guard lock(sink.mutex);
	g_clear_pointer(&sink.lastStatistics, gst_structure_free);
	g_clear_pointer(&sink.lastPlan, gst_structure_free);
	sink.lastStatistics = statistics;
	sink.lastPlan = sink.scanout ? sink.scanout->plan() : nullptr;
}

void gst_heap_kms_sink_forget_statistics(GstHeapKmsSink *self)
{
	KmsSink &sink = *self->sink;
	sink.contract.restart();
	std::lock_guard lock(sink.mutex);

	g_clear_pointer(&sink.lastStatistics, gst_structure_free);
	g_clear_pointer(&sink.lastPlan, gst_structure_free);
	sink.renderedBefore = sink.droppedBefore = 0;
	if (sink.scanout)
		sink.scanout->resetStatistics();
}

void gst_heap_kms_sink_post_statistics(GstHeapKmsSink *self)
{
	self->sink->statsPosted = true;
	GstStructure *statistics = gst_heap_kms_sink_statistics(self);

	gst_structure_set_name(statistics, "heapflow-stats");
	gst_element_post_message(GST_ELEMENT_CAST(self),
				 gst_message_new_element(GST_OBJECT_CAST(self), statistics));
}
