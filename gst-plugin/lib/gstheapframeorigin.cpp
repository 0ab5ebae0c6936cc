/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapframeoriginprivate.h"

#include <atomic>
#include <memory>

namespace
{

/* Of one memory; frames that were made of it may outlive it. */
struct MemoryHistory {
	std::atomic<bool> writtenByCpu = false;
	std::atomic<bool> told = false; /* that it was a copy */
};
using SharedHistory = std::shared_ptr<MemoryHistory>;

struct HeapOriginMeta {
	GstMeta meta;
	SharedHistory *origin;
};

GQuark historyQuark()
{
	static const GQuark quark = g_quark_from_static_string("heapflow-memory-history");
	return quark;
}

/* A part of a memory (gst_memory_share()) has the history of the whole. */
SharedHistory *historyOf(GstMemory *memory)
{
	GstMemory *whole = memory->parent ? memory->parent : memory;
	return static_cast<SharedHistory *>(
		gst_mini_object_get_qdata(GST_MINI_OBJECT_CAST(whole), historyQuark()));
}

gboolean initOrigin(GstMeta *meta, gpointer, GstBuffer *)
{
	reinterpret_cast<HeapOriginMeta *>(meta)->origin = new SharedHistory;
	return TRUE;
}

void freeOrigin(GstMeta *meta, GstBuffer *)
{
	delete reinterpret_cast<HeapOriginMeta *>(meta)->origin;
}

const GstMetaInfo *originInfo();

/* Whatever is made of the frame, by whatever transformation, was made of it. */
gboolean transformOrigin(GstBuffer *destination, GstMeta *meta, GstBuffer *, GQuark, gpointer)
{
	auto *copy = reinterpret_cast<HeapOriginMeta *>(
		gst_buffer_add_meta(destination, originInfo(), nullptr));

	*copy->origin = *reinterpret_cast<HeapOriginMeta *>(meta)->origin;
	return TRUE;
}

const GstMetaInfo *originInfo()
{
	static const GstMetaInfo *info =
		gst_meta_register(gst_heap_origin_meta_api_get_type(), "GstHeapOriginMeta",
				  sizeof(HeapOriginMeta), initOrigin, freeOrigin, transformOrigin);
	return info;
}

bool isInMemoryOf(GstBuffer *buffer, const SharedHistory &origin)
{
	const guint memories = gst_buffer_n_memory(buffer);
	for (guint i = 0; i < memories; i++) {
		const SharedHistory *own = historyOf(gst_buffer_peek_memory(buffer, i));
		if (own && *own == origin)
			return true;
	}
	return false;
}

bool isWrittenByCpu(GstBuffer *buffer)
{
	const guint memories = gst_buffer_n_memory(buffer);
	for (guint i = 0; i < memories; i++) {
		const SharedHistory *own = historyOf(gst_buffer_peek_memory(buffer, i));
		if (own && (*own)->writtenByCpu)
			return true;
	}
	return false;
}

} /* namespace */

GType gst_heap_origin_meta_api_get_type(void)
{
	static GType type = [] {
		/* No tags: elements that do not know it take it along. */
		const gchar *tags[] = {nullptr};
		return gst_meta_api_type_register("GstHeapOriginMetaAPI", tags);
	}();
	return type;
}

void gst_heap_memory_keep_history(GstMemory *memory)
{
	gst_mini_object_set_qdata(GST_MINI_OBJECT_CAST(memory), historyQuark(),
				  new SharedHistory(std::make_shared<MemoryHistory>()),
				  [](gpointer data) { delete static_cast<SharedHistory *>(data); });
}

void gst_heap_memory_note_cpu_write(GstMemory *memory)
{
	if (const SharedHistory *history = historyOf(memory))
		(*history)->writtenByCpu = true;
}

void gst_buffer_add_heap_origin(GstBuffer *buffer)
{
	const SharedHistory *history = historyOf(gst_buffer_peek_memory(buffer, 0));
	if (!history)
		return;
	GstMeta *meta = gst_buffer_add_meta(buffer, originInfo(), nullptr);
	*reinterpret_cast<HeapOriginMeta *>(meta)->origin = *history;
	/* Stays when GstBufferPool resets the buffer; those of earlier frames go. */
	meta->flags = GstMetaFlags(meta->flags | GST_META_FLAG_POOLED);
}

void gst_buffer_forget_cpu_writes(GstBuffer *buffer)
{
	const guint memories = gst_buffer_n_memory(buffer);
	for (guint i = 0; i < memories; i++)
		if (const SharedHistory *own = historyOf(gst_buffer_peek_memory(buffer, i)))
			(*own)->writtenByCpu = (*own)->told = false;
}

gboolean gst_buffer_tell_cpu_copy(GstBuffer *buffer)
{
	const SharedHistory *own = historyOf(gst_buffer_peek_memory(buffer, 0));
	return own && (*own)->told.exchange(true);
}

gboolean gst_buffer_is_cpu_copy(GstBuffer *buffer)
{
	const GType api = gst_heap_origin_meta_api_get_type();
	gpointer state = nullptr;

	while (GstMeta *meta = gst_buffer_iterate_meta_filtered(buffer, &state, api)) {
		const SharedHistory &origin = *reinterpret_cast<HeapOriginMeta *>(meta)->origin;
		if (!isInMemoryOf(buffer, origin))
			return isWrittenByCpu(buffer);
	}
	return FALSE;
}
