/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapframecopy.h"

#include "gstheapbufferpool.h"
#include "gstheapframebounds.h"
#include "gstheapframeoriginprivate.h"
#include "gstheapi18n.h"

#include <algorithm>
#include <cerrno>

namespace heapflow::gst
{

namespace
{

/* One on the screen, one waiting for the vblank, one being filled. */
constexpr guint minimumBuffers = 3;

/*
 * The same memory with a meta of this format: gst_video_frame_map() takes no other
 * (gst_video_frame_map_id()), and that of a frame of DMA_DRM caps may say DMA_DRM.
 */
GstBuffer *viewOf(const GstVideoInfo &info, GstBuffer *frame)
{
	const GstVideoMeta *meta = gst_buffer_get_video_meta(frame);
	if (!meta || meta->format == GST_VIDEO_INFO_FORMAT(&info))
		return gst_buffer_ref(frame);
	GstBuffer *view = gst_buffer_new();
	gst_buffer_copy_into(view, frame, GST_BUFFER_COPY_MEMORY, 0, gsize(-1));
	gst_buffer_add_video_meta_full(view, meta->flags, GST_VIDEO_INFO_FORMAT(&info), meta->width,
				       meta->height, meta->n_planes, meta->offset, meta->stride);
	return view;
}

bool copyPixels(const GstVideoInfo &info, GstBuffer *from, GstBuffer *to)
{
	GstVideoFrame source, target;
	GstBuffer *view = viewOf(info, from);
	const bool mapped = gst_video_frame_map(&source, &info, view, GST_MAP_READ);
	gst_buffer_unref(view);
	if (!mapped)
		return false;
	bool done = false;
	if (gst_video_frame_map(&target, &info, to, GST_MAP_WRITE)) {
		done = gst_video_frame_copy(&target, &source);
		gst_video_frame_unmap(&target);
	}
	gst_video_frame_unmap(&source);
	return done;
}

/* Errors: EINVAL the frame is not what the caps say. */
Result<void> checkFrame(const FrameFormat &format, GstBuffer *frame)
{
	const GstVideoMeta *meta = gst_buffer_get_video_meta(frame);
	if (auto fits = checkVideoMeta(format, meta); !fits)
		return fits;
	const auto width = guint(GST_VIDEO_INFO_WIDTH(&format.info));
	const auto height = guint(GST_VIDEO_INFO_HEIGHT(&format.info));
	if (meta && (meta->width < width || meta->height < height))
		return fail(EINVAL, formatted(_("a frame has %ux%u pixels, the caps say %ux%u"),
					      meta->width, meta->height, width, height));
	return checkFrameBounds(format, frame);
}

/*
 * Metas tagged "memory" tell where the planes of the original are; the copy has its own. That it is
 * a copy is said by who asked for it, and not by the sink once more.
 */
gboolean copyMeta(GstBuffer *from, GstMeta **meta, gpointer to)
{
	const GstMetaInfo *info = (*meta)->info;
	GstMetaTransformCopy whole = {FALSE, 0, gsize(-1)};

	if (info->transform_func && info->api != gst_heap_origin_meta_api_get_type() &&
	    !gst_meta_api_type_has_tag(info->api, g_quark_from_static_string("memory")))
		info->transform_func(static_cast<GstBuffer *>(to), *meta, from,
				     _gst_meta_transform_copy, &whole);
	return TRUE;
}

} /* namespace */

FrameCopier::~FrameCopier()
{
	reset();
}

void FrameCopier::reset()
{
	if (pool_)
		gst_buffer_pool_set_active(pool_, FALSE);
	gst_clear_object(&pool_);
	gst_clear_caps(&caps_);
}

bool FrameCopier::ready(const GstCaps *caps) const
{
	return caps_ && gst_caps_is_equal(caps_, caps);
}

Result<void> FrameCopier::prepare(GstElement *element, const std::string &heap, GstCaps *caps,
				  const FrameFormat &format, const CopyNeeds &needs)
{
	if (!format.planesKnown)
		return fail(ENOTSUP,
			    formatted(_("frames of %s cannot be copied: the CPU cannot read them"),
				      drmFormatString(format.fourcc, format.modifier).c_str()));
	reset();
	auto offer = offerHeapPool(element, heap, caps, std::max(minimumBuffers, needs.buffers + 1),
				   needs.alignment);
	if (!offer)
		return std::unexpected(offer.error());
	pool_ = offer->pool;
	caps_ = gst_caps_ref(caps);
	if (!gst_buffer_pool_set_active(pool_, TRUE)) {
		reset();
		return fail(ENOMEM, formatted(_("no memory for copies in heap %s"), heap.c_str()));
	}
	return {};
}

Result<GstBuffer *> FrameCopier::copy(const FrameFormat &format, GstBuffer *frame)
{
	if (auto fits = checkFrame(format, frame); !fits)
		return std::unexpected(fits.error());
	GstBuffer *copied = nullptr;
	if (gst_buffer_pool_acquire_buffer(pool_, &copied, nullptr) != GST_FLOW_OK)
		return fail(ENOMEM, _("no buffer for a copy"));
	if (!copyPixels(format.info, frame, copied)) {
		gst_buffer_unref(copied);
		return fail(EIO, _("the pixels of a frame could not be copied"));
	}
	gst_buffer_copy_into(copied, frame,
			     GstBufferCopyFlags(GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS),
			     0, gsize(-1));
	gst_buffer_foreach_meta(frame, copyMeta, copied);
	return copied;
}

Result<GstBuffer *> FrameCopier::copy(GstElement *element, const std::string &heap, GstCaps *caps,
				      const FrameFormat &format, GstBuffer *frame)
{
	if (!ready(caps))
		if (auto prepared = prepare(element, heap, caps, format); !prepared)
			return std::unexpected(prepared.error());
	return copy(format, frame);
}

} /* namespace heapflow::gst */
