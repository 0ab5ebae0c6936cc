/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What heapalloc counted, and what really arrived. */
#pragma once

#include "dmabuf_witness.h"
#include "pipeline.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <gst/allocators/gstdmabuf.h>

namespace heapflow::test
{

using AllocStats = std::map<std::string, uint64_t>;

/** \brief Every field of the statistics of the element `alloc` */
inline AllocStats allocStats(Pipeline &pipeline, const char *element = "alloc")
{
	AllocStats stats;
	GstStructure *structure = nullptr;

	g_object_get(pipeline.element(element), "stats", &structure, nullptr);
	for (gint i = 0; structure && i < gst_structure_n_fields(structure); i++) {
		const char *field = gst_structure_nth_field_name(structure, guint(i));
		guint64 value = 0;
		if (gst_structure_get_uint64(structure, field, &value))
			stats[field] = value;
	}
	g_clear_pointer(&structure, gst_structure_free);
	return stats;
}

/** \brief "ordinary", "dmabuf", or the heap that the kernel names, of a frame in one memory */
inline std::string memoryOf(GstBuffer *buffer)
{
	GstMemory *memory = gst_buffer_peek_memory(buffer, 0);
	if (!gst_is_dmabuf_memory(memory))
		return "ordinary";
	const std::string exporter = exporterOf(gst_dmabuf_memory_get_fd(memory));
	return exporter.empty() ? "dmabuf" : exporter;
}

/** \brief Counts the frames at the sink by their memory */
inline std::shared_ptr<std::map<std::string, unsigned>> memoryOfFrames(Pipeline &pipeline)
{
	auto arrived = std::make_shared<std::map<std::string, unsigned>>();

	pipeline.onBuffer(
		[arrived](GstBuffer *buffer, unsigned) { (*arrived)[memoryOf(buffer)]++; });
	return arrived;
}

} /* namespace heapflow::test */
