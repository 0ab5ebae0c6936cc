/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose memory a frame was first in: what tells a frame that was copied from one that was not. */
#pragma once

#include <gst/heap/heap-prelude.h>

/*
 * Every buffer of our pools has a meta that names its memory. Elements that make a frame of another
 * one take its metas along (GstBaseTransform does for all of them), and so the new frame, in memory
 * that names itself as well, tells that there was an earlier one. Whether the CPU wrote the new one
 * is known to our allocator, which maps it; a device that did leaves no trace there. So a copy by
 * the CPU is seen without any hook, and costs a frame that is not copied two look-ups.
 *
 * Threads: all functions may be called from any; what concerns a buffer only by who owns it.
 */

/** \brief Remember from now on whether the CPU writes this memory; once, by who makes it */
GST_HEAP_API void gst_heap_memory_keep_history(GstMemory *memory);

/** \brief The CPU has mapped it for writing */
GST_HEAP_API void gst_heap_memory_note_cpu_write(GstMemory *memory);

/** \brief Name the memory of a pool's buffer, for as long as the buffer lives */
GST_HEAP_API void gst_buffer_add_heap_origin(GstBuffer *buffer);

/** \brief The buffer is in its pool again: who writes it next is yet to be seen */
GST_HEAP_API void gst_buffer_forget_cpu_writes(GstBuffer *buffer);

/**
 * \brief Did the CPU make this frame of one that was in other memory of ours?
 *
 * FALSE also when it cannot be known: neither memory is of a heap, or the element between took no
 * metas along.
 */
GST_HEAP_API gboolean gst_buffer_is_cpu_copy(GstBuffer *buffer);

/**
 * \brief Somebody says now that the frame is a copy
 *
 * \return TRUE when it was said already, since the buffer left its pool
 */
GST_HEAP_API gboolean gst_buffer_tell_cpu_copy(GstBuffer *buffer);

/** \brief Of the meta; copies that announce themselves leave it behind */
GST_HEAP_API GType gst_heap_origin_meta_api_get_type(void);
