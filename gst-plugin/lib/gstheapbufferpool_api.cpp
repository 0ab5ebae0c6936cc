/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pool for applications: made, configured and activated with reasons. */
#include "gstheapbufferpool_state.h"

#include "gstheaperror.h"
#include "gstheapformat.h"
#include "gstheapi18n.h"

#include <cerrno>

using heapflow::Error;
using heapflow::gst::formatted;

GType gst_heap_buffer_pool_flags_get_type(void)
{
	static const GType type = [] {
		static const GFlagsValue values[] = {
			{GST_HEAP_BUFFER_POOL_FLAG_NONE, "GST_HEAP_BUFFER_POOL_FLAG_NONE", "none"},
			{GST_HEAP_BUFFER_POOL_FLAG_MEMORY_PER_PLANE,
			 "GST_HEAP_BUFFER_POOL_FLAG_MEMORY_PER_PLANE", "memory-per-plane"},
			{0, nullptr, nullptr}};
		return g_flags_register_static("GstHeapBufferPoolFlags", values);
	}();
	return type;
}

GstBufferPool *gst_heap_buffer_pool_new_for_element(GstHeapAllocator *allocator,
						    GstElement *element)
{
	auto *self = GST_HEAP_BUFFER_POOL(g_object_new(GST_TYPE_HEAP_BUFFER_POOL, nullptr));

	gst_object_ref_sink(self);
	self->allocator = GST_HEAP_ALLOCATOR(gst_object_ref(allocator));
	g_weak_ref_set(&self->state->owner, element);
	if (element)
		gst_heap_allocator_set_element(allocator, element);
	return GST_BUFFER_POOL_CAST(self);
}

GstBufferPool *gst_heap_buffer_pool_new_with_allocator(GstHeapAllocator *allocator)
{
	g_return_val_if_fail(GST_IS_HEAP_ALLOCATOR(allocator), nullptr);

	return gst_heap_buffer_pool_new_for_element(allocator, nullptr);
}

GstBufferPool *gst_heap_buffer_pool_new(const gchar *expression, GError **error)
{
	g_return_val_if_fail(expression, nullptr);
	g_return_val_if_fail(!error || !*error, nullptr);

	auto choice = heapflow::chooseHeap(expression);
	if (!choice) {
		heapflow::gst::setError(error, choice.error());
		return nullptr;
	}
	const char *program = g_get_prgname();
	GstAllocator *allocator =
		gst_heap_allocator_new(std::move(*choice), program ? program : "gstheap");
	GstBufferPool *pool =
		gst_heap_buffer_pool_new_with_allocator(GST_HEAP_ALLOCATOR(allocator));
	gst_object_unref(allocator);
	return pool;
}

gboolean gst_heap_buffer_pool_configure(GstHeapBufferPool *self, GstCaps *caps, guint min_buffers,
					guint max_buffers, const GstVideoAlignment *alignment,
					GstHeapBufferPoolFlags flags, GError **error)
{
	g_return_val_if_fail(GST_IS_HEAP_BUFFER_POOL(self), FALSE);
	g_return_val_if_fail(GST_IS_CAPS(caps), FALSE);
	g_return_val_if_fail(!error || !*error, FALSE);

	auto *pool = GST_BUFFER_POOL_CAST(self);
	const auto format = heapflow::gst::frameFormatFromCaps(caps);
	if (!format) {
		heapflow::gst::setError(error, format.error());
		return FALSE;
	}
	if (!format->planesKnown) {
		const std::string text =
			heapflow::gst::drmFormatString(format->fourcc, format->modifier);
		heapflow::gst::setError(
			error,
			{EINVAL, formatted(_("the planes of %s cannot be laid out"), text.c_str()),
			 ""});
		return FALSE;
	}
	GstVideoInfo info = format->info;
	GstVideoAlignment aligned;
	if (alignment) {
		aligned = *alignment;
		if (!gst_video_info_align(&info, &aligned)) {
			heapflow::gst::setError(
				error,
				{EINVAL, _("the alignment that was asked for cannot be met"), ""});
			return FALSE;
		}
	}

	GstStructure *config = gst_buffer_pool_get_config(pool);
	gst_buffer_pool_config_set_params(config, caps, guint(GST_VIDEO_INFO_SIZE(&info)),
					  min_buffers, max_buffers);
	gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
	if (alignment) {
		gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
		gst_buffer_pool_config_set_video_alignment(config, &aligned);
	}
	if (flags & GST_HEAP_BUFFER_POOL_FLAG_MEMORY_PER_PLANE)
		gst_buffer_pool_config_add_option(config,
						  GST_BUFFER_POOL_OPTION_HEAP_MEMORY_PER_PLANE);
	if (gst_buffer_pool_set_config(pool, config))
		return TRUE;
	if (gst_buffer_pool_is_active(pool) || self->state->isHeld())
		heapflow::gst::setError(error, {EBUSY, _("the pool is in use"),
						_("Deactivate it, and wait for its buffers")});
	else
		heapflow::gst::setError(
			error,
			{EINVAL,
			 formatted(_("the pool refuses frames of %s"),
				   heapflow::gst::drmFormatString(format->fourcc, format->modifier)
					   .c_str()),
			 ""});
	return FALSE;
}

gboolean gst_heap_buffer_pool_activate(GstHeapBufferPool *self, GError **error)
{
	g_return_val_if_fail(GST_IS_HEAP_BUFFER_POOL(self), FALSE);
	g_return_val_if_fail(!error || !*error, FALSE);

	{
		std::lock_guard lock(self->state->mutex);
		self->state->lastError = {};
	}
	if (gst_buffer_pool_set_active(GST_BUFFER_POOL_CAST(self), TRUE))
		return TRUE;
	std::lock_guard lock(self->state->mutex);
	const Error &known = self->state->lastError;
	heapflow::gst::setError(error, known.code
					       ? known
					       : Error{EINVAL, _("the pool has no configuration"),
						       _("Call gst_heap_buffer_pool_configure()")});
	return FALSE;
}
